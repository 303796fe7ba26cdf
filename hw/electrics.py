"""Bias, load and voltage drop, computed from hw/electrics.toml: `python -m hw.electrics [--json]`; exit 1 if a limit is broken.

Owns the arithmetic. Rules: worst case of supply, all nodes of a segment or branch present and at full power. What only a meter
can tell is in hw/checklist.toml.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hw.diagram import ELECTRICS

UNIT_LOAD_OHM = 12_000
STEPS = 60
"""A chain of constant powers settles to the millivolt within twenty."""


@dataclass(frozen=True, slots=True)
class Bias:
    """A segment at rest: volts between A and B in mV, what a driver has to drive in ohm, unit loads."""

    receivers: int
    idle_mv: int
    load_ohm: float
    unit_loads: float
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One fused branch: nodes, watts of each, amperes at its fuse, volts at its last node."""

    kind: str
    nodes: int
    node_w: float
    fuse_a: float
    current_a: float
    last_v: float
    faults: tuple[str, ...]


def facts(path: Path = ELECTRICS) -> dict[str, Any]:
    """The file, by table."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def bias(bus: dict[str, Any], receivers: int) -> Bias:
    """A segment with so many receivers.

    With G the conductances of the bias resistor, of all receivers on one wire and of both terminations, the two nodes' currents
    give V_AB = V Gb / (Gb + Gr + 2 Gt).
    """
    loads = receivers * bus["unit_load_share"]
    g_bias, g_receivers, g_ends = 1 / bus["bias_ohm"], loads / UNIT_LOAD_OHM, 2 / bus["termination_ohm"]
    idle_mv = round(1000 * bus["bias_supply_min_v"] * g_bias / (g_bias + g_receivers + 2 * g_ends))
    # Between A and B the two bias resistors, and the two wires' receivers, lie in series.
    load_ohm = round(1 / (g_ends + g_bias / 2 + g_receivers / 2), 1)
    found = []
    if idle_mv < bus["idle_mv_min"]:
        found.append(f"{idle_mv} mV at rest, {bus['idle_mv_min']} wanted")
    if load_ohm < bus["load_ohm_min"]:
        found.append(f"drivers see {load_ohm} ohm, {bus['load_ohm_min']} at least")
    if loads > bus["unit_loads_max"]:
        found.append(f"{loads:g} unit loads, {bus['unit_loads_max']} at most")
    return Bias(receivers, idle_mv, load_ohm, loads, tuple(found))


def node_w(kind: dict[str, Any], supply: dict[str, Any]) -> float:
    """Watts that one node takes from the 24 V."""
    behind, converter = set(kind["behind_converter"]), float(supply["converter"])
    watts = {name: float(one) for name, one in kind["parts"].items()}
    return sum(one / (converter if name in behind else 1.0) for name, one in watts.items())


def branch(name: str, every: dict[str, Any], nodes: int) -> Branch:
    """So many nodes in a row behind one fuse; each takes its power at whatever voltage is left there."""
    supply, kind = every["supply"], every[name]
    watts = node_w(kind, supply)
    ohm_per_m = 2 * supply["ohm_mm2_per_m"] / kind["mm2"]
    pieces = [kind["feeder_m"] * ohm_per_m] + [kind["spacing_m"] * ohm_per_m] * (nodes - 1)
    volts = [supply["volts"]] * nodes
    current = 0.0
    for _ in range(STEPS):
        amperes = [watts / one for one in volts]
        current, here = sum(amperes), supply["volts"]
        flowing = current
        for number, ohm in enumerate(pieces):
            here -= flowing * ohm
            # A branch that cannot carry its load has no answer; half the supply is far below any limit.
            volts[number] = max(here, supply["volts"] / 2)
            flowing -= amperes[number]
    found = []
    if volts[-1] < supply["volts_min"]:
        found.append(f"{volts[-1]:.1f} V at the last node, {supply['volts_min']} at least")
    if current > 0.8 * kind["fuse_a"]:
        found.append(f"{current:.2f} A through a fuse of {kind['fuse_a']} A, 80 % at most")
    rounded = (round(watts, 2), float(kind["fuse_a"]), round(current, 2), round(volts[-1], 1))
    return Branch(name, nodes, *rounded, tuple(found))


def main(arguments: list[str]) -> int:
    """Print the budget; 1 if a limit is broken."""
    parser = argparse.ArgumentParser(prog="python -m hw.electrics", description="Bias and power budget of a full lot.")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    as_json = parser.parse_args(arguments).json
    every = facts()
    rest = [bias(every["bus"], count) for count in (2, every["bus"]["transceivers"])]
    branches = [branch(name, every, every[name]["per_branch"]) for name in ("lane", "bays")]
    if as_json:
        print(json.dumps({"bias": [asdict(one) for one in rest], "branches": [asdict(one) for one in branches]}))
    else:
        for one in rest:
            told = f"{one.idle_mv} mV at rest, {one.load_ohm} ohm, {one.unit_loads:g} unit loads"
            print(f"bus, {one.receivers} receivers: {told}")
        for two in branches:
            told = f"{two.nodes} x {two.node_w} W, {two.current_a} A of {two.fuse_a:g} A, {two.last_v} V at the last"
            print(f"branch, {two.kind}: {told}")
    wrong = [fault for one in rest for fault in one.faults] + [fault for two in branches for fault in two.faults]
    for fault in wrong:
        print(f"not met: {fault}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
