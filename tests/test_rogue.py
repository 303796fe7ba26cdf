"""A rogue board and a played-back capture on the wires of real boards: refused, named, and nothing moves.

Boards are the real MicroPython; the gateway's half is its real line on a real pseudo-terminal.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import platform
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from firmware import pins_lane, wire
from firmware.cipher import Cipher
from gateway.bus_line import BusLine, Capture
from gateway.config import BusPart
from gateway.core.commands import OpenBarrier
from gateway.core.events import BusEvent, NodeEvent, NodeJoined, NodeRefused, PlateRead
from gateway.core.layout import LaneNode, LaneRole
from gateway.core.moment import Moment
from gateway.shell.clock import SystemClock
from sim.aes import Aes
from sim.board import LaneBoard
from sim.hub import Hub

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the interpreter's wheel is made for x86-64 only"
)

SITE_KEY, OTHER_KEY = bytes(range(16)), bytes(range(1, 17))
NODES = tuple(LaneNode(a, f"{a:016x}", f"entry-{a}", LaneRole.ENTRY) for a in (1, 2))
CLOCK = (0, 1, 5)
LIMIT_S = 20.0
LOOK_S = 0.02
PLAYED_MAX = 40
"""Frames played back at a time: what a pseudo-terminal holds."""


class Wires:
    """A bus with an honest board at address 1, and whatever board a test puts at address 2."""

    def __init__(self, folder: Path, second_key: bytes) -> None:
        cipher = Cipher(Aes)
        self.boards = []
        for node, site_key in zip(NODES, (SITE_KEY, second_key), strict=True):
            key = wire.node_key(cipher, site_key, bytes.fromhex(node.uid)).hex()
            settings = {"board": "lane", "address": node.address, "uid": node.uid, "key": key, "role": "entry"}
            self.boards.append(LaneBoard(folder / node.uid, settings))
        self.hub = Hub(self.boards)
        self.events: list[NodeEvent | BusEvent] = []
        self.file = io.StringIO()
        (folder / "site.key").write_text(SITE_KEY.hex(), encoding="ascii")
        self.line = BusLine(
            BusPart("bus", self.hub.slave, 115_200, folder / "site.key", NODES),
            hello=1,
            nonce=lambda: os.urandom(8),
            acked={},
            clock=SystemClock(),
            on_events=self._take,
            hold=lambda: False,
            capture=Capture(self.file),
        )

    def _take(self, events: list[NodeEvent | BusEvent], _now: Moment) -> None:
        self.events += events
        for event in events:
            source = getattr(event, "source", None)
            if source is not None:
                self.line.bus.committed(source.uid, source.log, source.seq)

    def chunks(self, direction: str) -> list[bytes]:
        """What was captured of one direction."""
        lines = [json.loads(text) for text in self.file.getvalue().splitlines()]
        return [bytes.fromhex(one["hex"]) for one in lines if one["dir"] == direction]

    def told(self, kind: type) -> list[NodeEvent | BusEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for it while everything runs; a board's death or LIMIT_S end the test."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + LIMIT_S
        while not holds():
            assert all(board.alive for board in self.boards)
            assert loop.time() < end_s, f"{self.line.bus.counters} {self.events[-5:]}"
            later = loop.create_future()
            loop.call_later(LOOK_S, later.set_result, None)
            await later

    def go(self, course: Callable[[Wires], Awaitable[None]]) -> None:
        async def run() -> None:
            self.hub.open()
            for board in self.boards:
                board.power_on(CLOCK)
            self.line.start()
            try:
                await course(self)
            finally:
                self.line.stop()
                self.hub.close()

        try:
            asyncio.run(run())
        finally:
            for board in self.boards:
                board.close()


def test_a_board_without_the_sites_key_is_named_and_never_heard(tmp_path: Path) -> None:
    """It has the right address and uid; it was commissioned with another site's key, and it never answers our hello."""
    wires = Wires(tmp_path, OTHER_KEY)

    async def course(wires: Wires) -> None:
        await wires.until(lambda: wires.boards[0].turns > 5 and wires.line.bus.counters.hellos > 3)
        rogue = wires.boards[1]
        rogue.plate("浙B99999", 1, 0, 0, 97, 0, 0)
        # A rogue that follows the talk answers by itself, as far as it can: with its own key.
        cipher = Cipher(Aes)

        def forge() -> None:
            raw = next((f for f in reversed(wires.chunks("tx")) if f[3] == 2), b"")
            asked = wire.parse(raw[1:-1])
            if isinstance(asked, wire.Frame) and asked.type == wire.HELLO:
                welcome = wire.Welcome(
                    nonces=asked.covered[11:19] + bytes(8),
                    uid=bytes.fromhex(NODES[1].uid),
                    boot=1,
                    log=1,
                    kind=wire.KIND_LANE,
                    ports=2,
                    version=wire.VERSION,
                    build=1,
                )
                head = (wire.HELLO_R, 2 | wire.FROM_NODE, asked.session, asked.counter)
                wires.hub.say(wire.seal(cipher, OTHER_KEY, b"", head, wire.pack_welcome(welcome)))

        def refused() -> bool:
            forge()
            return NodeRefused(2, "key") in wires.events

        await wires.until(refused)
        assert rogue.pending > 0
        assert [event for event in wires.told(NodeJoined) if event.uid == NODES[1].uid] == []
        assert wires.told(PlateRead) == []
        assert wires.line.bus.counters.mac > 0

    wires.go(course)


def test_a_capture_played_back_moves_nothing_and_is_named(tmp_path: Path) -> None:
    wires = Wires(tmp_path, SITE_KEY)

    async def course(wires: Wires) -> None:
        lane = wires.boards[0]
        await wires.until(lambda: len(wires.told(NodeJoined)) == 2 and lane.pending == 0)
        lane.plate("浙A12345", 1, 0, 0, 97, 0, 0)
        await wires.until(lambda: len(wires.told(PlateRead)) == 1)
        wires.line.command(OpenBarrier("entry-1"))
        await wires.until(lambda: lane.output(pins_lane.ARM_RAISE) == 1)
        lane.position(1, 0, 0)
        opened = lane.told[2]
        taken = len(wires.events)
        sent, came = wires.chunks("tx"), wires.chunks("rx")
        turns = lane.turns

        def named() -> bool:
            for frame in sent[:PLAYED_MAX]:
                wires.hub.say(frame, to_boards=True)
            for chunk in came[:PLAYED_MAX]:
                wires.hub.say(chunk)
            return NodeRefused(1, "replay") in wires.events and lane.turns > turns + 20

        await wires.until(named)
        assert lane.told[2] == opened, "a played-back command opens nothing"
        assert len(wires.told(PlateRead)) == 1, "a played-back plate is no second vehicle"
        assert [event for event in wires.events[taken:] if isinstance(event, NodeJoined)] == []
        lane.plate("浙A54321", 1, 0, 0, 97, 0, 0)
        await wires.until(lambda: len(wires.told(PlateRead)) == 2)

    wires.go(course)
