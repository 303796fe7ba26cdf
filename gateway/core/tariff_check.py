"""Whether a tariff that could be read is also safe to charge by: no price falls when a stay grows, every holiday is known.

Owns the stays that are tried: entries around every beginning of a band, a day, a period and a version, on ordinary days, on
days on which the clock changes and where one kind of day follows another. The reader has
refused gaps, overlaps and falling tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.core.calendar import Calendar
from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff import Tariff, TariffError
from gateway.core.tariff_file import amount_text
from gateway.core.tariff_plan import MINUTE_MS, Plan, Text
from gateway.core.tariff_settings import Falls
from gateway.core.tariff_time import Local, begin_ms, local_time

AROUND_MIN = (-23, 0, 8)
"""Entries before, at and after each beginning."""
EXITS_MIN = (*range(0, 480, 7), *range(480, 3000, 37))
"""Lengths of the stays from one entry: eight hours closely, then to the evening of the next day but one."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of a tariff found: how many stays it tried, and the caps that the tariff's source leaves open."""

    stays: int
    open: tuple[Text, ...]


def check(tariff: Tariff, calendar: Calendar | None) -> Checked:
    """Try the tariff, unless it says that its price may fall. Raises TariffError for a price that falls, for a holiday that the
    calendar does not have, and for a calendar that is missing."""
    tariff.checked(calendar)
    if calendar is not None:
        _check_holidays(tariff, calendar)
    tried = 0
    for vehicle, energy, plans in _classes(tariff) if tariff.rules.falls is Falls.NEVER else ():
        for entry_ms in _entries(tariff, calendar, plans):
            _check_rising(tariff, calendar, (vehicle, energy), entry_ms)
            tried += len(EXITS_MIN)
    return Checked(tried, tariff.open_caps())


def _check_holidays(tariff: Tariff, calendar: Calendar) -> None:
    known = set(calendar.holidays.values())
    for index, rule in enumerate(tariff.rules.days):
        for name in sorted(rule.holidays or ()):
            if name not in known:
                remedy = f"a holiday of calendar {calendar.name}: {', '.join(sorted(known))}"
                raise TariffError(tariff.name, f"day[{index}].holidays", name, remedy)


def _check_rising(tariff: Tariff, calendar: Calendar | None, pair: tuple[Vehicle, Energy], entry_ms: int) -> None:
    most_minor, most_ms = 0, entry_ms
    for minutes in EXITS_MIN:
        exit_ms = entry_ms + minutes * MINUTE_MS
        amount_minor = tariff.bill(entry_ms, exit_ms, *pair, calendar=calendar).amount_minor
        if amount_minor < most_minor:
            clock = [f"{local_time(tariff.rules.zone, at):%Y-%m-%d %H:%M}" for at in (entry_ms, most_ms, exit_ms)]
            high, low = amount_text(most_minor, tariff.currency), amount_text(amount_minor, tariff.currency)
            found = f"{' '.join(pair)} from {clock[0]}: {high} until {clock[1]}, {low} until {clock[2]}"
            raise TariffError(tariff.name, "falls", found, 'a price that never falls, or falls = "allowed"')
        most_minor, most_ms = amount_minor, exit_ms


def _classes(tariff: Tariff) -> Iterator[tuple[Vehicle, Energy, tuple[Plan, ...]]]:
    """One pair of vehicle and energy for each way to be priced over all versions, with the plans."""
    seen: set[tuple[int, ...]] = set()
    for vehicle in Vehicle:
        for energy in Energy:
            rows = [version.classes[vehicle, energy] for version in tariff.rules.versions]
            plans = tuple(plan for row in rows for _, plan in row.plans)
            # How many times over all versions charge makes no difference; how many times more than another one does.
            ratio = [row.times if len(rows) > 1 else 1 for row in rows]
            if (key := (*map(id, plans), *ratio)) not in seen:
                seen.add(key)
                yield vehicle, energy, plans


def _entries(tariff: Tariff, calendar: Calendar | None, plans: tuple[Plan, ...]) -> list[int]:
    minutes = {0} | {band.from_minute for plan in plans for band in plan.bands}
    minutes |= {cap.minute for plan in plans for cap in plan.caps}
    minutes |= {begin for v in tariff.rules.versions for row in v.classes.values() for begin, _ in row.plans}
    zone = tariff.rules.zone
    return sorted(
        {
            begin_ms(zone, day, minute) + around * MINUTE_MS
            for day in _dates(tariff, calendar)
            for minute in minutes
            for around in AROUND_MIN
        }
    )


def _dates(tariff: Tariff, calendar: Calendar | None) -> list[date]:
    """Dates on which something begins or changes, in the first year of each version or in the calendar's range."""
    local = Local(tariff.rules.zone, tariff.rules.days, calendar)
    found: list[date] = []
    for version in tariff.rules.versions:
        first, last = version.begins, version.begins + 366 * _DAY
        if calendar is not None and tariff.rules.needs_calendar:
            first, last = calendar.first + 2 * _DAY, calendar.last - 5 * _DAY
        found += [first - _DAY, first, *_special(local, first, last)]
    if calendar is not None and tariff.rules.needs_calendar:
        found = [day for day in found if calendar.first < day < calendar.last - 4 * _DAY]
    return sorted(set(found))


def _special(local: Local, first: date, last: date) -> Iterator[date]:
    """Dates on which the clock changes, and for each name of a day that follows another name the first such date."""
    seen: set[tuple[str, str]] = set()
    day = first
    while day < last:
        noons = [local_time(local.zone, begin_ms(local.zone, d, 720)).utcoffset() for d in (day - _DAY, day)]
        names = local.day_name(day), local.day_name(day + _DAY)
        if noons[0] != noons[1] or (names[0] != names[1] and names not in seen):
            yield day
        seen.add(names)
        day += _DAY
