"""The exit decision: may this stay leave, and how is its bill settled?

Owns the outcomes and their order of precedence. Rules: an uncertain plate never debits anybody; whoever owes nothing leaves; a
block comes before any promise; a bill within the cap of the stay's lease, then of a standing lease, opens and is charged later;
without one the lot's written policy decides. Refuses to know tariffs and lanes.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.core.entitlement import Policy
from gateway.core.lease import Lease, covers
from gateway.core.moment import Moment
from gateway.core.session import Trigger


class Outcome(StrEnum):
    """How an exit ended; the word stands in the exit record."""

    FREE = "free"
    LEASE = "lease"
    STANDING = "standing"
    ARREARS = "arrears"
    PAY_HERE = "pay-here"
    ATTENDANT = "attendant"
    REVIEW = "review"


class WithoutLease(StrEnum):
    """The lot's written policy for a bill that no lease covers."""

    OPEN_ARREARS = "open-arrears"
    PAY_HERE = "pay-here"
    ATTENDANT = "attendant"


TRIGGERS: dict[Outcome, Trigger] = {
    Outcome.FREE: Trigger.RELEASED_FREE,
    Outcome.LEASE: Trigger.RELEASED_ON_LEASE,
    Outcome.STANDING: Trigger.RELEASED_ON_LEASE,
    Outcome.ARREARS: Trigger.RELEASED_UNPAID,
    Outcome.PAY_HERE: Trigger.ASKED_TO_PAY,
    Outcome.ATTENDANT: Trigger.ASKED_TO_PAY,
    Outcome.REVIEW: Trigger.DOUBTED,
}


WITHOUT_LEASE: dict[WithoutLease, Outcome] = {
    WithoutLease.OPEN_ARREARS: Outcome.ARREARS,
    WithoutLease.PAY_HERE: Outcome.PAY_HERE,
    WithoutLease.ATTENDANT: Outcome.ATTENDANT,
}

BLOCKED: dict[Policy, Outcome] = {Policy.BLOCK: Outcome.PAY_HERE, Policy.ATTENDANT: Outcome.ATTENDANT}

HOLDS = frozenset({Outcome.PAY_HERE, Outcome.ATTENDANT})
"""Outcomes that keep the barrier down."""


def decide(
    amount_minor: int,
    lease: Lease | None,
    policy: WithoutLease,
    now: Moment,
    *,
    standing: Lease | None = None,
    block: Policy | None = None,
) -> Outcome:
    """Outcome for a certain plate whose bill is `amount_minor`; REVIEW is never answered here.

    `standing`: a standing lease within all its limits. `block`: what a block asks for; nobody who owes nothing is held by it.
    """
    if amount_minor == 0:
        return Outcome.FREE
    if block in BLOCKED:
        return BLOCKED[block]
    if lease is not None and covers(lease, amount_minor, now):
        return Outcome.LEASE
    if standing is not None and covers(standing, amount_minor, now):
        return Outcome.STANDING
    return WITHOUT_LEASE[policy]
