"""Strays: exits in review, each of a vehicle whose stay was not known when it left.

Owns which of them are remembered, and which stays fit one: a plate as near as a reader's one error, and the exit after the
entry. Rules: the newest STRAYS_MAX are kept, what is older stays in review as it is. Refuses to know what follows from a fit.
"""

from __future__ import annotations

from gateway.core.moment import elapsed_ms, is_measurable
from gateway.core.near_plates import NearPlates, is_near
from gateway.core.plate import Plate
from gateway.core.session import Session, State

STRAYS_MAX = 2048
"""Two exits in a hundred of a lot with ten thousand a day, for ten days."""


class Strays:
    """The exits in review by id, the oldest first."""

    def __init__(self) -> None:
        self._strays: dict[str, Session] = {}
        self._near = NearPlates()

    def follow(self, session: Session) -> None:
        """Take over a session's new form; a stray is in review and has no entry."""
        if session.lane_in:
            return
        if session.state is not State.REVIEW:
            self._strays.pop(session.id, None)
            self._near.remove(session)
            return
        self._strays[session.id] = session
        self._near.put(session)
        while len(self._strays) > STRAYS_MAX:
            self._near.remove(self._strays.pop(next(iter(self._strays))))

    def fitting(self, stay: Session) -> list[Session]:
        """The strays that may be the exit of this stay."""
        return [stray for stray in self._near.near(stay.plate) if is_after(stay, stray)]

    def of(self, plate: Plate) -> list[Session]:
        """The strays of this very plate."""
        return self._near.of(plate)


def fits(stay: Session, stray: Session) -> bool:
    """Whether the stray may be the exit of the stay."""
    return is_near(stay.plate, stray.plate) and is_after(stay, stray)


def is_after(stay: Session, stray: Session) -> bool:
    """Whether the stray certainly left after the stay began."""
    return is_measurable(stay.entered, stray.entered) and elapsed_ms(stay.entered, stray.entered) > 0
