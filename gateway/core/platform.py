"""A city's own lot protocol at work in the lot: an authorization becomes a lease, a query an amount, a result a payment.

Owns what a push may change. Rules: one request means one content; the same content for the same stay or bill changes nothing
under any request; what names no stay or bill yet waits, and is refused when that takes too long; a difference of amounts is
booked and written down, never guessed away. Refuses to know signatures, calls and the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.core import leases, platform_money
from gateway.core.answer import Answer
from gateway.core.charge import charge
from gateway.core.city_events import LeaseGranted, Origin
from gateway.core.commands import RaiseAlarm, Severity
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment, is_measurable, stay_ms
from gateway.core.plate_form import normalised
from gateway.core.platform_book import PlatformBook
from gateway.core.platform_events import (
    AuthorizationPushed,
    DayReported,
    FeeAsked,
    PaymentPushed,
    PlatformEvent,
    Push,
    PushAnswered,
    UploadRefused,
    UploadTaken,
)
from gateway.core.platform_state import Aside, KeptPush, PlatformBill, PushState
from gateway.core.record import Draft
from gateway.core.refusal import refused
from gateway.core.session import IN_THE_LOT, Session, State
from gateway.core.tariff import TariffError

NO_ORIGIN = Origin(0, "", b"")
"""Of an event that has no number in our city's stream: its evidence is the push, kept under its request."""
STAY_WAIT_MS = 10 * 60_000
"""An authorization may overtake the passage that opens its stay, by the time a vehicle needs to drive in."""
BILL_WAIT_MS = 24 * 3_600_000
"""A payment of a bill that is not here can only come after a restore, and one of a bill whose vehicle turned back waits for the
stay's true exit; a day is time for a person to look."""
WAITING_MAX = 1000
"""Pushes that wait: more than vehicles can stand before a lot's entries; each is looked at in every step."""
KEPT_MS = 30 * 24 * 3_600_000
"""How long answered pushes guard against repeats; a payment is guarded by its stay's state for ever."""

KINDS = {"departurePayInfo": "authorization", "fee": "fee", "payResult": "payment"}


def answer_platform(memory: LotMemory, book: PlatformBook, event: PlatformEvent, now: Moment, answer: Answer) -> None:
    """Apply one event."""
    match event:
        case AuthorizationPushed() | FeeAsked() | PaymentPushed():
            _pushed(memory, book, event, now, answer)
        case PushAnswered():
            push = book.known((event.request, event.digest))
            if push is not None:
                book.keep(replace(push, state=PushState.DONE), answer)
        case UploadTaken():
            _move_on(event, answer)
        case UploadRefused():
            _upload_refused(memory, event, answer)
        case DayReported():
            platform_money.day_reported(book, event, answer)


def follow(memory: LotMemory, book: PlatformBook, now: Moment, answer: Answer) -> None:
    """After a step's events: name what it wrote, and look again at what waits."""
    for n, draft in enumerate(answer.drafts, answer.next_n):
        _note(memory, book, n, draft, answer)
        if draft.type == "heartbeat":
            answer.platform.forget_before_ms = max(1, now.wall_ms - KEPT_MS)
    for push, event in list(book.waiting.values()):
        _look_again(memory, book, push, event, now, answer)


def find_stay(memory: LotMemory, plate: str, colour: str) -> Session | None:
    """The one open stay of a plate, however it is spelled; without a colour only if no other colour has the same text."""
    text = normalised(plate)
    inside = memory.inside_sessions().values()
    found = [s for s in inside if text and s.plate.text == text and colour in ("", str(s.plate.colour))]
    return found[0] if len(found) == 1 else None


