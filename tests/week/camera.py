"""The plate readers: what they make of a vehicle, how sure they are, and how often they err.

Owns the errors and the confidences. Rules: three reads in a hundred have one wrong character, four of five of those one that
readers take for the right one, the fifth any other; a reader is less sure of its errors than of the rest, but the two overlap;
a second look from the same place mostly sees the same. Knows no lane.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from sim.drivers import DIGITS, LETTERS, Car
from tests.week.traffic import CONFUSED

MISREAD = 0.03
ARBITRARY_SHARE = 0.2
UNREAD = 0.0005
"""Dirt, snow, a bicycle rack: no plate is found on a vehicle that has one."""
SAME_AGAIN = 0.6
"""How often a second look at a misread plate errs in the same way."""


@dataclass(frozen=True, slots=True)
class Look:
    """One read of one vehicle. `how`: right, alike, arbitrary, unread or bare (it has no plate)."""

    car: Car
    confidence: int
    how: str


NOTHING = Car("", "unknown", "small", "fuel")


class Camera:
    """Reads plates. `sure`: the worst case, in which its confidence tells nothing of its errors; `clear`: it never errs."""

    def __init__(self, dice: random.Random, *, sure: bool = False, clear: bool = False) -> None:
        self._dice = dice
        self._clear = clear
        self._sure = sure

    def look(self, car: Car) -> Look:
        """The first look at a vehicle that stands before a reader."""
        dice = self._dice
        if not car.text:
            return Look(NOTHING, 0, "bare")
        if self._clear:
            return Look(car, 99, "right")
        if dice.random() < UNREAD:
            return Look(NOTHING, 0, "unread")
        if dice.random() >= MISREAD:
            return Look(car, self._confidence(99, 2.5), "right")
        arbitrary = dice.random() < ARBITRARY_SHARE
        seen = replace(car, text=self._arbitrary(car.text) if arbitrary else self._alike(car.text))
        return Look(seen, self._confidence(99, 2.5) if self._sure else self._confidence(97, 9.0), self._name(car, seen))

    def again(self, car: Car, before: Look) -> Look:
        """Another look at the same vehicle from the same place."""
        return before if before.car != car and self._dice.random() < SAME_AGAIN else self.look(car)

    def _confidence(self, best: int, mean_below: float) -> int:
        return max(30, best - int(self._dice.expovariate(1 / mean_below)))

    def _name(self, car: Car, seen: Car) -> str:
        pairs = [(a, b) for a, b in zip(car.text, seen.text, strict=True) if a != b]
        return "alike" if all(any(a in g and b in g for g in CONFUSED) for a, b in pairs) else "arbitrary"

    def _alike(self, text: str) -> str:
        places = [(i, g) for i in range(1, len(text)) for g in CONFUSED if text[i] in g]
        if not places:
            return self._arbitrary(text)
        place, group = self._dice.choice(places)
        return text[:place] + self._dice.choice(group.replace(text[place], "")) + text[place + 1 :]

    def _arbitrary(self, text: str) -> str:
        place = self._dice.randrange(1, len(text))
        return text[:place] + self._dice.choice((LETTERS + DIGITS).replace(text[place], "")) + text[place + 1 :]
