"""The result of a payment comes down: book it, whole, in part, or more than was owed.

Owns what a payment may still change. Rules: the city's repeats change nothing; a message that fits no stay, or not its state,
is written down as refused and never moves money; what is paid beyond the bill is due back, and a record says so; a barrier
opens only for the vehicle that paid. Refuses to know how signatures were checked.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import crediting, letting, wording
from gateway.core.answer import Answer
from gateway.core.city_events import PaymentReported
from gateway.core.commands import OpenBarrier, PublishNotice
from gateway.core.exit import Outcome
from gateway.core.memory import LotMemory
from gateway.core.once import refuse
from gateway.core.posting import Account, settled
from gateway.core.record import Draft, Value
from gateway.core.session import Session, State, Trigger, may, moved


def payment_reported(memory: LotMemory, event: PaymentReported, answer: Answer) -> None:
    """Book a payment or its failure; a vehicle held for it is let out once its bill is paid."""
    if not memory.once.is_new(event, event.session, answer):
        return
    session = memory.session(event.session)
    trigger = _trigger(session, event)
    reason = _objection(session, event, trigger)
    if session is None or reason:
        refuse(event, event.session, reason, answer)
        return
    memory.once.take(event, answer)
    body: dict[str, Value] = {
        "session": session.id,
        "payment": event.payment,
        "amount_minor": event.amount_minor,
        "dn": event.origin.dn,
    }
    if event.paid:
        if event.place:
            body["place"] = event.place
        book(memory, session, body, trigger, answer)
    else:
        answer.write(Draft("arrears", body))
        memory.put(moved(session, trigger), answer)
    answer.commands.append(
        PublishNotice(
            str(trigger), session.lane_out, session.id, wording.masked(session.plate.text), event.amount_minor
        )
    )


def arriving(session: Session, amount_minor: int) -> Trigger:
    """What a payment of this amount does to a stay."""
    open_minor = session.owed_minor + session.written_off_minor
    if open_minor == 0:
        return Trigger.OVERPAID
    return Trigger.PART_PAID if amount_minor < open_minor else Trigger.PAYMENT_ARRIVED


def book(
    memory: LotMemory,
    session: Session,
    body: dict[str, Value],
    trigger: Trigger,
    answer: Answer,
    *,
    in_cash: bool = False,
) -> None:
    """Write a payment of the city's or an attendant's, and all that follows from it; `body` holds its amount, dn and id."""
    kind = "cash" if in_cash else "payment"
    amount_minor, id_, dn = int(str(body["amount_minor"])), str(body[kind]), int(str(body["dn"]))
    recovered_minor = min(amount_minor, session.written_off_minor)
    if recovered_minor:
        body["recovered_minor"] = recovered_minor
    n = answer.write(Draft("cash" if in_cash else "paid", body))
    into = Account.CASH if in_cash else Account.CLEARING
    answer.postings += settled(n, session.id, amount_minor, recovered_minor, into=into)
    paid = replace(
        session,
        paid_minor=session.paid_minor + amount_minor,
        written_off_minor=session.written_off_minor - recovered_minor,
    )
    paid = moved(paid, trigger)
    memory.put(paid, answer)
    crediting.tell(session, paid, kind, id_, dn, answer)
    if session.state is State.HELD:
        let_out(memory, paid, answer)


def let_out(memory: LotMemory, session: Session, answer: Answer) -> None:
    """For a vehicle that was held: open if nothing is owed any more, else show what is. Nothing for one let out on a lease."""
    if session.state is State.DUE:
        return
    for lane in memory.stands_at(session):
        if session.state is State.HELD:
            asked = letting.held_outcome(memory, session)
            answer.commands.append(wording.exit_text(lane, asked, session.owed_minor, memory.rules.currency))
        else:
            free = session.state is not State.PAID
            said = wording.exit_text(lane, Outcome.FREE, 0, memory.rules.currency) if free else wording.paid_text(lane)
            answer.commands += [OpenBarrier(lane), said]


def _trigger(session: Session | None, event: PaymentReported) -> Trigger:
    if not event.paid or session is None:
        return Trigger.PAYMENT_FAILED
    return arriving(session, event.amount_minor)


def _objection(session: Session | None, event: PaymentReported, trigger: Trigger) -> str:
    if session is None:
        return "unknown session"
    if not may(session, trigger):
        return f"session is {session.state}"
    return "nothing was paid" if event.paid and event.amount_minor == 0 else ""
