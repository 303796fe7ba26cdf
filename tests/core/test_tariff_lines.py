"""The lines of a bill: merged, rounded once, with the time that was paid in proportion."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from gateway.core.record import Value, canonical
from gateway.core.tariff_lines import Line, bill_lines, charge_lines, lowering_lines
from gateway.core.tariff_plan import Text
from gateway.core.tariff_plan_file import TEXT_BYTES_MAX
from gateway.core.tariff_settings import Lowering, Rounding
from gateway.core.tariff_units import Charge

HOUR, TIME = Text("时", "hour"), Text("按分钟", "by the minute")


def part(parts: int) -> Line:
    return Line(TIME, 0, 60_000, 1, 0, False, 60_000, parts)


@pytest.mark.parametrize(
    ("rule", "parts", "amounts"),
    [
        # tenths of a minor unit: a line is what the rounded sum grows by with it
        (Rounding.DOWN,    [5, 5, 5],   [0, 1, 0]),
        (Rounding.HALF_UP, [5, 5, 5],   [1, 0, 1]),
        (Rounding.UP,      [5, 5, 5],   [1, 0, 1]),
        (Rounding.DOWN,    [19, -9],    [1, 0]),
        (Rounding.HALF_UP, [14, 1],     [1, 1]),
        (Rounding.UP,      [10, 1, 9],  [1, 1, 0]),
    ],
)  # fmt: skip
def test_rounding_happens_once(rule: Rounding, parts: list[int], amounts: list[int]) -> None:
    lines = list(bill_lines([part(one) for one in parts], 10, rule, 60_000))
    assert [line.amount_minor for line in lines] == amounts
    assert all(line.units * line.unit_minor == line.amount_minor for line in lines)


@pytest.mark.parametrize("rule", Rounding)
def test_a_line_of_whole_units_stays_as_it_is(rule: Rounding) -> None:
    lines = [part(5), Line(HOUR, 0, 60_000, 3, 101, True, 0, 3030), part(7)]
    assert list(bill_lines(lines, 10, rule, 60_000))[1].amount_minor == 303


@pytest.mark.parametrize(
    ("used_ms", "zh", "en"),
    [
        (0,       "按分钟",          "by the minute"),
        (420_000, "按分钟 7分钟",     "by the minute, 7 min"),
        (421_900, "按分钟 7分钟1秒",  "by the minute, 7 min 1 s"),
    ],
)  # fmt: skip
def test_the_time_is_told(used_ms: int, zh: str, en: str) -> None:
    (line,) = bill_lines([Line(TIME, 0, 60_000, 1, 0, False, used_ms, 10)], 10, Rounding.DOWN, 60_000)
    assert (line.text_zh, line.text_en) == (zh, en)


def test_eight_lines_of_the_longest_texts_leave_room_in_a_record() -> None:
    texts = Text("一" * (TEXT_BYTES_MAX // 3), "e" * TEXT_BYTES_MAX)
    year_ms = 366 * 24 * 3600 * 1000 + 59_000
    long = [Line(texts, 2**41, 2**41, 1, 0, False, year_ms, 10**9 + n) for n in range(8)]
    lines: list[Value] = [dict(asdict(line)) for line in bill_lines(long, 1, Rounding.DOWN, 2**41)]
    assert len(canonical(lines).encode()) <= 2000


def test_charges_of_the_same_text_and_price_are_one_line() -> None:
    due = [
        Charge(HOUR, 0, 10, 2, 50, None, 1000, (0, 0)),
        Charge(TIME, 10, 20, 1, 35, 600, 7, (0, 0)),
        Charge(HOUR, 20, 30, 1, 50, None, 500, (0, 9)),
        Charge(TIME, 30, 40, 1, 35, 300, 4, (0, 9)),
    ]
    found = [
        (line.text, line.from_ms, line.to_ms, line.units, line.used_ms, line.parts) for line in charge_lines(due, 2)
    ]
    assert found == [(HOUR, 0, 30, 3, 0, 3000), (TIME, 10, 40, 2, 900, 22)]


def test_coupons_give_back_what_would_make_a_bill_less_than_nothing() -> None:
    lowered = {(Lowering.CAP, HOUR): 30, (Lowering.COUPON, TIME): 50}
    assert [line.parts for line in lowering_lines(lowered, 0, 1, 0)] == [-30, -50]
    assert [line.parts for line in lowering_lines(lowered, 0, 1, -20)] == [-30, -30]
