"""Bill of materials of a lot: `python -m hw.bom --lanes 4 --bays 120 [--json]`.

Owns the quantities: nodes from lanes and bays, segments and branches from nodes, cable from the distances in
hw/electrics.toml. Knows no price.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hw.electrics import branch, facts
from hw.pins import ROOT

BOM = ROOT / "hw" / "bom.toml"
BAYS_PER_NODE = 8
SUPPLY_A = 10
SUPPLY_SHARE = 0.8
"""A supply runs at most at this share of its amperes, the gateway's two included."""
GATEWAY_A = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what, what it must be, how many (metres for cable)."""

    name: str
    part: str
    count: int


def amounts(lanes: int, bays: int, every: dict[str, Any]) -> dict[str, int]:
    """How often each `per` of the file occurs in a lot."""
    found = {"lot": 1, "lane": lanes, "bay": bays, "bay-node": math.ceil(bays / BAYS_PER_NODE)}
    found["node"] = lanes + found["bay-node"]
    found |= {"segment": 0, "branch": 0, "bus metre": 0}
    amperes = float(GATEWAY_A)
    # Lanes have segments of their own, so that no car waits behind a bay.
    for kind, count in (("lane", lanes), ("bays", found["bay-node"])):
        on_segment, on_branch = segment_nodes(every["bus"], every[kind]), every[kind]["per_branch"]
        segments, branches = pieces(count, on_segment), pieces(count, on_branch)
        found["segment"] += len(segments)
        found["branch"] += len(branches)
        found["bus metre"] += sum(metres(every[kind], here) for here in segments)
        found[f"{kind} metre"] = sum(metres(every[kind], here) for here in branches)
        amperes += sum(branch(kind, every, here).current_a for here in branches)
    found["supply"] = math.ceil(amperes / (SUPPLY_A * SUPPLY_SHARE))
    return found


def segment_nodes(bus: dict[str, Any], kind: dict[str, Any]) -> int:
    """How many nodes a segment carries: by its receivers, or by its length."""
    by_length = (bus["segment_m_max"] - kind["feeder_m"]) // kind["spacing_m"] + 1
    return int(min(bus["transceivers"] - 1, by_length))


def pieces(count: int, at_most: int) -> list[int]:
    """So many nodes in groups of at most so many."""
    return [min(at_most, count - first) for first in range(0, count, at_most)]


def metres(kind: dict[str, Any], nodes: int) -> int:
    """Cable from the cabinet to the last of so many nodes in a row."""
    return int(kind["feeder_m"] + kind["spacing_m"] * (nodes - 1))


def rows(lanes: int, bays: int, path: Path = BOM) -> list[Row]:
    """The bill. ValueError for a `per` that nothing is counted by."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))["item"]
    times = amounts(lanes, bays, facts())
    unknown = {one["per"] for one in found} - times.keys()
    if unknown:
        raise ValueError(f"{path.name}: nothing is counted per {', '.join(sorted(unknown))}")
    every = [Row(one["name"], one["part"], one["count"] * times[one["per"]]) for one in found]
    return [row for row in every if row.count]


def main(arguments: Sequence[str]) -> int:
    """Print the bill as a table, or as JSON."""
    parser = argparse.ArgumentParser(prog="python -m hw.bom", description="Bill of materials of a lot.")
    parser.add_argument("--lanes", type=int, required=True, help="how many lanes")
    parser.add_argument("--bays", type=int, required=True, help="how many bays with a sensor")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    wanted = parser.parse_args(arguments)
    if wanted.lanes < 1 or wanted.bays < 0:
        parser.error("a lot has at least one lane, and no negative bays")
    bill = rows(wanted.lanes, wanted.bays)
    if wanted.json:
        counted = amounts(wanted.lanes, wanted.bays, facts())
        print(json.dumps({"counted": counted, "rows": [asdict(row) for row in bill]}))
        return 0
    for row in bill:
        print(f"{row.count:>6}  {row.name:<34}  {row.part}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
