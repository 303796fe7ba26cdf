"""Boards on the desk: the real interpreter runs the board's program, and its pins, lines, memory and heap behave."""

from __future__ import annotations

import os
import platform
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware import pins_lane, wire
from firmware.cipher import Cipher
from sim.aes import Aes
from sim.board import BayBoard, Board, LaneBoard

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the interpreter's wheel is made for x86-64 only"
)

UID = "6c6f740000000001"
KEY = bytes(range(16))
LIMIT_S = 10.0
CLOCK = (0, 1, 2)
HEAP_BYTES_MAX = 150_000
"""Most that a node ever used of the 256 kB heap; objects of the RP2040's 32 bits take about half."""


def until(board: Board, holds: Callable[[], bool]) -> None:
    """Wait for the board; its death or LIMIT_S end the test."""
    end_s = time.monotonic() + LIMIT_S
    while not holds():
        assert board.alive, (board.folder / "console.log").read_text()
        assert time.monotonic() < end_s, board.told
        select.select([], [], [], 0.005)


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[LaneBoard]:
    settings = {"board": "lane", "address": 1, "uid": UID, "key": KEY.hex(), "role": "exit"}
    board = LaneBoard(tmp_path / "lane", settings)
    board.power_on(CLOCK)
    yield board
    board.close()


class Gateway:
    """Just enough of one to ask a board for its events."""

    def __init__(self, board: Board, epoch: int = 1) -> None:
        self.board = board
        self.cipher = Cipher(Aes)
        self.epoch = epoch
        self.counter = 0
        self.splitter = wire.Splitter()
        nonce = os.urandom(8)
        frame = self.ask(wire.seal(self.cipher, KEY, b"", (wire.HELLO, 1, 9, 1), wire.pack_hello(epoch, nonce)))
        welcome = wire.unpack_welcome(wire.unseal(self.cipher, KEY, b"", frame) or b"")
        assert welcome is not None
        self.log, self.boot = welcome.log, welcome.boot
        self.keys = wire.session_keys(self.cipher, KEY, welcome.nonces, welcome.boot, 1, 9)

    def ask(self, data: bytes) -> wire.Frame:
        os.write(self.board.bus.master, data)
        pieces: list[bytes] = []
        while not pieces:
            ready, _, _ = select.select([self.board.bus.master], [], [], LIMIT_S)
            assert ready, "the board is silent"
            pieces = self.splitter.feed(os.read(self.board.bus.master, 4096))
        frame = wire.parse(pieces[0])
        assert isinstance(frame, wire.Frame)
        return frame

    def poll(self, ack: int) -> list[wire.Event]:
        self.counter += 1
        head = (wire.POLL, 1, 9, self.counter)
        frame = self.ask(wire.seal(self.cipher, *self.keys, head, wire.pack_poll(self.log, ack, 18)))
        data = wire.unpack_data(wire.unseal(self.cipher, *self.keys, frame) or b"")
        assert data is not None
        return data[3]


def test_a_lane_from_camera_to_relay_and_back_after_a_power_cut(lane: LaneBoard) -> None:
    until(lane, lambda: lane.turns > 10)
    gateway = Gateway(lane)
    assert [event.kind for event in gateway.poll(0)] == [wire.BARRIER, wire.FIRE, wire.MAINS]
    lane.loop(0, True, 0, 0)
    lane.plate("浙A12345", 1, 0, 0, 97, 0, 0)
    until(lane, lambda: lane.pending == 4)
    plate = gateway.poll(3)[0]
    assert (plate.kind, plate.extra[4:].decode()) == (wire.PLATE, "浙A12345")
    until(lane, lambda: lane.output(pins_lane.ARM_RAISE) == 1)  # nobody answered for two seconds
    lane.power_off()
    lane.power_on(CLOCK)
    until(lane, lambda: lane.turns > 10)
    again = Gateway(lane, epoch=2)
    assert (again.log, again.boot) == (gateway.log, gateway.boot + 1)
    events = again.poll(3)
    assert [event.seq for event in events] == list(range(4, 4 + len(events)))
    assert events[0].extra == plate.extra
    assert events[0].port & wire.EARLY
    assert 0 < lane.told[4] < HEAP_BYTES_MAX, f"{lane.told[4]} bytes of heap"


def test_bays_from_echo_to_event(tmp_path: Path) -> None:
    board = BayBoard(tmp_path / "bays", {"board": "bays", "address": 1, "uid": UID, "key": KEY.hex(), "floor_mm": 2500})
    board.bay(7, True, 0, 0)
    board.power_on(CLOCK)
    until(board, lambda: board.pending == 1)
    gateway = Gateway(board)
    assert gateway.poll(0)[0].extra == b"\x80\0"
    board.bay(7, False, 0, 0)
    until(board, lambda: board.pending == 2)
    event = gateway.poll(1)[0]
    assert (event.kind, event.port, event.value) == (wire.BAY, 7, 0)
    assert 0 < board.told[4] < HEAP_BYTES_MAX, f"{board.told[4]} bytes of heap"
    board.close()


def test_a_board_with_anothers_settings_does_not_start(tmp_path: Path) -> None:
    board = LaneBoard(tmp_path / "lane", {"board": "lane", "address": 1, "uid": UID, "key": KEY.hex()})
    (board.folder / "uid.txt").write_text("00" * 8)
    board.power_on(CLOCK)
    assert board._process is not None
    board._process.wait(LIMIT_S)
    assert "node.json is for the chip" in (board.folder / "console.log").read_text()
    board.close()
