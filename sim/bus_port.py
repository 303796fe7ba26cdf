"""One serial bus as the gateway finds it: a pseudo-terminal, with all nodes of the bus at the other end.

Owns the master side of the pty and the stopwatches at the wire. Rules: every node hears every byte, the gateway's and the
other nodes'; bytes are passed on as they come, unpaced. Measured from outside: from writing the reply that carries an exit's
plate report to the first byte of the chunk that made that node open; and from a reply with events to the gateway's next byte.
"""

from __future__ import annotations

import asyncio
import os
import time
import tty
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sim.clock import real_ms

READ_BYTES = 4096
WRITE_TRIES_MAX = 3
"""The pty buffers 4 kB, a reply has 250 bytes: if it is full nobody reads, and the reply may be lost, as on a wire."""


class Node(Protocol):
    """What a bus needs of a node."""

    @property
    def pending(self) -> int:
        """Events not yet acknowledged."""

    @property
    def sent_seq(self) -> int:
        """Highest number in the last reply."""

    def receive(self, data: bytes, now_ms: int, stamp_ms: int) -> bytes:
        """Bus bytes in, reply out."""


class ExitNode(Node, Protocol):
    """What a stopwatch needs of an exit's node."""

    @property
    def opened(self) -> int:
        """Open commands executed."""


class ExitWatch:
    """The stopwatch of one exit: set by a plate report, started by the reply that carries it, stopped by the open command.

    The report's number is reckoned from what the last reply left pending. Had that reply been cut short by the gateway's
    credit, the watch would start a reply too early: it can show too much, never too little.
    """

    def __init__(self, node: ExitNode) -> None:
        self.latencies_us: list[int] = []
        self._node = node
        self._left = 0
        self._report_seq = 0
        self._sent_ns = 0
        self._opened_before = 0

    def reported(self) -> None:
        """The node has just logged a plate report."""
        self._report_seq = self._node.sent_seq + self._node.pending - self._left
        self._sent_ns = 0

    def abandon(self) -> None:
        """The gateway was killed: what follows is no answer to this report."""
        self._report_seq = 0
        self._sent_ns = 0

    def heard(self, at_ns: int) -> None:
        """A chunk that came in at `at_ns` was fed to the node."""
        if self._sent_ns and self._node.opened > self._opened_before:
            self.latencies_us.append((at_ns - self._sent_ns) // 1_000)
            self.abandon()

    def sent(self, at_ns: int) -> None:
        """The node's reply was written."""
        self._left = self._node.pending
        if self._report_seq and not self._sent_ns and self._node.sent_seq >= self._report_seq:
            self._sent_ns = at_ns
            self._opened_before = self._node.opened


class BusPort:
    """The nodes' end of one bus. Open it in a running loop; `slave` is the path for the gateway."""

    def __init__(
        self,
        nodes: Sequence[Node],
        *,
        stamp: Callable[[int], int],
        fed: Callable[[], None],
        watches: Mapping[int, ExitWatch] | None = None,
    ) -> None:
        """`stamp(real ms)` gives lot time; `fed` is called after nodes heard bytes; `watches`: by a node's place in `nodes`."""
        self.nodes = tuple(nodes)
        self.watches = dict(watches or {})
        self.heard = False
        self.turn_us_max = 0
        self.dropped = 0
        self._stamp = stamp
        self._fed = fed
        self._carried_ns = 0
        self._master, self._slave_fd = os.openpty()
        # The slave stays open here too, so that a killed gateway does not hang up the line, as it would not hang up a wire.
        tty.setraw(self._slave_fd)
        os.set_blocking(self._master, False)
        self.slave = os.ttyname(self._slave_fd)

    @property
    def in_flight(self) -> bool:
        """A reply with unacknowledged events was written, and the gateway has said nothing since."""
        return self._carried_ns > 0

    def open(self) -> None:
        """Begin to listen."""
        asyncio.get_running_loop().add_reader(self._master, self.pump)

    def close(self) -> None:
        """Hang up."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave_fd)

    def pump(self) -> bool:
        """Feed what the gateway has written; False if there was nothing."""
        try:
            data = os.read(self._master, READ_BYTES)
        except BlockingIOError:
            return False
        self._feed(data, time.monotonic_ns())
        return True

    def gateway_gone(self) -> None:
        """The gateway was killed: no stopwatch may run on."""
        self._carried_ns = 0
        for watch in self.watches.values():
            watch.abandon()

    def _feed(self, data: bytes, at_ns: int) -> None:
        if self._carried_ns:
            self.turn_us_max = max(self.turn_us_max, (at_ns - self._carried_ns) // 1_000)
            self._carried_ns = 0
        self.heard = True
        now_ms = real_ms()
        stamp_ms = self._stamp(now_ms)
        replies = []
        for place, node in enumerate(self.nodes):
            reply = node.receive(data, now_ms, stamp_ms)
            watch = self.watches.get(place)
            if watch is not None:
                watch.heard(at_ns)
            if reply:
                replies.append((place, reply))
        for place, reply in replies:
            self._answer(place, reply, now_ms, stamp_ms)
        self._fed()

    def _answer(self, place: int, reply: bytes, now_ms: int, stamp_ms: int) -> None:
        self._write(reply)
        sent_ns = time.monotonic_ns()
        node = self.nodes[place]
        if node.pending:
            self._carried_ns = sent_ns
        if place in self.watches:
            self.watches[place].sent(sent_ns)
        for other in self.nodes:
            if other is not node:
                other.receive(reply, now_ms, stamp_ms)

    def _write(self, reply: bytes) -> None:
        left = reply
        for _ in range(WRITE_TRIES_MAX):
            try:
                left = left[os.write(self._master, left) :]
            except BlockingIOError:
                break
            if not left:
                return
        self.dropped += 1


def bare_commit_us(folder: Path) -> int:
    """Time of one append of 4 kB and fdatasync in this folder, in microseconds: what a commit costs at least on this disk."""
    handle = os.open(folder / "bare-commit.bin", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        begin_ns = time.monotonic_ns()
        os.write(handle, bytes(4096))
        os.fdatasync(handle)
        return (time.monotonic_ns() - begin_ns) // 1_000
    finally:
        os.close(handle)
