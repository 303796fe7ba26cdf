"""The tariff language: TOML text read into the nouns of `tariff_plan`.

Owns every key, and the reading of the file, its days, versions and classes; `tariff_plan_file` reads the plans. Rules: a key
that is not known is refused, and so is one that is missing: the language has no hidden default, since each setting is a place
where two honest readers of a published tariff disagree. Classes cover every vehicle
once. docs/TARIFFS.md is tested against KEYS.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.core.calendar import Kind
from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff_plan import DAY_MINUTES, Class, DayRule, Plan, Rules, Version
from gateway.core.tariff_plan_file import LINES_MAX, TITLE_BYTES_MAX, read_plan, read_text
from gateway.core.tariff_settings import Falls, Lowering, Rounding, VersionBy
from gateway.core.tariff_table import Table, TariffError, clock_text

__all__ = ["DECIMALS", "FORMAT", "KEYS", "LINES_MAX", "TariffError", "amount_text", "read_rules"]

FORMAT = "lotgate-tariff-1"

KEYS: Mapping[str, tuple[str, ...]] = {
    "file": ("format", "currency", "zone", "zh", "en", "version_by", "falls", "rounding", "order", "day", "version", "plan"),
    "day": ("name", "kinds", "holidays", "weekdays", "dates", "every"),
    "version": ("from", "class"),
    "class": ("vehicle", "energy", "plan", "entry", "times"),
    "entry": ("from", "to", "plan"),
    "plan": ("durations", "seconds", "straddle", "free", "band", "cap", "discount", "lost"),
    "free": ("limit_min", "boundary", "charged_from", "per", "zh", "en"),
    "band": ("days", "from", "to", "table", "step", "flat"),
    "table": ("until_min", "total_minor", "zh", "en"),
    "step": ("units", "unit_min", "charge", "tail_min", "tail_boundary", "amount_minor", "zh", "en"),
    "flat": ("per", "tail_min", "tail_boundary", "amount_minor", "zh", "en"),
    "cap": ("per", "band", "begins", "period_min", "next_period", "stays", "amount_minor", "zh", "en"),
    "discount": ("percent", "zh", "en"),
    "lost": ("amount_minor", "zh", "en"),
}  # fmt: skip
"""Every table of the language with its keys."""

DECIMALS: Mapping[str, int] = {"CNY": 2, "EUR": 2, "GBP": 2, "NLG": 2, "SGD": 2, "USD": 2}
"""Currencies that amounts may be in, with the digits of their minor unit."""

TIMES_MAX = 100
DAY_RULES_MAX = 20
"""Rules of one file that name days: each date of a stay is held against each of them."""
_DATES = re.compile(r"(\d\d)-(\d\d)\.\.(\d\d)-(\d\d)")
_LEAP_YEAR = 2024


class Weekday(StrEnum):
    """Days of the week, Monday first."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


def read_rules(text: str, file: str) -> Rules:
    """The rules that a file's text states. Raises TariffError."""
    try:
        root = Table(file, "", tomllib.loads(text), KEYS, kind="file")
    except tomllib.TOMLDecodeError as error:
        raise TariffError(file, "the file", str(error), "write valid TOML 1.0") from None
    root.only("format", FORMAT)
    currency = root.text("currency")
    if currency not in DECIMALS:
        raise root.wrong("currency", currency, f"write one of {', '.join(DECIMALS)}")
    zone = _zone(root)
    falls = root.choice("falls", Falls)
    days = _days(root)
    names = tuple(dict.fromkeys(rule.name for rule in days))
    plans = {name: read_plan(table, names, falls) for name, table in root.named("plan", "plan").items()}
    versions = tuple(_version(table, plans) for table in root.tables("version", "version"))
    for before, after in pairwise(versions):
        if after.begins <= before.begins:
            raise root.wrong(
                "version", str(after.begins), f"versions in rising order of from; this follows {before.begins}"
            )
    used = {id(plan) for version in versions for c in version.classes.values() for _, plan in c.plans}
    for name, plan in plans.items():
        if id(plan) not in used:
            raise root.wrong(f"plan.{name}", "unused", "name it in a class, or remove it")
    return Rules(
        currency=currency,
        zone=zone,
        title=read_text(root, TITLE_BYTES_MAX),
        version_by=root.choice("version_by", VersionBy),
        falls=falls,
        rounding=root.choice("rounding", Rounding),
        order=_order(root),
        days=days,
        versions=versions,
    )


def amount_text(amount_minor: int, currency: str) -> str:
    """An amount as people write it, without the currency's name, e.g. 12.50."""
    digits = DECIMALS[currency]
    whole, rest = divmod(abs(amount_minor), 10**digits)
    return f"{'-' if amount_minor < 0 else ''}{whole}.{rest:0{digits}d}"


