"""A session: one stay of one vehicle, from the entry's passage to the last word about its money.

Owns the states of a stay, the one table of what may follow what, and the fields that the exit needs. A missing entry in the
table is an illegal move: the caller answers it, never this module by guessing. Refuses to know lanes' hardware and storage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.core.lease import Lease
from gateway.core.moment import Moment
from gateway.core.plate import Energy, Plate, Vehicle


class State(StrEnum):
    """Where a stay's money stands. INSIDE and HELD vehicles are in the lot."""

    INSIDE = "inside"
    HELD = "held"
    FREE = "free"
    DUE = "due"
    ARREARS = "arrears"
    PAID = "paid"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    VOIDED = "voided"
    WRITTEN_OFF = "written-off"
    REVIEW = "review"


class Trigger(StrEnum):
    """What moves a stay on."""

    RELEASED_FREE = "released-free"
    RELEASED_ON_LEASE = "released-on-lease"
    RELEASED_UNPAID = "released-unpaid"
    ASKED_TO_PAY = "asked-to-pay"
    DOUBTED = "doubted"
    UNFINISHED = "unfinished"
    TURNED_BACK = "turned-back"
    TAKEN_BACK = "taken-back"
    PAIRED = "paired"
    ATTACHED = "attached"
    PAYMENT_ARRIVED = "payment-arrived"
    PART_PAID = "part-paid"
    OVERPAID = "overpaid"
    PAYMENT_FAILED = "payment-failed"
    LEASED_LATE = "leased-late"
    OVERDUE = "overdue"
    DUNNED = "dunned"
    REPRICED = "repriced"
    CLEARED = "cleared"
    WAIVED = "waived"
    REFUNDED_IN_PART = "refunded-in-part"
    REFUNDED_WHOLE = "refunded-whole"
    BILLED_MORE = "billed-more"
    VOIDED = "voided"
    WRITTEN_OFF = "written-off"
    DISPUTE_OPENED = "dispute-opened"
    UPHELD = "upheld"
    REJECTED_PAID = "rejected-paid"
    REJECTED_OWING = "rejected-owing"
    REJECTED_REFUNDED = "rejected-refunded"
    REJECTED_FREE = "rejected-free"


