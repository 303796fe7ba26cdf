"""The nouns of a tariff: versions, classes, plans, days, bands, what a band charges, caps.

Owns the frozen form that a tariff file is read into. Refuses to know files, clocks and prices: `tariff_file` reads,
`tariff_time` knows which band rules when, `tariff` prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from gateway.core.calendar import Kind
from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff_settings import (
    Boundary,
    CapPer,
    ChargedFrom,
    Durations,
    Falls,
    FlatPer,
    FreePer,
    Lowering,
    NextPeriod,
    Rounding,
    Seconds,
    Stays,
    Straddle,
    VersionBy,
)

MINUTE_MS = 60_000
DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Text:
    """What a driver reads on the bill, in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Free:
    """Free time, in milliseconds."""

    limit_ms: int
    boundary: Boundary
    charged_from: ChargedFrom
    per: FreePer
    text: Text

    def covers(self, length_ms: int) -> bool:
        """Whether a time of this length is free."""
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
    """`units` units (None: all that follow) of `unit_ms`, each at `amount_minor`; without a tail, paid in proportion."""

    units: int | None
    unit_ms: int
    tail: Tail | None
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
    """A part of the day, from its minute of the local day to the beginning of the next band, on the days of these names."""

    days: tuple[str, ...]
    from_minute: int
    to_minute: int
    charge: tuple[Step, ...] | Flat


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that a period owes. `amounts_minor`: of the first period, the second and so on, the last one holding on; empty
    where the source leaves it open. `minute`: where the band or the day begins; `period_ms`: of periods from entry."""

    per: CapPer
    minute: int
    period_ms: int
    next_period: NextPeriod
    stays: Stays
    amounts_minor: tuple[int, ...]
    text: Text


@dataclass(frozen=True, slots=True)
class Discount:
    """A part of every amount that is not paid, 1 to 100 percent."""

    percent: int
    text: Text


@dataclass(frozen=True, slots=True)
class Coupon:
    """Money that is not paid."""

    amount_minor: int
    text: Text


@dataclass(frozen=True, slots=True)
class Lost:
    """What a vehicle owes whose entry nobody can tell."""

    amount_minor: int
    text: Text


@dataclass(frozen=True, slots=True)
class DayRule:
    """Which dates bear a name: those that fit every given set (None: any). `spans` are month and day of first and last date."""

    name: str
    kinds: frozenset[Kind] | None
    holidays: frozenset[str] | None
    weekdays: frozenset[int] | None
    spans: tuple[tuple[tuple[int, int], tuple[int, int]], ...] | None

    @property
    def needs_calendar(self) -> bool:
        """Whether only a calendar can tell."""
        return self.kinds is not None or self.holidays is not None


@dataclass(frozen=True, slots=True)
class Plan:
    """A complete way to price a stay. `begins`: by the name of a day, each band's first minute and index, in order. `shares`:
    in how many parts a minor unit must be divided for every amount to be whole."""

    durations: Durations
    seconds: Seconds
    straddle: Straddle
    free: Free
    bands: tuple[Band, ...]
    caps: tuple[Cap, ...]
    discount: Discount | None
    lost: Lost | None
    begins: Mapping[str, tuple[tuple[int, int], ...]]
    shares: int

    @property
    def longest_ms(self) -> int:
        """The longest unit of all bands."""
        steps = (step for band in self.bands if not isinstance(band.charge, Flat) for step in band.charge)
        return max((step.unit_ms for step in steps), default=0)


@dataclass(frozen=True, slots=True)
class Class:
    """What a class of vehicle pays: `times` the bill of the plan, chosen by the minute of the local day of entry; `plans` are
    ordered by their first minute."""

    plans: tuple[tuple[int, Plan], ...]
    times: int

    def plan(self, minute: int) -> Plan:
        """The plan of a stay that begins at this minute of the local day."""
        return [self.plans[-1], *(row for row in self.plans if row[0] <= minute)][-1][1]


@dataclass(frozen=True, slots=True)
class Version:
    """What holds from a local date on, for every pair of vehicle and energy."""

    begins: date
    classes: Mapping[tuple[Vehicle, Energy], Class]


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that a tariff file says. `versions` is ordered by date and not empty; `days` is empty if all are alike."""

    currency: str
    zone: ZoneInfo
    title: Text
    version_by: VersionBy
    falls: Falls
    rounding: Rounding
    order: tuple[Lowering, ...]
    days: tuple[DayRule, ...]
    versions: tuple[Version, ...]

    @property
    def needs_calendar(self) -> bool:
        """Whether no stay can be priced without a calendar."""
        return any(rule.needs_calendar for rule in self.days)

    @property
    def counts_earlier(self) -> bool:
        """Whether earlier stays of the plate can change a bill."""
        plans = [plan for version in self.versions for row in version.classes.values() for _, plan in row.plans]
        capped = any(cap.stays is Stays.PLATE for plan in plans for cap in plan.caps)
        return capped or any(plan.free.per is FreePer.FIRST_OF_DAY for plan in plans)


@dataclass(frozen=True, slots=True)
class EarlierStay:
    """A stay of the same plate that ended before, UTC ms, and what it owed."""

    entry_ms: int
    exit_ms: int
    amount_minor: int
