"""A disk that answers with errors, in the small: nothing is swallowed, nothing promised is lost, a full card frees the reserve.

The whole sweep is `python -m tests.crash_faults --points 120 --seed 1`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from gateway.store.schema import STEPS
from tests.crash_faults import CALLS, Found, fault, points
from tests.crash_history import in_the_small, script
from tests.crash_judge import Judge, Verdict

BIRTH = 4 + len(STEPS)
"""Transactions of a new ledger before its log is on, each with three syncs; the last one is the switch to the log."""


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with in_the_small():
        yield Judge(tmp_path_factory.mktemp("judge"), script())


@pytest.mark.parametrize(
    ("call",      "error",  "k", "reserve"),
    [
        ("fdatasync", "EIO",    3 * BIRTH - 2, False),  # the switch to the log, whose error comes with its answer
        ("fdatasync", "EIO",    60,            True),   # a commit that may or may not be on the disk
        ("pwrite64",  "EIO",    500,           True),
        ("pwrite64",  "ENOSPC", 500,           False),
        ("ftruncate", "EIO",    1,             True),   # a checkpoint at the close
    ],
)  # fmt: skip
def test_an_error_of_the_disk_stops_the_engine_and_costs_nothing(
    judge: Judge, tmp_path: Path, call: str, error: str, k: int, reserve: bool
) -> None:
    assert fault(judge, tmp_path, call, error, k) == Found(True, True, Verdict.KEPT, reserve)


def test_an_error_of_a_checkpoint_is_not_swallowed(judge: Judge, tmp_path: Path) -> None:
    # All syncs of the ledger's own file after its birth are checkpoints.
    found = fault(judge, tmp_path, "fdatasync", "EIO", BIRTH + 2, ends=("",))
    assert found == Found(True, True, Verdict.KEPT, True)


def test_a_history_without_a_fault_ends_well(judge: Judge, tmp_path: Path) -> None:
    assert fault(judge, tmp_path, "fdatasync", "EIO", 10_000) == Found(False, False, Verdict.KEPT, True)


def test_a_swallowed_error_would_be_seen() -> None:
    assert Found(True, False, Verdict.KEPT, True).bad
    assert Found(True, True, Verdict.LOST, True).bad
    assert not Found(True, True, Verdict.KEPT, False).bad
    assert {call for call, _, _ in islice(points(random.Random(1)), 3)} == set(CALLS)
