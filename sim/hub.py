"""One pair of wires between the gateway and boards: everybody hears everybody.

Owns a pseudo-terminal for the gateway and the passing on of bytes; a hub takes the place of sim/bus_port.py when nodes are
processes. `wire` is what the bytes go through on their way (noise, a cut); unpaced unless it paces.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import tty
from collections.abc import Callable, Sequence

from sim.board import Board

READ_BYTES = 4096
REPLY_BYTES_IDLE = 29
"""A reply without events: 28 bytes, and the splitter's one."""
QUIET_S = 0.01
DRAIN_S = 0.05

Wire = Callable[[bytes], Sequence[bytes]]


class Hub:
    """`slave` is the path for the gateway. `down` and `up`: what chunks from and to the gateway become on their way."""

    def __init__(self, boards: Sequence[Board], *, down: Wire | None = None, up: Wire | None = None) -> None:
        self.boards = tuple(boards)
        self.heard = False
        self.turn_us_max = 0
        self.in_flight = False
        self._down = down or _whole
        self._up = up or _whole
        self._carried_ns = 0
        self._master, self._slave_fd = os.openpty()
        # The slave stays open here too, so that a killed gateway does not hang up the line, as it would not hang up a wire.
        tty.setraw(self._slave_fd)
        os.set_blocking(self._master, False)
        self.slave = os.ttyname(self._slave_fd)

    def open(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._master, self.pump_gateway)
        for board in self.boards:
            loop.add_reader(board.bus.master, self.pump_board, board)

    def close(self) -> None:
        """Hang up."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        for board in self.boards:
            loop.remove_reader(board.bus.master)
        os.close(self._master)
        os.close(self._slave_fd)

    def pump(self) -> bool:
        """Pass on what is there; False if there was nothing."""
        moved = self.pump_gateway()
        for board in self.boards:
            moved = self.pump_board(board) or moved
        return moved

    def pump_gateway(self) -> bool:
        """Pass on what the gateway has written."""
        data = _read(self._master)
        if not data:
            return False
        self.heard = True
        self.in_flight = False
        if self._carried_ns:
            self.turn_us_max = max(self.turn_us_max, (time.monotonic_ns() - self._carried_ns) // 1_000)
            self._carried_ns = 0
        for chunk in self._down(data):
            for board in self.boards:
                _write(board.bus.master, chunk)
        return True

    def pump_board(self, board: Board) -> bool:
        """Pass on what one board has written."""
        data = _read(board.bus.master)
        if not data:
            return False
        for chunk in self._up(data):
            _write(self._master, chunk)
            for other in self.boards:
                if other is not board:
                    _write(other.bus.master, chunk)
        if len(data) > REPLY_BYTES_IDLE:
            self.in_flight = True
            self._carried_ns = time.monotonic_ns()
        return True

    def say(self, data: bytes, *, to_boards: bool = False) -> None:
        """Somebody else speaks on the wires: the gateway hears it, or all boards do."""
        for handle in [board.bus.master for board in self.boards] if to_boards else [self._master]:
            _write(handle, data)

    def drain(self) -> None:
        """Pass on everything until the boards have said what they have to say."""
        until_s = time.monotonic() + DRAIN_S
        quiet_s = time.monotonic() + QUIET_S
        while time.monotonic() < min(until_s, quiet_s):
            if self.pump():
                quiet_s = time.monotonic() + QUIET_S

    def gateway_gone(self) -> None:
        """The gateway was killed: no stopwatch may run on."""
        self._carried_ns = 0
        self.in_flight = False


def _whole(data: bytes) -> Sequence[bytes]:
    return (data,)


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, READ_BYTES)
    except BlockingIOError:
        return b""


def _write(handle: int, data: bytes) -> None:
    # If nobody reads, the bytes are lost, as on a wire whose listener is off.
    with contextlib.suppress(BlockingIOError):
        os.write(handle, data)
