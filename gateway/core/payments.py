"""The result of a payment comes down: book it.

Owns what a payment may still change. Rules: the city's repeats change nothing; a message that fits no stay, or not its state,
is written down as refused and never moves money; a barrier opens only for the vehicle that paid. Refuses to know how
signatures were checked.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import wording
from gateway.core.answer import Answer
from gateway.core.city_events import PaymentReported
from gateway.core.commands import OpenBarrier, PublishNotice
from gateway.core.memory import LotMemory
from gateway.core.posting import settled
from gateway.core.record import Draft, Value
from gateway.core.refusal import refused
from gateway.core.session import Session, State, Trigger, may, moved


def payment_reported(memory: LotMemory, event: PaymentReported, answer: Answer) -> None:
    """Book a payment or its failure; a vehicle held for it is let out."""
    answer.origins.append(event.origin)
    session = memory.session(event.session)
    trigger = Trigger.PAYMENT_ARRIVED if event.paid else Trigger.PAYMENT_FAILED
    reason = _objection(session, event, trigger)
    if session is None or reason:
        answer.write(refused("payment", event.session, event.payment, reason, event.origin.dn))
        return
    body: dict[str, Value] = {
        "session": session.id,
        "payment": event.payment,
        "amount_minor": event.amount_minor,
        "dn": event.origin.dn,
    }
    n = answer.write(Draft("paid" if event.paid else "arrears", body))
    held = session.state is State.HELD
    if event.paid:
        answer.postings += settled(n, session.id, event.amount_minor)
        session = replace(session, paid_minor=event.amount_minor)
    memory.put(moved(session, trigger), answer)
    if held and event.paid and memory.stands_at_exit(session):
        answer.commands += [OpenBarrier(session.lane_out), wording.paid_text(session.lane_out)]
    answer.commands.append(
        PublishNotice(
            str(trigger), session.lane_out, session.id, wording.masked(session.plate.text), event.amount_minor
        )
    )


def _objection(session: Session | None, event: PaymentReported, trigger: Trigger) -> str:
    if session is None:
        return "unknown session"
    if not may(session, trigger):
        return f"session is {session.state}"
    if event.amount_minor != session.amount_minor:
        return f"amount differs from the bill of {session.amount_minor}"
    return ""
