"""Damage to what was written: each kind is found and the record is named, down to a single bit of the evidence."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.shell.signer import Signer
from gateway.store import journal as journal_module
from gateway.store.journal import SCRUBBED_AT_ONCE, DamagedError, Journal, LedgerError
from gateway.store.schema import SchemaError
from gateway.store.scrub import Damage, damage, receipt_damage
from tests.crash_history import perform, script
from tests.lots import CHAIN, KEY, SmallLot

SEED = 1
FLIPS = 50
SIGNED = Signer(KEY).made


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A closed ledger of a day with twelve cars."""
    folder = tmp_path_factory.mktemp("written")
    *_, (gateway, _) = perform(folder, script())
    gateway.engine.close()
    return (folder / "ledger.db").read_bytes()


@contextmanager
def changed(folder: Path, written: bytes, sql: str) -> Iterator[sqlite3.Connection]:
    path = folder / "ledger.db"
    path.write_bytes(written)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql)
        yield connection


def test_a_whole_ledger_has_no_damage(tmp_path: Path, written: bytes) -> None:
    with changed(tmp_path, written, "SELECT 1") as connection:
        last = connection.execute("SELECT max(n) FROM record").fetchone()[0]
        receipted = connection.execute("SELECT receipted FROM chain").fetchone()[0]
        assert last > receipted > 40
        assert damage(connection, 1, last, SIGNED) is None
        assert damage(connection, 30, last, SIGNED) is None
        assert receipt_damage(connection, receipted) is None


EXIT = "(SELECT max(n) FROM record WHERE json_extract(line, '$.type') = 'exit')"
IN = "(SELECT min(n) FROM record WHERE json_extract(line, '$.type') = 'entry')"
OPEN = "(SELECT min(n) FROM disclosure)"
PAID = "(SELECT max(n) FROM record WHERE json_extract(line, '$.type') = 'paid')"


@pytest.mark.parametrize(
    ("sql", "n", "what"),
    [
        ("UPDATE record SET line = replace(line, 'wall', 'wbll') WHERE n = 5", "5",  "not what was signed"),
        ("UPDATE record SET line = 'x' WHERE n = 5",                         "5",  "not a record of this number"),
        ("UPDATE record SET line = CAST(x'ff' || line AS TEXT) WHERE n = 5", "5",  "not a record of this number"),
        ("UPDATE record SET line = '[' || line || ']' WHERE n = 5",          "5",  "not a record of this number"),
        ("UPDATE record SET signature = zeroblob(64) WHERE n = 5",           "5",  "not what was signed"),
        ("UPDATE record SET line = (SELECT line FROM record WHERE n = 6), signature ="
         " (SELECT signature FROM record WHERE n = 6) WHERE n = 5",          "5",  "not a record of this number"),
        ("DELETE FROM record WHERE n = 5",                                   "5",  "it is missing"),
        ("UPDATE disclosure SET plate = 'blue 浙A99999' ",                     OPEN, "the plate beside it is another one"),
        ("UPDATE disclosure SET salt = '?' ",                                 OPEN, "the plate beside it is another one"),
        (f"DELETE FROM posting WHERE n = {EXIT} AND account = 'revenue'",    EXIT, "do not sum to zero"),
        (f"DELETE FROM posting WHERE n = {EXIT}",                            EXIT, "its postings are not its own"),
        (f"UPDATE posting SET amount_minor = amount_minor * 2 WHERE n = {PAID}", PAID, "its postings are not its own"),
        ("UPDATE record SET key = '0123456789abcdef' WHERE n = 5",           "5",  "not a record of this number"),
        ("UPDATE record SET epoch = 2 WHERE n = 5",                          "5",  "not a record of this number"),
        (f"UPDATE posting SET session = '9.9' WHERE n = {PAID}",             PAID, "its postings are not its own"),
        ("UPDATE session SET entered_ms = entered_ms + 1",                   IN,   "is not what entered"),
        ("UPDATE session SET lane_in = 'out'",                               IN,   "is not what entered"),
    ],
)  # fmt: skip
def test_damage_is_found_and_named(tmp_path: Path, written: bytes, sql: str, n: str, what: str) -> None:
    with changed(tmp_path, written, sql) as connection:
        number = connection.execute(f"SELECT {n}").fetchone()[0]
        last = connection.execute("SELECT max(n) FROM record").fetchone()[0]
        first = number if n in (EXIT, PAID) else 1
        found = damage(connection, first, last, SIGNED)
        assert isinstance(found, Damage)
        assert found.n == number
        assert what in found.what
        assert n != "5" or damage(connection, number + 2, last, SIGNED) is None


