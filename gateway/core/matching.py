"""Which open stay a read at the exit belongs to.

Owns the question of certainty. Rules: only a certain match may debit; whatever is uncertain opens and goes to review with its
evidence. Certain is the very plate, unless a vehicle whose plate readers take for it is inside too, or one that left in review
may have been this one. Refuses to know prices and lanes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.core.memory import LotMemory
from gateway.core.plate import Plate
from gateway.core.plate_form import is_readable
from gateway.core.session import Session, State

CONFIDENCE_MIN = 80
"""Below this a read may open but never debit; readers call 80 of 100 the edge of their published accuracy."""


class Doubt(StrEnum):
    """Why a stay that a read may end is not certainly the one; the word stands in the record of their pair."""

    LOOKALIKE = "one lookalike apart"
    DOUBLE = "a lookalike is inside too"
    LEFT_BEFORE = "may have left before"


@dataclass(frozen=True, slots=True)
class Match:
    """The stay that a read may end; without `doubt` it certainly does."""

    session: Session
    doubt: Doubt | None = None


def find(memory: LotMemory, plate: Plate) -> Match | None:
    """The only stay that this read may end, or None."""
    if not is_certain(plate):
        return None
    same = memory.session_of(plate.identity)
    # A ticket for a vehicle without a plate is one number or another, never a misread one.
    alike = memory.sessions_alike(plate) if is_readable(plate.text) else []
    if same is not None:
        return Match(same, _doubt(memory, same, alike)) if same.state is State.INSIDE else None
    if len(alike) == 1 and _could_only_be(alike[0], plate):
        return Match(alike[0], Doubt.LOOKALIKE)
    return None


def held(memory: LotMemory, plate: Plate) -> Session | None:
    """The stay of this very plate that was priced and waits for its payment, if there is one."""
    session = memory.session_of(plate.identity) if is_certain(plate) else None
    return session if session is not None and session.state is State.HELD else None


def is_certain(plate: Plate) -> bool:
    """Whether a read is good enough to debit somebody."""
    return plate.text != "" and plate.confidence >= CONFIDENCE_MIN


def _doubt(memory: LotMemory, session: Session, alike: list[Session]) -> Doubt | None:
    """Two of these plates may have been read for each other; and whoever left unknown may be back without a read."""
    if len(alike) > 1:
        return Doubt.DOUBLE
    # An exit that stands at its barrier yet is this very vehicle, read worse a moment ago, or one that has not left.
    left = any(not memory.stands_at(stray) for stray in memory.strays.fitting(session))
    return Doubt.LEFT_BEFORE if left else None


def _could_only_be(session: Session, plate: Plate) -> bool:
    known = session.plate
    apart = sum(ours != theirs for ours, theirs in zip(known.text, plate.text, strict=True))
    same_class = (known.vehicle, known.energy) == (plate.vehicle, plate.energy)
    return apart == 1 and same_class and session.state is State.INSIDE
