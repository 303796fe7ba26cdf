"""Which open stay a read at the exit belongs to.

Owns the question of certainty. Rules: only a certain match may debit; whatever is uncertain is None, opens, and goes to
review with its evidence. Certain is the very plate, or the only vehicle inside that a reader could have taken for it: one
character of a published group of lookalikes apart, same colour, same class. Refuses to know prices and lanes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.core.memory import LotMemory
from gateway.core.plate import Plate
from gateway.core.plate_form import Form, form_of, is_readable
from gateway.core.session import Session, State

CONFIDENCE_MIN = 80
"""Below this a read may open but never debit; readers call 80 of 100 the edge of their published accuracy."""


class Likeness(StrEnum):
    """How a read was matched; the word stands in the exit record."""

    SAME = "same"
    ALIKE = "alike"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Match:
    """A certain match and how it was found."""

    session: Session
    likeness: Likeness


def find(memory: LotMemory, plate: Plate) -> Match | None:
    """The stay that this read certainly ends, or None."""
    if not is_certain(plate):
        return None
    same = memory.session_of(plate.identity)
    if same is not None:
        return Match(same, Likeness.SAME) if same.state is State.INSIDE else None
    # A ticket for a vehicle without a plate is one number or another, never a misread one.
    alike = memory.sessions_alike(plate) if is_readable(plate.text) else []
    # A second vehicle that could be meant, however unlikely, is doubt; doubt never debits.
    if len(alike) == 1 and _could_only_be(alike[0], plate):
        return Match(alike[0], Likeness.ALIKE)
    return None


def held(memory: LotMemory, plate: Plate) -> Session | None:
    """The stay of this very plate that was priced and waits for its payment, if there is one."""
    session = memory.session_of(plate.identity) if is_certain(plate) else None
    return session if session is not None and session.state is State.HELD else None


def is_certain(plate: Plate) -> bool:
    """Whether a read is good enough to debit somebody."""
    return plate.text != "" and plate.confidence >= CONFIDENCE_MIN


def only_the_entry_can_be_right(entry: Plate, exit: Plate) -> bool:
    """Of two reads that differ: whether the entry's has the form of a plate, and the exit's has none."""
    return form_of(entry.text) is not Form.GENERIC and form_of(exit.text) is Form.GENERIC


def _could_only_be(session: Session, plate: Plate) -> bool:
    known = session.plate
    apart = sum(ours != theirs for ours, theirs in zip(known.text, plate.text, strict=True))
    same_class = (known.vehicle, known.energy) == (plate.vehicle, plate.energy)
    return apart == 1 and same_class and session.state is State.INSIDE
