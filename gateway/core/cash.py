"""Attendants' cash: taken for a stay, counted at the end of a shift.

Owns the tills. Rules: nobody takes cash for what the city is about to debit, nor more than is owed; a shift is of one
attendant, is opened once, and takes nothing before that or once it is closed; what a count differs by is written and told,
never hidden.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import payments
from gateway.core.answer import Answer, Till
from gateway.core.city_events import CashTaken, ShiftClosed, ShiftOpened
from gateway.core.commands import RaiseAlarm, Severity
from gateway.core.memory import LotMemory
from gateway.core.once import refuse
from gateway.core.posting import counted
from gateway.core.record import Body, Draft, Value
from gateway.core.session import Session, State

CASH_FOR = frozenset({State.HELD, State.ARREARS, State.DISPUTED, State.WRITTEN_OFF})


def shift_opened(memory: LotMemory, event: ShiftOpened, answer: Answer) -> None:
    """Begin a shift with an empty till beside its change."""
    if not memory.once.is_new(event, "", answer):
        return
    memory.once.take(event, answer)
    body: Body = {"shift": event.shift, "attendant": event.attendant, "float_minor": event.float_minor}
    answer.write(Draft("shift-opened", {**body, "dn": event.origin.dn}))
    till = Till(event.shift, event.attendant, event.float_minor)
    memory.tills[till.shift] = answer.tills[till.shift] = till


def cash_taken(memory: LotMemory, event: CashTaken, answer: Answer) -> None:
    """Book cash; a vehicle that is held for it is let out once its bill is paid."""
    if not memory.once.is_new(event, event.session, answer):
        return
    session = _payer(memory, event)
    till = memory.tills.get(event.shift)
    reason = not_taken(memory, event)
    if session is None or till is None or reason:
        refuse(event, event.session, reason, answer)
        return
    memory.once.take(event, answer)
    filled = replace(till, payments=till.payments + 1, cash_minor=till.cash_minor + event.amount_minor)
    memory.tills[till.shift] = answer.tills[till.shift] = filled
    body: dict[str, Value] = {
        "session": session.id,
        "cash": event.cash,
        "amount_minor": event.amount_minor,
        "attendant": event.attendant,
        "shift": event.shift,
        "dn": event.origin.dn,
    }
    trigger = payments.arriving(session, event.amount_minor)
    payments.book(memory, session, body, trigger, answer, in_cash=True)


def shift_closed(memory: LotMemory, event: ShiftClosed, answer: Answer) -> None:
    """End a shift, and name what its count differs by."""
    if not memory.once.is_new(event, "", answer):
        return
    till = memory.tills.get(event.shift)
    reason = not_closed(memory, event)
    if till is None or reason:
        refuse(event, "", reason, answer)
        return
    memory.once.take(event, answer)
    expected_minor = till.float_minor + till.cash_minor
    difference_minor = event.counted_minor - expected_minor
    body: Body = {
        "shift": event.shift,
        "attendant": event.attendant,
        "payments": till.payments,
        "expected_minor": expected_minor,
        "counted_minor": event.counted_minor,
        "difference_minor": difference_minor,
        "dn": event.origin.dn,
    }
    n = answer.write(Draft("shift-closed", body))
    answer.postings += counted(n, difference_minor)
    del memory.tills[till.shift]
    answer.tills[till.shift] = None
    if difference_minor:
        cause = f"The count of shift {till.shift} differs by {difference_minor} minor units from what was taken."
        remedy = "Compare the shift's cash records with its slips."
        answer.commands.append(RaiseAlarm(f"till/{till.shift}", Severity.WARNING, cause, remedy))


def not_taken(memory: LotMemory, event: CashTaken) -> str:
    """Why cash is not taken, '' if it is."""
    reason = _objection(_payer(memory, event), event)
    return reason or _objection_to_till(memory.tills.get(event.shift), event.attendant)


def not_closed(memory: LotMemory, event: ShiftClosed) -> str:
    """Why a shift is not closed, '' if it is."""
    return _objection_to_till(memory.tills.get(event.shift), event.attendant)


def _payer(memory: LotMemory, event: CashTaken) -> Session | None:
    return memory.session(event.session) if event.session else _held_at(memory, event.lane)


def _held_at(memory: LotMemory, lane: str) -> Session | None:
    """The stay that is held for payment at a lane."""
    state = memory.lanes.get(lane)
    found = [memory.session(session) for session in state.leaving] if state is not None else []
    return next((session for session in found if session is not None and session.state is State.HELD), None)


def _objection(session: Session | None, event: CashTaken) -> str:
    if session is None:
        return "unknown session" if event.session else "no vehicle is held there"
    if session.state not in CASH_FOR:
        return f"session is {session.state}"
    open_minor = session.owed_minor + session.written_off_minor
    return "" if 0 < event.amount_minor <= open_minor else f"not a part of the {open_minor} that are owed"


def _objection_to_till(till: Till | None, attendant: str) -> str:
    if till is None:
        return "shift is not open"
    return "" if till.attendant == attendant else "shift is of another attendant"
