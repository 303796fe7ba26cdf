"""An exit in review finds its stay, later or at once.

Owns the evidence. Rules: the very plate whose entry is heard after its exit is certain, and is billed as if it had been
known; all other pairs end in one review, and debit nobody until somebody tells whose the exit was. A pair is a record that
names both. Refuses to know lanes' barriers.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from gateway.core import strays
from gateway.core.alarms import unpriced
from gateway.core.answer import Answer
from gateway.core.departure import Departure, settle
from gateway.core.matching import Doubt, is_certain
from gateway.core.memory import LotMemory
from gateway.core.plate import Plate
from gateway.core.record import Draft
from gateway.core.review import doubted
from gateway.core.session import Session, State, Trigger, moved
from gateway.core.tariff import TariffError


class Evidence(StrEnum):
    """Why an exit belongs to a stay, beside a match's doubt; the word stands in the record."""

    HEARD_LATE = "entry heard late"
    LIKELY = "fits, and may be another"
    NO_PLATE = "no plate"
    READ_AGAIN = "read again"


IN_REVIEW = frozenset({str(Evidence.LIKELY), str(Evidence.NO_PLATE), *map(str, Doubt)})
"""Evidence after which the stay is in review; after the others it has an exit of its own."""


def entry_heard_late(memory: LotMemory, session: Session, answer: Answer) -> None:
    """A stay begins whose exit was read before its entry was heard: it is settled at once."""
    found = [stray for stray in memory.strays.of(session.plate) if strays.is_after(session, stray)]
    if len(found) != 1 or not (is_certain(session.plate) and is_certain(found[0].plate)):
        return
    _pair(memory, session, found[0], Evidence.HEARD_LATE, answer)
    _settle(memory, session, found[0], answer)


def ghost_explained(memory: LotMemory, ghost: Session, answer: Answer) -> bool:
    """Whether an exit in review, and only one, may have been a ghost's; then both are one review."""
    fitting = memory.strays.fitting(ghost)
    if ghost.state is not State.INSIDE or len(fitting) != 1:
        return False
    stray = fitting[0]
    _pair(memory, ghost, stray, Evidence.LIKELY, answer)
    _review(memory, ghost, stray, answer)
    return True


def in_doubt(memory: LotMemory, stay: Session, stray: Session, doubt: Doubt, answer: Answer) -> None:
    """An exit that was just written is that of this stay, or is not: both are one review."""
    _tie(memory, stay.id, stray, str(doubt), answer)
    _review(memory, stay, stray, answer)


def stray_is_back(memory: LotMemory, entered: Session, answer: Answer) -> None:
    """A plate comes in that left in review before: so that read was right, and if only one open stay can be the one that it
    ended, that stay's plate was misread at its entry."""
    found = memory.strays.of(entered.plate)
    if len(found) != 1 or not (is_certain(entered.plate) and is_certain(found[0].plate)):
        return
    stray = found[0]
    near = memory.near(stray.plate)
    stays = [stay for stay in near if stay.id != entered.id and strays.fits(stay, stray)]
    if len(stays) != 1 or len(near) != 2 or not is_certain(stays[0].plate) or stays[0].state is not State.INSIDE:
        return
    if len(memory.strays.fitting(stays[0])) != 1:
        return
    _pair(memory, stays[0], stray, Evidence.LIKELY, answer)
    _review(memory, stays[0], stray, answer)


def plateless_stay(memory: LotMemory, plate: Plate) -> Session | None:
    """The stay without a plate that a read without a stay may end: the oldest, if no stay's plate is near the read."""
    if plate.text and memory.near(plate):
        return None
    without = [session for session in memory.inside_sessions().values() if not session.plate.text]
    return min(without, key=lambda session: session.plate_n, default=None)


def without_plate(memory: LotMemory, stay: Session, stray: Session, answer: Answer) -> None:
    """A vehicle that came in without a plate read leaves: one review for both."""
    _pair(memory, stay, stray, Evidence.NO_PLATE, answer)
    _review(memory, stay, stray, answer)


def read_again(memory: LotMemory, session: str, stray: Session, answer: Answer) -> None:
    """The vehicle that a read of doubt let out was read better before it passed: the first exit is part of the second."""
    memory.exits -= 1
    put_back(memory, answer)
    _tie(memory, session, stray, str(Evidence.READ_AGAIN), answer)


def _pair(memory: LotMemory, stay: Session, stray: Session, evidence: Evidence, answer: Answer) -> None:
    put_back(memory, answer)
    _tie(memory, stay.id, stray, str(evidence), answer)


def _tie(memory: LotMemory, stay: str, stray: Session, evidence: str, answer: Answer) -> None:
    answer.write(Draft("paired", {"session": stay, "exit": stray.id, "evidence": evidence}))
    memory.put(replace(moved(stray, Trigger.PAIRED), pair=stay), answer)


def _review(memory: LotMemory, stay: Session, stray: Session, answer: Answer) -> None:
    memory.put(replace(moved(stay, Trigger.PAIRED), pair=stray.id), answer)


def _settle(memory: LotMemory, stay: Session, stray: Session, answer: Answer) -> None:
    try:
        settle(memory, stay, Departure(stray.lane_out, stray.entered, pairs=stray.id), answer)
    except TariffError as error:
        doubted(memory, stay, "price not known", answer)
        answer.commands.append(unpriced(error))
        return
    memory.exits -= 1


def put_back(memory: LotMemory, answer: Answer) -> None:
    """The exit took a vehicle off the number inside; its stay, which ends now, takes it off again."""
    if memory.unlisted != 0:
        memory.recount(memory.unlisted + 1, answer)
