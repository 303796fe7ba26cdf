"""A lane's board: pins in, events and relays out, over a whole passage and at a start in the middle of one."""

from __future__ import annotations

from firmware import pins_lane as pins
from firmware import wire
from firmware.camera import plate_line
from firmware.cipher import Cipher
from firmware.lane import EXIT, LaneNode
from firmware.lane_board import LaneBoard
from sim.aes import Aes
from sim.fram import Fram

UP, DOWN = 0, 1
"""Levels of a limit switch: reached, not reached."""


class Line:
    """A UART whose far side is this test."""

    def __init__(self) -> None:
        self.coming = b""
        self.sent = b""

    def read(self, _count: int) -> bytes:
        data, self.coming = self.coming, b""
        return data

    def write(self, data: bytes) -> int:
        self.sent += data
        return len(data)


class Desk:
    """A board with its surroundings; `go(ms)` turns it every 5 ms."""

    def __init__(self, memory: Fram | None = None, boot: int = 1, **levels: int) -> None:
        self.levels = {
            pins.LOOP_ARRIVAL: 0,
            pins.LOOP_SAFETY: 0,
            pins.HELP: 1,
            pins.FIRE: 0,
            pins.MAINS: 0,
            pins.ARM_OPEN: DOWN,
            pins.ARM_CLOSED: UP,
            pins.ARM_RAISE: 0,
            pins.ARM_LOWER: 0,
        }
        self.put(**levels)
        self.memory = memory or Fram(64 + 64 * 64)
        self.bus, self.camera = Line(), Line()
        self.now_ms = 0
        self.node = LaneNode(
            1, bytes(8), bytes(16), Cipher(Aes), memory=self.memory, role=EXIT, boot=boot, nonce=lambda: bytes(8)
        )
        self.board = LaneBoard(
            self.node, look=self.levels.__getitem__, drive=self.levels.__setitem__, bus=self.bus, camera=self.camera
        )

    def put(self, **levels: int) -> None:
        for name, level in levels.items():
            self.levels[getattr(pins, name.upper())] = level

    def go(self, ms: int, **levels: int) -> Desk:
        self.put(**levels)
        for _ in range(ms // 5):
            self.now_ms += 5
            self.board.turn(self.now_ms, self.now_ms)
            assert not (self.levels[pins.ARM_RAISE] and self.levels[pins.ARM_LOWER])
        return self

    @property
    def relays(self) -> str:
        return {(0, 0): "off", (1, 0): "raise", (0, 1): "lower"}[
            self.levels[pins.ARM_RAISE], self.levels[pins.ARM_LOWER]
        ]

    @property
    def events(self) -> list[tuple[int, int]]:
        log = self.node._log
        return [(entry.kind, entry.value) for seq in range(1, log.last + 1) if (entry := log.read(seq)) is not None]


def test_a_passage_from_pin_to_pin() -> None:
    desk = Desk().go(50)
    desk.go(50, loop_arrival=1)
    desk.camera.coming = plate_line("浙A12345", 1, 0, 0, 97)
    desk.go(10)
    assert desk.relays == "off"
    desk.go(2000)  # nobody answers: an exit opens by itself
    assert desk.relays == "raise"
    desk.go(900, arm_closed=DOWN).go(50, arm_open=UP)
    assert desk.relays == "off"
    desk.go(100, loop_safety=1).go(1000, loop_arrival=0)
    assert desk.relays == "off"
    desk.go(290, loop_safety=0)
    assert desk.relays == "off", "not lowered before the loop has been free for a while"
    desk.go(30)
    assert desk.relays == "lower"
    desk.go(900, arm_open=DOWN).go(50, arm_closed=UP)
    assert desk.relays == "off"
    kinds = [kind for kind, _ in desk.events]
    assert kinds == [
        wire.BARRIER, wire.FIRE, wire.MAINS, wire.PLATE, wire.SELF_OPENED,
        wire.BARRIER, wire.BARRIER, wire.PASSED, wire.BARRIER, wire.BARRIER,
    ]  # fmt: skip


def test_an_arm_on_its_way_down_goes_up_before_a_vehicle() -> None:
    desk = Desk(arm_open=UP, arm_closed=DOWN).go(50)
    assert desk.node.raised, "found open: granted to whoever stands there"
    desk.go(31_000)
    assert desk.relays == "lower"
    desk.go(5, loop_safety=1, arm_open=DOWN)
    assert desk.relays == "off", "the raw level stops the motor, long before the loop is believed"


def test_a_broken_wire_raises_or_holds_and_never_lowers() -> None:
    for pin in ("fire", "mains"):
        assert Desk().go(50, **{pin: 1}).go(200).relays == "raise", pin
    desk = Desk(arm_open=UP, arm_closed=DOWN).go(50).go(60_000, loop_safety=1)
    assert desk.relays == "off"


def test_a_start_finds_a_vehicle_under_the_arm() -> None:
    desk = Desk(loop_safety=1, arm_open=UP, arm_closed=DOWN).go(5)
    assert desk.node.state == "PASSING"
    desk.go(500, loop_safety=0)
    assert wire.PASSED in [kind for kind, _ in desk.events]


def test_a_stuck_arm_is_told_as_a_fault() -> None:
    desk = Desk().go(50, fire=1).go(9000)
    assert (desk.relays, desk.board.barrier.position) == ("off", 3)
    assert (wire.BARRIER, 3) in desk.events


def test_help_is_one_event_however_the_button_bounces() -> None:
    desk = Desk().go(50)
    for level in (0, 1, 0, 1, 0):
        desk.go(5, help=level)
    desk.go(100).go(100, help=1)
    assert [kind for kind, _ in desk.events].count(wire.HELP) == 1


def test_the_display_is_told_what_the_gateway_said() -> None:
    desk = Desk().go(50)
    desk.node._execute(wire.SHOW, b"\x01" + "一路平安".encode(), desk.now_ms, desk.now_ms)
    desk.go(10)
    assert desk.camera.sent == b"$T,1,e4b880e8b7afe5b9b3e5ae89*3588B485\r\n"
