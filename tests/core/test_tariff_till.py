"""Caps over periods, bands and stays, charge after charge."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from gateway.core.tariff import load_tariff
from gateway.core.tariff_plan import MINUTE_MS, Coupon, Discount, EarlierStay, Text
from gateway.core.tariff_settings import Lowering, NextPeriod
from gateway.core.tariff_till import Till
from gateway.core.tariff_time import Local
from gateway.core.tariff_units import Charge
from tests.tariff_texts import shipped_text

PLAIN = shipped_text("plain-garage")
SIX_HOURS = PLAIN.replace("period_min = 1440", "period_min = 360").replace(
    "amount_minor = 2000", "amount_minor = [700, 300]"
)
HOUR_MS = 60 * MINUTE_MS
LOCAL = Local(ZoneInfo("UTC"), (), None)


def till_of(text: str, order: tuple[Lowering, ...] = tuple(Lowering)) -> Till:
    rules = load_tariff(text, "till").rules
    return Till(next(iter(rules.versions[0].classes.values())).plan(0), order, LOCAL, scale=100, times=1)


def charge(hour: int, amount_minor: int) -> Charge:
    due_ms = hour * HOUR_MS
    return Charge(Text("时", "hour"), due_ms, due_ms + HOUR_MS, 1, amount_minor, None, amount_minor * 100, (0, 0))


def test_a_period_that_has_reached_its_cap_takes_nothing_more() -> None:
    till = till_of(SIX_HOURS)
    till.open((0, 24 * HOUR_MS), ())
    assert [till.left(charge(hour, 200)) // 100 for hour in range(14)] == [
        200, 200, 200, 100, 0, 0,
        200, 100, 0, 0, 0, 0,
        200, 100,
    ]  # fmt: skip
    assert sum(till.lowered.values()) == (14 * 200 - 1300) * 100


def test_periods_begin_where_the_counting_goes_on_or_begins_again() -> None:
    till = till_of(SIX_HOURS)
    till.open((HOUR_MS, 14 * HOUR_MS), ())
    assert till.marks(NextPeriod.RESTART) == [HOUR_MS, 7 * HOUR_MS, 13 * HOUR_MS]
    assert till.marks(NextPeriod.CONTINUE) == []


@pytest.mark.parametrize(
    ("earlier", "left"),
    [
        # entry and exit hours and what was owed, then what is left of 2.00 at 5:00 of 7.00 in six hours
        ("",               200),
        ("0-2 0",          200),
        ("0-2 600",        100),
        ("0-2 900",          0),
        # periods count from the first entry: at 5:00 the second period of 3.00 runs that began at 4:00
        ("-2-5 700",       200),
        # the period of a stay that is over does not reach to 5:00
        ("-8--7 700",      200),
        # a stay at 4:00 joins the period that runs since -1:00, and the next one begins at 5:00
        ("-1-0 700",       200),
        ("-1-0 999",       200),
    ],
)  # fmt: skip
def test_earlier_stays_of_the_plate(earlier: str, left: int) -> None:
    till = till_of(SIX_HOURS.replace('stays = "one"', 'stays = "plate"'))
    before = []
    if earlier:
        span, owed = earlier.split()
        head, _, tail = span[1:].partition("-")
        begin, end = int(span[0] + head), int(tail)
        before.append(EarlierStay(begin * HOUR_MS, end * HOUR_MS, int(owed)))
        till.open((begin * HOUR_MS, end * HOUR_MS), ())
        till.count(before[0], [charge(begin, 100)])
    till.open((4 * HOUR_MS, 6 * HOUR_MS), before)
    assert till.left(charge(5, 200)) == left * 100


def test_what_lowers_a_charge_is_told() -> None:
    till = till_of(PLAIN, (Lowering.DISCOUNT, Lowering.COUPON, Lowering.CAP))
    till.open((0, HOUR_MS), ())
    off, coupon = Text("折", "off"), Text("券", "coupon")
    till.offer([Discount(25, off)], [Coupon(100, coupon)])
    assert [till.left(charge(0, 3000)), till.left(charge(0, 40))] == [200_000, 0]
    told = {lowering: amount for (lowering, _), amount in till.lowered.items()}
    assert told == {Lowering.DISCOUNT: 76_000, Lowering.COUPON: 10_000, Lowering.CAP: 18_000}


def test_an_open_cap_is_not_there() -> None:
    till = till_of(PLAIN.replace("amount_minor = 2000", 'amount_minor = "open"'))
    till.open((0, 48 * HOUR_MS), ())
    assert (till.marks(NextPeriod.RESTART), till.left(charge(0, 90_000))) == ([], 9_000_000)
