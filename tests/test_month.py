"""A small lot's day under the month's faults: the invariants hold, and every stay is settled or in review."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.faults import Faults
from tests.month.house import MONTHLY, FaultyHouse
from tests.week.verdict import REVIEW, SETTLED
from tests.week.week import Week, priced

CARS, BAYS = 40, 20
TICK_MS = 120_000
OFTEN = 10
"""Ticks are twelve times as long here, and a day of few cars must see every fault."""


def test_a_day_under_faults(tmp_path: Path) -> None:
    seed = 2
    print(f"seed {seed}")
    rates = {
        name: getattr(MONTHLY, name) * OFTEN for name in ("kill", "power", "disk_full", "sync_error", "lie", "outage")
    }
    faults = Faults(
        **rates, message_lost=0.02, message_doubled=0.02, clock_drift_ppm=40, clock_step=0.002, clock_lost=0.2
    )
    week = Week(
        seed,
        tmp_path,
        days=1,
        bays=BAYS,
        cars_per_day=CARS,
        clear=True,
        build=partial(FaultyHouse, faults=faults, price=priced),
    )
    house = week.house
    assert isinstance(house, FaultyHouse)
    house.tick_ms = TICK_MS
    house.opens, house.longest_ms = week.street.open_unanswered, lambda: week.street.exit_longest_ms
    found = week.run()
    house.audit().hour()
    house.audit().facts.close()
    life = house.life
    print(life.kills, life.power_cuts, life.failures, life.ran_open, found.classes, found.shown)
    assert min(life.kills, life.power_cuts, life.failures, house.liar.told) > 0
    assert (found.forbidden, sum(found.classes.values())) == (0, found.stays)
    assert found.classes[SETTLED] + found.classes[REVIEW] == found.stays
