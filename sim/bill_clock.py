"""What the wall clock, the calendar and the bands of a tariff say at each minute, for the slow bill.

Owns a reading of docs/TARIFFS.md that is shared with nobody. Rule: while a clock repeats an hour it counts as reading what it
read before it was put back, so that nothing begins twice. Looks at every minute; works nothing out ahead.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = 60_000
DAY_MINUTES = 24 * 60
CLOCK_CHANGE_MAX = 3 * 60
"""Minutes by which a clock may be put back: how long before a stay the walk along the wall clock begins."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=64)
def read_tariff(text: str) -> dict[str, Any]:
    """The tariff file as it stands, with a table of bands by day and minute in each plan."""
    tariff = tomllib.loads(text)
    names = {row["name"] for row in tariff["day"]} or {""}
    for plan in tariff["plan"].values():
        plan["bands_by_day"] = {name: _bands_of_day(plan["band"], name) for name in names}
        first = next(iter(names))
        plan["turn"] = min(minute_of(band["from"]) for band in plan["band"] if not first or first in band["days"])
    return tariff


class Clock:
    """The wall clock of a zone, with the day rules of a tariff and the text of a calendar file, if it needs one."""

    def __init__(self, zone: str, tariff: str, plan: str, calendar: str) -> None:
        self._key = zone, tariff, plan, calendar
        self._day, self._bands = -1, list[int]()
        self._date, self._wall = -1, list[tuple[int, int]]()

    def band(self, at_ms: int) -> int:
        """The band that rules at a time."""
        day, minute = divmod(at_ms // MINUTE, DAY_MINUTES)
        if day != self._day:
            self._day, self._bands = day, bands_of_utc_day(*self._key, day)
        return self._bands[minute]

    def day(self, at_ms: int, begins_minute: int) -> int:
        """The number of the local day at a time, if days begin at this minute."""
        day, at = divmod(at_ms // MINUTE, DAY_MINUTES)
        if day != self._date:
            self._date, self._wall = day, wall_of_utc_day(self._key[0], day)
        number, minute = self._wall[at]
        return number if minute >= begins_minute else number - 1


def minute_of(clock: str) -> int:
    """A time of day such as 08:30 in minutes."""
    return int(clock[:2]) * 60 + int(clock[3:])


def local(zone: str, at_ms: int) -> datetime:
    """The wall clock at a time."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(_zone(zone))


@lru_cache(maxsize=512)
def bands_of_utc_day(zone: str, tariff: str, plan: str, calendar: str, day: int) -> list[int]:
    """The band that rules at each minute of a day."""
    read = read_tariff(tariff)
    turn, tables = read["plan"][plan]["turn"], read["plan"][plan]["bands_by_day"]
    found, name, named = [], "", -1
    for number, minute in wall_of_utc_day(zone, day):
        today = number if minute >= turn else number - 1
        if today != named:
            name, named = day_name(tariff, calendar, today), today
        found.append(tables[name][minute])
    return found


@lru_cache(maxsize=4096)
def wall_of_utc_day(zone: str, day: int) -> list[tuple[int, int]]:
    """What the wall clock reads at each minute of a day, as number of the date and minute."""
    latest = datetime(1, 1, 1)
    read = []
    for minute in range(day * DAY_MINUTES - CLOCK_CHANGE_MAX, (day + 1) * DAY_MINUTES):
        latest = max(latest, local(zone, minute * MINUTE).replace(tzinfo=None))
        read.append((latest.toordinal(), latest.hour * 60 + latest.minute))
    return read[CLOCK_CHANGE_MAX:]


@lru_cache(maxsize=4096)
def day_name(tariff: str, calendar: str, number: int) -> str:
    """What the tariff calls a date."""
    day = date.fromordinal(number)
    for row in read_tariff(tariff)["day"]:
        if "weekdays" in row and WEEKDAYS[day.weekday()] not in row["weekdays"]:
            continue
        if "dates" in row and not any(_in_season(f"{day:%m-%d}", span) for span in row["dates"]):
            continue
        if "kinds" in row and _kind(calendar, day) not in row["kinds"]:
            continue
        if "holidays" in row and _listed(calendar)["holiday"].get(f"{day}") not in row["holidays"]:
            continue
        return str(row["name"])
    return ""


@lru_cache(maxsize=8)
def _listed(calendar: str) -> dict[str, Any]:
    return tomllib.loads(calendar)


def _kind(calendar: str, day: date) -> str:
    listed = _listed(calendar)
    if not listed["from"] <= day <= listed["to"]:
        raise ValueError(f"{day} is not in the calendar")
    if f"{day}" in listed["holiday"]:
        return "holiday"
    return "workday" if day.weekday() < 5 or f"{day}" in listed["workday"] else "weekend"


def _in_season(month_day: str, span: str) -> bool:
    first, last = span.split("..")
    return first <= month_day <= last if first <= last else month_day >= first or month_day <= last


def _bands_of_day(bands: list[dict[str, Any]], name: str) -> list[int]:
    rows = [(index, band) for index, band in enumerate(bands) if not name or name in band["days"]]
    spans = [(index, minute_of(band["from"]), minute_of(band["to"])) for index, band in rows]
    return [next(index for index, *span in spans if _within(minute, *span)) for minute in range(DAY_MINUTES)]


def _within(minute: int, begin: int, end: int) -> bool:
    return begin <= minute < end if begin < end else minute >= begin or minute < end


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
