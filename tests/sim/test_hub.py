"""A hub passes on every byte to everybody but its sender."""

from __future__ import annotations

import os
from pathlib import Path

from sim.board import Board
from sim.hub import Hub

SETTINGS = {"uid": "00" * 8}


def test_everybody_hears_everybody(tmp_path: Path) -> None:
    boards = [Board(tmp_path / name, SETTINGS) for name in "ab"]
    hub = Hub(boards, up=lambda data: (data.upper(),))
    gateway = os.open(hub.slave, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    sides = [os.open(board.bus.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK) for board in boards]
    os.write(gateway, b"poll")
    hub.drain()
    assert [os.read(side, 99) for side in sides] == [b"poll", b"poll"]
    assert not hub.in_flight
    os.write(sides[0], b"reply" * 8)
    hub.drain()
    assert os.read(gateway, 99) == os.read(sides[1], 99) == b"REPLY" * 8
    assert hub.in_flight
    os.write(gateway, b"ack")
    hub.drain()
    assert (hub.in_flight, hub.turn_us_max > 0) == (False, True)
    for handle in (gateway, *sides):
        os.close(handle)
    for board in boards:
        board.close()
