"""A bad line: bytes flipped, chunks dropped, cut, repeated and late; and the segment that joins several nodes to one line.

Owns the faults as plain named probabilities per chunk. Rules: the same dice give the same faults; a late chunk
arrives before the next one on its way; every node hears the gateway and the other nodes' replies. Knows nothing of
frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

LATE_CHUNKS_MAX = 4
"""Chunks held back at once; more would let a late reply meet a session of minutes ago, which no wire does."""


class Dice(Protocol):
    """What is used of random.Random."""

    def random(self) -> float:
        """From 0 to below 1."""

    def randrange(self, stop: int, /) -> int:
        """From 0 to below stop."""


class Talker(Protocol):
    """What a segment needs of a node."""

    def receive(self, data: bytes, now_ms: int, stamp_ms: int) -> bytes:
        """Bus bytes in, reply out."""


class Noise:
    """One direction of a line. Probabilities are per chunk: one bit flipped, chunk dropped, cut short, repeated, held back."""

    def __init__(
        self,
        dice: Dice,
        *,
        flip: float = 0.0,
        drop: float = 0.0,
        cut: float = 0.0,
        repeat: float = 0.0,
        delay: float = 0.0,
    ) -> None:
        self.faults = 0
        self._dice = dice
        self._flip = flip
        self._drop = drop
        self._cut = cut
        self._repeat = repeat
        self._delay = delay
        self._late: list[bytes] = []

    def carry(self, data: bytes) -> list[bytes]:
        """What comes out when this chunk goes in: nothing, it, or more."""
        late, self._late = self._late, []
        if not data or self._chance(self._drop):
            return late
        if self._chance(self._cut):
            data = data[: self._dice.randrange(len(data))]
        if data and self._chance(self._flip):
            flipped = bytearray(data)
            flipped[self._dice.randrange(len(data))] ^= 1 << self._dice.randrange(8)
            data = bytes(flipped)
        chunks = [data, data] if self._chance(self._repeat) else [data]
        if self._chance(self._delay):
            self._late = chunks[:LATE_CHUNKS_MAX]
            return late
        return late + chunks

    def _chance(self, probability: float) -> bool:
        if probability <= 0 or self._dice.random() >= probability:
            return False
        self.faults += 1
        return True


class Segment:
    """Nodes on one pair of wires, with noise each way. `nodes` gives those that are powered just now."""

    def __init__(self, nodes: Callable[[], Sequence[Talker]], *, down: Noise, up: Noise) -> None:
        self._nodes = nodes
        self._down = down
        self._up = up

    def exchange(self, data: bytes, now_ms: int, stamp_ms: int) -> bytes:
        """The gateway's bytes go in; what it hears back comes out, all replies one after another."""
        heard = b""
        for chunk in self._down.carry(data):
            for node in self._nodes():
                reply = node.receive(chunk, now_ms, stamp_ms)
                if reply:
                    heard += self._answer(node, reply, now_ms, stamp_ms)
        return heard

    def _answer(self, speaker: Talker, reply: bytes, now_ms: int, stamp_ms: int) -> bytes:
        for node in self._nodes():
            if node is not speaker:
                node.receive(reply, now_ms, stamp_ms)
        return b"".join(self._up.carry(reply))
