"""The reading end: reads while the writer writes, and never writes."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.store.reader import PAGE_RECORDS, Reader, ReaderError
from tests.lots import HOUR_MS, SmallLot


def test_reads_beside_the_writer(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    reader = Reader(lot.path)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert (reader.chain(), reader.head_n(), reader.billed_minor()) == ("gw-1", 5, 700)
    assert [record.n for record in reader.records()] == [1, 2, 3, 4, 5]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM record")


def test_pages_follow_each_other(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    for _ in range(PAGE_RECORDS):
        lot.step(lot.passed("out"))
    assert [record.n for record in Reader(lot.path).records(3)] == list(range(3, PAGE_RECORDS + 3))


def test_the_newest_receipt_up_to_a_record(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    reader = Reader(lot.path)
    assert reader.last_receipt(9) is None
    lot.step(lot.receipt(2))
    lot.step(lot.passed("out"))
    found = reader.last_receipt(9)
    assert found is not None
    assert (found.n, found.line) == (2, "receipt 2")
    assert reader.last_receipt(1) is None


def test_no_ledger_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"nothing\.db: no ledger"):
        Reader(tmp_path / "nothing.db")


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "lot 1?mode=rwc#%41"
    folder.mkdir()
    lot = SmallLot(folder)
    assert Reader(lot.path).head_n() == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"",                            "no lotgate ledger"),
        (b"a text, not a database" * 99, "can't be read (file is not a database)"),
        (None,                           "no lotgate ledger"),
    ],
)  # fmt: skip
def test_what_is_no_ledger_is_said_so(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "other.db"
    if content is None:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE chain (chain TEXT)")
        connection.close()
    else:
        path.write_bytes(content)
    with pytest.raises(ReaderError) as raised:
        Reader(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert told in str(raised.value)


def test_a_snapshot_sees_nothing_of_what_comes_after_it(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    reader = Reader(lot.path)
    with reader.snapshot():
        assert (reader.head_n(), reader.disclosures()) == (3, 1)
        lot.rows("DELETE FROM disclosure")
        lot.step(lot.passed("out"))
        assert (reader.head_n(), reader.disclosures()) == (3, 1)
    assert (reader.head_n(), reader.disclosures()) == (4, 0)


def test_a_path_that_can_not_be_opened_is_said_so(tmp_path: Path) -> None:
    folder = tmp_path / "ledger.db"
    folder.mkdir()
    # Too long a name stands for every error of the disk itself: nothing may be asked about the file.
    for path in (folder, tmp_path / ("x" * 300) / "ledger.db"):
        with pytest.raises(ReaderError) as raised:
            Reader(path)
        assert str(raised.value).startswith(f"{path}: can't be read (")
        assert str(raised.value).endswith("; look at its permissions and the disk")


def test_a_ledger_is_read_after_its_writer_was_killed(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    lot = SmallLot(first)
    lot.enter()
    shutil.copytree(first, second, ignore=shutil.ignore_patterns("*-shm"))
    assert Reader(second / "ledger.db").head_n() == 3
