"""The exit decision as a table."""

from __future__ import annotations

import pytest

from gateway.core.exit import TRIGGERS, Outcome, WithoutLease, decide
from gateway.core.lease import Lease
from gateway.core.moment import ClockQuality
from tests.lots import START_MS, at

OPEN, ASK = WithoutLease.OPEN_ARREARS, WithoutLease.PAY_HERE
NOW_MS = 1_000_000
EXPIRY_MS = START_MS + NOW_MS


@pytest.mark.parametrize(
    ("amount", "cap", "expires_in_ms", "policy", "outcome"),
    [
        # amount  cap   expiry  policy  outcome
        (0,       None,     0,  ASK,    Outcome.FREE),
        (0,       1000,  -999,  ASK,    Outcome.FREE),
        (1000,    1000,     0,  ASK,    Outcome.LEASE),
        (1000,    1000,     1,  OPEN,   Outcome.LEASE),
        (1001,    1000,     1,  OPEN,   Outcome.ARREARS),
        (1001,    1000,     1,  ASK,    Outcome.PAY_HERE),
        (1000,    1000,    -1,  OPEN,   Outcome.ARREARS),
        (1000,    1000,    -1,  ASK,    Outcome.PAY_HERE),
        (1000,    None,     0,  OPEN,   Outcome.ARREARS),
        (1000,    None,     0,  ASK,    Outcome.PAY_HERE),
    ],
)  # fmt: skip
def test_outcome(amount: int, cap: int | None, expires_in_ms: int, policy: WithoutLease, outcome: Outcome) -> None:
    lease = None if cap is None else Lease("l", cap, EXPIRY_MS + expires_in_ms, 1)
    assert decide(amount, lease, policy, at(NOW_MS)) is outcome


def test_a_clock_of_unknown_quality_loses_no_promise() -> None:
    late = at(NOW_MS, quality=ClockQuality.UNKNOWN)
    assert decide(1000, Lease("l", 1000, EXPIRY_MS - 1, 1), ASK, late) is Outcome.LEASE
    assert decide(1001, Lease("l", 1000, EXPIRY_MS - 1, 1), ASK, late) is Outcome.PAY_HERE


def test_every_outcome_moves_the_stay() -> None:
    assert set(TRIGGERS) == set(Outcome)
