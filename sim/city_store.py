"""The city's books in SQLite: heads, records, disclosures, leases, payments, lines down, evidence of forks.

Rules: one transaction for each message that came in, or nothing of it; amounts are integer minor units; a record's place
(chain, n) is taken once. `totals` reads the books from another process while the city writes. Decides nothing: `city` does.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from typing import Any

from sim.city_money import Purse
from sim.city_verifier import ZERO_HASH, Line

SCHEMA = """
CREATE TABLE IF NOT EXISTS chain (
    chain TEXT PRIMARY KEY, root TEXT NOT NULL, epoch INTEGER NOT NULL, n INTEGER NOT NULL, leaf TEXT NOT NULL,
    wall_ms INTEGER NOT NULL, dn_last INTEGER NOT NULL, dn_confirmed INTEGER NOT NULL, frozen INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS record (
    chain TEXT NOT NULL, n INTEGER NOT NULL, type TEXT NOT NULL, line TEXT NOT NULL, signature BLOB NOT NULL,
    PRIMARY KEY (chain, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS disclosure (
    chain TEXT NOT NULL, n INTEGER NOT NULL, plate TEXT NOT NULL, salt TEXT NOT NULL, PRIMARY KEY (chain, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lease (
    chain TEXT NOT NULL, session TEXT NOT NULL, lease TEXT NOT NULL UNIQUE, cap_minor INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL, pays INTEGER NOT NULL, PRIMARY KEY (chain, session)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stay (
    chain TEXT NOT NULL, session TEXT NOT NULL, owed_minor INTEGER NOT NULL, outcome TEXT NOT NULL,
    PRIMARY KEY (chain, session)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payment (
    payment TEXT PRIMARY KEY, chain TEXT NOT NULL, session TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('paid', 'failed')), UNIQUE (chain, session)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS purse (
    chain TEXT NOT NULL, session TEXT NOT NULL, billed_minor INTEGER NOT NULL, lowered_minor INTEGER NOT NULL,
    paid_minor INTEGER NOT NULL, refunded_minor INTEGER NOT NULL, promised_minor INTEGER NOT NULL, PRIMARY KEY (chain, session)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS doubled (
    chain TEXT NOT NULL, session TEXT NOT NULL, stray TEXT NOT NULL, other TEXT NOT NULL,
    PRIMARY KEY (chain, other, session, stray)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS down (
    chain TEXT NOT NULL, dn INTEGER NOT NULL, line TEXT NOT NULL, signature BLOB NOT NULL, PRIMARY KEY (chain, dn)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fork (
    chain TEXT NOT NULL, n INTEGER NOT NULL, line TEXT NOT NULL, signature BLOB NOT NULL, PRIMARY KEY (chain, n, line)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS desk (
    desk TEXT NOT NULL, id TEXT NOT NULL, line TEXT NOT NULL, root TEXT NOT NULL, chain TEXT NOT NULL, dn INTEGER NOT NULL,
    after_n INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('taken', 'done', 'refused')), reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL, PRIMARY KEY (desk, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS desk_taken ON desk (chain, dn) WHERE state = 'taken';
CREATE TABLE IF NOT EXISTS tally (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

TOTALS = """
SELECT 'records', count(*) FROM record
UNION ALL SELECT 'sessions', count(*) FROM stay
UNION ALL SELECT 'leases', count(*) FROM lease
UNION ALL SELECT 'owed_minor', coalesce(sum(owed_minor), 0) FROM stay
UNION ALL SELECT 'paid_minor', coalesce(sum(amount_minor), 0) FROM payment WHERE status = 'paid'
UNION ALL SELECT 'failed_minor', coalesce(sum(amount_minor), 0) FROM payment WHERE status = 'failed'
UNION ALL SELECT 'refunded_minor', coalesce(sum(refunded_minor), 0) FROM purse
UNION ALL SELECT 'open_minor', coalesce(sum(billed_minor - lowered_minor - paid_minor + refunded_minor), 0) FROM purse
UNION ALL SELECT 'duplicates', coalesce(sum(count), 0) FROM tally WHERE name = 'duplicate'
UNION ALL SELECT 'receipts', coalesce(sum(count), 0) FROM tally WHERE name = 'receipt'
UNION ALL SELECT 'gaps', coalesce(sum(count), 0) FROM tally WHERE name = 'fault/gap'
UNION ALL SELECT 'forks', count(*) FROM fork
UNION ALL SELECT 'rejected', coalesce(sum(count), 0) FROM tally
    WHERE name LIKE 'fault/%' AND name NOT IN ('fault/gap', 'fault/fork')
"""


DESK_CONFIRMED = """
SELECT desk.desk, desk.id, record.type, coalesce(json_extract(record.line, '$.body.reason'), '')
FROM desk JOIN record ON record.chain = desk.chain AND record.n > desk.after_n AND record.type IN ('granted', 'refused')
    AND json_extract(record.line, '$.body.dn') = desk.dn
WHERE desk.state = 'taken'
"""


@dataclass(frozen=True, slots=True)
class Head:
    """How far one chain has come. `root`: the topic branch it arrives on; `wall_ms`: the latest wall time in its records."""

    chain: str
    root: str = ""
    epoch: int = 0
    n: int = 0
    leaf: str = ZERO_HASH
    wall_ms: int = 0
    dn_last: int = 0
    dn_confirmed: int = 0
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Lease:
    """A promise to pay for a session; `pays` says how the payment will turn out when it is due."""

    session: str
    lease: str
    cap_minor: int
    expires_ms: int
    pays: bool


@dataclass(frozen=True, slots=True)
class Payment:
    """How the payment for a session ended."""

    payment: str
    session: str
    amount_minor: int
    paid: bool


@dataclass(frozen=True, slots=True)
class DeskEntry:
    """A front desk's message that was taken, its line down, and how it stands: taken, done or refused by the gateway."""

    desk: str
    id: str
    line: str
    root: str
    chain: str
    dn: int
    after_n: int
    state: str
    reason: str
    at_ms: int


class CityStore:
    """The books in one file, or in memory with ':memory:'. Everything but `transaction` and the reads needs a transaction."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is written inside, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def heads(self) -> list[Head]:
        """All chains that have records."""
        rows = self._db.execute("SELECT chain, root, epoch, n, leaf, wall_ms, dn_last, dn_confirmed, frozen FROM chain")
        return [replace(Head(*row), frozen=bool(row[-1])) for row in rows]

    def put_head(self, head: Head) -> None:
        """Keep a chain's new state."""
        values = (head.chain, head.root, head.epoch, head.n, head.leaf, head.wall_ms)
        self._db.execute(
            "INSERT OR REPLACE INTO chain VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, head.dn_last, head.dn_confirmed, int(head.frozen)),
        )

    def line(self, chain: str, n: int) -> str | None:
        """The stored line of record n."""
        row = self._db.execute("SELECT line FROM record WHERE chain = ? AND n = ?", (chain, n)).fetchone()
        return None if row is None else str(row[0])

    def lines(self, chain: str) -> list[str]:
        """All stored lines of a chain, in order."""
        return [str(row[0]) for row in self._db.execute("SELECT line FROM record WHERE chain = ? ORDER BY n", (chain,))]

    def rotated(self, chain: str) -> list[tuple[int, str]]:
        """Number and line of the records that went over to another key, in order."""
        rows = self._db.execute("SELECT n, line FROM record WHERE chain = ? AND type = 'rotate' ORDER BY n", (chain,))
        return [(int(n), str(line)) for n, line in rows]

    def bill(self, chain: str, session: str) -> tuple[int, str] | None:
        """Number and line of the record that ended a session and was not reversed."""
        row = self._db.execute(
            "SELECT n, line, type FROM record WHERE chain = ? AND type IN ('exit', 'attached', 'reversed')"
            " AND json_extract(line, '$.body.session') = ? ORDER BY n DESC LIMIT 1",
            (chain, session),
        ).fetchone()
        return None if row is None or row[2] == "reversed" else (int(row[0]), str(row[1]))

    def disclosure(self, chain: str, n: int) -> tuple[str, str] | None:
        """Plate and salt that came with a record."""
        row = self._db.execute("SELECT plate, salt FROM disclosure WHERE chain = ? AND n = ?", (chain, n)).fetchone()
        return None if row is None else (str(row[0]), str(row[1]))

    def add_record(self, chain: str, line: Line) -> None:
        """Store a record at its place."""
        values = (chain, line.n, line.type, line.text, line.signature)
        self._db.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?)", values)

    def add_disclosure(self, chain: str, n: int, plate: str, salt: str) -> None:
        """Store what opens a record's commitment."""
        self._db.execute("INSERT OR IGNORE INTO disclosure VALUES (?, ?, ?, ?)", (chain, n, plate, salt))

    def add_fork(self, chain: str, n: int, line: str, signature: bytes) -> None:
        """Keep a validly signed line that contradicts the chain."""
        self._db.execute("INSERT OR IGNORE INTO fork VALUES (?, ?, ?, ?)", (chain, n, line, signature))

    def add_lease(self, chain: str, lease: Lease) -> None:
        """Keep a promise."""
        values = (chain, lease.session, lease.lease, lease.cap_minor, lease.expires_ms, int(lease.pays))
        self._db.execute("INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?, ?)", values)

    def lease(self, chain: str, session: str) -> Lease | None:
        """The promise for a session."""
        row = self._db.execute(
            "SELECT session, lease, cap_minor, expires_ms, pays FROM lease WHERE chain = ? AND session = ?",
            (chain, session),
        ).fetchone()
        return None if row is None else replace(Lease(*row), pays=bool(row[-1]))

    def add_stay(self, chain: str, session: str, owed_minor: int, outcome: str) -> bool:
        """Enter what a session owes; False when it was entered before."""
        cursor = self._db.execute(
            "INSERT OR IGNORE INTO stay VALUES (?, ?, ?, ?)", (chain, session, owed_minor, outcome)
        )
        return cursor.rowcount == 1

    def take_back(self, chain: str, session: str) -> None:
        """Forget what a session owes and how it was paid: its exit did not take place."""
        for table in ("stay", "payment"):
            self._db.execute(f"DELETE FROM {table} WHERE chain = ? AND session = ?", (chain, session))

    def add_payment(self, chain: str, payment: Payment) -> None:
        """Enter how a payment ended."""
        status = "paid" if payment.paid else "failed"
        values = (payment.payment, chain, payment.session, payment.amount_minor, status)
        self._db.execute("INSERT INTO payment VALUES (?, ?, ?, ?, ?)", values)

    def add_down(self, chain: str, dn: int, line: str, signature: bytes) -> None:
        """Keep a line to send down."""
        self._db.execute("INSERT INTO down VALUES (?, ?, ?, ?)", (chain, dn, line, signature))

    def down(self, chain: str, after_dn: int, limit: int) -> list[tuple[str, bytes]]:
        """(line, signature) of at most `limit` lines with numbers above `after_dn`, in order."""
        rows = self._db.execute(
            "SELECT line, signature FROM down WHERE chain = ? AND dn > ? ORDER BY dn LIMIT ?", (chain, after_dn, limit)
        )
        return [(str(line), bytes(signature)) for line, signature in rows]

    def add_desk(self, entry: DeskEntry) -> None:
        """Enter a front desk's message."""
        self._db.execute("INSERT INTO desk VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(entry))

    def desk_entry(self, desk: str, id_: str) -> DeskEntry | None:
        """What was entered under a desk's own id."""
        row = self._db.execute("SELECT * FROM desk WHERE desk = ? AND id = ?", (desk, id_)).fetchone()
        return None if row is None else DeskEntry(*row)

    def desk_confirmed(self, now_ms: int) -> list[DeskEntry]:
        """Turns what a record has named by its dn to done or refused, in a transaction of its own, and returns it."""
        found = self._db.execute(DESK_CONFIRMED).fetchall()
        if not found:
            return []
        with self.transaction():
            changes = [("done" if kind == "granted" else "refused", why, now_ms, *key) for *key, kind, why in found]
            self._db.executemany("UPDATE desk SET state = ?, reason = ?, at_ms = ? WHERE desk = ? AND id = ?", changes)
        return [entry for desk, id_, *_ in found if (entry := self.desk_entry(desk, id_)) is not None]

    def plate(self, chain: str, n: int) -> str:
        """The plate that was disclosed with record n, '' if none was."""
        row = self._db.execute("SELECT plate FROM disclosure WHERE chain = ? AND n = ?", (chain, n)).fetchone()
        return "" if row is None else str(row[0])

    def owed(self, chain: str, session: str) -> int | None:
        """What a session owes by its exit, None before it."""
        row = self._db.execute(
            "SELECT owed_minor FROM stay WHERE chain = ? AND session = ?", (chain, session)
        ).fetchone()
        return None if row is None else int(row[0])

    def has_payment(self, chain: str, session: str) -> bool:
        """Whether a payment for a session was entered."""
        found = self._db.execute("SELECT 1 FROM payment WHERE chain = ? AND session = ?", (chain, session))
        return found.fetchone() is not None

    def purse(self, chain: str, session: str) -> Purse:
        """A session's money by its records; an empty one if there was none."""
        sql = "SELECT billed_minor, lowered_minor, paid_minor, refunded_minor, promised_minor FROM purse"
        row = self._db.execute(f"{sql} WHERE chain = ? AND session = ?", (chain, session)).fetchone()
        return Purse() if row is None else Purse(*row)

    def put_purse(self, chain: str, session: str, purse: Purse) -> None:
        """Keep a session's money."""
        self._db.execute("INSERT OR REPLACE INTO purse VALUES (?, ?, ?, ?, ?, ?, ?)", (chain, session, *astuple(purse)))

    def wait_for(self, chain: str, session: str, stray: str, others: Iterable[str]) -> None:
        """A stay and an exit that are in doubt until these other stays have ended."""
        rows = [(chain, session, stray, other) for other in others]
        self._db.executemany("INSERT OR IGNORE INTO doubled VALUES (?, ?, ?, ?)", rows)

    def waited_for(self, chain: str, other: str) -> list[tuple[str, str]]:
        """This stay has ended: the stays and exits that waited for nothing else."""
        sql = "DELETE FROM doubled WHERE chain = ? AND other = ? RETURNING session, stray"
        pairs = [(str(session), str(stray)) for session, stray in self._db.execute(sql, (chain, other))]
        left = "SELECT 1 FROM doubled WHERE chain = ? AND session = ? AND stray = ?"
        return [pair for pair in pairs if self._db.execute(left, (chain, *pair)).fetchone() is None]

    def records(self, chain: str, first: int, last: int) -> list[tuple[str, dict[str, Any]]]:
        """Type and body of the stored records of a stretch."""
        sql = "SELECT type, line FROM record WHERE chain = ? AND n BETWEEN ? AND ? ORDER BY n"
        return [(str(kind), json.loads(line)["body"]) for kind, line in self._db.execute(sql, (chain, first, last))]

    def open_minor(self, chain: str, epoch: int) -> int:
        """What all purses of an epoch have open together; what an earlier one left open is no longer the gateway's."""
        sql = (
            "SELECT coalesce(sum(billed_minor - lowered_minor - paid_minor + refunded_minor), 0) FROM purse"
            " WHERE chain = ? AND session GLOB ?"
        )
        return int(self._db.execute(sql, (chain, f"{epoch}.*")).fetchone()[0])

    def add_tally(self, counts: Mapping[str, int]) -> None:
        """Add to the counters."""
        self._db.executemany(
            "INSERT INTO tally VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = count + excluded.count",
            counts.items(),
        )

    def tallies(self) -> dict[str, int]:
        """All counters: 'duplicate', 'receipt', 'odd', and 'fault/...' by name."""
        return dict(self._db.execute("SELECT name, count FROM tally"))

    def totals(self) -> dict[str, int]:
        """The figures of the books, see `totals`."""
        return dict(self._db.execute(TOTALS))


def totals(path: str) -> dict[str, int]:
    """records, sessions, leases, owed/paid/failed_minor, duplicates, gaps, forks, rejected, receipts of a file in use.

    Opens it read-only. Raises sqlite3.OperationalError when there is no such file.
    """
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return dict(db.execute(TOTALS))
    finally:
        db.close()
