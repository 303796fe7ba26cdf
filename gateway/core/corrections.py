"""A bill is corrected, voided, or given up: by a record that names the one that set it.

Owns what may still change a bill. Rules: a correction names the record whose price it replaces, so that two of them never add
up by mistake; what is paid beyond the new bill is due back; what is written off may still be paid. A vehicle that is held for
the bill is let out if nothing of it is left, or only what its lease covers.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import crediting, letting, payments
from gateway.core.answer import Answer
from gateway.core.city_events import BillCorrected, BillVoided, BillWrittenOff
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.once import refuse
from gateway.core.posting import billed, written_off
from gateway.core.record import Body, Draft
from gateway.core.session import Session, State, Trigger, may, moved


def bill_corrected(memory: LotMemory, event: BillCorrected, now: Moment, answer: Answer) -> None:
    """Give a bill its new amount; a stay that owes again has a new term."""
    if not memory.once.is_new(event, event.session, answer):
        return
    session = memory.session(event.session)
    reason = _objection(session, event)
    if session is None or reason:
        refuse(event, event.session, reason, answer)
        return
    memory.once.take(event, answer)
    body: Body = {
        "session": session.id,
        "correction": event.correction,
        "corrects": event.corrects,
        "before_minor": session.amount_minor,
        "amount_minor": event.amount_minor,
        "reason": event.reason,
        "dn": event.origin.dn,
    }
    n = answer.write(Draft("corrected", body))
    answer.postings += billed(n, session.id, event.amount_minor - session.amount_minor)
    priced = replace(session, amount_minor=event.amount_minor, priced_n=n)
    after = moved(priced, crediting.repriced(priced), from_ms=now.wall_ms)
    memory.put(after, answer)
    crediting.tell(session, after, "correction", event.correction, event.origin.dn, answer)
    if session.state is State.HELD:
        payments.let_out(memory, letting.release(memory, after, now, answer), answer)


def bill_voided(memory: LotMemory, event: BillVoided, answer: Answer) -> None:
    """Bring a bill to nothing."""
    if not memory.once.is_new(event, event.session, answer):
        return
    session = memory.session(event.session)
    reason = not_voided(session)
    if session is None or reason:
        refuse(event, event.session, reason, answer)
        return
    memory.once.take(event, answer)
    body: Body = {
        "session": session.id,
        "void": event.void,
        "corrects": session.priced_n,
        "amount_minor": session.net_minor,
        "reason": event.reason,
        "dn": event.origin.dn,
    }
    n = answer.write(Draft("voided", body))
    after = bring_to_nothing(memory, session, Trigger.VOIDED, n, answer)
    crediting.tell(session, after, "void", event.void, event.origin.dn, answer)
    if session.state is State.HELD:
        payments.let_out(memory, after, answer)


def bring_to_nothing(memory: LotMemory, session: Session, trigger: Trigger, n: int, answer: Answer) -> Session:
    """Take all of a bill back by record n, which says so; what was paid is due back."""
    answer.postings += billed(n, session.id, -session.net_minor)
    off = replace(session, lowered_minor=session.amount_minor - session.written_off_minor, dispute="")
    after = moved(off, trigger)
    memory.put(after, answer)
    return after


def bill_written_off(memory: LotMemory, event: BillWrittenOff, answer: Answer) -> None:
    """Give up what is still owed."""
    if not memory.once.is_new(event, event.session, answer):
        return
    session = memory.session(event.session)
    if session is None or not may(session, Trigger.WRITTEN_OFF):
        refuse(event, event.session, _state_of(session), answer)
        return
    memory.once.take(event, answer)
    owed_minor = session.owed_minor
    body: Body = {"session": session.id, "write_off": event.write_off, "amount_minor": owed_minor}
    n = answer.write(Draft("written-off", {**body, "reason": event.reason, "dn": event.origin.dn}))
    answer.postings += written_off(n, session.id, owed_minor)
    memory.put(moved(replace(session, written_off_minor=owed_minor), Trigger.WRITTEN_OFF), answer)


def _objection(session: Session | None, event: BillCorrected) -> str:
    if session is None or not session.priced_n:
        return "unknown session" if session is None else "it has no bill"
    if event.corrects != session.priced_n:
        return f"record {session.priced_n} set the bill, not {event.corrects}"
    if event.amount_minor == session.amount_minor:
        return "nothing is corrected"
    if event.amount_minor < session.lowered_minor + session.written_off_minor:
        return f"{session.lowered_minor + session.written_off_minor} were taken off the bill already"
    priced = replace(session, amount_minor=event.amount_minor)
    return "" if may(priced, crediting.repriced(priced)) else _state_of(session)


def not_voided(session: Session | None) -> str:
    """Why a bill cannot be brought to nothing, '' if it can."""
    if session is None or not may(session, Trigger.VOIDED):
        return _state_of(session)
    return "" if session.priced_n else "it has no exit"


def _state_of(session: Session | None) -> str:
    return "unknown session" if session is None else f"session is {session.state}"
