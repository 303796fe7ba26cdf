"""The reading end of the ledger: opens read-only, for exports and for people.

Owns the order in which the evidence is handed out. Rules: never writes, never checkpoints, works while the gateway runs.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.core.posting import Account, Posting
from gateway.core.rebuild import differences, rebuilt
from gateway.core.record import Record
from gateway.store import rows
from gateway.store.schema import APPLICATION_ID

PAGE_RECORDS = 500


class ReaderError(Exception):
    """The ledger can't be read; the text names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """The city's receipt for record n, as it was signed."""

    n: int
    line: str
    signature: bytes


def first_key(path: Path) -> str:
    """Id of the key under which a ledger begins, '' if there is no ledger or nothing in it. Raises ReaderError."""
    if not path.exists():
        return ""
    reader = Reader(path)
    try:
        return next((record.key for record in reader.records()), "")
    finally:
        reader.close()


class Reader:
    """Reads one ledger. Raises ReaderError if there is none, or if the file can't be read or holds something else."""

    def __init__(self, path: Path) -> None:
        try:
            if not path.exists():
                raise ReaderError(f"{path}: no ledger; name the folder in gateway.data of the configuration")
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
            found = self._connection.execute("PRAGMA application_id").fetchone()[0]
            steps = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        except (sqlite3.DatabaseError, OSError) as error:
            raise ReaderError(f"{path}: can't be read ({error}); look at its permissions and the disk") from None
        if found != APPLICATION_ID or not steps:
            raise ReaderError(f"{path}: no lotgate ledger; name the folder in gateway.data of the configuration")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Within it all reads see the ledger as it is now, whatever is written or erased meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def chain(self) -> str:
        """The chain's id."""
        return str(self._connection.execute("SELECT chain FROM chain").fetchone()[0])

    def hello(self) -> int:
        """How often a gateway has started on this ledger."""
        return int(self._connection.execute("SELECT hello FROM chain").fetchone()[0])

    def first_n(self) -> int:
        """Number of the first record, above 1 in a restored ledger; 1 if there is none."""
        return int(self._connection.execute("SELECT coalesce(min(n), 1) FROM record").fetchone()[0])

    def head_n(self) -> int:
        """Number of the last record, 0 if there is none."""
        return int(self._connection.execute("SELECT coalesce(max(n), 0) FROM record").fetchone()[0])

    def disclosures(self) -> int:
        """How many records have a plate and a salt beside them."""
        return int(self._connection.execute("SELECT count(*) FROM disclosure").fetchone()[0])

    def records(self, first: int = 1) -> Iterator[Record]:
        """All records from number `first` on, in order, page by page."""
        page = rows.records(self._connection, first, PAGE_RECORDS)
        while page:
            yield from page
            page = rows.records(self._connection, page[-1].n + 1, PAGE_RECORDS)

    def last_receipt(self, up_to_n: int) -> StoredReceipt | None:
        """The newest stored receipt for a record up to `up_to_n`."""
        found = self._connection.execute(
            "SELECT n, line, signature FROM receipt WHERE n BETWEEN 1 AND ? ORDER BY n DESC LIMIT 1", (up_to_n,)
        ).fetchone()
        return StoredReceipt(*found) if found else None

    def money_differences(self) -> list[str]:
        """In what the stored sessions and postings differ from what the records alone come to; empty if in nothing."""
        with self.snapshot():
            found = rebuilt(json.loads(record.line) for record in self.records())
            sessions = [rows.session(row) for row in self._connection.execute(rows.SESSION_SELECT)]
            stored = self._connection.execute("SELECT n, account, coalesce(session, ''), amount_minor FROM posting")
            postings = [Posting(n, Account(account), session, amount) for n, account, session, amount in stored]
        return differences(found, sessions, postings)

    def billed_minor(self) -> int:
        """What the records of exits bill together, from the records themselves."""
        found = self._connection.execute(
            "SELECT coalesce(sum(json_extract(line, '$.body.amount_minor')), 0) FROM record"
            " WHERE json_extract(line, '$.type') = 'exit'"
        ).fetchone()
        return int(found[0])
