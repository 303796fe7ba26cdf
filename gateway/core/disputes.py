"""A driver contests a bill, and the dispute is decided.

Owns how a dispute ends. Rules: upheld, the bill is nothing and what was paid is due back; rejected, the bill stands, and the
stay is where its money puts it: paid, in arrears, refunded or free. No term passes meanwhile; a payment that arrives is booked,
since it was made. Refuses to judge.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import corrections, crediting
from gateway.core.answer import Answer
from gateway.core.city_events import DisputeClosed, DisputeOpened
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.once import refuse
from gateway.core.record import Body, Draft
from gateway.core.session import Session, State, Trigger, may, moved


def dispute_opened(memory: LotMemory, event: DisputeOpened, answer: Answer) -> None:
    """Open a dispute."""
    if not memory.once.is_new(event, event.session, answer):
        return
    session = memory.session(event.session)
    if session is None or not may(session, Trigger.DISPUTE_OPENED):
        reason = "unknown session" if session is None else f"session is {session.state}"
        refuse(event, event.session, reason, answer)
        return
    memory.once.take(event, answer)
    body: Body = {"session": session.id, "dispute": event.dispute, "reason": event.reason, "dn": event.origin.dn}
    answer.write(Draft("disputed", body))
    memory.put(moved(replace(session, dispute=event.dispute), Trigger.DISPUTE_OPENED), answer)


def dispute_closed(memory: LotMemory, event: DisputeClosed, now: Moment, answer: Answer) -> None:
    """End a dispute; a stay that owes has a new term of reminders."""
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
        "dispute": event.dispute,
        "verdict": "upheld" if event.upheld else "rejected",
        "amount_minor": session.net_minor if event.upheld else 0,
        "dn": event.origin.dn,
    }
    n = answer.write(Draft("dispute-closed", body))
    if event.upheld:
        after = corrections.bring_to_nothing(memory, session, Trigger.UPHELD, n, answer)
        crediting.tell(session, after, "verdict", event.dispute, event.origin.dn, answer)
    else:
        memory.put(moved(replace(session, dispute=""), rejected(session), from_ms=now.wall_ms), answer)


def rejected(session: Session) -> Trigger:
    """Where a stay's money puts it once its dispute is rejected."""
    if session.owed_minor:
        return Trigger.REJECTED_OWING
    if session.kept_minor:
        return Trigger.REJECTED_PAID
    return Trigger.REJECTED_REFUNDED if session.paid_minor else Trigger.REJECTED_FREE


def _objection(session: Session | None, event: DisputeClosed) -> str:
    if session is None:
        return "unknown session"
    if session.state is not State.DISPUTED:
        return f"session is {session.state}"
    return "" if session.dispute == event.dispute else "another dispute is open"
