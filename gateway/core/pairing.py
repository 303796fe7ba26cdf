"""An exit in review finds its stay later, or at once where nothing else is possible.

Owns the evidence. Rules: the very plate whose entry is heard after its exit is certain, and is billed as if it had been
known; a plate that is in again and has exactly one exit that only it can explain is billed, but never from a lease; all other
pairs end in one review, and debit nobody. A pair is a record that names both. Refuses to know lanes' barriers.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from gateway.core import strays
from gateway.core.alarms import unpriced
from gateway.core.answer import Answer
from gateway.core.departure import Departure, settle
from gateway.core.matching import Likeness, is_certain
from gateway.core.memory import LotMemory
from gateway.core.plate import Plate
from gateway.core.record import Body, Draft
from gateway.core.review import doubted
from gateway.core.session import Session, State, Trigger, moved, replated
from gateway.core.tariff import TariffError


class Evidence(StrEnum):
    """Why an exit belongs to a stay; the word stands in the record."""

    HEARD_LATE = "entry heard late"
    ONLY_ONE = "the only exit that fits"
    BACK_AGAIN = "its plate is in again"
    LIKELY = "fits, and may be another"
    NO_PLATE = "no plate"
    LOOKALIKE = "one lookalike apart"
    READ_AGAIN = "read again"


def entry_heard_late(memory: LotMemory, session: Session, answer: Answer) -> None:
    """A stay begins whose exit was read before its entry was heard: it is settled at once."""
    found = [stray for stray in memory.strays.of(session.plate) if strays.is_after(session, stray)]
    if len(found) != 1 or not (is_certain(session.plate) and is_certain(found[0].plate)):
        return
    _pair(memory, session, found[0], Evidence.HEARD_LATE, answer)
    _settle(memory, session, found[0], Likeness.SAME, answer)


def ghost_explained(memory: LotMemory, ghost: Session, *, is_back: bool, answer: Answer) -> bool:
    """Whether an exit in review explains a ghost; then its stay is ended by it. `is_back`: its plate has entered again."""
    fitting = memory.strays.fitting(ghost)
    if ghost.state is not State.INSIDE or len(fitting) != 1:
        return False
    stray = fitting[0]
    rivals = [s for s in strays.near(memory.inside_sessions().values(), stray.plate) if s.id != ghost.id]
    same = stray.plate.identity == ghost.plate.identity
    read_well = is_certain(ghost.plate) and (same or is_certain(stray.plate))
    only_one = is_back and read_well and not rivals
    _pair(memory, ghost, stray, Evidence.ONLY_ONE if only_one else Evidence.LIKELY, answer)
    if only_one:
        _settle(memory, ghost, stray, Likeness.LATE, answer)
    else:
        memory.put(moved(ghost, Trigger.PAIRED), answer)
    return True


def lookalike(memory: LotMemory, stay: Session, stray: Session, answer: Answer) -> None:
    """The exit's read and the entry's differ in one lookalike character, and nothing tells which of them is right."""
    body: Body = {"session": stay.id, "exit": stray.id, "evidence": str(Evidence.LOOKALIKE)}
    answer.write(Draft("paired", body))
    memory.put(moved(stray, Trigger.PAIRED), answer)
    memory.put(moved(stay, Trigger.PAIRED), answer)


def stray_is_back(memory: LotMemory, entered: Session, answer: Answer) -> None:
    """A plate comes in that left in review before: so that read was right, and if only one open stay can be the one that it
    ended, that stay's plate was misread at its entry. It is billed under the plate that left, but by no lease."""
    found = memory.strays.of(entered.plate)
    if len(found) != 1 or not (is_certain(entered.plate) and is_certain(found[0].plate)):
        return
    stray = found[0]
    near = strays.near(memory.inside_sessions().values(), stray.plate)
    stays = [stay for stay in near if stay.id != entered.id and strays.fits(stay, stray)]
    if len(stays) != 1 or len(near) != 2 or not is_certain(stays[0].plate) or stays[0].state is not State.INSIDE:
        return
    if len(memory.strays.fitting(stays[0])) != 1:
        return
    _pair(memory, stays[0], stray, Evidence.BACK_AGAIN, answer)
    # The lease was promised for another plate than the one that was here.
    stay = replace(replated(stays[0], stray), lease=None)
    _settle(memory, stay, stray, Likeness.LATE, answer)


def plateless_stay(memory: LotMemory, plate: Plate) -> Session | None:
    """The stay without a plate that a read without a stay may end: the oldest, if no stay's plate is near the read."""
    if plate.text and strays.near(memory.inside_sessions().values(), plate):
        return None
    without = [session for session in memory.inside_sessions().values() if not session.plate.text]
    return min(without, key=lambda session: session.plate_n, default=None)


def without_plate(memory: LotMemory, stay: Session, stray: Session, answer: Answer) -> None:
    """A vehicle that came in without a plate read leaves: one review for both."""
    _pair(memory, stay, stray, Evidence.NO_PLATE, answer)
    memory.put(moved(stay, Trigger.PAIRED), answer)


def read_again(memory: LotMemory, session: str, stray: Session, answer: Answer) -> None:
    """The vehicle that a read of doubt let out was read better before it passed: the first exit is part of the second."""
    memory.exits -= 1
    _put_back(memory, answer)
    answer.write(Draft("paired", {"session": session, "exit": stray.id, "evidence": str(Evidence.READ_AGAIN)}))
    memory.put(moved(stray, Trigger.PAIRED), answer)


def _pair(memory: LotMemory, stay: Session, stray: Session, evidence: Evidence, answer: Answer) -> None:
    _put_back(memory, answer)
    answer.write(Draft("paired", {"session": stay.id, "exit": stray.id, "evidence": str(evidence)}))
    memory.put(moved(stray, Trigger.PAIRED), answer)


def _settle(memory: LotMemory, stay: Session, stray: Session, likeness: Likeness, answer: Answer) -> None:
    try:
        settle(memory, stay, Departure(stray.lane_out, stray.entered, likeness, pairs=stray.id), answer)
    except TariffError as error:
        doubted(memory, stay, "price not known", answer)
        answer.commands.append(unpriced(error))
        return
    memory.exits -= 1


def _put_back(memory: LotMemory, answer: Answer) -> None:
    """The exit took a vehicle off the number inside; its stay, which ends now, takes it off again."""
    if memory.unlisted != 0:
        memory.recount(memory.unlisted + 1, answer)
