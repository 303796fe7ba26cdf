"""The way between gateway and city: a broker that loses, doubles, delays and says old things again.

Owns what is on its way. Rules: the same dice give the same faults; what is in flight when the link breaks is lost; a late
message is overtaken by those behind it. Reads no message.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

LATE_MS = 8_000
"""Longest delay: the gateway goes back to the city's position after five seconds without progress."""
OLD_MAX = 64


@dataclass(frozen=True, slots=True, order=True)
class Letter:
    """A message in flight, ordered by when it arrives."""

    at_ms: int
    order: int
    up: bool
    topic: str
    payload: bytes


class Post:
    """Both directions. Probabilities are per message; `old`: that an earlier one of the same direction comes again."""

    def __init__(
        self, dice: random.Random, *, lost: float = 0.0, doubled: float = 0.0, late: float = 0.0, old: float = 0.0
    ) -> None:
        self._dice = dice
        self._lost, self._doubled, self._late, self._old = lost, doubled, late, old
        self._flying: list[Letter] = []
        self._sent: dict[bool, deque[tuple[str, bytes]]] = {True: deque(maxlen=OLD_MAX), False: deque(maxlen=OLD_MAX)}
        self._order = 0

    def send(self, topic: str, payload: bytes, now_ms: int, *, up: bool) -> None:
        """Give a message to the broker."""
        self._sent[up].append((topic, payload))
        if self._chance(self._old):
            self._fly(*self._dice.choice(self._sent[up]), now_ms, up=up)
        if self._chance(self._lost):
            return
        for _ in range(2 if self._chance(self._doubled) else 1):
            self._fly(topic, payload, now_ms, up=up)

    def arrived(self, now_ms: int) -> Iterator[Letter]:
        """What arrives by now, one after another; what is sent meanwhile may arrive too."""
        while self._flying and self._flying[0].at_ms <= now_ms:
            yield heappop(self._flying)

    def wake_ms(self) -> int | None:
        """When the next message arrives."""
        return self._flying[0].at_ms if self._flying else None

    def cut(self) -> None:
        """The link is down."""
        self._flying.clear()

    def _fly(self, topic: str, payload: bytes, now_ms: int, *, up: bool) -> None:
        late_ms = self._dice.randrange(1, LATE_MS) if self._chance(self._late) else 0
        self._order += 1
        heappush(self._flying, Letter(now_ms + late_ms, self._order, up, topic, payload))

    def _chance(self, probability: float) -> bool:
        return probability > 0 and self._dice.random() < probability
