"""Must-show of the bus: poll cycle and event latency of 32 nodes at its speed, computed and measured, beside the wire's limit.

The gateway's half runs in a process of its own over a pseudo-terminal. The wires are this process: bytes take their time at
the given speed, one direction at a time, and the nodes (the real firmware) answer after the turnaround of their chip. Events
happen at random times; their latency ends where the gateway's line hands them on.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import select
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from firmware import wire
from firmware.bay import BayNode as BayFirmware
from firmware.cipher import Cipher
from firmware.lane import ENTRY
from firmware.lane import LaneNode as LaneFirmware
from gateway.bus_line import BusLine
from gateway.config import BusPart
from gateway.core.events import BusEvent, NodeEvent
from gateway.core.layout import BayNode, LaneNode, LaneRole, Node
from gateway.core.moment import Moment
from gateway.link.bus import BAY_EVERY_MS, LANE_EVERY_MS
from gateway.shell.clock import SystemClock
from sim.aes import Aes
from sim.fram import Fram

SITE_KEY = bytes(range(16))
NODES = 32
PORTS = 8
BITS_PER_BYTE = 10
REQUEST_BYTES, REPLY_BYTES, EVENT_BYTES = 31, 28, 12
"""An idle exchange, and what a bay's event adds (firmware/PROTOCOL.md)."""
TURN_US = 2_630
"""An RP2040 checks a poll and seals a reply: cycle-counted on an emulated chip, in plain bytecode."""
GATEWAY_US = 500
"""Ours, for the computed rows: a process that wakes up, and an adapter."""
EVENT_EVERY_S = (0.02, 0.1)
WARM_S = 3.0
SPIN_US = 300
"""The last stretch before a byte's time is waited for awake: the system's timers are not finer."""


def nodes_of(lanes: int, count: int) -> tuple[Node, ...]:
    """`lanes` lanes, then bays, at addresses from 1 on."""
    return tuple(
        LaneNode(a, f"{a:016x}", f"lane-{a}", LaneRole.ENTRY)
        if a <= lanes
        else BayNode(a, f"{a:016x}", tuple(f"bay-{a}-{port}" for port in range(PORTS)))
        for a in range(1, count + 1)
    )


# --- the gateway's process ---------------------------------------------------------------------------------------------------


def serve(port: str, lanes: int, count: int) -> None:
    """The gateway's half; each event it is handed goes to standard output with the time, and counts as committed."""
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "site.key"
        key.write_text(SITE_KEY.hex(), encoding="ascii")
        part = BusPart("bench", port, 115_200, key, nodes_of(lanes, count))

        def take(events: list[NodeEvent | BusEvent], _now: Moment) -> None:
            at_us = time.monotonic_ns() // 1_000
            for event in events:
                source = getattr(event, "source", None)
                if source is not None:
                    print(source.uid, source.seq, at_us, flush=True)
                    line.bus.committed(source.uid, source.log, source.seq)

        async def run() -> None:
            line.start()
            await asyncio.Event().wait()

        line = BusLine(
            part,
            hello=1,
            nonce=lambda: os.urandom(8),
            acked={},
            clock=SystemClock(),
            on_events=take,
            hold=lambda: False,
            capture=None,
        )
        asyncio.run(run())


# --- the wires ---------------------------------------------------------------------------------------------------------------


