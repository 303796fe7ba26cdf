"""The city gave money back: book it.

Owns what may be refunded. Rules: never more than was paid and has not gone back yet; what is due back goes first, and what is
refunded beyond it lowers the bill, so that a refund never makes anybody owe again. Refuses to decide who gets money back.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core.answer import Answer
from gateway.core.city_events import RefundMade
from gateway.core.memory import LotMemory
from gateway.core.once import refuse
from gateway.core.posting import refunded
from gateway.core.record import Body, Draft
from gateway.core.session import Session, Trigger, may, moved


def refund_made(memory: LotMemory, event: RefundMade, answer: Answer) -> None:
    """Book a refund, or say why not; the same refund again changes nothing."""
    if not memory.once.is_new(event, event.session, answer):
        return
    session = memory.session(event.session)
    reason = objection(session, event.amount_minor)
    if session is None or reason:
        refuse(event, event.session, reason, answer)
        return
    memory.once.take(event, answer)
    due_minor = min(event.amount_minor, session.credit_minor)
    body: Body = {
        "session": session.id,
        "refund": event.refund,
        "amount_minor": event.amount_minor,
        "due_minor": due_minor,
        "reason": event.reason,
        "dn": event.origin.dn,
    }
    n = answer.write(Draft("refunded", body))
    answer.postings += refunded(n, session.id, event.amount_minor, due_minor)
    after = replace(
        session,
        refunded_minor=session.refunded_minor + event.amount_minor,
        lowered_minor=session.lowered_minor + event.amount_minor - due_minor,
    )
    memory.put(moved(after, Trigger.REFUNDED_IN_PART if after.kept_minor else Trigger.REFUNDED_WHOLE), answer)


def objection(session: Session | None, amount_minor: int) -> str:
    """Why so much cannot go back for a stay, '' if it can."""
    if session is None:
        return "unknown session"
    if not may(session, Trigger.REFUNDED_WHOLE):
        return f"session is {session.state}"
    if amount_minor == 0:
        return "nothing to refund"
    if amount_minor > session.kept_minor:
        return f"more than the {session.kept_minor} that were paid and are kept"
    return ""
