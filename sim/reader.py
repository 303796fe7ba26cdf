"""A plate reader that errs: now and then one character for another.

Owns the errors. Rules: the same dice give the same errors; four of five are characters that readers take for one another, the
fifth is any other character; the reader is as sure of its errors as of the rest, which is the worst case for whoever must
tell them apart. Knows no lane.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sim.drivers import DIGITS, LETTERS, Car, Dice

CONFUSED = ("0DOQ", "1I", "2Z", "38B", "5S", "EFP", "HKMR", "VTY")
"""What enforcement vendors publish; apart from the gateway's own list, so that one slip can't make both agree."""

CONFIDENCE = 97
ALIKE_SHARE = 0.8


@dataclass(slots=True)
class Reader:
    """Reads plates; `misread` is the share of reads with one wrong character. `errors` counts them."""

    dice: Dice
    misread: float = 0.0
    errors: int = 0

    def read(self, car: Car) -> Car:
        """The car as the reader saw it."""
        if self.misread <= 0 or self.dice.random() >= self.misread:
            return car
        self.errors += 1
        doubtful = [
            (place, group) for place in range(1, len(car.text)) for group in CONFUSED if car.text[place] in group
        ]
        if doubtful and self.dice.random() < ALIKE_SHARE:
            place, others = self.dice.choice(doubtful)
        else:
            place, others = self.dice.randrange(1, len(car.text)), LETTERS + DIGITS
        wrong = self.dice.choice(others.replace(car.text[place], ""))
        return replace(car, text=car.text[:place] + wrong + car.text[place + 1 :])
