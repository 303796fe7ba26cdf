"""The writing end: full durability, strict columns, explicit checkpoints."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.core.session import State
from gateway.store import journal as journal_module
from gateway.store.journal import CHECKPOINT_COMMITS, DamagedError, Journal
from gateway.store.reader import Reader
from tests.lots import CHAIN, HOUR_MS, UIDS, SmallLot


def test_commits_are_synced_and_checkpoints_are_ours(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("wal_autocheckpoint", 0), ("foreign_keys", 1)):
        assert lot.rows(f"PRAGMA {pragma}") == [(value,)], pragma


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("INSERT INTO posting VALUES (1, 'receivable', '1.3', 1.5)",      "cannot store REAL value in INTEGER column"),
        ("INSERT INTO posting VALUES (1, 'receivable', '1.3', '7 yuan')", "cannot store TEXT value in INTEGER column"),
        ("INSERT INTO posting VALUES (1, 'pocket', '1.3', 7)",            "CHECK constraint failed: account IN"),
        ("INSERT INTO posting VALUES (1, 'receivable', '1.3', 0)",        "CHECK constraint failed: amount_minor <> 0"),
        ("INSERT INTO posting VALUES (1, 'receivable', '9.9', 7)",        "FOREIGN KEY constraint failed"),
        ("INSERT INTO posting VALUES (99, 'receivable', '1.3', 7)",       "FOREIGN KEY constraint failed"),
        ("UPDATE session SET amount_minor = 1.5",                         "cannot store REAL value in INTEGER column"),
        ("UPDATE session SET paid_minor = '7 yuan'",                      "cannot store TEXT value in INTEGER column"),
        ("UPDATE session SET refunded_minor = paid_minor + 1",            "CHECK constraint failed: refunded_minor BETWEEN"),
        ("UPDATE session SET written_off_minor = amount_minor + 1",       "CHECK constraint failed: written_off_minor BETWEEN"),
        ("UPDATE session SET lowered_minor = amount_minor + 1",           "CHECK constraint failed: written_off_minor BETWEEN"),
        ("UPDATE session SET amount_minor = -1",                          "CHECK constraint failed: "),
        ("UPDATE session SET state = 'lost'",                             "CHECK constraint failed: state IN"),
        ("UPDATE chain SET billed_minor = 0.5",                           "cannot store REAL value in INTEGER column"),
        ("INSERT INTO chain SELECT 2, chain, epoch, instance, 0, 0, 0, 0, 0, 0 FROM chain", "CHECK constraint failed: one"),
        ("INSERT INTO record VALUES (99, 1, 'x', x'00', '0123456789abcdef')", "CHECK constraint failed: length(signature)"),
    ],
)  # fmt: skip
def test_the_schema_refuses_what_is_no_money_and_no_state(tmp_path: Path, statement: str, told: str) -> None:
    lot = SmallLot(tmp_path)
    assert lot.enter() == "1.3"
    with pytest.raises(sqlite3.IntegrityError) as raised:
        lot.rows(statement)
    assert str(raised.value).startswith(told)


def test_whole_money_for_a_known_session_is_taken(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.rows(f"INSERT INTO posting VALUES (1, 'receivable', '{lot.enter()}', 7)")
    assert lot.rows("SELECT amount_minor, typeof(amount_minor) FROM posting") == [(7, "integer")]


def test_a_step_that_fails_half_way_leaves_nothing_of_itself(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    # The last statement of a step fails, when all else of it is already written.
    lot.rows("CREATE TRIGGER broken BEFORE UPDATE ON chain BEGIN SELECT raise(ABORT, 'broken'); END")
    lot.wait(2 * HOUR_MS)
    with pytest.raises(sqlite3.IntegrityError, match="broken"):
        lot.step(lot.read("out"))
    lot.rows("DROP TRIGGER broken")
    journal = Journal(lot.path, chain=CHAIN, instance="test")
    assert journal.head().n == 3
    assert journal.acked() == {UIDS["in"]: (7, 2)}
    stored = journal.session(session)
    assert stored is not None
    assert (stored.state, stored.amount_minor) == (State.INSIDE, 0)
    assert lot.rows("SELECT count(*) FROM posting") == [(0,)]


def test_what_was_committed_is_there_without_a_close(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    lot = SmallLot(first)
    session = lot.enter()
    # What a power cut leaves: the file and its log as they are now, never closed, never checkpointed.
    shutil.copytree(first, second, ignore=shutil.ignore_patterns("*-shm"))
    journal = Journal(second / "ledger.db", chain=CHAIN, instance="other")
    assert (journal.head().n, journal.instance()) == (3, "test")
    assert [stay.id for stay in journal.remembered().sessions] == [session]


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


def test_without_an_idle_moment_a_step_checkpoints_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "CHECKPOINT_COMMITS_MAX", 16)
    lot = SmallLot(tmp_path)
    log = Path(f"{lot.path}-wal")
    sizes = []
    for number in range(160):
        lot.step(lot.bay("b1", number % 2 == 0))
        sizes.append(log.stat().st_size)
    assert max(sizes[32:]) <= max(sizes[:32])


def test_a_reader_delays_the_checkpoint_and_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "CHECKPOINT_COMMITS_MAX", 16)
    lot = SmallLot(tmp_path)
    lot.enter()
    reader = Reader(lot.path)
    log = Path(f"{lot.path}-wal")
    with reader.snapshot():
        assert reader.head_n() == 3
        for _ in range(40):
            lot.step(lot.passed("out"))
        assert reader.head_n() == 3
    assert lot.journal.head().n == 43
    sizes = []
    for _ in range(64):
        lot.step(lot.passed("out"))
        sizes.append(log.stat().st_size)
    # The next checkpoint finds nobody in its way; from then on the log is used again from its beginning.
    assert set(sizes[16:]) == {sizes[16]}
    assert reader.head_n() == 107


def test_the_number_of_the_start_rises_and_is_durable(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    assert [lot.journal.next_hello(), lot.journal.next_hello()] == [1, 2]
    lot.restart()
    assert lot.journal.next_hello() == 3


def test_what_each_node_was_acknowledged(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    assert lot.journal.acked() == {"00000000000000a1": (7, 2)}


def test_a_full_card_frees_the_reserve_and_the_next_start_goes_on(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.journal.room()
    assert (tmp_path / "reserve").exists()
    lot.rows(f"PRAGMA max_page_count = {lot.rows('PRAGMA page_count')[0][0]}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        lot.step(*(lot.passed("out") for _ in range(100)))
    assert not (tmp_path / "reserve").exists()
    lot.restart()
    lot.step(lot.read("out"))
    stored = lot.journal.session(session)
    assert stored is not None
    assert stored.state is not State.INSIDE


def test_a_fault_that_is_not_want_of_room_keeps_the_reserve(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.journal.room()
    lot.rows("CREATE TRIGGER broken BEFORE UPDATE ON chain BEGIN SELECT raise(ABORT, 'broken'); END")
    with pytest.raises(sqlite3.IntegrityError, match="broken"):
        lot.step(lot.passed("out"))
    with pytest.raises(sqlite3.IntegrityError, match="broken"):
        lot.journal.next_hello()
    assert (tmp_path / "reserve").exists()


def test_a_checkpoint_that_a_reader_holds_up_is_tried_again_at_once(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    reader = Reader(lot.path)
    with reader.snapshot():
        assert reader.head_n() == 2
        for _ in range(CHECKPOINT_COMMITS):
            lot.step(lot.passed("out"))
        lot.journal.idle()
        assert lot.rows("PRAGMA wal_checkpoint(PASSIVE)")[0][1] > lot.rows("PRAGMA wal_checkpoint(PASSIVE)")[0][2]
    lot.journal.idle()
    _, logged, done = lot.rows("PRAGMA wal_checkpoint(PASSIVE)")[0]
    assert logged == done > 0
    lot.step(lot.passed("out"))
    assert lot.rows("PRAGMA wal_checkpoint(PASSIVE)")[0][1] < 20


def test_a_schema_that_can_not_be_read_any_more_is_damage(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.rows("PRAGMA writable_schema = ON")
    lot.rows("UPDATE sqlite_schema SET name = CAST(x'a0' AS TEXT), sql = 'x' WHERE name = 'bay'")
    lot.engine.close()
    with pytest.raises(DamagedError, match=r"ledger\.db: its schema is damaged; stop this gateway and restore"):
        Journal(lot.path, chain=CHAIN, instance="test")