def _pushed(memory: LotMemory, book: PlatformBook, event: Push, now: Moment, answer: Answer) -> None:
    origin = event.origin
    key = (origin.request, origin.digest)
    known = book.known(key)
    if known is not None:
        if known.state is PushState.DONE:
            # The platform asks again, so our answer did not reach it.
            book.keep(replace(known, state=PushState.REFUSED if known.verdict else PushState.OWED), answer)
        if known.state is not PushState.WAITING and (known.verdict or not isinstance(event, FeeAsked)):
            return
    push = known or KeptPush(*key, origin.name, origin.text, now.wall_ms, PushState.OWED)
    if known is None and book.same_request(origin.request):
        _refuse(book, push, "request has another content", answer)
        return
    if isinstance(event, AuthorizationPushed):
        _authorization(memory, book, event, push, now, answer)
    elif isinstance(event, FeeAsked):
        _fee(memory, book, event, push, now, answer)
    else:
        _payment(memory, book, event, push, answer)


def _authorization(
    memory: LotMemory, book: PlatformBook, event: AuthorizationPushed, push: KeptPush, now: Moment, answer: Answer
) -> None:
    if not event.allowed:
        _refuse(book, push, "authorizes nothing", answer)
        return
    session = find_stay(memory, event.plate, event.colour)
    if session is None:
        # What is not inside yet may be on its way in.
        _wait(book, push, event, answer)
        return
    if any(one.session == session.id for one in book.same_content(push.digest)):
        book.keep(replace(push, session=session.id), answer)
        return
    lease = f"platform/{push.request}"
    granted = LeaseGranted(NO_ORIGIN, lease, session.id, event.cap_minor, now.wall_ms + event.life_ms)
    leases.lease_granted(memory, granted, now, answer)
    after = memory.session(session.id)
    taken = after is not None and after.lease is not None and after.lease.lease == lease
    state, verdict = (PushState.OWED, "") if taken else (PushState.REFUSED, "lease refused")
    book.keep(replace(push, session=session.id, state=state, verdict=verdict), answer)


def _fee(memory: LotMemory, book: PlatformBook, event: FeeAsked, push: KeptPush, now: Moment, answer: Answer) -> None:
    session = find_stay(memory, event.plate, event.colour)
    if session is None:
        _refuse(book, push, "no stay of this plate", answer)
        return
    if session.state is State.INSIDE and not is_measurable(session.entered, now):
        _refuse(book, push, "length of the stay not known", answer)
        return
    amount_minor = session.owed_minor
    if session.state is State.INSIDE:
        try:
            amount_minor = charge(memory, session, *stay_ms(session.entered, now)).amount_minor
        except TariffError:
            _refuse(book, push, "price not known", answer)
            return
    book.keep(replace(push, session=session.id, state=PushState.OWED, amount_minor=amount_minor), answer)


def _payment(memory: LotMemory, book: PlatformBook, event: PaymentPushed, push: KeptPush, answer: Answer) -> None:
    if event.paid is None:
        _refuse(book, push, f"payStatus {event.status} is not explained", answer)
        return
    bill = book.bill(event.bill)
    if bill is None or (event.paid and _awaits_exit(memory, bill)):
        _wait(book, push, event, answer)
        return
    push = replace(push, session=bill.session, state=PushState.OWED)
    if any(one.session == bill.session for one in book.same_content(push.digest)):
        book.keep(push, answer)
        return
    if bill.reversed and not event.paid:
        # That debit failed is well: the bill is nothing any more.
        book.keep(push, answer)
        return
    reason = platform_money.settle(memory, bill.session, event, answer)
    if reason:
        push = replace(push, state=PushState.REFUSED, verdict=reason)
    elif event.paid:
        push = replace(push, payment=platform_money.payment_id(event.order, event.bill))
    book.keep(push, answer)