TRANSITIONS: dict[State, dict[Trigger, State]] = {
    State.INSIDE: {
        Trigger.RELEASED_FREE: State.FREE,
        Trigger.RELEASED_ON_LEASE: State.DUE,
        Trigger.RELEASED_UNPAID: State.ARREARS,
        Trigger.ASKED_TO_PAY: State.HELD,
        Trigger.DOUBTED: State.REVIEW,
        Trigger.UNFINISHED: State.REVIEW,
        Trigger.PAIRED: State.REVIEW,
    },
    State.HELD: {
        Trigger.PAYMENT_ARRIVED: State.PAID,
        Trigger.PART_PAID: State.HELD,
        Trigger.PAYMENT_FAILED: State.HELD,
        Trigger.RELEASED_ON_LEASE: State.DUE,
        Trigger.RELEASED_UNPAID: State.ARREARS,
        Trigger.REPRICED: State.HELD,
        Trigger.CLEARED: State.PAID,
        Trigger.WAIVED: State.FREE,
        Trigger.VOIDED: State.VOIDED,
    },
    State.DUE: {
        Trigger.PAYMENT_ARRIVED: State.PAID,
        Trigger.PART_PAID: State.DUE,
        Trigger.PAYMENT_FAILED: State.ARREARS,
        Trigger.OVERDUE: State.ARREARS,
        Trigger.REPRICED: State.DUE,
        Trigger.CLEARED: State.PAID,
        Trigger.WAIVED: State.FREE,
        Trigger.VOIDED: State.VOIDED,
        Trigger.DISPUTE_OPENED: State.DISPUTED,
        Trigger.TURNED_BACK: State.INSIDE,
    },
    State.ARREARS: {
        Trigger.PAYMENT_ARRIVED: State.PAID,
        Trigger.PART_PAID: State.ARREARS,
        Trigger.PAYMENT_FAILED: State.ARREARS,
        Trigger.LEASED_LATE: State.DUE,
        Trigger.DUNNED: State.ARREARS,
        Trigger.REPRICED: State.ARREARS,
        Trigger.CLEARED: State.PAID,
        Trigger.WAIVED: State.FREE,
        Trigger.VOIDED: State.VOIDED,
        Trigger.WRITTEN_OFF: State.WRITTEN_OFF,
        Trigger.DISPUTE_OPENED: State.DISPUTED,
        Trigger.TURNED_BACK: State.INSIDE,
    },
    State.FREE: {
        Trigger.OVERPAID: State.PAID,
        Trigger.BILLED_MORE: State.DUE,
        Trigger.TURNED_BACK: State.INSIDE,
        Trigger.TAKEN_BACK: State.VOIDED,
        Trigger.ATTACHED: State.VOIDED,
    },
    State.PAID: {
        Trigger.OVERPAID: State.PAID,
        Trigger.REPRICED: State.PAID,
        Trigger.REFUNDED_IN_PART: State.PAID,
        Trigger.REFUNDED_WHOLE: State.REFUNDED,
        Trigger.BILLED_MORE: State.DUE,
        Trigger.VOIDED: State.VOIDED,
        Trigger.DISPUTE_OPENED: State.DISPUTED,
    },
    State.REFUNDED: {Trigger.OVERPAID: State.PAID},
    State.DISPUTED: {
        Trigger.PAYMENT_ARRIVED: State.DISPUTED,
        Trigger.PART_PAID: State.DISPUTED,
        Trigger.OVERPAID: State.DISPUTED,
        Trigger.PAYMENT_FAILED: State.DISPUTED,
        Trigger.REPRICED: State.DISPUTED,
        Trigger.REFUNDED_IN_PART: State.DISPUTED,
        Trigger.REFUNDED_WHOLE: State.DISPUTED,
        Trigger.UPHELD: State.VOIDED,
        Trigger.REJECTED_PAID: State.PAID,
        Trigger.REJECTED_OWING: State.ARREARS,
        Trigger.REJECTED_REFUNDED: State.REFUNDED,
        Trigger.REJECTED_FREE: State.FREE,
    },
    State.VOIDED: {
        Trigger.OVERPAID: State.VOIDED,
        Trigger.REFUNDED_IN_PART: State.VOIDED,
        Trigger.REFUNDED_WHOLE: State.VOIDED,
    },
    State.WRITTEN_OFF: {
        Trigger.PAYMENT_ARRIVED: State.PAID,
        Trigger.PART_PAID: State.WRITTEN_OFF,
        Trigger.PAYMENT_FAILED: State.WRITTEN_OFF,
    },
    State.REVIEW: {
        Trigger.RELEASED_FREE: State.FREE,
        Trigger.RELEASED_ON_LEASE: State.DUE,
        Trigger.RELEASED_UNPAID: State.ARREARS,
        Trigger.VOIDED: State.VOIDED,
        Trigger.TURNED_BACK: State.INSIDE,
        Trigger.TAKEN_BACK: State.VOIDED,
        Trigger.PAIRED: State.FREE,
        Trigger.ATTACHED: State.VOIDED,
    },
}

IN_THE_LOT = frozenset({State.INSIDE, State.HELD})

BILLED = frozenset({State.HELD, State.DUE, State.ARREARS, State.PAID, State.DISPUTED})

LEFT = frozenset({State.FREE, State.DUE, State.ARREARS, State.PAID, State.REFUNDED, State.DISPUTED})
"""Stays that are over and were priced for certain."""


class Stage(StrEnum):
    """How far the collection of arrears has gone."""

    NONE = "none"
    REMINDER_1 = "reminder-1"
    REMINDER_2 = "reminder-2"
    HANDED_OVER = "handed-over"


DAY_MS = 24 * 3_600_000
DUE_MS = 2 * DAY_MS
"""A stay that left on a promise and is not paid this long after is in arrears: the schemes without a barrier name 48 hours."""

