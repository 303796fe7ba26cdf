"""Strays: exits in review, each of a vehicle whose stay was not known when it left.

Owns which of them are remembered, and which stays fit one. Fits: the same colour, class, drive and length, at most one
character apart, and the exit after the entry. Rules: a ticket's number is exact; the newest STRAYS_MAX are kept, what is older
stays in review as it is. Refuses to know what follows from a fit.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.moment import elapsed_ms, is_measurable
from gateway.core.plate import Plate
from gateway.core.plate_form import is_readable
from gateway.core.session import Session, State

STRAYS_MAX = 2048
"""Two exits in a hundred of a lot with ten thousand a day, for ten days."""

NEAR_MAX = 4
"""Stays that a review exit names as its evidence; with more of them nothing can be told anyway."""


class Strays:
    """The exits in review by id, the oldest first."""

    def __init__(self) -> None:
        self._strays: dict[str, Session] = {}

    def follow(self, session: Session) -> None:
        """Take over a session's new form; a stray is in review and has no entry."""
        if session.lane_in:
            return
        if session.state is not State.REVIEW:
            self._strays.pop(session.id, None)
            return
        self._strays[session.id] = session
        while len(self._strays) > STRAYS_MAX:
            del self._strays[next(iter(self._strays))]

    def fitting(self, stay: Session) -> list[Session]:
        """The strays that may be the exit of this stay."""
        return [stray for stray in self._strays.values() if fits(stay, stray)]

    def of(self, plate: Plate) -> list[Session]:
        """The strays of this very plate."""
        return [stray for stray in self._strays.values() if plate.text and stray.plate.identity == plate.identity]


def near(inside: Iterable[Session], plate: Plate) -> list[Session]:
    """The open stays whose plate is at most one character from this one."""
    return [session for session in inside if is_near(session.plate, plate)]


def fits(stay: Session, stray: Session) -> bool:
    """Whether the stray may be the exit of the stay."""
    return is_near(stay.plate, stray.plate) and is_after(stay, stray)


def is_after(stay: Session, stray: Session) -> bool:
    """Whether the stray certainly left after the stay began."""
    return is_measurable(stay.entered, stray.entered) and elapsed_ms(stay.entered, stray.entered) > 0


def is_near(plate: Plate, other: Plate) -> bool:
    """Whether a reader may have taken one plate for the other by one character, whichever it is."""
    if (plate.colour, plate.vehicle, plate.energy) != (other.colour, other.vehicle, other.energy):
        return False
    if not plate.text or len(plate.text) != len(other.text):
        return False
    apart = sum(ours != theirs for ours, theirs in zip(plate.text, other.text, strict=True))
    return apart == 0 or (apart == 1 and is_readable(plate.text) and is_readable(other.text))
