"""The nouns of a tariff: tails, free time, and the plan that the time of entry chooses."""

from __future__ import annotations

import pytest

from gateway.core.tariff import load_tariff
from gateway.core.tariff_plan import Class, Free, Tail, Text
from gateway.core.tariff_settings import Boundary, ChargedFrom, FreePer
from tests.tariff_texts import shipped_text

TEXT = Text("一", "one")
PLAN, EVENING = (
    next(iter(load_tariff(shipped_text(name), name).rules.versions[0].classes.values())).plan(0)
    for name in ("plain-garage", "hangzhou-2014-street-core")
)


@pytest.mark.parametrize(
    ("limit_ms", "boundary", "used_ms", "dropped"),
    [
        (0,      Boundary.INCLUSIVE, 0,      True),
        (0,      Boundary.INCLUSIVE, 1,      False),
        (900000, Boundary.INCLUSIVE, 900000, True),
        (900000, Boundary.INCLUSIVE, 900001, False),
        (900000, Boundary.EXCLUSIVE, 899999, True),
        (900000, Boundary.EXCLUSIVE, 900000, False),
    ],
)  # fmt: skip
def test_tail(limit_ms: int, boundary: Boundary, used_ms: int, dropped: bool) -> None:
    assert Tail(limit_ms, boundary).drops(used_ms) is dropped


@pytest.mark.parametrize(
    ("boundary", "length_ms", "covered"),
    [
        (Boundary.INCLUSIVE, 60_000, True),
        (Boundary.INCLUSIVE, 60_001, False),
        (Boundary.EXCLUSIVE, 59_999, True),
        (Boundary.EXCLUSIVE, 60_000, False),
    ],
)
def test_free_time(boundary: Boundary, length_ms: int, covered: bool) -> None:
    assert Free(60_000, boundary, ChargedFrom.ENTRY, FreePer.VISIT, TEXT).covers(length_ms) is covered


@pytest.mark.parametrize(
    ("minute", "plan"),
    [(0, "evening"), (299, "evening"), (300, "day"), (1019, "day"), (1020, "evening"), (1439, "evening")],
)
def test_the_minute_of_entry_chooses_the_plan(minute: int, plan: str) -> None:
    chosen = Class(((300, PLAN), (1020, EVENING)), 1).plan(minute)
    assert chosen is {"day": PLAN, "evening": EVENING}[plan]


def test_the_longest_unit_is_found_in_every_band() -> None:
    assert (PLAN.longest_ms, EVENING.longest_ms) == (60 * 60_000, 30 * 60_000)
