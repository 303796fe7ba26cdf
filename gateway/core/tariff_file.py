"""The tariff language: TOML text read into the nouns of `tariff_plan`.

Owns every key, its type, unit and range. Rules: a key that is not known is refused, and so is one that is missing: the
language has no hidden default, since each setting is a place where two honest readers of a published tariff disagree. Bands
must cover the day once, classes every vehicle once. docs/TARIFFS.md is tested against KEYS.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff_plan import (
    MINUTE_MS,
    Band,
    Boundary,
    Cap,
    ChargedFrom,
    Class,
    Flat,
    FlatPer,
    Free,
    Plan,
    Rules,
    Seconds,
    Step,
    Tail,
    Text,
    Version,
    VersionBy,
)
from gateway.core.tariff_table import Table, TariffError

__all__ = ["DECIMALS", "FORMAT", "KEYS", "TariffError", "read_rules"]

FORMAT = "lotgate-tariff-1"

KEYS: Mapping[str, tuple[str, ...]] = {
    "file": ("format", "currency", "zone", "zh", "en", "version_by", "version", "plan"),
    "version": ("from", "class"),
    "class": ("vehicle", "energy", "plan", "times"),
    "plan": ("durations", "seconds", "straddle", "free", "band", "cap"),
    "free": ("limit_min", "boundary", "charged_from", "per", "zh", "en"),
    "band": ("from", "to", "step", "flat"),
    "step": ("units", "unit_min", "tail_min", "tail_boundary", "amount_minor", "zh", "en"),
    "flat": ("per", "tail_min", "tail_boundary", "amount_minor", "zh", "en"),
    "cap": ("per", "next_period", "amount_minor", "zh", "en"),
}
"""Every table of the language with its keys."""

DECIMALS: Mapping[str, int] = {"CNY": 2, "EUR": 2, "GBP": 2, "SGD": 2, "USD": 2}
"""Currencies that amounts may be in, with the digits of their minor unit."""

AMOUNT_MINOR_MAX = 10_000_000
"""Highest single amount; a year of minutes at it, TIMES_MAX over, stays below 2^53."""
TIMES_MAX = 100
MINUTES_MAX = 7 * 24 * 60
"""Longest unit or free time: a week."""
UNITS_MAX = 1000
BANDS_MAX = 8
LINES_MAX = 10
"""Lines of the longest bill, so that the record which carries it stays below its 4 kB."""
TEXT_BYTES_MAX = 60
"""UTF-8 bytes of a text: one line of a lane's display."""

_DAY_MINUTES = 24 * 60


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
    plans = {name: _plan(table) for name, table in root.named("plan", "plan").items()}
    versions = tuple(_version(table, plans) for table in root.tables("version", "version"))
    for before, after in pairwise(versions):
        if after.begins <= before.begins:
            raise root.wrong(
                "version", str(after.begins), f"versions in rising order of from; this follows {before.begins}"
            )
    used = {id(c.plan) for version in versions for c in version.classes.values()}
    for name, plan in plans.items():
        if id(plan) not in used:
            raise root.wrong(f"plan.{name}", "unused", "name it in a class, or remove it")
    return Rules(currency, zone, _text(root), root.choice("version_by", VersionBy), versions)


