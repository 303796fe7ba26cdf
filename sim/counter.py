"""Makes a garage's day: `python -m sim.counter --seed 3 --cars 3200 --bays 1050 > day.csv` writes what its counter would read.

Owns the shape of a working day in a mixed garage (commuters, shoppers, the evening). Prints rows of timestamp,free; the demo's
--occupancy reads them back.
"""

from __future__ import annotations

import argparse
import random
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sim.drivers import MINUTE_MS, Casting, Dice, Driver
from sim.occupancy import counts, write

ARRIVALS_BY_HOUR = (2, 1, 1, 1, 2, 5, 18, 46, 66, 52, 40, 38, 44, 46, 38, 34, 36, 48, 52, 38, 22, 12, 6, 3)
"""Weights: the morning's commuters, noon, and the evening."""
COMMUTER_HOURS = range(6, 10)
COMMUTER_SHARE = 0.6
EVERY_MS = 5 * MINUTE_MS


def day(dice: Dice, *, cars: int, midnight_ms: int) -> tuple[Driver, ...]:
    """`cars` visits that begin within the 24 hours after `midnight_ms` (UTC)."""
    casting = Casting(dice)
    hours = [hour for hour, weight in enumerate(ARRIVALS_BY_HOUR) for _ in range(weight)]
    drivers = []
    for _ in range(cars):
        hour = dice.choice(hours)
        arrive_ms = midnight_ms + hour * 60 * MINUTE_MS + dice.randrange(0, 60 * MINUTE_MS)
        commutes = hour in COMMUTER_HOURS and dice.random() < COMMUTER_SHARE
        minutes = dice.lognormvariate(6.2, 0.12) if commutes else dice.lognormvariate(4.3, 0.6)
        drivers.append(casting.driver(casting.car(), arrive_ms, int(minutes * MINUTE_MS)))
    return tuple(drivers)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m sim.counter", description="print a simulated day of a garage's counter"
    )
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--cars", type=int, default=3200)
    parser.add_argument("--bays", type=int, default=1050)
    parser.add_argument("--date", default="2026-03-03")
    parser.add_argument("--zone", default="Asia/Shanghai")
    asked = parser.parse_args()
    midnight = datetime.fromisoformat(asked.date).replace(tzinfo=ZoneInfo(asked.zone))
    midnight_ms = (midnight - datetime.fromtimestamp(0, ZoneInfo("UTC"))) // timedelta(milliseconds=1)
    drivers = day(random.Random(asked.seed), cars=asked.cars, midnight_ms=midnight_ms)
    rows = counts(drivers, asked.bays, range(midnight_ms, midnight_ms + 24 * 60 * MINUTE_MS, EVERY_MS))
    if min(row.free for row in rows) < 0:
        print(f"{asked.bays} bays are {-min(row.free for row in rows)} too few for {asked.cars} cars", file=sys.stderr)
        return 1
    print(write(rows, asked.zone), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
