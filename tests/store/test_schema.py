"""Schema steps: committed with their mark, opened twice, refused when newer or foreign."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.store.journal import Journal, LedgerError
from gateway.store.schema import APPLICATION_ID, STEPS, SchemaError, migrate
from tests.lots import CHAIN

SEEDS = Path(__file__).resolve().parents[2] / "seeds" / "schema"


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_a_new_ledger_has_every_step_and_strict_tables_only(tmp_path: Path) -> None:
    connection = connect(tmp_path / "new.db")
    migrate(connection, tmp_path / "new.db")
    migrate(connection, tmp_path / "new.db")
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert [row[0] for row in connection.execute("SELECT name FROM _sqlite_migrations ORDER BY rowid")] == list(STEPS)
    loose = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0"
    assert [row[0] for row in connection.execute(loose) if not row[0].startswith(("sqlite_", "_sqlite_"))] == []


def test_a_foreign_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = connect(path)
    connection.execute("CREATE TABLE theirs (a)")
    with pytest.raises(SchemaError, match=r"other\.db: holds tables but is no lotgate ledger"):
        migrate(connection, path)
    assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (1,)


def test_a_newer_database_stops_the_program(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    connection = connect(path)
    migrate(connection, path)
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('lotgate', 'schema_99', '')"
    )
    with pytest.raises(SchemaError, match="written by a newer release"):
        migrate(connection, path)


def test_a_ledger_of_another_chain_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "l.db", chain="a", instance="i").close()
    with pytest.raises(LedgerError, match="belongs to chain 'a', not 'b'"):
        Journal(tmp_path / "l.db", chain="b", instance="i")


@pytest.mark.parametrize("shipped", sorted(path.name for path in SEEDS.glob("*.db")))
def test_every_shipped_schema_opens_twice_and_keeps_its_rows(tmp_path: Path, shipped: str) -> None:
    path = tmp_path / shipped
    shutil.copy(SEEDS / shipped, path)
    for _ in range(2):
        journal = Journal(path, chain=CHAIN, instance="i")
        assert journal.head().n == 9
        assert [record.n for record in journal.records(1, 20)] == list(range(1, 10))
        assert journal.remembered().billed_minor == 700
        assert len(journal.remembered().sessions) == 1
        journal.close()


def test_there_is_a_shipped_schema_to_open() -> None:
    assert [path.stem for path in sorted(SEEDS.glob("*.db"))][:1] == ["schema_1"]


@pytest.mark.parametrize("statement", ["CREATE TABLE theirs (a)", "CREATE TABLE chain (chain TEXT)"])
def test_the_journal_leaves_not_one_byte_in_a_foreign_file(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "other.db"
    connection = connect(path)
    connection.execute(statement)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(SchemaError, match="no lotgate ledger"):
        Journal(path, chain=CHAIN, instance="i")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["other.db"]
