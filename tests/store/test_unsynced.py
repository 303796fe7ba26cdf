"""A commit that raised and is read back must not vanish after it went up to the city."""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path

import pytest

from gateway.store.journal import Journal
from gateway.store.unsynced import write_log_again
from sim.disk import Disk


def test_what_a_start_reads_outlives_a_power_cut_although_its_sync_failed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    disk = Disk(path, random.Random(1))
    journal = Journal(path, chain="gw", instance="one")
    disk.bad_sync = True
    with pytest.raises(sqlite3.OperationalError):
        journal.next_hello()
    _stop(journal, disk)
    journal = Journal(path, chain="gw", instance="one")
    read = journal.next_hello()
    assert read == 2
    _stop(journal, disk)
    disk.cut_power()
    journal = Journal(path, chain="gw", instance="one")
    assert journal.next_hello() == read + 1
    journal.close()
    disk.unmount()


def _stop(journal: Journal, disk: Disk) -> None:
    disk.gone = True
    journal._connection.close()
    disk.again()


def test_the_bytes_and_the_file_stay_the_same(tmp_path: Path) -> None:
    log = tmp_path / "ledger.db-wal"
    log.write_bytes(os.urandom(3_000_001))
    before, inode = log.read_bytes(), log.stat().st_ino
    write_log_again(tmp_path / "ledger.db")
    assert (log.read_bytes(), log.stat().st_ino) == (before, inode)


def test_no_log_is_nothing(tmp_path: Path) -> None:
    write_log_again(tmp_path / "ledger.db")
    assert list(tmp_path.iterdir()) == []
