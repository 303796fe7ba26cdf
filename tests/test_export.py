"""A ledger that the engine wrote, exported, and checked by the stranger's verifier: whole, and with every byte changed once."""

from __future__ import annotations

import base64
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.core.city_events import ReceiptArrived
from gateway.core.record import canonical, key_id
from gateway.export import Statement, StatementError, export_lines
from gateway.shell.signer import Signer
from gateway.store.reader import Reader, first_key
from gateway.verifier import verify_lines
from tests.lots import CHAIN, HOUR_MS, KEY, LOT, START_MS, SmallLot, plate
from tests.records import OTHER_KEY

CITY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ANCHOR = CITY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def statement() -> Statement:
    signer = Signer(KEY)
    fields = {"v": 1, "chain": CHAIN, "key": signer.key, "alg": "Ed25519", "pub": signer.public_base64}
    line = canonical({**fields, "from_n": 1, "lot": LOT.lot})
    return Statement(line, CITY.sign(b"lotgate-key-v1\n" + line.encode()))


def short_export(folder: Path) -> bytes:
    """A stay that was paid and one at the exit without an entry; receipted up to the last record but one."""
    lot = SmallLot(folder)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.payment(session, 700))
    lot.step(lot.read("out-2", plate("浙A00009")))
    n = lot.engine.records(1, 99)[-2].n
    record_hash = lot.journal.line_hash(n)
    assert record_hash is not None
    line = canonical({"v": 1, "chain": CHAIN, "epoch": 1, "n": n, "hash": record_hash.hex(), "at_ms": START_MS})
    lot.step(ReceiptArrived(1, n, record_hash, line, CITY.sign(b"lotgate-receipt-v1\n" + line.encode())))
    lot.engine.close()
    return "".join(export_lines(Reader(lot.path), statement(), city_key=key_id(ANCHOR))).encode()


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return short_export(tmp_path_factory.mktemp("export"))


def test_the_verifier_accepts_it(export: bytes) -> None:
    report = verify_lines(export, ANCHOR)
    assert (report.exit_code, report.reason) == (0, "")
    assert (report.records, report.sessions, report.owed_minor, report.paid_minor) == (7, 2, 700, 700)
    assert (report.witnessed, report.unwitnessed, report.disclosed) == (6, 1, 2)


def test_without_the_citys_key_it_proves_nothing(export: bytes) -> None:
    assert verify_lines(export, None).exit_code == 3


def test_every_single_changed_byte_is_found_in_its_line(export: bytes) -> None:
    wrong = []
    for place in range(len(export)):
        changed = bytearray(export)
        changed[place] ^= 1
        line = export.count(b"\n", 0, place) + 1
        report = verify_lines(bytes(changed), ANCHOR)
        if (report.exit_code, report.bad_line) != (1, line):
            wrong.append((place, line, report.bad_line, report.reason))
    assert wrong == []
    assert len(export) > 2000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "no key statement; the city gives it at enrolment"),
        ("{", "no key statement"),
        ('{"line": "x"}', "no key statement"),
        ('{"line": "x", "sig": "?"}', "no key statement"),
    ],
)
def test_a_bad_statement_is_answered(tmp_path: Path, text: str | None, told: str) -> None:
    path = tmp_path / "statement.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(StatementError, match=told):
        Statement.load(path)


def test_a_statement_is_read_as_the_city_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "statement.json"
    path.write_text('{"line": "x", "sig": "' + base64.b64encode(b"s" * 64).decode() + '"}', encoding="utf-8")
    assert Statement.load(path) == Statement("x", b"s" * 64)


def test_the_header_counts_right_while_plates_are_erased(tmp_path: Path) -> None:
    short_export(tmp_path)
    writer = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    lines = export_lines(Reader(tmp_path / "ledger.db"), statement(), city_key=key_id(ANCHOR))
    first = next(lines)
    writer.execute("DELETE FROM disclosure")
    assert verify_lines((first + "".join(lines)).encode(), ANCHOR).disclosed == 2
    again = "".join(export_lines(Reader(tmp_path / "ledger.db"), statement(), city_key=key_id(ANCHOR)))
    report = verify_lines(again.encode(), ANCHOR)
    assert (report.exit_code, report.disclosed, report.records) == (0, 0, 7)
    assert "浙" not in again


@pytest.mark.parametrize(
    ("chain", "key", "told"),
    [
        (CHAIN, Signer(KEY).key, ""),
        ("gw-2", Signer(KEY).key, "is of chain 'gw-1'"),
        (CHAIN, "0" * 16, "ask the city for the statement of this key"),
    ],
)
def test_a_statement_of_something_else_is_refused(chain: str, key: str, told: str) -> None:
    if not told:
        return statement().check(chain=chain, key=key)
    with pytest.raises(StatementError, match=told):
        statement().check(chain=chain, key=key)
    return None


def test_an_export_over_a_change_of_the_record_key_holds(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.restart(successor=OTHER_KEY)
    lot.enter()
    lot.engine.close()
    export = "".join(export_lines(Reader(lot.path), statement(), city_key=key_id(ANCHOR))).encode()
    report = verify_lines(export, ANCHOR)
    assert (report.exit_code, [first for _, first in report.keys]) == (0, [1, 6])
    assert first_key(lot.path) == Signer(KEY).key
    assert first_key(tmp_path / "none.db") == ""