def _zone(root: Table) -> ZoneInfo:
    name = root.text("zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise root.wrong("zone", name, "an IANA time zone such as Asia/Shanghai") from None


def _version(table: Table, plans: Mapping[str, Plan]) -> Version:
    begins = table.value("from", date, "a date such as 2014-08-25, without quotes")
    classes: dict[tuple[Vehicle, Energy], Class] = {}
    for row in table.tables("class", "class"):
        name = row.text("plan")
        if name not in plans:
            raise row.wrong("plan", name, f"write one of the plans of this file: {', '.join(plans)}")
        chosen = Class(plans[name], row.integer("times", 1, TIMES_MAX))
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


def _plan(table: Table) -> Plan:
    table.only("durations", "elapsed")
    bands = _bands(table)
    if len(bands) > 1:
        table.only("straddle", "restart")
    elif table.has("straddle"):
        raise table.wrong(
            "straddle", table.text("straddle"), "leave it out: with one band no unit can straddle an edge"
        )
    caps = [_cap(row) for row in table.tables("cap", "cap", least=0, most=1)]
    return Plan(table.choice("seconds", Seconds), _free(table.inner("free", "free")), bands, caps[0] if caps else None)


def _free(table: Table) -> Free:
    table.only("per", "visit")
    return Free(
        table.integer("limit_min", 0, MINUTES_MAX) * MINUTE_MS,
        table.choice("boundary", Boundary),
        table.choice("charged_from", ChargedFrom),
        _text(table),
    )


def _cap(table: Table) -> Cap:
    table.only("per", "24h-from-entry")
    table.only("next_period", "restart")
    return Cap(_DAY_MINUTES * MINUTE_MS, table.integer("amount_minor", 0, AMOUNT_MINOR_MAX), _text(table))


def _bands(plan: Table) -> tuple[Band, ...]:
    bands = sorted(
        (_band(row) for row in plan.tables("band", "band", most=BANDS_MAX)), key=lambda band: band.from_minute
    )
    for this, following in zip(bands, [*bands[1:], bands[0]], strict=True):
        if this.to_minute % _DAY_MINUTES != following.from_minute:
            raise plan.wrong(
                "band",
                f"{_clock(this.from_minute)}-{_clock(this.to_minute)}",
                f"bands that cover the day once; the next begins at {_clock(following.from_minute)}",
            )
    if len(bands) == 1 and bands[0].to_minute - bands[0].from_minute != _DAY_MINUTES:
        raise plan.wrong("band", _clock(bands[0].from_minute), 'from = "00:00" and to = "24:00" for the only band')
    lines = 2 + sum(1 if isinstance(band.charge, Flat) else len(band.charge) for band in bands)
    if lines > LINES_MAX:
        raise plan.wrong("band", f"{lines} bill lines", f"at most {LINES_MAX - 2} steps and flat charges in all bands")
    return tuple(bands)


def _band(table: Table) -> Band:
    begin, end = _minute(table, "from"), _minute(table, "to")
    if begin == _DAY_MINUTES:
        raise table.wrong("from", "24:00", 'write "00:00" for midnight as a beginning')
    if begin == end:
        raise table.wrong("to", _clock(end), "an end that differs from the beginning")
    if table.has("step") == table.has("flat"):
        raise table.wrong("step", "both or neither", "either step tables or one flat table")
    if table.has("flat"):
        return Band(begin, end, _flat(table.inner("flat", "flat")))
    rows = table.tables("step", "step")
    steps = tuple(_step(row) for row in rows)
    for row, step in zip(rows, steps, strict=True):
        if (step.units is None) != (row is rows[-1]):
            raise row.wrong("units", step.units or "rest", 'a number, and "rest" in the last step only')
    return Band(begin, end, steps)


def _flat(table: Table) -> Flat:
    tail = _tail(table, MINUTES_MAX)
    return Flat(table.choice("per", FlatPer), tail, table.integer("amount_minor", 0, AMOUNT_MINOR_MAX), _text(table))


def _step(table: Table) -> Step:
    unit_min = table.integer("unit_min", 1, MINUTES_MAX)
    units = None if table.content.get("units") == "rest" else table.integer("units", 1, UNITS_MAX, ' or "rest"')
    amount_minor = table.integer("amount_minor", 0, AMOUNT_MINOR_MAX)
    return Step(units, unit_min * MINUTE_MS, _tail(table, unit_min - 1), amount_minor, _text(table))


def _tail(table: Table, minutes_max: int) -> Tail:
    minutes = table.integer("tail_min", 0, minutes_max)
    boundary = table.choice("tail_boundary", Boundary)
    if minutes == 0 and boundary is Boundary.EXCLUSIVE:
        raise table.wrong(
            "tail_boundary", boundary, '"inclusive": with no tail, a unit of which 0 s are used is never charged'
        )
    return Tail(minutes * MINUTE_MS, boundary)


def _text(table: Table) -> Text:
    texts = {key: table.text(key) for key in ("zh", "en")}
    for key, text in texts.items():
        if not (text.isprintable() and 0 < len(text.encode()) <= TEXT_BYTES_MAX):
            raise table.wrong(key, text, f"printable text of 1 to {TEXT_BYTES_MAX} UTF-8 bytes")
    return Text(**texts)


def _minute(table: Table, key: str) -> int:
    text = table.text(key)
    hours, colon, minutes = text.partition(":")
    if len(text) == 5 and colon and hours.isdecimal() and minutes.isdecimal() and text.isascii():
        minute = int(hours) * 60 + int(minutes)
        if int(minutes) < 60 and minute <= _DAY_MINUTES:
            return minute
    raise table.wrong(key, text, "HH:MM from 00:00 to 24:00")


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
