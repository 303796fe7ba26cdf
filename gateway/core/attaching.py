"""Somebody knows whose exit a reviewed one was: the stay ends there, and is billed then.

Owns the correction of a misread plate after the fact. Rules: the bill is that of the stay from its entry to that exit's read,
and only if its length is known; an exit ends one stay and a stay has one exit; the plate of one of the two reads owes, and a
lease pays only if it was granted to that plate and covered the bill at the exit. Refuses to guess whose exit it was.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import exit
from gateway.core.answer import Answer
from gateway.core.charge import charge, use_up
from gateway.core.city_events import ExitAttached
from gateway.core.exit import Outcome
from gateway.core.lease import covers
from gateway.core.memory import LotMemory
from gateway.core.moment import is_measurable, stay_ms
from gateway.core.once import refuse
from gateway.core.pairing import put_back
from gateway.core.posting import billed
from gateway.core.record import Draft, Value
from gateway.core.session import Session, State, Trigger, moved, replated
from gateway.core.tariff import TariffError


def exit_attached(memory: LotMemory, event: ExitAttached, answer: Answer) -> None:
    """End a stay by a reviewed exit, and bill it."""
    if not memory.once.is_new(event, event.session, answer):
        return None
    session, stray = memory.session(event.session), memory.session(event.stray)
    reason = _objection(session, stray)
    if session is None or stray is None or reason:
        return refuse(event, event.session, reason, answer)
    # What was promised to the misread plate is nobody's promise to the right one.
    owing = _owing(session, stray, event.whose)
    # An exit that fits no stay is a session whose entry is that exit.
    entered_ms, exited_ms = stay_ms(session.entered, stray.entered)
    try:
        bill = charge(memory, owing, entered_ms, exited_ms)
    except TariffError:
        return refuse(event, event.session, "price not known", answer)
    memory.once.take(event, answer)
    if session.state is State.INSIDE:
        if stray.state is State.REVIEW:
            put_back(memory, answer)
        # It leaves the lot under the plate by which memory knows it.
        memory.put(moved(session, Trigger.PAIRED), answer)
        owing = moved(owing, Trigger.PAIRED)
    session = owing
    outcome = _outcome(session, stray, bill.amount_minor)
    body: dict[str, Value] = {
        "session": session.id,
        "attach": event.attach,
        "stray": stray.id,
        "whose": event.whose,
        "corrects": stray.priced_n,
        **bill.told(memory, entered_ms, exited_ms),
        "outcome": str(outcome),
        "plate": session.commitment,
        "reason": event.reason,
        "dn": event.origin.dn,
    }
    if session.lease is not None:
        body["lease"] = {"lease": session.lease.lease, "cap_minor": session.lease.cap_minor, "dn": session.lease.dn}
    n = answer.write(Draft("attached", body))
    use_up(memory, bill, exited_ms, answer)
    answer.postings += billed(n, session.id, bill.amount_minor)
    memory.billed_minor += bill.amount_minor
    gone = replace(session, lane_out=stray.lane_out, exited_ms=exited_ms, amount_minor=bill.amount_minor, priced_n=n)
    memory.put(replace(moved(gone, exit.TRIGGERS[outcome]), pair=stray.id), answer)
    memory.put(replace(moved(stray, Trigger.ATTACHED), pair=session.id), answer)
    return None


def objection(memory: LotMemory, event: ExitAttached) -> str:
    """Why an exit does not end a stay, '' if it does."""
    session, stray = memory.session(event.session), memory.session(event.stray)
    reason = _objection(session, stray)
    if session is None or stray is None or reason:
        return reason
    try:
        charge(memory, _owing(session, stray, event.whose), *stay_ms(session.entered, stray.entered))
    except TariffError:
        return "price not known"
    return ""


def _owing(session: Session, stray: Session, whose: str) -> Session:
    return session if whose == "entry" else replated(session, stray)


def _outcome(session: Session, stray: Session, amount_minor: int) -> Outcome:
    if amount_minor == 0:
        return Outcome.FREE
    leased = session.lease is not None and covers(session.lease, amount_minor, stray.entered)
    return Outcome.LEASE if leased else Outcome.ARREARS


def _objection(session: Session | None, stray: Session | None) -> str:
    if session is None or stray is None:
        return "unknown session"
    # A stray that was paired with its stay owes nothing itself, and is free.
    if stray.lane_in or stray.state not in (State.REVIEW, State.FREE) or not stray.exited_ms:
        return f"{stray.id} is no exit in review"
    if session.state not in (State.INSIDE, State.REVIEW) or session.exited_ms:
        return f"session is {session.state}"
    if not is_measurable(session.entered, stray.entered):
        return "length of the stay not known"
    early = session.entered.boot == stray.entered.boot and stray.entered.mono_ms < session.entered.mono_ms
    return "the exit was before the entry" if early or stray.exited_ms < session.entered.wall_ms else ""
