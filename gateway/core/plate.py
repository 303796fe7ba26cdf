"""What a plate reader says about one vehicle.

Owns the words for colour, vehicle class and energy, and what makes two plates the same identity. Refuses to know where
the plate was read and what the stay costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TEXT_BYTES_MAX = 24
"""UTF-8 bytes of a plate: the longest Chinese plate has 8 characters of at most 3 bytes each."""


class Colour(StrEnum):
    """Background colour; part of a plate's identity (a blue and a yellow 浙A12345 are two vehicles)."""

    UNKNOWN = "unknown"
    BLUE = "blue"
    YELLOW = "yellow"
    WHITE = "white"
    BLACK = "black"
    GREEN = "green"


class Vehicle(StrEnum):
    """Class of vehicle that a tariff tells apart."""

    SMALL = "small"
    LARGE = "large"


class Energy(StrEnum):
    """Drive of the vehicle, as far as the plate shows it."""

    FUEL = "fuel"
    EV = "ev"


LOOKALIKES = ("0DOQ", "1I", "2Z", "38B", "5S", "EFP", "HKMR", "VTY")
"""Characters that plate readers take for one another, as enforcement vendors publish them."""

_LEADER = str.maketrans({character: group[0] for group in LOOKALIKES for character in group})


@dataclass(frozen=True, slots=True)
class Plate:
    """One reading: text as read ('' when no plate was seen), and the reader's confidence from 0 to 100."""

    text: str
    colour: Colour
    vehicle: Vehicle
    energy: Energy
    confidence: int

    @property
    def identity(self) -> str:
        """The key under which stays are matched, e.g. 'blue 浙A12345'."""
        return f"{self.colour} {self.text}"

    @property
    def trace(self) -> str:
        """The identity with every character replaced by its group's first: equal for plates that can be mistaken."""
        return f"{self.colour} {self.text.translate(_LEADER)}"
