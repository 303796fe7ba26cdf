"""After the bill: which rule answers which message about a stay's money.

Owns the table from messages to rules. Refuses to know any of them from inside.
"""

from __future__ import annotations

from gateway.core import attaching, cash, corrections, disputes, invoice, refunds
from gateway.core.answer import Answer
from gateway.core.city_events import (
    BillCorrected,
    BillVoided,
    BillWrittenOff,
    CashTaken,
    DayTallied,
    DisputeClosed,
    DisputeOpened,
    ExitAttached,
    InvoiceRequested,
    RefundMade,
    Settlement,
    ShiftClosed,
    ShiftOpened,
)
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.once import key_of


def settle(memory: LotMemory, event: Settlement, now: Moment, answer: Answer) -> None:
    """Apply the rule of a message."""
    match event:
        case RefundMade():
            refunds.refund_made(memory, event, answer)
        case BillCorrected():
            corrections.bill_corrected(memory, event, now, answer)
        case BillVoided():
            corrections.bill_voided(memory, event, answer)
        case BillWrittenOff():
            corrections.bill_written_off(memory, event, answer)
        case ExitAttached():
            attaching.exit_attached(memory, event, answer)
        case DisputeOpened():
            disputes.dispute_opened(memory, event, answer)
        case DisputeClosed():
            disputes.dispute_closed(memory, event, now, answer)
        case ShiftOpened():
            cash.shift_opened(memory, event, answer)
        case CashTaken():
            cash.cash_taken(memory, event, answer)
        case ShiftClosed():
            cash.shift_closed(memory, event, answer)
        case InvoiceRequested():
            invoice.invoice_requested(memory, event, answer)
        case DayTallied():
            if memory.once.is_new(event, "", answer) and memory.days.tally(event, answer):
                memory.once.take(event, answer)


def objection(memory: LotMemory, event: BillVoided | ExitAttached | ShiftOpened | CashTaken | ShiftClosed) -> str:
    """Why an operator's message would be refused, '' if it would not: who asks is told at once."""
    if memory.once.is_used(key_of(event)):
        return "id is used"
    match event:
        case BillVoided():
            return corrections.not_voided(memory.session(event.session))
        case ExitAttached():
            return attaching.objection(memory, event)
        case CashTaken():
            return cash.not_taken(memory, event)
        case ShiftClosed():
            return cash.not_closed(memory, event)
        case ShiftOpened():
            return ""


def sessions_of(event: Settlement) -> tuple[str, ...]:
    """Ids of the sessions that a message names."""
    match event:
        case ShiftOpened() | ShiftClosed() | DayTallied():
            return ()
        case ExitAttached():
            return event.session, event.stray
        case _:
            return (event.session,)
