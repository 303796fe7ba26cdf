"""The slow bill's clock: the same minutes, read without working anything out ahead."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sim.bill_clock import Clock, day_name
from tests.tariff_texts import CALENDAR, MADE_UP


def at(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("utc", "band"),
    [
        # New York's bands: 0 from 02:30, 1 from 20:00, 2 from 01:30; the clock jumps over 02:30, and repeats 01:00 to 02:00
        ("2026-03-08T06:29", 1),
        ("2026-03-08T06:30", 2),
        ("2026-03-08T06:59", 2),
        ("2026-03-08T07:00", 0),
        ("2026-11-01T05:29", 1),
        ("2026-11-01T05:30", 2),
        ("2026-11-01T06:10", 2),
        ("2026-11-01T07:29", 2),
        ("2026-11-01T07:30", 0),
    ],
)
def test_the_band_of_a_minute(utc: str, band: int) -> None:
    assert Clock("America/New_York", MADE_UP["new-york"], "day", "").band(at(utc)) == band


@pytest.mark.parametrize(
    ("utc", "begins_minute", "day"),
    [
        ("2026-10-31T23:59",  0, "2026-10-31"),
        ("2026-11-01T04:00",  0, "2026-11-01"),
        # 23:30 by the wall once more: no day begins twice
        ("2026-11-01T04:30",  0, "2026-11-01"),
        ("2026-11-01T05:29", 30, "2026-11-01"),
        ("2026-11-01T04:29", 30, "2026-10-31"),
    ],
)  # fmt: skip
def test_the_day_of_a_minute(utc: str, begins_minute: int, day: str) -> None:
    found = Clock("America/Havana", MADE_UP["overlap"], "units", "").day(at(utc), begins_minute)
    assert date.fromordinal(found) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2026-02-15", "golden"),
        ("2026-01-01", "busy"),
        ("2026-03-15", "busy"),
        ("2026-01-07", "quiet"),
        ("2026-05-09", "other"),
    ],
)
def test_the_name_of_a_date(day: str, name: str) -> None:
    assert day_name(MADE_UP["year"], CALENDAR, date.fromisoformat(day).toordinal()) == name


def test_a_date_outside_the_calendar_has_no_name() -> None:
    with pytest.raises(ValueError, match="2027-01-01 is not in the calendar"):
        day_name(MADE_UP["year"], CALENDAR, date(2027, 1, 1).toordinal())
