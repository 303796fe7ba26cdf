"""What a stay must owe, found the slow way: walking through it minute by minute with a stopwatch for each unit.

Owns a second reading of the tariff language, written from docs/TARIFFS.md and shared with nobody, so that a mistake in the
gateway's arithmetic cannot hide. Rules: no division into units, no splitting at edges worked out ahead; it looks at the wall
clock at each minute. Integers only. Assumes a file that the gateway accepts, and does not check it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
CLOCK_CHANGE_MAX = 3 * 60
"""Minutes by which a clock may be put back: how long before a stay the walk along the wall clock begins."""


def owed_minor(tariff_toml_text: str, entry_ms: int, exit_ms: int, vehicle: str, energy: str) -> int:
    """Minor units owed for a stay between two UTC ms, by the tariff file's text; `vehicle` and `energy` as in the file."""
    tariff = _read(tariff_toml_text)
    zone = tariff["zone"]
    decides = entry_ms if tariff["version_by"] == "entry" else exit_ms
    day = _local(zone, decides).date()
    version = tariff["version"][0]
    for candidate in tariff["version"]:
        if candidate["from"] <= day:
            version = candidate
    for row in version["class"]:
        if vehicle in row["vehicle"] and energy in row["energy"]:
            return int(row["times"]) * _plan_minor(tariff["plan"][row["plan"]], zone, entry_ms, exit_ms)
    raise ValueError(f"no class for {vehicle} {energy}")


@dataclass
class _Stopwatch:
    """Time used in the present run of a band, and the unit that is running."""

    band: int = -1
    used: int = 0
    step: int = 0
    units_of_step: int = 0
    unit_began: int = 0
    unit_charged: bool = False


def _plan_minor(plan: dict[str, Any], zone: str, entry_ms: int, exit_ms: int) -> int:
    over = (exit_ms - entry_ms) % MINUTE
    if plan["seconds"] == "truncate":
        exit_ms -= over
    elif plan["seconds"] == "ceil" and over:
        exit_ms += MINUTE - over
    free = plan["free"]
    free_until = entry_ms + free["limit_min"] * MINUTE
    if exit_ms < free_until or (exit_ms == free_until and free["boundary"] == "inclusive"):
        return 0
    now = entry_ms if free["charged_from"] == "entry" else free_until
    period_end = entry_ms + DAY if plan["cap"] else 1 << 62
    while period_end <= now:
        period_end += DAY
    total, period, watch, paid = 0, 0, _Stopwatch(), set[int]()
    while now < exit_ms:
        till = min((now // MINUTE + 1) * MINUTE, period_end, exit_ms)
        band = plan["band_of_minute"][_minute_of_day(zone, now // MINUTE)]
        if band != watch.band:
            watch = _Stopwatch(band)
        watch.used += till - now
        period += _due(plan["band"][band], watch, paid)
        now = till
        if now == period_end:
            total += min(period, plan["cap"][0]["amount_minor"])
            period, watch, period_end = 0, _Stopwatch(), period_end + DAY
    return total + (min(period, plan["cap"][0]["amount_minor"]) if plan["cap"] else period)


def _due(band: dict[str, Any], watch: _Stopwatch, paid: set[int]) -> int:
    """What has fallen due in this band by the time that the stopwatch shows, and was not counted yet."""
    if "flat" in band:
        flat = band["flat"]
        if watch.unit_charged or watch.band in paid or not _beyond_tail(flat, watch.used):
            return 0
        watch.unit_charged = True
        if flat["per"] == "visit":
            paid.add(watch.band)
        return int(flat["amount_minor"])
    due = 0
    while True:
        step = band["step"][watch.step]
        running = watch.used - watch.unit_began
        if not watch.unit_charged:
            if not _beyond_tail(step, running):
                return due
            watch.unit_charged = True
            due += step["amount_minor"]
        if running <= step["unit_min"] * MINUTE:
            return due
        watch.unit_began += step["unit_min"] * MINUTE
        watch.unit_charged = False
        watch.units_of_step += 1
        if watch.units_of_step == step["units"]:
            watch.step, watch.units_of_step = watch.step + 1, 0


def _beyond_tail(charge: dict[str, Any], used: int) -> bool:
    tail = charge["tail_min"] * MINUTE
    return bool(used > tail or (used == tail and charge["tail_boundary"] == "exclusive"))


@lru_cache(maxsize=64)
def _read(text: str) -> dict[str, Any]:
    tariff = tomllib.loads(text)
    for plan in tariff["plan"].values():
        plan["band_of_minute"] = [
            next(index for index, band in enumerate(plan["band"]) if _within(minute, band["from"], band["to"]))
            for minute in range(24 * 60)
        ]
    return tariff


def _within(minute: int, begin: str, end: str) -> bool:
    clock = f"{minute // 60:02d}:{minute % 60:02d}"
    return begin <= clock < end if begin < end else clock >= begin or clock < end


def _minute_of_day(zone: str, utc_minute: int) -> int:
    day, minute = divmod(utc_minute, 24 * 60)
    return _minutes_of_utc_day(zone, day)[minute]


@lru_cache(maxsize=4096)
def _minutes_of_utc_day(zone: str, day: int) -> list[int]:
    """What the wall clock reads at each minute of a day; while it repeats an hour, what it read before it was put back."""
    latest = datetime(1, 1, 1)
    read = []
    for minute in range(day * 24 * 60 - CLOCK_CHANGE_MAX, (day + 1) * 24 * 60):
        latest = max(latest, _local(zone, minute * MINUTE).replace(tzinfo=None))
        read.append(latest.hour * 60 + latest.minute)
    return read[CLOCK_CHANGE_MAX:]


def _local(zone: str, at_ms: int) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(ZoneInfo(zone))
