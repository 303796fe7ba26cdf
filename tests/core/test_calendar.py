"""The calendar: what each date is, and the one form of its file."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from gateway.core.calendar import FORMAT, KEYS, CalendarError, Kind, read_calendar

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "seeds" / "calendars" / "china-2026.toml").read_text(encoding="utf-8")
CHINA = read_calendar(TEXT, "china-2026")


@pytest.mark.parametrize(
    ("day", "kind", "holiday"),
    [
        ("2026-01-01", Kind.HOLIDAY, "new-year"),
        ("2026-01-04", Kind.WORKDAY, ""),  # a Sunday that is worked
        ("2026-01-10", Kind.WEEKEND, ""),
        ("2026-02-14", Kind.WORKDAY, ""),  # a Saturday that is worked
        ("2026-02-16", Kind.HOLIDAY, "spring-festival"),  # a Monday
        ("2026-02-24", Kind.WORKDAY, ""),
        ("2026-10-07", Kind.HOLIDAY, "national-day"),
        ("2026-12-31", Kind.WORKDAY, ""),
    ],
)
def test_what_a_date_is(day: str, kind: Kind, holiday: str) -> None:
    assert (CHINA.kind(date.fromisoformat(day)), CHINA.holiday(date.fromisoformat(day))) == (kind, holiday)


@pytest.mark.parametrize("day", ["2025-12-31", "2027-01-01"])
def test_no_date_outside_the_range_is_anything(day: str) -> None:
    assert not CHINA.covers(date.fromisoformat(day))
    with pytest.raises(CalendarError, match=f"calendar china: {day} lies outside 2026-01-01 to 2026-12-31"):
        CHINA.kind(date.fromisoformat(day))


def test_a_calendar_has_one_text() -> None:
    assert CHINA.text() == TEXT
    assert read_calendar(CHINA.text(), "again") == CHINA


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('name = "china"', "name = china",           "no TOML"),
        ('name = "china"', 'name = "中国"',           "printable ASCII"),
        ('name = "china"', "name = ''",              "1 to 32"),
        ('name = "china"', 'name = "a\\"b"',         "without quote"),
        ('name = "china"', 'nom = "china"',          "exactly these keys in this order"),
        (FORMAT, "lotgate-calendar-2",               "format = 'lotgate-calendar-2'"),
        ("version = 1", "version = 0",               "version = 0"),
        ("version = 1", "version = true",            "version = True"),
        ("to = 2026-12-31", "to = 2025-12-31",       "two dates in order"),
        ("to = 2026-12-31", "to = 2036-12-31",       "at most 1830 days"),
        ("to = 2026-12-31", "to = 2026-12-31T00:00:00", "two dates in order"),
        ("2026-01-02 =", "2025-01-02 =",             "dates from 2026-01-01"),
        ("2026-01-02 =", "2026-02-30 =",             "dates such as 2026-01-01"),
        ("2026-01-04 =", "2026-01-05 =",             "a Saturday or Sunday that is no holiday"),
        ("2026-01-04 =", "2026-01-03 =",             "a Saturday or Sunday that is no holiday"),
        ("version = 1\n", "version = 1 # first\n",   "the one form"),
        ("[workday]\n", "[workday]\n\n",             "the one form"),
    ],
)  # fmt: skip
def test_any_other_text_is_refused(old: str, new: str, reason: str) -> None:
    assert old in TEXT
    with pytest.raises(CalendarError, match=re.escape(reason)):
        read_calendar(TEXT.replace(old, new, 1), "mine.toml")


def test_the_document_shows_the_file() -> None:
    text = (ROOT / "docs" / "TARIFFS.md").read_text(encoding="utf-8").split("## Calendars")[1]
    shown = re.findall(r"^    (.*)$", text, re.MULTILINE)
    assert "\n".join(line for line in shown if line) == "\n".join(
        line for line in TEXT.splitlines() if line and (line in shown or "=" not in line)
    )
    listed = [key for cell in re.findall(r"^\| (`.*`) \|", text, re.MULTILINE) for key in re.findall(r"`(\w+)`", cell)]
    assert tuple(listed) == KEYS
