"""The kept seeds of the world under all faults, every invariant after every step; and that the checkers can fail."""

from __future__ import annotations

from pathlib import Path

from tests.invariants.table import CHECKS, ELSEWHERE, INVARIANTS
from tests.soak_world import KEPT, Tally, kept_seeds, run_seed

ROOT = Path(__file__).resolve().parent.parent


def test_the_kept_seeds_hold() -> None:
    tally = Tally(0)
    for seed in kept_seeds():
        print(f"again: python -m tests.soak_world --seed {seed} --seeds 1")
        run_seed(seed, tally)
    counts = tally.counts
    print(tally.text(1))
    assert tally.seeds >= 3
    for fault in ("kills", "power_cuts", "failures", "ran_open", "clock_steps", "node_restarts", "lies", "commands"):
        assert counts[fault] > 0, fault
    assert counts["in review"] < counts["cars"]


def test_every_invariant_has_its_checker() -> None:
    assert sorted(INVARIANTS) == list(range(17))
    assert {number for number, _, _ in CHECKS} == set(INVARIANTS)
    for paths in ELSEWHERE.values():
        assert all((ROOT / path).exists() for path in paths)
    assert KEPT.is_file()
