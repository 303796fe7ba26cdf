"""The exit decision: may this stay leave, and how is its bill settled?

Owns the outcomes and their order of precedence. Rules: an uncertain plate never debits anybody; a bill within the lease's
cap opens and is charged later; without a lease the lot's written policy decides. Refuses to know tariffs and lanes.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.core.lease import Lease, covers
from gateway.core.moment import Moment
from gateway.core.session import Trigger


class Outcome(StrEnum):
    """How an exit ended; the word stands in the exit record."""

    FREE = "free"
    LEASE = "lease"
    ARREARS = "arrears"
    PAY_HERE = "pay-here"
    REVIEW = "review"


class WithoutLease(StrEnum):
    """The lot's written policy for a bill that no lease covers."""

    OPEN_ARREARS = "open-arrears"
    PAY_HERE = "pay-here"


TRIGGERS: dict[Outcome, Trigger] = {
    Outcome.FREE: Trigger.RELEASED_FREE,
    Outcome.LEASE: Trigger.RELEASED_ON_LEASE,
    Outcome.ARREARS: Trigger.RELEASED_UNPAID,
    Outcome.PAY_HERE: Trigger.ASKED_TO_PAY,
    Outcome.REVIEW: Trigger.DOUBTED,
}


def decide(amount_minor: int, lease: Lease | None, policy: WithoutLease, now: Moment) -> Outcome:
    """Outcome for a certain plate whose bill is `amount_minor`; REVIEW is never answered here."""
    if amount_minor == 0:
        return Outcome.FREE
    if lease is not None and covers(lease, amount_minor, now):
        return Outcome.LEASE
    return Outcome.PAY_HERE if policy is WithoutLease.PAY_HERE else Outcome.ARREARS
