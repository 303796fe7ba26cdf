"""After the bill: which rule answers which message about a stay's money.

Owns the table from messages to rules. Refuses to know any of them from inside.
"""

from __future__ import annotations

from gateway.core import attaching, corrections, disputes, refunds
from gateway.core.answer import Answer
from gateway.core.city_events import (
    BillCorrected,
    BillVoided,
    BillWrittenOff,
    DisputeClosed,
    DisputeOpened,
    ExitAttached,
    RefundMade,
    Settlement,
)
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment


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
