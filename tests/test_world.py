"""The whole system under one seed: every car billed once and rightly, under every fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import QUIET, STORMY, Faults, Result, World

BUS_ONLY = Faults(flip=0.03, drop=0.05, repeat=0.05, delay=0.05)
KILLS_ONLY = Faults(kill_before_commit=0.05, kill_after_commit=0.05)
LINK_ONLY = Faults(message_lost=0.2, message_doubled=0.2, outage=0.1)
NODES_ONLY = Faults(node_restart=0.05)


def run(seed: int, folder: Path, cars: int, faults: Faults) -> Result:
    print(f"seed {seed}")
    return World(seed, folder, cars=cars, faults=faults).run()


def check(result: Result, cars: int) -> None:
    """Nothing lost, nothing doubled, and three sums that agree to the cent."""
    found = result.balance
    assert (found.lost, found.doubled, found.mismatched) == (0, 0, ())
    assert (found.cars, found.settled, result.exits) == (cars, cars, cars)
    assert found.owed_truth_minor == found.owed_city_minor == result.billed_minor
    assert result.records == result.receipted
    assert (result.city["forks"], result.city["rejected"]) == (0, 0)


@pytest.mark.parametrize(
    ("name", "faults", "seed", "cars"),
    [
        ("quiet", QUIET, 1, 200),
        ("bus", BUS_ONLY, 2, 200),
        ("kills", KILLS_ONLY, 3, 100),
        ("link", LINK_ONLY, 4, 200),
        ("nodes", NODES_ONLY, 5, 200),
        ("storm", STORMY, 6, 1200),
    ],
)
def test_every_car_is_billed_once(tmp_path: Path, name: str, faults: Faults, seed: int, cars: int) -> None:
    result = run(seed, tmp_path, cars, faults)
    check(result, cars)
    if name in ("kills", "storm"):
        assert result.kills > 10
    if name in ("nodes", "storm"):
        assert result.node_restarts > 0
