"""Money that a city's own lot protocol reports: payments by bill id, and the day's list of bills.

Owns what differs from our city's payments: a discount takes something off the bill, and a sum that is not what was open is told
as a difference. All else is as ever: a part leaves the rest owed, what is paid beyond the bill is due back. Rules: an order is
booked once, for ever; an order that comes with another content is refused. Refuses to know how pushes are confirmed.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import crediting, payments, wording
from gateway.core.answer import Answer
from gateway.core.commands import PublishNotice, RaiseAlarm, Severity
from gateway.core.memory import LotMemory
from gateway.core.once import Key
from gateway.core.platform_book import PlatformBook
from gateway.core.platform_events import DayReported, PaymentPushed
from gateway.core.posting import lowered
from gateway.core.record import Body, Draft, Value
from gateway.core.refusal import refused
from gateway.core.session import Session, State, Trigger, may, moved

NAMED_MAX = 8
"""Bills that a day's record names; the count says how many there are."""
NO_DN = 0
DISCOUNT = "discount"
"""Kind of a bill's lowering that the platform reports with a payment."""


def payment_id(order: str, bill: str) -> str:
    """The id in our records of a payment that the platform calls `order`; where it has no name, there is one for each bill."""
    return f"platform/{order or bill}"


def wanted_id(event: PaymentPushed) -> Key:
    """The id whose use has to be known before a payment is booked. A failure is no payment: the order may still be paid."""
    id_ = payment_id(event.order, event.bill)
    return "payment", id_ if event.paid else f"{id_}/{event.origin.digest[:16]}"


def settle(memory: LotMemory, session_id: str, event: PaymentPushed, answer: Answer) -> str:
    """Book a payment or its failure; why not, if that can't be."""
    session = memory.session(session_id)
    key = wanted_id(event)
    content = f"{session_id} {event.amount_minor} {event.discount_minor} {bool(event.paid)}"
    known = memory.once.content(key)
    if known == content:
        return ""
    reason = "id has another content" if known is not None else _objection(session, event)
    if session is None or reason:
        answer.write(refused("payment", session_id, key[1], reason, NO_DN))
        if event.paid:
            unbooked(event, reason, answer)
        return reason
    memory.once.use(key, content, answer)
    if event.paid:
        _book(memory, session, event, answer)
    else:
        _failed(memory, session, key[1], answer)
    return ""


def not_paid(memory: LotMemory, session_id: str, n: int, answer: Answer) -> None:
    """The platform will not collect the bill that it was told by record n: if that is still the stay's, it is in arrears."""
    session = memory.session(session_id)
    if session is not None and session.state is State.DUE and session.priced_n <= n:
        _failed(memory, session, "", answer)


def unbooked(event: PaymentPushed, reason: str, answer: Answer) -> None:
    """Tell that somebody was debited for what is no payment here."""
    cause = f"The city's platform debited {event.amount_minor} minor units for bill {event.bill}: {reason}."
    remedy = f"Clear bill {event.bill} with the city, so that the driver gets back what is not owed."
    answer.commands.append(RaiseAlarm(f"payment/{event.bill}", Severity.WARNING, cause, remedy))


def day_reported(book: PlatformBook, event: DayReported, answer: Answer) -> None:
    """Compare the platform's list of a day with the ledger's, and write down what came out."""
    ours = {bill.bill: bill for bill in book.day_bills}
    theirs = {bill.bill: bill for bill in event.bills}
    apart = [
        bill
        for bill in sorted(ours.keys() | theirs.keys())
        if bill not in ours
        or bill not in theirs
        or (ours[bill].owed_minor, ours[bill].paid_minor) != (theirs[bill].owed_minor, theirs[bill].paid_minor)
    ]
    answer.write(
        Draft(
            "bills-compared",
            {
                "day": event.day,
                "bills": len(ours),
                "owed_minor": sum(bill.owed_minor for bill in ours.values()),
                "paid_minor": sum(bill.paid_minor for bill in ours.values()),
                "city_bills": len(theirs),
                "city_owed_minor": sum(bill.owed_minor for bill in theirs.values()),
                "city_paid_minor": sum(bill.paid_minor for bill in theirs.values()),
                "apart": len(apart),
                "named": apart[:NAMED_MAX],
            },
        )
    )
    answer.platform.days[event.day] = len(apart)
    if apart:
        cause = f"{len(apart)} bills of {event.day} differ from the city's list, the first is {apart[0]}."
        remedy = "Compare the day's export with the city's list, bill by bill."
        answer.commands.append(RaiseAlarm(f"bills/{event.day}", Severity.WARNING, cause, remedy))