def _zone(root: Table) -> ZoneInfo:
    name = root.text("zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise root.wrong("zone", name, "an IANA time zone such as Asia/Shanghai") from None


def _order(root: Table) -> tuple[Lowering, ...]:
    order = tuple(root.choices("order", Lowering))
    if sorted(order) != sorted(Lowering):
        raise root.wrong(
            "order", " ".join(order), "each of discount, cap and coupon once, in the order in which they apply"
        )
    return order


def _days(root: Table) -> tuple[DayRule, ...]:
    tables = root.tables("day", "day", least=0, most=DAY_RULES_MAX)
    for table in tables:
        if table.has("every") != (table is tables[-1]):
            raise table.wrong("every", table.has("every"), "every = true in the last day, and only there")
    return tuple(_day(table) for table in tables)


def _day(table: Table) -> DayRule:
    name = table.text("name")
    kinds = frozenset(table.choices("kinds", Kind)) if table.has("kinds") else None
    holidays = frozenset(table.texts("holidays")) if table.has("holidays") else None
    weekdays = frozenset(table.choices("weekdays", Weekday)) if table.has("weekdays") else None
    spans = tuple(_span(table, text) for text in table.texts("dates")) if table.has("dates") else None
    sets = (kinds, holidays, weekdays, spans)
    if table.has("every"):
        if table.value("every", bool, "true") is not True or any(found is not None for found in sets):
            raise table.wrong("every", table.content["every"], "every = true beside a name and nothing else")
    elif not any(sets) or any(found is not None and not found for found in sets):
        raise table.wrong("kinds", "no date", "at least one of kinds, holidays, weekdays, dates, none of them empty")
    numbers = None if weekdays is None else frozenset(list(Weekday).index(weekday) for weekday in weekdays)
    return DayRule(name, kinds, holidays, numbers, spans)


def _span(table: Table, text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    found = _DATES.fullmatch(text)
    if found:
        numbers = [int(group) for group in found.groups()]
        try:
            first, last = date(_LEAP_YEAR, numbers[0], numbers[1]), date(_LEAP_YEAR, numbers[2], numbers[3])
        except ValueError:
            raise table.wrong("dates", text, "days that a year has, such as 03-15..05-31") from None
        return (first.month, first.day), (last.month, last.day)
    raise table.wrong("dates", text, "first and last day of the year, such as 03-15..05-31")


def _version(table: Table, plans: Mapping[str, Plan]) -> Version:
    begins = table.value("from", date, "a date such as 2014-08-25, without quotes")
    classes: dict[tuple[Vehicle, Energy], Class] = {}
    for row in table.tables("class", "class"):
        chosen = Class(_entries(row, plans), row.integer("times", 1, TIMES_MAX))
        pairs = [(v, e) for v in row.choices("vehicle", Vehicle) for e in row.choices("energy", Energy)]
        if not pairs:
            raise row.wrong("vehicle", "no pair", "at least one vehicle and one energy")
        for pair in pairs:
            if pair in classes:
                raise row.wrong("vehicle", " ".join(pair), "each pair of vehicle and energy in one class only")
            classes[pair] = chosen
    for vehicle in Vehicle:
        for energy in Energy:
            if (vehicle, energy) not in classes:
                raise table.wrong(
                    "class", f"{vehicle} {energy}", "a class for this pair too; every vehicle needs a price"
                )
    return Version(begins, classes)


def _entries(row: Table, plans: Mapping[str, Plan]) -> tuple[tuple[int, Plan], ...]:
    """The plan of the class, or its plans by the time of entry, which cover the day once."""
    if row.has("plan") == row.has("entry"):
        raise row.wrong(
            "plan", "both or neither", "either one plan, or entry tables that choose it by the time of entry"
        )
    if row.has("plan"):
        return ((0, _named(row, plans)),)
    found = [
        (entry.clock("from", DAY_MINUTES - 1), entry.clock("to", DAY_MINUTES), _named(entry, plans))
        for entry in row.tables("entry", "entry", least=2)
    ]
    found.sort(key=lambda entry: entry[0])
    for (_, end, _), (begin, _, _) in zip(found, [*found[1:], found[0]], strict=True):
        if end % DAY_MINUTES != begin:
            remedy = f"times of entry that cover the day once; the next begins at {clock_text(begin)}"
            raise row.wrong("entry", f"ends {clock_text(end)}", remedy)
    return tuple((begin, plan) for begin, _, plan in found)


def _named(table: Table, plans: Mapping[str, Plan]) -> Plan:
    name = table.text("plan")
    if name not in plans:
        raise table.wrong("plan", name, f"write one of the plans of this file: {', '.join(plans)}")
    return plans[name]
