"""What a lease pays: up to its cap, the cap included, until its expiry, the expiry included."""

from __future__ import annotations

import pytest

from gateway.core.lease import Lease, covers
from gateway.core.moment import ClockQuality
from tests.lots import START_MS, at

SET, FREE, UNSET = ClockQuality.SYNCHRONISED, ClockQuality.INFORMATIVE, ClockQuality.UNKNOWN


@pytest.mark.parametrize(
    ("amount", "cap", "late_ms", "clock", "pays"),
    [
        # bill  cap  after expiry  clock  pays
        (1000, 1000,           0,  SET,     True),
        (1001, 1000,           0,  SET,     False),
        (1000, 1000,          -1,  SET,     True),
        (1000, 1000,           1,  SET,     False),
        (1000, 1000,           1,  FREE,    False),
        (1000, 1000,           1,  UNSET,   True),   # a promise isn't lost by a clock that was never set
        (1001, 1000,           1,  UNSET,   False),
        (0,       0,           0,  SET,     True),
    ],
)  # fmt: skip
def test_covers(amount: int, cap: int, late_ms: int, clock: ClockQuality, pays: bool) -> None:
    assert covers(Lease("l", cap, START_MS, 1), amount, at(late_ms, quality=clock)) is pays