def _book(memory: LotMemory, session: Session, event: PaymentPushed, answer: Answer) -> None:
    """A payment, after its discount: so that what both together cover is paid, and not paid in part."""
    paid_minor, open_minor = event.amount_minor, session.owed_minor + session.written_off_minor
    id_ = payment_id(event.order, event.bill)
    answer.platform.received.append((event.bill, paid_minor))
    after = _discounted(memory, session, id_, min(event.discount_minor, session.net_minor), answer)
    trigger = payments.arriving(after, paid_minor) if paid_minor else Trigger.PAYMENT_ARRIVED
    if paid_minor:
        body: dict[str, Value] = {"session": session.id, "payment": id_, "amount_minor": paid_minor, "dn": NO_DN}
        payments.book(memory, after, body, trigger, answer)
    if session.state is State.HELD and not (paid_minor and after.state is State.HELD):
        payments.let_out(memory, memory.session(session.id) or after, answer)
    _notice(session, trigger, paid_minor, answer)
    apart_minor = paid_minor + event.discount_minor - open_minor
    if apart_minor:
        told: Body = {"session": session.id, "payment": id_, "bill": event.bill, "amount_minor": apart_minor}
        answer.write(Draft("difference", told))
        discount = f"with a discount of {event.discount_minor}"
        cause = f"The city paid {paid_minor} {discount} where {open_minor} minor units were open."
        remedy = f"Clear bill {event.bill} with the city."
        answer.commands.append(RaiseAlarm(f"difference/{event.bill}", Severity.WARNING, cause, remedy))


def _discounted(memory: LotMemory, session: Session, id_: str, off_minor: int, answer: Answer) -> Session:
    cheaper = replace(session, lowered_minor=session.lowered_minor + off_minor)
    if not off_minor or not may(cheaper, crediting.repriced(cheaper)):
        return session
    body: Body = {"session": session.id, "kind": DISCOUNT, "id": id_, "amount_minor": off_minor, "dn": NO_DN}
    n = answer.write(Draft("lowered", body))
    answer.postings += lowered(n, session.id, off_minor)
    after = moved(cheaper, crediting.repriced(cheaper))
    memory.put(after, answer)
    crediting.tell(session, after, DISCOUNT, id_, NO_DN, answer)
    return after


def _failed(memory: LotMemory, session: Session, id_: str, answer: Answer) -> None:
    body: dict[str, Value] = {"session": session.id, "payment": id_, "amount_minor": session.owed_minor}
    answer.write(Draft("arrears", body | {"dn": NO_DN} if id_ else body))
    memory.put(moved(session, Trigger.PAYMENT_FAILED), answer)
    _notice(session, Trigger.PAYMENT_FAILED, session.owed_minor, answer)


def _notice(session: Session, trigger: Trigger, amount_minor: int, answer: Answer) -> None:
    plate = wording.masked(session.plate.text)
    answer.commands.append(PublishNotice(str(trigger), session.lane_out, session.id, plate, amount_minor))


def _objection(session: Session | None, event: PaymentPushed) -> str:
    if session is None:
        return "unknown session"
    trigger = payments.arriving(session, event.amount_minor) if event.paid else Trigger.PAYMENT_FAILED
    if not may(session, trigger):
        return f"session is {session.state}"
    return "nothing was paid" if event.paid and not event.amount_minor + event.discount_minor else ""
