"""Which band, which day and which period rules at which instant, daylight saving included.

Owns the local clock of a tariff. Rules: a band, a day and a period begin at the first instant at which the local clock reads
their minute or later on that date; an hour that the clock repeats begins nothing twice. Refuses to know prices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from gateway.core.calendar import Calendar
from gateway.core.tariff_plan import DayRule, Plan

EDGES_REMEMBERED = 4096
"""Beginnings kept ready: a year of a tariff with ten bands, about 400 kB."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Run:
    """An unbroken time in one band, UTC ms; `band` is its index in the plan, `since_ms` when the band had begun."""

    band: int
    from_ms: int
    to_ms: int
    since_ms: int


@dataclass(frozen=True, slots=True)
class Local:
    """A tariff's local clock: its zone, and what each date is called."""

    zone: ZoneInfo
    rules: Sequence[DayRule]
    calendar: Calendar | None

    def day_name(self, day: date) -> str:
        """The name of the first rule that the date fits; '' if all days are alike. CalendarError outside the calendar."""
        return next((rule.name for rule in self.rules if _fits(rule, day, self.calendar)), "")

    def date(self, at_ms: int) -> date:
        """The calendar date at a UTC ms."""
        return local_time(self.zone, at_ms).date()

    def runs(self, plan: Plan, from_ms: int, to_ms: int) -> list[Run]:
        """The time between two UTC ms cut at the edges of the bands, without empty pieces."""
        if len(plan.bands) == 1:
            return [Run(0, from_ms, to_ms, 0)] if to_ms > from_ms else []
        found: list[Run] = []
        edges = list(self._edges(plan, from_ms, to_ms))
        for (begin, band), (end, _) in zip(edges, [*edges[1:], (to_ms, -1)], strict=True):
            first, last, since = max(begin, from_ms), min(end, to_ms), begin
            if found and found[-1].band == band:
                if first < last:
                    joined = found.pop()
                    found.append(Run(band, joined.from_ms, last, joined.since_ms))
            elif first < last:
                found.append(Run(band, first, last, since))
        return found

    def turns(self, minute: int, from_ms: int, to_ms: int) -> list[int]:
        """Where days that begin at this minute begin: the last instant not after `from_ms`, and all below `to_ms`."""
        day, found = self.date(from_ms) - _DAY, list[int]()
        while (begin := begin_ms(self.zone, day, minute)) < to_ms or not found:
            if begin <= from_ms:
                found.clear()
            found.append(begin)
            day += _DAY
        return found

    def _edges(self, plan: Plan, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
        """(instant, band) of every beginning on the days between two UTC ms, in order; the first is not after `from_ms`."""
        day, last = self.date(from_ms), self.date(to_ms)
        turn = next(iter(plan.begins.values()))[0][0]
        if begin_ms(self.zone, day, turn) > from_ms:
            day -= _DAY
        while day <= last:
            for minute, band in plan.begins[self.day_name(day)]:
                yield begin_ms(self.zone, day, minute), band
            day += _DAY


def local_time(zone: ZoneInfo, at_ms: int) -> datetime:
    """The local clock in the zone at a UTC ms, with its offset."""
    return (_EPOCH + at_ms * _MILLISECOND).astimezone(zone)


def utc_ms(moment: datetime) -> int:
    """UTC ms of a time that carries its zone."""
    return (moment - _EPOCH) // _MILLISECOND


def wall_ms(zone: ZoneInfo, at_ms: int) -> int:
    """What the local clock reads at a UTC ms, as if it were UTC."""
    return utc_ms(local_time(zone, at_ms).replace(tzinfo=UTC))


def from_wall_ms(zone: ZoneInfo, wall: int) -> int:
    """A UTC ms at which the local clock reads so; of two such instants the earlier."""
    return utc_ms((_EPOCH + wall * _MILLISECOND).replace(tzinfo=zone))


@lru_cache(maxsize=EDGES_REMEMBERED)
def begin_ms(zone: ZoneInfo, day: date, minute: int) -> int:
    """The first instant at which the local clock reads this minute of this date, or has jumped over it."""
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    begin = utc_ms(wall)
    if local_time(zone, begin).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return begin
    before, after = utc_ms(wall.replace(fold=1)), begin
    offset = local_time(zone, after).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if local_time(zone, middle).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def cut(spans: Sequence[tuple[int, int]], marks: Sequence[int]) -> list[tuple[int, int]]:
    """Spans of time, each cut at the marks that lie within it."""
    found: list[tuple[int, int]] = []
    for begin, end in spans:
        inside = [begin, *sorted(mark for mark in set(marks) if begin < mark < end), end]
        found += pairwise(inside)
    return found


def _fits(rule: DayRule, day: date, calendar: Calendar | None) -> bool:
    if rule.weekdays is not None and day.weekday() not in rule.weekdays:
        return False
    month_day = day.month, day.day
    if rule.spans is not None and not any(_within(month_day, first, last) for first, last in rule.spans):
        return False
    if not rule.needs_calendar:
        return True
    assert calendar is not None, "the tariff refuses to price without a calendar"
    if rule.kinds is not None and calendar.kind(day) not in rule.kinds:
        return False
    return rule.holidays is None or calendar.holiday(day) in rule.holidays


def _within(day: tuple[int, int], first: tuple[int, int], last: tuple[int, int]) -> bool:
    """Whether a day of the year lies in a span, which may reach over the turn of the year."""
    return first <= day <= last if first <= last else day >= first or day <= last