@dataclass
class Wires:
    """A paced pair of wires with nodes on it. `polls_us`: by address, when each poll had arrived."""

    nodes: dict[int, BayFirmware | LaneFirmware]
    bps: int
    turn_us: int
    polls_us: dict[int, list[int]] = field(default_factory=dict)
    happened_us: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._splitter = wire.Splitter()

    def run(self, seconds: float, dice: random.Random) -> None:
        """Carry bytes for so long, while things happen at the nodes."""
        end_us = now_us() + int(seconds * 1e6)
        due_us = now_us() + int(WARM_S * 1e6)
        levels = dict.fromkeys(self.nodes, False)
        while now_us() < end_us:
            if now_us() >= due_us:
                due_us = now_us() + int(dice.uniform(*EVENT_EVERY_S) * 1e6)
                address = dice.choice(list(self.nodes))
                levels[address] = not levels[address]
                self._happen(address, levels[address])
            ready, _, _ = select.select([self._master], [], [], 0.001)
            if ready:
                self._carry(os.read(self._master, 4096))

    def _happen(self, address: int, level: bool) -> None:
        node = self.nodes[address]
        at_ms = now_us() // 1_000
        if isinstance(node, BayFirmware):
            node.bay(0, level, at_ms, at_ms)
        else:
            node.contact(0, True, at_ms, at_ms)
            node.contact(0, False, at_ms, at_ms)
        self.happened_us[f"{address:016x}", node.pending + node._log.acked] = now_us()

    def _carry(self, data: bytes) -> None:
        self._wait(len(data))
        at_us = now_us()
        for raw in self._splitter.feed(data):
            node = self.nodes.get(raw[2]) if len(raw) > 2 else None
            if node is None:
                continue
            self.polls_us.setdefault(raw[2], []).append(at_us)
            reply = node.receive(b"\0" + raw + b"\0", at_us // 1_000, at_us // 1_000)
            if reply:
                wait_until(at_us + self.turn_us)
                self._wait(len(reply))
                os.write(self._master, reply)

    def _wait(self, count: int) -> None:
        wait_until(now_us() + count * BITS_PER_BYTE * 1_000_000 // self.bps)


def now_us() -> int:
    """The machine's monotonic clock."""
    return time.monotonic_ns() // 1_000


def wait_until(at_us: int) -> None:
    """Wait, at the end awake."""
    left_us = at_us - now_us() - SPIN_US
    if left_us > 0:
        select.select([], [], [], left_us / 1e6)
    while now_us() < at_us:
        pass


# --- figures -----------------------------------------------------------------------------------------------------------------


def line_us(count: int, bps: int) -> int:
    """Time of so many bytes on the wires."""
    return count * BITS_PER_BYTE * 1_000_000 // bps


def percentile(values: Sequence[int], percent: int) -> int:
    """Nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0


def computed(lanes: int, count: int, bps: int, turn_us: int, gateway_us: int) -> dict[str, float]:
    """Periods and latencies in ms. With lanes, every second turn is a lane's as long as one is due."""
    exchange_us = line_us(REQUEST_BYTES + REPLY_BYTES, bps) + turn_us + gateway_us
    carried_us = exchange_us + line_us(EVENT_BYTES, bps)
    bays = count - lanes
    lane_us = max(LANE_EVERY_MS * 1_000 + exchange_us, lanes * exchange_us * (2 if bays else 1)) if lanes else 0
    # What the lanes leave of the time is the bays'; as long as both are due it is every second exchange.
    share = min(0.5, lanes * exchange_us / lane_us) if lanes else 0.0
    bay_us = max(BAY_EVERY_MS * 1_000 + exchange_us, int(bays * exchange_us / (1 - share)))
    found = {
        "exchange": exchange_us / 1e3,
        "bay_cycle": bay_us / 1e3,
        "bay_latency_mean": (bay_us / 2 + carried_us) / 1e3,
    }
    found |= {"lane_cycle": lane_us / 1e3, "lane_latency_mean": (lane_us / 2 + carried_us) / 1e3 if lanes else 0.0}
    return found


def measured(lanes: int, count: int, bps: int, turn_us: int, seconds: float, seed: int) -> dict[str, float]:
    """The same from a run, p50 and p99, in ms."""
    cipher = Cipher(Aes)
    nodes: dict[int, BayFirmware | LaneFirmware] = {}
    for node in nodes_of(lanes, count):
        uid = bytes.fromhex(node.uid)
        key = wire.node_key(cipher, SITE_KEY, uid)
        if isinstance(node, BayNode):
            made: BayFirmware | LaneFirmware = BayFirmware(
                node.address, uid, key, cipher, ports=PORTS, boot=1, nonce=lambda: os.urandom(8)
            )
        else:
            made = LaneFirmware(
                node.address, uid, key, cipher, memory=Fram(8192), role=ENTRY, boot=1, nonce=lambda: os.urandom(8)
            )
        nodes[node.address] = made
    wires = Wires(nodes, bps, turn_us)
    command = [sys.executable, "-m", "bench.bus", "--serve", wires.port, str(lanes), str(count)]
    gateway = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    wires.run(seconds + WARM_S, random.Random(seed))
    gateway.terminate()
    told, _ = gateway.communicate()
    latencies: dict[bool, list[int]] = {True: [], False: []}
    for text in told.splitlines():
        uid, seq, at_us = text.split()
        began_us = wires.happened_us.get((uid, int(seq)))
        if began_us is not None:
            latencies[int(uid, 16) <= lanes].append(int(at_us) - began_us)
    begin_us = now_us() - int(seconds * 1e6)
    found: dict[str, float] = {"events": len(latencies[True]) + len(latencies[False])}
    for kind, is_lane in (("bay", False), ("lane", True)):
        periods = [
            later - sooner
            for address, polls in wires.polls_us.items()
            if (address <= lanes) is is_lane
            for sooner, later in itertools.pairwise(polls)
            if sooner > begin_us
        ]
        found[f"{kind}_cycle"] = percentile(periods, 50) / 1e3
        found[f"{kind}_cycle_p99"] = percentile(periods, 99) / 1e3
        ordered = latencies[is_lane]
        found[f"{kind}_latency_mean"] = sum(ordered) / max(1, len(ordered)) / 1e3
        found[f"{kind}_latency_p99"] = percentile(ordered, 99) / 1e3
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """The table; exit 0 if the measured cycle is within --factor of the computed one."""
    parser = argparse.ArgumentParser(prog="python -m bench.bus", description=__doc__)
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--bps", type=int, default=115_200)
    parser.add_argument("--turn-us", type=int, default=TURN_US, help="a node's turnaround")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of each measurement")
    parser.add_argument("--factor", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    if asked.serve:
        serve(asked.serve[0], int(asked.serve[1]), int(asked.serve[2]))
    limit_ms = asked.nodes * line_us(REQUEST_BYTES + REPLY_BYTES, asked.bps) / 1e3
    print(
        f"{asked.nodes} nodes at {asked.bps} baud; the wire alone needs {limit_ms:.0f} ms for one idle exchange with each"
    )
    rows = []
    for lanes in (0, 2):
        plan = computed(lanes, asked.nodes, asked.bps, asked.turn_us, GATEWAY_US)
        seen = measured(lanes, asked.nodes, asked.bps, asked.turn_us, asked.seconds, asked.seed)
        rows.append({"lanes": lanes, "limit_ms": limit_ms, "computed_ms": plan, "measured_ms": seen})
        for kind in ("lane", "bay") if lanes else ("bay",):
            print(
                f"{lanes} lanes, {asked.nodes - lanes} bay nodes: {kind} cycle computed {plan[f'{kind}_cycle']:.0f} ms,"
                f" measured p50 {seen[f'{kind}_cycle']:.0f} p99 {seen[f'{kind}_cycle_p99']:.0f} ms; event latency computed mean"
                f" {plan[f'{kind}_latency_mean']:.0f} ms, measured mean {seen[f'{kind}_latency_mean']:.0f} p99"
                f" {seen[f'{kind}_latency_p99']:.0f} ms"
            )
    if asked.json is not None:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    well = all(row["measured_ms"]["bay_cycle"] <= asked.factor * row["computed_ms"]["bay_cycle"] for row in rows)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