def _look_again(
    memory: LotMemory, book: PlatformBook, push: KeptPush, event: Push, now: Moment, answer: Answer
) -> None:
    """A push that waits: its stay or bill may be here now, or the time may be up."""
    if isinstance(event, AuthorizationPushed):
        if find_stay(memory, event.plate, event.colour) is not None:
            _authorization(memory, book, event, push, now, answer)
        elif now.wall_ms - push.since_ms > STAY_WAIT_MS:
            _refuse(book, push, "no stay of this plate", answer)
    elif isinstance(event, PaymentPushed):
        bill = book.bill(event.bill)
        if bill is not None and not _awaits_exit(memory, bill):
            _payment(memory, book, event, push, answer)
        elif now.wall_ms - push.since_ms > BILL_WAIT_MS:
            _refuse(book, push, "unknown bill" if bill is None else "the vehicle turned back", answer)
            if bill is not None:
                platform_money.unbooked(event, "its vehicle turned back and is still inside", answer)


def _note(memory: LotMemory, book: PlatformBook, n: int, draft: Draft, answer: Answer) -> None:
    """What record n means for the platform's names and bills."""
    body, told = draft.body, answer.platform
    session_id = str(body.get("session", ""))
    session, at_ms = memory.session(session_id), body.get("at")
    free = max(0, book.terms.total_bays - memory.inside)
    match draft.type:
        case "entry":
            assert isinstance(at_ms, int)
            book.name_stay(session_id, str(body["lane"]), at_ms, free, answer)
        case "exit" | "attached" if body["outcome"] != "review":
            owed_minor, lease = body["amount_minor"], body.get("lease")
            assert isinstance(at_ms, int)
            assert isinstance(owed_minor, int)
            applied = body["outcome"] == "lease" and isinstance(lease, Mapping) and lease["dn"] == NO_ORIGIN.dn
            passed = draft.type == "attached" or "pairs" in body
            bill = PlatformBill("", session_id, n, at_ms, free, owed_minor, applied=applied, passed=passed)
            book.name_bill(bill, answer)
        case "left":
            told.passed[session_id] = n
        case "reversed":
            book.turned_back(session_id, n, answer)
        case "released" if body["dn"] == NO_ORIGIN.dn and session is not None:
            told.asked[session_id] = (n, session.owed_minor)


def _awaits_exit(memory: LotMemory, bill: PlatformBill) -> bool:
    """Whether the vehicle of this bill turned back and is still in the lot, so that nothing can be booked yet."""
    session = memory.session(bill.session)
    return bill.reversed and session is not None and session.state in IN_THE_LOT


def _wait(book: PlatformBook, push: KeptPush, event: Push, answer: Answer) -> None:
    if len(book.waiting) >= WAITING_MAX and push.key not in book.waiting:
        _refuse(book, push, "too many wait", answer)
    else:
        book.wait(push, event, answer)


def _refuse(book: PlatformBook, push: KeptPush, reason: str, answer: Answer) -> None:
    answer.write(refused(KINDS[push.name], push.session, push.request, reason, NO_ORIGIN.dn))
    book.keep(replace(push, state=PushState.REFUSED, verdict=reason), answer)


def _move_on(event: UploadTaken, answer: Answer) -> None:
    if event.bill:
        answer.platform.told.append(event.bill)
    if event.aside:
        answer.platform.aside[event.n, event.call] = None
    else:
        answer.platform.cursor = (event.n, event.call)


def _upload_refused(memory: LotMemory, event: UploadRefused, answer: Answer) -> None:
    """Set the upload aside, so that it stops nothing behind it; a bill that nobody will pay now is in arrears."""
    answer.platform.aside[event.n, event.call] = Aside(event.n, event.call, event.reason, event.again_ms)
    if event.bill:
        answer.platform.told.append(event.bill)
    if event.aside:
        return
    answer.platform.cursor = (event.n, event.call)
    answer.write(refused("upload", event.session, event.call, event.reason, NO_ORIGIN.dn))
    cause = f"The city's platform refused {event.call} for record {event.n}: {event.reason}."
    remedy = "Ask the city what the code means; the call is repeated every hour."
    answer.commands.append(RaiseAlarm(f"platform/{event.call}", Severity.WARNING, cause, remedy))
    if event.pays:
        platform_money.not_paid(memory, event.session, event.n, answer)
