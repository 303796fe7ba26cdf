"""The nouns of a tariff: versions, classes, plans, bands, and what a band charges.

Owns the frozen form that a tariff file is read into, and which band rules at which instant, daylight saving included. Rule: a
band begins at the first instant at which the local clock reads its `from` or later on that date; an hour that the clock repeats
begins nothing twice. Refuses to know files and prices: `tariff_file` reads, `tariff` prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from gateway.core.plate import Energy, Vehicle

MINUTE_MS = 60_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Boundary(StrEnum):
    """Whether exactly the limit still counts as within it."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"


class Seconds(StrEnum):
    """What becomes of the part of a minute at the end of a stay."""

    TRUNCATE = "truncate"
    CEIL = "ceil"
    EXACT = "exact"


class ChargedFrom(StrEnum):
    """Where charging begins once the free time is exceeded."""

    ENTRY = "entry"
    END = "end"


class VersionBy(StrEnum):
    """Which end of a stay chooses the version of the tariff."""

    ENTRY = "entry"
    EXIT = "exit"


class FlatPer(StrEnum):
    """How often a flat charge falls due: once a visit, or each time that the stay enters the band."""

    VISIT = "visit"
    BAND = "band"


@dataclass(frozen=True, slots=True)
class Text:
    """What a driver reads on the bill, in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Free:
    """Free time of a visit, in milliseconds of the stay."""

    limit_ms: int
    boundary: Boundary
    charged_from: ChargedFrom
    text: Text

    def covers(self, length_ms: int) -> bool:
        """Whether a stay of this length is free."""
        return length_ms <= self.limit_ms if self.boundary is Boundary.INCLUSIVE else length_ms < self.limit_ms


@dataclass(frozen=True, slots=True)
class Tail:
    """The beginning of a unit that is not charged when the stay ends within it."""

    limit_ms: int
    boundary: Boundary

    def drops(self, used_ms: int) -> bool:
        """Whether a unit used for this long is not charged; one that has not begun never is."""
        return (
            used_ms <= 0
            or used_ms < self.limit_ms
            or (used_ms == self.limit_ms and self.boundary is Boundary.INCLUSIVE)
        )


@dataclass(frozen=True, slots=True)
class Step:
    """`units` units (None: all that follow) of `unit_ms`, each at `amount_minor`."""

    units: int | None
    unit_ms: int
    tail: Tail
    amount_minor: int
    text: Text


@dataclass(frozen=True, slots=True)
class Flat:
    """One charge for any time in the band beyond the tail."""

    per: FlatPer
    tail: Tail
    amount_minor: int
    text: Text


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the day, from its minute of the local day to the beginning of the next band."""

    from_minute: int
    to_minute: int
    charge: tuple[Step, ...] | Flat


@dataclass(frozen=True, slots=True)
class Cap:
    """Highest amount of each period of `period_ms` counted from entry; every period is then priced afresh."""

    period_ms: int
    amount_minor: int
    text: Text


@dataclass(frozen=True, slots=True)
class Plan:
    """A complete way to price a stay. `bands` cover the day, ordered by their beginning."""

    seconds: Seconds
    free: Free
    bands: tuple[Band, ...]
    cap: Cap | None


@dataclass(frozen=True, slots=True)
class Class:
    """What a class of vehicle pays: the plan's bill, cap included, `times` over."""

    plan: Plan
    times: int


@dataclass(frozen=True, slots=True)
class Version:
    """What holds from a local date on, for every pair of vehicle and energy."""

    begins: date
    classes: Mapping[tuple[Vehicle, Energy], Class]


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that a tariff file says. `versions` is ordered by date and not empty."""

    currency: str
    zone: ZoneInfo
    title: Text
    version_by: VersionBy
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """An unbroken time in one band, UTC ms; `band` is its index in the plan."""

    band: int
    from_ms: int
    to_ms: int


def runs(bands: tuple[Band, ...], zone: ZoneInfo, from_ms: int, to_ms: int) -> list[Run]:
    """The time from `from_ms` to `to_ms` (UTC ms) cut at the edges of the bands, without empty pieces."""
    if len(bands) == 1:
        return [Run(0, from_ms, to_ms)] if to_ms > from_ms else []
    found: list[Run] = []
    edges = _edges(bands, zone, from_ms, to_ms)
    for (begin, band), (end, _) in zip(edges, [*edges[1:], (to_ms, -1)], strict=True):
        first, last = max(begin, from_ms), min(end, to_ms)
        if first >= last:
            continue
        if found and found[-1].band == band:
            first = found.pop().from_ms
        found.append(Run(band, first, last))
    return found


def local_date(zone: ZoneInfo, at_ms: int) -> date:
    """The calendar date in the zone at a UTC ms."""
    return local_time(zone, at_ms).date()


def local_time(zone: ZoneInfo, at_ms: int) -> datetime:
    """The local clock in the zone at a UTC ms, with its offset."""
    return (_EPOCH + at_ms * _MILLISECOND).astimezone(zone)


def utc_ms(moment: datetime) -> int:
    """UTC ms of a time that carries its zone."""
    return (moment - _EPOCH) // _MILLISECOND


def _edges(bands: tuple[Band, ...], zone: ZoneInfo, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """(instant, band) of every beginning from the day before `from_ms` to the day of `to_ms`, in order."""
    day, last = local_date(zone, from_ms) - timedelta(days=1), local_date(zone, to_ms)
    edges: list[tuple[int, int]] = []
    while day <= last:
        edges += [(_begin_ms(zone, day, band.from_minute), index) for index, band in enumerate(bands)]
        day += timedelta(days=1)
    return edges


def _begin_ms(zone: ZoneInfo, day: date, minute: int) -> int:
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
