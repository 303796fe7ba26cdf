"""A counter's rows become drivers: flows, capacity, local time, and rows that are none."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sim.bill import owed_minor
from sim.counter import day
from sim.drivers import Casting, steady_by
from sim.occupancy import Row, capacity, counts, drivers, read, write

SEEDS = Path(__file__).parents[2] / "seeds"
TARIFF = (SEEDS / "tariffs" / "plain-garage.toml").read_text()
ZONE = "Asia/Shanghai"
MIDNIGHT_MS = 1_772_467_200_000  # 2026-03-03T00:00+08:00


def always(*_: object) -> bool:
    return True


def test_a_time_with_an_offset_is_an_instant_and_one_without_is_local() -> None:
    rows = read(
        "timestamp,free\n2026-03-02T16:00:00+00:00,5\n2026-03-03T00:10:00,6\n2026-03-03T00:20:00+08:00,7\n", ZONE
    )
    assert rows == (Row(MIDNIGHT_MS, 5), Row(MIDNIGHT_MS + 600_000, 6), Row(MIDNIGHT_MS + 1_200_000, 7))
    assert write(rows[:2], ZONE) == "timestamp,free\n2026-03-03T00:00:00+08:00,5\n2026-03-03T00:10:00+08:00,6\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: the header"),
        ("time,free\n", "line 1: the header"),
        ("timestamp,free\n2026-03-03T00:00:00,5\n", "two rows"),
        ("timestamp,free\nyesterday,5\n2026-03-03T00:00:00,5\n", "line 2: 'yesterday'"),
        ("timestamp,free\n2026-03-03T00:00:00,5\n2026-03-03T00:05:00,many\n", "line 3: 'many'"),
        ("timestamp,free\n2026-03-03T00:00:00,5\n2026-03-03T00:05:00\n", "line 3: ''"),
        ("timestamp,free\n2026-03-03T00:00:00,5\n2026-03-03T00:05:00,-1\n", "line 3: '-1'"),
        ("timestamp,free\n2026-03-03T00:05:00,5\n2026-03-03T00:05:00,5\n", "line 3: its time"),
    ],
)
def test_rows_that_are_none_are_named(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read(text, ZONE)


@pytest.mark.parametrize(
    ("largest", "bays", "total"), [(100, None, 105), (101, None, 107), (100, 100, 100), (100, 250, 250)]
)
def test_capacity(largest: int, bays: int | None, total: int) -> None:
    assert capacity([Row(0, 7), Row(1, largest)], bays) == total


def test_fewer_bays_than_free_ones_cannot_be() -> None:
    with pytest.raises(ValueError, match="99 bays, but a row counts 100 free"):
        capacity([Row(0, 100)], 99)


def test_cars_inside_at_the_first_row_enter_before_it_and_rows_are_followed() -> None:
    minute_ms = 60_000
    rows = [Row(MIDNIGHT_MS, 7), Row(MIDNIGHT_MS + 30 * minute_ms, 4), Row(MIDNIGHT_MS + 60 * minute_ms, 9)]
    dice = random.Random(1)
    visits = drivers(dice, rows, bays=10, casting=Casting(dice), steady=always)
    assert [v.arrive_ms - MIDNIGHT_MS for v in visits[:3]] == [-60_000, -40_000, -20_000]
    assert [v.arrive_ms - MIDNIGHT_MS for v in visits[3:]] == [450_000, 900_000, 1_350_000]
    inside_at_end = [v for v in visits if v.arrive_ms + v.stay_ms > rows[-1].at_ms]
    assert len(visits) == 6
    assert len(inside_at_end) == 1
    assert counts(visits, 10, [row.at_ms for row in rows]) == tuple(rows)


def test_the_shipped_day_can_be_driven() -> None:
    text = (SEEDS / "occupancy" / "garage-day.csv").read_text()
    rows = read(text, ZONE)
    assert write(rows, ZONE) == text
    bays = capacity(rows)
    steady = steady_by(lambda a, b, vehicle, energy: owed_minor(TARIFF, a, b, vehicle, energy), 240_000)
    dice = random.Random(3)
    visits = drivers(dice, rows, bays=bays, casting=Casting(dice), steady=steady)
    assert len(visits) >= 1000
    assert all(steady(v.car, v.arrive_ms, v.arrive_ms + v.stay_ms) for v in visits)
    assert max(bays - row.free for row in counts(visits, bays, [row.at_ms for row in rows])) <= bays
    few = random.Random(3)
    assert len(drivers(few, rows, bays=bays, casting=Casting(few), steady=steady, limit=50)) == 50


def test_the_shipped_day_is_what_the_counter_makes() -> None:
    visits = day(random.Random(3), cars=3200, midnight_ms=MIDNIGHT_MS)
    rows = counts(visits, 1050, range(MIDNIGHT_MS, MIDNIGHT_MS + 86_400_000, 300_000))
    assert write(rows, ZONE) == (SEEDS / "occupancy" / "garage-day.csv").read_text()
