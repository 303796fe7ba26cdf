"""SIGKILL at counted calls of the real gateway, in the small: nothing is lost, charged twice or forked.

The whole sweep is `python -m tests.crash_kills --kills 1000 --seed 1`; its result stands in docs/DURABILITY.md.
"""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest

from sim.clock import Base
from sim.site import SEEDS, LotSpec, Site
from tests.crash_kills import POINTS, Batch, bad, gateway, points, sweep

SEED = 1


def test_a_gateway_that_dies_again_and_again_loses_nothing() -> None:
    batches = sweep(3, SEED, cars=3, scale=600)
    assert [batch for batch in batches if bad(batch)] == [], f"seed {SEED}"
    assert sum(batch.kills for batch in batches) >= 3


def test_every_point_comes_before_one_comes_again() -> None:
    count = sum(POINTS.values())
    drawn = list(islice(points(random.Random(SEED)), 2 * count))
    assert len(set(drawn[:count])) == len(set(drawn[count:])) == count
    assert drawn != list(islice(points(random.Random(SEED + 1)), 2 * count))


@pytest.mark.parametrize(
    ("lost", "doubled", "forks", "wrong", "verdict"),
    [
        (0, 0, 0, (),          False),
        (1, 0, 0, (),          True),
        (0, 1, 0, (),          True),
        (0, 0, 1, (),          True),
        (0, 0, 0, ("owed",),   True),
    ],
)  # fmt: skip
def test_what_is_bad(lost: int, doubled: int, forks: int, wrong: tuple[str, ...], verdict: bool) -> None:
    assert bad(Batch(1, 10, 8, lost, doubled, forks, wrong)) is verdict


def test_the_process_that_is_killed_is_the_gateways_own(tmp_path: Path) -> None:
    site = Site(tmp_path, LotSpec.load(SEEDS / "lots" / "demo" / "lot.toml"), 8)
    command = gateway(site, Base(1, 2, 3), ("fdatasync", 4))._command
    plain = gateway(site, Base(1, 2, 3), None)._command
    assert command[-len(plain) :] == plain
    assert {"-D", "inject=fdatasync:signal=KILL:when=4", f"{site.ledger}-wal"} <= set(command)
