"""A bay node's board: sensors in turn, a start that waits for them, and bays told as they change."""

from __future__ import annotations

from firmware import wire
from firmware.bay import BayNode
from firmware.bay_board import BEGIN_MS, SAMPLE_MS, BayBoard
from firmware.cipher import Cipher
from firmware.echo import WINDOW, Echo
from sim.aes import Aes
from tests.firmware.test_lane_board import Line

FLOOR, ROOF = 2500, 1000
PORTS = 4
ROUND_MS = PORTS * SAMPLE_MS


class Desk:
    """A board under `PORTS` sensors; `go(ms)` turns it every 5 ms."""

    def __init__(self) -> None:
        self.seen = [FLOOR] * PORTS
        self.looked: list[int] = []
        self.now_ms = 0
        self.bus = Line()
        self.node = BayNode(2, bytes(8), bytes(16), Cipher(Aes), ports=PORTS, boot=7, nonce=lambda: bytes(8))
        self.board = BayBoard(self.node, [Echo(FLOOR) for _ in range(PORTS)], measure=self.measure, bus=self.bus)

    def measure(self, port: int) -> int:
        self.looked.append(port)
        return self.seen[port]

    def go(self, ms: int) -> Desk:
        for _ in range(ms // 5):
            self.now_ms += 5
            self.board.turn(self.now_ms, self.now_ms)
        return self

    @property
    def events(self) -> list[tuple[int, int, int]]:
        log = self.node._log
        entries = [log.read(seq) for seq in range(1, log.last + 1)]
        return [(one.kind, one.port, one.value if one.kind == wire.BAY else one.extra[0]) for one in entries if one]


def test_sensors_shout_one_after_another() -> None:
    desk = Desk().go(2 * ROUND_MS)
    assert desk.looked == list(range(PORTS)) * 2


def test_a_start_tells_what_it_found_as_a_snapshot() -> None:
    desk = Desk()
    desk.seen[2] = ROOF
    desk.go(WINDOW * ROUND_MS + 100)
    assert desk.events == [(wire.BAYS, 0, 0b0100)]


def test_a_bay_is_told_once_as_it_changes() -> None:
    desk = Desk().go(WINDOW * ROUND_MS + 100)
    desk.seen[1] = ROOF
    desk.go(10 * ROUND_MS)
    desk.seen[1] = FLOOR
    desk.go(10 * ROUND_MS)
    assert desk.events[1:] == [(wire.BAY, 1, 1), (wire.BAY, 1, 0)]


def test_a_dead_sensor_does_not_keep_the_others_from_starting() -> None:
    desk = Desk()
    desk.seen[0] = -1
    desk.go(BEGIN_MS - 100)
    assert desk.events == []
    assert desk.go(200).events == [(wire.BAYS, 0, 0)]
