"""The writing end: full durability, strict columns, explicit checkpoints."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway.store.journal import CHECKPOINT_COMMITS
from tests.lots import SmallLot


def test_commits_are_synced_and_checkpoints_are_ours(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("wal_autocheckpoint", 0), ("foreign_keys", 1)):
        assert lot.rows(f"PRAGMA {pragma}") == [(value,)], pragma


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO posting VALUES (1, 'receivable', '1.1', 1.5)",
        "INSERT INTO posting VALUES (1, 'receivable', '1.1', '7 yuan')",
        "INSERT INTO posting VALUES (1, 'pocket', '1.1', 7)",
        "INSERT INTO posting VALUES (1, 'receivable', '1.1', 0)",
        "UPDATE session SET paid_minor = amount_minor + 1",
        "UPDATE session SET amount_minor = -1",
        "UPDATE session SET state = 'lost'",
        "INSERT INTO record VALUES (99, 1, 'x', x'00', '0123456789abcdef')",
    ],
)
def test_the_schema_refuses_what_is_no_money_and_no_state(tmp_path: Path, statement: str) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    with pytest.raises(sqlite3.IntegrityError):
        lot.rows(statement)


def test_an_idle_moment_checkpoints_once_enough_was_written(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    log = Path(f"{lot.path}-wal")
    for number in range(CHECKPOINT_COMMITS):
        lot.step(lot.bay("b1", number % 2 == 0))
    written = log.stat().st_size
    lot.journal.idle()
    lot.step(lot.bay("b1", True))
    assert 0 < log.stat().st_size <= written
    assert lot.rows("PRAGMA wal_checkpoint(PASSIVE)")[0][1] < 20


def test_the_number_of_the_start_rises_and_is_durable(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    assert [lot.journal.next_hello(), lot.journal.next_hello()] == [1, 2]
    lot.restart()
    assert lot.journal.next_hello() == 3


def test_what_each_node_was_acknowledged(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    assert lot.journal.acked() == {"00000000000000a1": (7, 2)}