def test_an_erased_plate_is_no_damage(tmp_path: Path, written: bytes) -> None:
    with changed(tmp_path, written, "DELETE FROM disclosure") as connection:
        assert damage(connection, 1, 50, SIGNED) is None


def test_a_receipt_for_another_record_is_damage(tmp_path: Path, written: bytes) -> None:
    with changed(tmp_path, written, "UPDATE receipt SET line = json_set(line, '$.hash', 'another')") as connection:
        receipted = connection.execute("SELECT receipted FROM chain").fetchone()[0]
        assert receipt_damage(connection, receipted) == Damage(receipted, "the city's receipt names another record")
        assert receipt_damage(connection, receipted + 1) is None
        connection.execute("UPDATE receipt SET line = CAST(x'ff' || line AS TEXT)")
        assert receipt_damage(connection, receipted) is None


def test_a_start_checks_what_came_since_the_last_receipt(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    for number in range(6):
        lot.step(lot.passed("out"))
        if number == 3:
            lot.step(lot.receipt(lot.journal.head().n))
    receipted = 6
    lot.rows(f"UPDATE chain SET receipted = {receipted}")
    lot.rows("DELETE FROM receipt")
    lot.journal.check(SIGNED)
    lot.rows(f"UPDATE record SET line = 'x' WHERE n = {receipted - 1}")
    lot.rows("UPDATE record SET signature = zeroblob(64) WHERE n = 8")
    with pytest.raises(DamagedError, match=r"ledger\.db: record 6 is damaged: it does not follow the record before it"):
        lot.journal.check(SIGNED)
    lot.rows(f"UPDATE chain SET receipted = {receipted + 1}")
    with pytest.raises(
        DamagedError, match=r"record 8 is damaged: it is not what was signed; stop this gateway and restore"
    ):
        lot.journal.check(SIGNED)


def test_the_scrub_comes_by_everything_and_begins_again(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    for _ in range(2 * SCRUBBED_AT_ONCE):
        lot.step(lot.passed("out"))
    assert [lot.journal.scrub(SIGNED) for _ in range(3)] == [(False, None), (False, None), (True, None)]
    lot.rows("UPDATE record SET line = 'x' WHERE n = 7")
    ended, found = lot.journal.scrub(SIGNED)
    assert (ended, found and found.n) == (False, 7)
    lot.rows("DROP TABLE posting")
    ended, found = lot.journal.scrub(SIGNED)
    assert ended
    assert "can't be read (no such table" in str(found)


def test_every_bit_that_turns_in_the_evidence_is_found(
    tmp_path: Path, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "SCRUBBED_AT_ONCE", 1000)
    dice = random.Random(SEED)
    path = tmp_path / "ledger.db"
    seen: Counter[str] = Counter()
    said = [at for at, byte in enumerate(written) if byte]
    for _ in range(FLIPS):
        at, bit = dice.choice(said), dice.randrange(8)
        path.write_bytes(written[:at] + bytes([written[at] ^ 1 << bit]) + written[at + 1 :])
        seen[outcome(path, written)] += 1
        for left in tmp_path.iterdir():
            left.unlink()
    print(f"seed {SEED}: {dict(seen)}")
    assert seen["unseen: record"] == seen["unseen: disclosure"] == seen["unseen: posting"] == 0, f"seed {SEED}: {seen}"
    assert seen["found"] > FLIPS // 2


def outcome(path: Path, written: bytes) -> str:
    """Whether the scrub, or SQLite itself, says something; else which tables changed unseen."""
    try:
        journal = Journal(path, chain=CHAIN, instance="test")
        _, found = journal.scrub(SIGNED)
        rows = tables(journal._connection)
        journal._connection.close()
    except (sqlite3.Error, LedgerError, SchemaError):
        return "found"
    if found is not None:
        return "found"
    whole = path.with_name("whole.db")
    whole.write_bytes(written)
    with closing(sqlite3.connect(whole)) as connection:
        different = [name for name, content in tables(connection).items() if rows.get(name) != content]
    return f"unseen: {different[0]}" if different else "no harm"


def tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    return {name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}"))) for (name,) in names}