STAGE_AFTER: dict[Stage, tuple[Stage, int]] = {
    Stage.NONE: (Stage.REMINDER_1, 7 * DAY_MS),
    Stage.REMINDER_1: (Stage.REMINDER_2, 7 * DAY_MS),
    Stage.REMINDER_2: (Stage.HANDED_OVER, 16 * DAY_MS),
}
"""What follows a stage, and after how long; nothing follows the last."""


@dataclass(frozen=True, slots=True)
class Session:
    """One stay. `id` is 'epoch.n' of the record that opened it; money in minor units; `plate_n` finds plate and salt.

    `amount_minor` is the bill; `lowered_minor` was taken off it after the exit, `written_off_minor` given up; `paid_minor` is
    all that ever came in, `refunded_minor` what of it went back. `invoiced_minor` and `tax_minor`: as the last invoice says.
    `priced_n`: the record that set the bill, 0 if unknown. `next_ms`: UTC ms at which something follows by itself, 0 for never.
    `dispute`: id of the open one. `pair`: a stay's review exit, or that
    exit's stay; '' for none.
    """

    id: str
    state: State
    lane_in: str
    plate: Plate
    plate_n: int
    entered: Moment
    lease: Lease | None = None
    lane_out: str = ""
    exited_ms: int = 0
    amount_minor: int = 0
    paid_minor: int = 0
    lowered_minor: int = 0
    written_off_minor: int = 0
    refunded_minor: int = 0
    invoiced_minor: int = 0
    tax_minor: int = 0
    priced_n: int = 0
    next_ms: int = 0
    stage: Stage = Stage.NONE
    dispute: str = ""
    pair: str = ""
    commitment: str = ""
    """What plate and salt open, as record `plate_n` has it."""

    @property
    def net_minor(self) -> int:
        """What is left of the bill."""
        return self.amount_minor - self.lowered_minor - self.written_off_minor

    @property
    def kept_minor(self) -> int:
        """What was paid and did not go back."""
        return self.paid_minor - self.refunded_minor

    @property
    def owed_minor(self) -> int:
        """What is still to be paid."""
        return max(0, self.net_minor - self.kept_minor)

    @property
    def credit_minor(self) -> int:
        """What was paid beyond the bill, and is due back."""
        return max(0, self.kept_minor - self.net_minor)

    @property
    def vehicle(self) -> Vehicle:
        """Class that the tariff prices."""
        return self.plate.vehicle

    @property
    def energy(self) -> Energy:
        """Drive that the tariff prices."""
        return self.plate.energy


def replated(session: Session, read: Session) -> Session:
    """The session under the plate of another read of its vehicle; a lease that was promised to another plate is none of it."""
    under = replace(session, plate_n=read.plate_n, commitment=read.commitment)
    return under if read.plate.identity == session.plate.identity else replace(under, plate=read.plate, lease=None)


def may(session: Session, trigger: Trigger) -> bool:
    """Whether the table has this move."""
    return trigger in TRANSITIONS[session.state]


def moved(session: Session, trigger: Trigger, *, from_ms: int = 0) -> Session:
    """The session after a move; a new state's term runs from `from_ms`, by default from the exit.

    Raises KeyError if the table has no such move: that is our own fault, check `may` first.
    """
    state = TRANSITIONS[session.state][trigger]
    if state is session.state:
        return session
    return replace(session, state=state, stage=Stage.NONE, next_ms=_term(state, from_ms or session.exited_ms))


def dunned(session: Session, now_ms: int) -> Session:
    """The session at the next stage; only for one in arrears that has one."""
    stage, _ = STAGE_AFTER[session.stage]
    following = STAGE_AFTER.get(stage)
    after = moved(session, Trigger.DUNNED)
    return replace(after, stage=stage, next_ms=now_ms + following[1] if following is not None else 0)


def _term(state: State, from_ms: int) -> int:
    match state:
        case State.DUE:
            return from_ms + DUE_MS
        case State.ARREARS:
            return from_ms + STAGE_AFTER[Stage.NONE][1]
        case _:
            return 0
