"""The calendar of a country: which date is a working day, a weekend's day or a public holiday, and of which holiday.

Owns the calendar file: TOML in exactly one form, so that a signature over the text means one calendar only. Rules: every date
of the range is known and none outside it; a Saturday or Sunday is a weekend's day unless listed as a holiday or as worked.
Refuses to know prices, keys and libraries. docs/TARIFFS.md describes the file; a test holds the two together.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

FORMAT = "lotgate-calendar-1"
CALENDAR_DOMAIN = b"lotgate-calendar-v1\n"
"""Prefix of what the city signs, before the file's text, so that no other signed thing can pass for a calendar."""

NAME_BYTES_MAX = 32
SOURCE_BYTES_MAX = 200
VERSION_MAX = 1_000_000
DAYS_MAX = 5 * 366
"""Longest range: five years, so that a file stays below 60 kB and fits one message."""

KEYS = ("format", "name", "version", "source", "from", "to", "holiday", "workday")
"""Every key of the file, in the order in which it is written."""


class CalendarError(ValueError):
    """A calendar that can't be used, or a date that it does not cover; the text names calendar, value and remedy."""


class Kind(StrEnum):
    """What a date is to those who work."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Dates from `first` to `last`. `holidays` gives the holiday that a free date belongs to, `workdays` the one that a worked
    Saturday or Sunday makes up for."""

    name: str
    version: int
    source: str
    first: date
    last: date
    holidays: Mapping[date, str]
    workdays: Mapping[date, str]

    def covers(self, day: date) -> bool:
        """Whether the date lies in the calendar's range."""
        return self.first <= day <= self.last

    def kind(self, day: date) -> Kind:
        """What the date is. Raises CalendarError outside the range."""
        if not self.covers(day):
            raise CalendarError(
                f"calendar {self.name}: {day} lies outside {self.first} to {self.last}: give a calendar that covers it"
            )
        if day in self.holidays:
            return Kind.HOLIDAY
        return Kind.WEEKEND if day.weekday() >= 5 and day not in self.workdays else Kind.WORKDAY

    def holiday(self, day: date) -> str:
        """The holiday that a free date belongs to; '' for every other date of the range."""
        return self.holidays[day] if self.kind(day) is Kind.HOLIDAY else ""

    def text(self) -> str:
        """The file's text, the only one for this calendar."""
        head = [
            f'format = "{FORMAT}"',
            f'name = "{self.name}"',
            f"version = {self.version}",
            f'source = "{self.source}"',
            f"from = {self.first}",
            f"to = {self.last}",
        ]
        tables = (("holiday", self.holidays), ("workday", self.workdays))
        for table, days in tables:
            head += ["", f"[{table}]", *(f'{day} = "{name}"' for day, name in sorted(days.items()))]
        return "\n".join(head) + "\n"


def read_calendar(text: str, file: str) -> Calendar:
    """The calendar that a file's text describes. Raises CalendarError if it is none, or is written in any other form."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CalendarError(f"calendar file {file}: no TOML: {error}") from None
    if tuple(data) != KEYS:
        raise _wrong(file, "keys", ", ".join(data), f"exactly these keys in this order: {', '.join(KEYS)}")
    if data["format"] != FORMAT:
        raise _wrong(file, "format", data["format"], f'write "{FORMAT}"')
    for key, most in (("name", NAME_BYTES_MAX), ("source", SOURCE_BYTES_MAX)):
        _plain(file, key, data[key], most)
    version, first, last = data["version"], data["from"], data["to"]
    if type(version) is not int or not 1 <= version <= VERSION_MAX:
        raise _wrong(file, "version", version, f"a whole number from 1 to {VERSION_MAX}")
    if type(first) is not date or type(last) is not date or not 0 <= (last - first).days < DAYS_MAX:
        raise _wrong(file, "to", f"{first} to {last}", f"two dates in order, at most {DAYS_MAX} days")
    holidays = _days(file, "holiday", data["holiday"], (first, last))
    workdays = _days(file, "workday", data["workday"], (first, last))
    for day in workdays:
        if day in holidays or day.weekday() < 5:
            raise _wrong(file, f"workday.{day}", workdays[day], "a Saturday or Sunday that is no holiday")
    calendar = Calendar(data["name"], version, data["source"], first, last, holidays, workdays)
    if calendar.text() != text:
        raise _wrong(file, "the text", "another form", "the one form that the calendar tool writes, comments left out")
    return calendar


def _days(file: str, table: str, found: object, span: tuple[date, date]) -> dict[date, str]:
    if not isinstance(found, dict):
        raise _wrong(file, table, found, f"a table [{table}]")
    days: dict[date, str] = {}
    for key, name in found.items():
        try:
            day = date.fromisoformat(key)
        except ValueError:
            raise _wrong(file, f"{table}.{key}", name, "dates such as 2026-01-01") from None
        if not span[0] <= day <= span[1]:
            raise _wrong(file, f"{table}.{key}", name, f"dates from {span[0]} to {span[1]}")
        _plain(file, f"{table}.{key}", name, NAME_BYTES_MAX)
        days[day] = name
    return days


def _plain(file: str, key: str, found: object, bytes_max: int) -> None:
    """Text that needs no escape in TOML, so that it has one form."""
    good = isinstance(found, str) and found.isascii() and found.isprintable() and 0 < len(found) <= bytes_max
    if not good or set('"\\') & set(str(found)):
        raise _wrong(file, key, found, f"1 to {bytes_max} printable ASCII characters without quote and backslash")


def _wrong(file: str, key: str, value: object, remedy: str) -> CalendarError:
    return CalendarError(f"calendar file {file}: {key} = {value!r}: {remedy}")
