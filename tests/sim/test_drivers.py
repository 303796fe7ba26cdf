"""The plan: one seed is one plan, plates cannot be taken for one another, no stay is near a price step."""

from __future__ import annotations

import random
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from sim.bill import owed_minor
from sim.drivers import LOOKALIKES, Agreement, Car, Casting, Driver, Truth, plan, steady_by

TARIFF = (Path(__file__).parents[2] / "seeds" / "tariffs" / "hangzhou-2014-street-core.toml").read_text()
MORNING_MS = 1_772_413_200_000  # 2026-03-02T09:00+08:00
MINUTE_MS = 60_000
MARGIN_MS = 240_000


def owed(enter_ms: int, exit_ms: int, vehicle: str, energy: str) -> int:
    return owed_minor(TARIFF, enter_ms, exit_ms, vehicle, energy)


def planned(seed: int, cars: int = 80) -> tuple[Driver, ...]:
    dice = random.Random(seed)
    return plan(
        dice,
        cars=cars,
        from_ms=MORNING_MS,
        arrive_within_ms=75 * MINUTE_MS,
        leave_within_ms=160 * MINUTE_MS,
        steady=steady_by(owed, MARGIN_MS),
        casting=Casting(dice),
    )


def test_one_seed_is_one_plan() -> None:
    assert planned(7) == planned(7)
    assert planned(7) != planned(8)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_drivers_come_in_order_and_mean_to_be_out_in_time(seed: int) -> None:
    drivers = planned(seed)
    assert [d.number for d in drivers] == list(range(1, 81))
    assert all(a.arrive_ms <= b.arrive_ms for a, b in pairwise(drivers))
    assert all(d.arrive_ms + d.stay_ms <= MORNING_MS + 160 * MINUTE_MS for d in drivers)
    assert {d.agreement is None for d in drivers} == {True, False}
    assert {d.car.energy for d in drivers} == {"fuel", "ev"}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_stay_is_within_the_margin_of_a_price_step(seed: int) -> None:
    for driver in planned(seed):
        bills = {
            owed(driver.arrive_ms + a, driver.arrive_ms + driver.stay_ms + b, driver.car.vehicle, driver.car.energy)
            for a in (-MARGIN_MS, 0, MARGIN_MS)
            for b in (-MARGIN_MS, 0, MARGIN_MS)
        }
        assert len(bills) == 1, driver


@pytest.mark.parametrize(
    ("stay_min", "steady"),
    [
        (10, True),
        (12, False),
        (15, False),
        (18, False),
        (30, True),
        (44, False),
        (60, True),
        (2, False),  # two clock errors could make it end before it began
    ],
)
def test_steady_keeps_the_margin_from_both_sides(stay_min: int, steady: bool) -> None:
    car = Car("浙A12345", "blue", "small", "fuel")
    rule = steady_by(owed, 120_000)
    assert rule(car, MORNING_MS, MORNING_MS + stay_min * MINUTE_MS) is steady


def test_a_plan_without_any_steady_stay_says_so() -> None:
    dice = random.Random(1)
    with pytest.raises(ValueError, match="keeps the margin"):
        plan(
            dice,
            cars=1,
            from_ms=MORNING_MS,
            arrive_within_ms=1,
            leave_within_ms=60 * MINUTE_MS,
            steady=lambda *_: False,
            casting=Casting(dice),
        )


def test_plates_differ_by_more_than_one_readable_character() -> None:
    casting = Casting(random.Random(5))
    texts = [casting.car().text for _ in range(200)]
    assert {len(text) for text in texts} == {7, 8}
    plain = ["".join(next((g[0] for g in LOOKALIKES if c in g), c) for c in text) for text in texts]
    assert all(
        sum(a != b for a, b in zip(one, other, strict=True)) > 1
        for one, other in combinations(plain, 2)
        if len(one) == len(other)
    )


def test_colour_and_length_go_with_the_drive() -> None:
    casting = Casting(random.Random(6))
    kinds = {(c.colour, c.vehicle, c.energy, len(c.text)) for c in (casting.car() for _ in range(300))}
    assert kinds == {
        ("blue", "small", "fuel", 7),
        ("yellow", "large", "fuel", 7),
        ("green", "small", "ev", 8),
        ("green", "large", "ev", 8),
    }


def test_truth_keeps_the_first_time_at_the_exit() -> None:
    truth = Truth()
    driver = Driver(4, Car("浙A12345", "blue", "small", "fuel"), 0, 0, Agreement(500, True), 0, 0)
    truth.entered(driver, 1000)
    truth.parked(driver, 2000)
    truth.at_exit(driver, 3000)
    truth.at_exit(driver, 3500)
    truth.left(driver, 4000)
    assert truth.rows() == [
        {
            "number": 4,
            "plate": "blue 浙A12345",
            "vehicle": "small",
            "energy": "fuel",
            "cap_minor": 500,
            "pays": True,
            "entered_ms": 1000,
            "parked_ms": 2000,
            "at_exit_ms": 3000,
            "left_ms": 4000,
        }
    ]
