"""Is the ledger still what was written? Cards flip bits, and SQLite's own check sees few of them.

Owns the check of a run of records: number, link to the record before, signature, the plate beside it, its postings by its own
words, and where a stay began. Rules: it only reads; it names the first record that does not hold, and nothing that another
record may have changed since is asked: what it finds keeps a gateway from its ledger. Refuses to know keys, and what to do.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.core.rebuild import booked
from gateway.core.record import GENESIS_PREV, plate_commitment, record_hash, signed_bytes

Signed = Callable[[str, bytes, bytes], bool]
"""(key id, data, signature) -> False if that key is known and did not sign the data."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Record n is not what was written, or what lies beside it isn't; `what` says why."""

    n: int
    what: str


def base(connection: sqlite3.Connection) -> tuple[int, str]:
    """Number and hash of the record after which this ledger begins: 0 and zeros, but where a restore began it."""
    return connection.execute("SELECT n, hash FROM restored").fetchone() or (0, GENESIS_PREV)


def damage(connection: sqlite3.Connection, first: int, last: int, signed: Signed) -> Damage | None:
    """The first damage in the records from `first` to `last`, both there; sqlite3.DatabaseError if they can't be read."""
    before = connection.execute("SELECT line FROM record WHERE n = ?", (first - 1,)).fetchone()
    prev = record_hash(before[0]).hex() if before else base(connection)[1]
    expected = first
    rows = connection.execute(
        "SELECT r.n, r.epoch, CAST(r.line AS BLOB), r.signature, r.key, CAST(d.plate AS BLOB), d.salt FROM record r"
        " LEFT JOIN disclosure d ON d.n = r.n WHERE r.n BETWEEN ? AND ? ORDER BY r.n",
        (first, last),
    )
    for n, epoch, raw, signature, key, plate, salt in rows:
        # What is no text any more must not keep the record from being named.
        line = raw.decode(errors="replace")
        if n != expected:
            return Damage(expected, "it is missing")
        fields = _fields(line)
        # The key's id stands twice: a signature under another id is not judged, so that id must be the record's own.
        if (fields.get("n"), fields.get("epoch"), fields.get("key")) != (n, epoch, key) or "body" not in fields:
            return Damage(n, "its line is not a record of this number")
        if not signed(key, signed_bytes(line), signature):
            return Damage(n, "it is not what was signed")
        if fields.get("prev") != prev:
            return Damage(n, "it does not follow the record before it")
        what = _beside(connection, n, fields, plate, salt)
        if what:
            return Damage(n, what)
        prev = record_hash(line).hex()
        expected += 1
    return Damage(expected, "it is missing") if expected <= last else None


def receipt_damage(connection: sqlite3.Connection, n: int) -> Damage | None:
    """Whether record n is the one that the stored receipt for n names; a receipt that can't be read any more says nothing."""
    found = connection.execute(
        "SELECT CAST(r.line AS BLOB), CAST(t.line AS BLOB) FROM receipt t LEFT JOIN record r ON r.n = t.n WHERE t.n = ?",
        (n,),
    ).fetchone()
    if found is None:
        return None
    line, receipt = found
    told = _fields(receipt.decode(errors="replace")).get("hash")
    if told is None or (line is not None and told == record_hash(line.decode(errors="replace")).hex()):
        return None
    return Damage(n, "the city's receipt names another record")


def _fields(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _beside(connection: sqlite3.Connection, n: int, record: dict[str, object], plate: bytes | None, salt: str) -> str:
    """What the tables beside record n say otherwise than the record."""
    body = record["body"]
    if not isinstance(body, dict) or "type" not in record:
        return "its body is none"
    if plate is not None and not _opens(body.get("plate"), plate, salt):
        return "the plate beside it is another one"
    return _posted(connection, n, str(record["type"]), body) or _entered(connection, str(record["type"]), body)


def _posted(connection: sqlite3.Connection, n: int, kind: str, body: dict[str, Any]) -> str:
    """What the postings of record n say otherwise than the record by itself."""
    found = connection.execute(
        "SELECT account, coalesce(session, ''), amount_minor FROM posting WHERE n = ?", (n,)
    ).fetchall()
    if sum(amount_minor for _, _, amount_minor in found) != 0:
        return "its postings do not sum to zero"
    try:
        expected = booked(n, kind, body)
    except (KeyError, TypeError):
        return "its body is none of its type"
    # A kind that books nothing may book in a release to come, which wrote this ledger before.
    if expected is None or sorted(found) == sorted((str(p.account), p.session, p.amount_minor) for p in expected):
        return ""
    return "its postings are not its own"


def _opens(commitment: object, plate: bytes, salt: str) -> bool:
    try:
        return plate_commitment(plate.decode(), salt) == commitment
    except ValueError:
        return False


def _entered(connection: sqlite3.Connection, kind: str, body: dict[str, Any]) -> str:
    """What the session that an entry began says otherwise of its beginning."""
    if kind != "entry":
        return ""
    session = body.get("session")
    found = connection.execute("SELECT entered_ms, lane_in FROM session WHERE id = ?", (session,)).fetchone()
    return "" if found == (body.get("at"), body.get("lane")) else f"session {session} is not what entered"
