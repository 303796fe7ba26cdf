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
    REVIEW = "review"


class Trigger(StrEnum):
    """What moves a stay on."""

    RELEASED_FREE = "released-free"
    RELEASED_ON_LEASE = "released-on-lease"
    RELEASED_UNPAID = "released-unpaid"
    ASKED_TO_PAY = "asked-to-pay"
    DOUBTED = "doubted"
    PAYMENT_ARRIVED = "payment-arrived"
    PAYMENT_FAILED = "payment-failed"
    LEASED_LATE = "leased-late"


TRANSITIONS: dict[State, dict[Trigger, State]] = {
    State.INSIDE: {
        Trigger.RELEASED_FREE: State.FREE,
        Trigger.RELEASED_ON_LEASE: State.DUE,
        Trigger.RELEASED_UNPAID: State.ARREARS,
        Trigger.ASKED_TO_PAY: State.HELD,
        Trigger.DOUBTED: State.REVIEW,
    },
    State.HELD: {
        Trigger.PAYMENT_ARRIVED: State.PAID,
        Trigger.PAYMENT_FAILED: State.HELD,
        Trigger.RELEASED_ON_LEASE: State.DUE,
        Trigger.RELEASED_UNPAID: State.ARREARS,
    },
    State.DUE: {Trigger.PAYMENT_ARRIVED: State.PAID, Trigger.PAYMENT_FAILED: State.ARREARS},
    State.ARREARS: {
        Trigger.PAYMENT_ARRIVED: State.PAID,
        Trigger.PAYMENT_FAILED: State.ARREARS,
        Trigger.LEASED_LATE: State.DUE,
    },
    State.FREE: {},
    State.PAID: {},
    State.REVIEW: {},
}

IN_THE_LOT = frozenset({State.INSIDE, State.HELD})

BILLED = frozenset({State.DUE, State.ARREARS, State.PAID})


@dataclass(frozen=True, slots=True)
class Session:
    """One stay. `id` is 'epoch.n' of the record that opened it; money in minor units; `plate_n` finds plate and salt."""

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

    @property
    def vehicle(self) -> Vehicle:
        """Class that the tariff prices."""
        return self.plate.vehicle

    @property
    def energy(self) -> Energy:
        """Drive that the tariff prices."""
        return self.plate.energy


def may(session: Session, trigger: Trigger) -> bool:
    """Whether the table has this move."""
    return trigger in TRANSITIONS[session.state]


def moved(session: Session, trigger: Trigger) -> Session:
    """The session after a move. Raises KeyError if the table has no such move: that is our own fault, check `may` first."""
    return replace(session, state=TRANSITIONS[session.state][trigger])
