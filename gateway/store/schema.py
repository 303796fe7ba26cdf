"""Schema steps of the ledger, each committed together with its mark.

Owns the order of the steps. Rules: a shipped step is never edited; a database that is newer than this release, or is no
ledger of ours, stops the program. Refuses to know what the tables mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

APPLICATION_ID = 0x4C4F5447
"""'LOTG' in SQLite's header: a file that holds tables but not this id is somebody else's."""

STEPS = ("schema_1", "schema_2", "schema_3", "schema_5", "schema_6", "schema_7", "schema_8")


class SchemaError(Exception):
    """The database can't be used by this release; the text says why and what to do."""


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the ledger to the newest step. Raises SchemaError for a newer or a foreign database, and leaves it as it was."""
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables and found != APPLICATION_ID:
        raise SchemaError(f"{path}: holds tables but is no lotgate ledger; name another data directory in gateway.data")
    if not tables:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database = Database(connection)
    steps = _migrations()
    applied = {step.name for step in steps.applied(database)}
    newer = applied - set(STEPS)
    if newer:
        raise SchemaError(f"{path}: written by a newer release (steps {sorted(newer)}); install that release or newer")
    steps.apply(database)


def _migrations() -> Migrations:
    migrations = Migrations("lotgate")
    for step in STEPS:
        migrations(name=step)(_step(step))
    return migrations


def _step(name: str) -> Callable[[Database], None]:
    def run(database: Database) -> None:
        text = (resources.files("gateway.store") / f"{name}.sql").read_text(encoding="utf-8")
        for statement in _statements(text):
            database.execute(statement)

    run.__name__ = name
    return run


def _statements(text: str) -> list[str]:
    statements, pending = [], ""
    for line in text.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements
