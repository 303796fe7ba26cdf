"""What the demo drives: a short day drawn from a seed, or the day that a garage's counter saw.

Owns the choice of tariff, bays, drivers and the hour at which lot time begins. Rules: drivers stay further from a price step
than the clocks of lot and gateway can differ. Knows neither nodes nor processes.
"""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sim import occupancy
from sim.bill import owed_minor
from sim.drivers import MINUTE_MS, Car, Casting, Dice, Driver, Owed, Steady, plan, steady_by
from sim.site import SEEDS, LotSpec

MARGIN_S = 300
"""Five minutes of lot time: at 200 times real speed one and a half seconds of a stalled machine."""
ARRIVE_PER_CAR_MS = 52_000
LEAVE_AFTER_MS = 80 * MINUTE_MS
"""Eighty cars come within 70 minutes of lot time and are gone 80 minutes later: 45 seconds at 200 times real speed."""
CARS_BY_DAY_MAX = 600
"""So many are gone before 20:00; see seeds/lots/demo/lot.toml for why that matters."""
BAYS_PER_LANE = 400
"""A big garage has more lanes than the demo's own."""
LATER_CARS = 600
"""Ten hours of them."""
START_MS = 2_000
"""Real time for the gateway to start before the first car may come."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Drivers and their lot. `wall_ms`: UTC ms at which lot time begins; `span_ms`: from then to the last departure."""

    spec: LotSpec
    drivers: tuple[Driver, ...]
    bays: int
    zone: str
    wall_ms: int
    span_ms: int
    owed: Owed
    steady: Steady


def short_day(dice: Dice, spec: LotSpec, *, scale: int, cars: int, bays: int | None) -> Scenario:
    """`cars` visits from the hour that the lot's file names."""
    tariff = spec.tariff if cars <= CARS_BY_DAY_MAX else spec.tariff_overnight
    zone, _, steady = _prices(tariff)
    opens = datetime.fromisoformat(spec.opens).replace(tzinfo=ZoneInfo(zone))
    wall_ms = (opens - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
    arrive_ms = cars * ARRIVE_PER_CAR_MS
    drivers = plan(
        dice,
        cars=cars,
        from_ms=wall_ms + START_MS * scale,
        arrive_within_ms=arrive_ms,
        leave_within_ms=arrive_ms + LEAVE_AFTER_MS,
        steady=steady,
        casting=Casting(dice),
    )
    return _scenario(replace(spec, tariff=tariff), drivers, bays or max(spec.bays, cars), wall_ms)


def counted_day(
    dice: Dice, spec: LotSpec, rows_text: str, *, scale: int, bays: int | None, limit: int | None
) -> Scenario:
    """The day of a counter's rows. Raises ValueError that names the line that cannot be read."""
    tariff = spec.tariff_overnight
    zone, _, steady = _prices(tariff)
    rows = occupancy.read(rows_text, zone)
    total = occupancy.capacity(rows, bays)
    drivers = occupancy.drivers(dice, rows, bays=total, casting=Casting(dice), steady=steady, limit=limit)
    wall_ms = drivers[0].arrive_ms - START_MS * scale
    return _scenario(replace(spec, tariff=tariff), drivers, total, wall_ms)


def later_drivers(seed: int) -> tuple[Driver, ...]:
    """Drivers who come at real speed after the demo, a car a minute, their times counted from when that begins."""
    dice = random.Random(f"{seed} later")
    span_ms = LATER_CARS * MINUTE_MS
    return plan(
        dice,
        cars=LATER_CARS,
        from_ms=MINUTE_MS,
        arrive_within_ms=span_ms,
        leave_within_ms=span_ms + LEAVE_AFTER_MS,
        steady=any_time,
        casting=Casting(dice),
    )


def any_time(_car: Car, _enter_ms: int, _exit_ms: int) -> bool:
    """The rule at real speed, where nobody compares bills."""
    return True


def _scenario(spec: LotSpec, drivers: tuple[Driver, ...], bays: int, wall_ms: int) -> Scenario:
    zone, owed, steady = _prices(spec.tariff)
    more = bays // BAYS_PER_LANE
    return Scenario(
        spec=replace(spec, entries=spec.entries + more, exits=spec.exits + more),
        drivers=drivers,
        bays=bays,
        zone=zone,
        wall_ms=wall_ms,
        span_ms=max(driver.arrive_ms + driver.stay_ms for driver in drivers) - wall_ms,
        owed=owed,
        steady=steady,
    )


def _prices(tariff: str) -> tuple[str, Owed, Steady]:
    """Zone, bill and price-step rule of a shipped tariff."""
    text = (SEEDS / "tariffs" / f"{tariff}.toml").read_text(encoding="utf-8")

    def owed(enter_ms: int, exit_ms: int, vehicle: str, energy: str) -> int:
        return owed_minor(text, enter_ms, exit_ms, vehicle, energy)

    return str(tomllib.loads(text)["zone"]), owed, steady_by(owed, MARGIN_S * 1000)
