"""The disk itself: what a cut takes, what it must leave, and that it harms nobody else."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sim.disk import Disk

LIVES = 4
FUSE_MAX = 200
SEEDS = 30


@contextmanager
def mounted(path: Path, seed: int) -> Iterator[Disk]:
    print(f"seed {seed}")
    disk = Disk(path, random.Random(seed))
    try:
        yield disk
    finally:
        disk.unmount()


def opened(path: Path, synchronous: str = "FULL") -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE IF NOT EXISTS r (n INTEGER PRIMARY KEY, t TEXT)")
    return db


def add(db: sqlite3.Connection, n: int) -> None:
    db.execute("INSERT INTO r VALUES (?, ?)", (n, "x" * 400))


def last(db: sqlite3.Connection) -> int:
    count, most = db.execute("SELECT count(*), coalesce(max(n), 0) FROM r").fetchone()
    assert count == most
    return int(most)


def until_it_fails(db: sqlite3.Connection, acked: int) -> int:
    """The last row whose commit returned."""
    try:
        while True:
            add(db, acked + 1)
            acked += 1
    except sqlite3.OperationalError:
        return acked


def lives(path: Path, seed: int, synchronous: str) -> int:
    """Write through power cuts and kills at any call; how many acknowledged rows are gone."""
    lost = acked = 0
    with mounted(path, seed) as disk:
        for _ in range(LIVES):
            db = opened(path, synchronous)
            found = last(db)
            lost += max(0, acked - found)
            assert found <= acked + 1
            # A killed process's last words are durable only after the next commit, as the gateway's start makes one.
            acked = found + 1
            add(db, acked)
            disk.fuse = disk._dice.randrange(1, FUSE_MAX)
            acked = until_it_fails(db, acked)
            assert disk.gone
            db.close()
            if disk._dice.random() < 0.7:
                disk.cut_power()
            disk.again()
        db = opened(path)
        lost += max(0, acked - last(db))
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()
    return lost


def test_full_loses_nothing_and_normal_does(tmp_path: Path) -> None:
    full = sum(lives(tmp_path / f"full-{seed}.db", seed, "FULL") for seed in range(SEEDS))
    normal = sum(lives(tmp_path / f"normal-{seed}.db", seed, "NORMAL") for seed in range(SEEDS))
    assert full == 0
    assert normal > SEEDS


def test_the_same_seed_is_the_same_disk(tmp_path: Path) -> None:
    for name in ("a.db", "b.db"):
        lives(tmp_path / name, 7, "NORMAL")
    assert (tmp_path / "a.db").read_bytes() == (tmp_path / "b.db").read_bytes()


def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "full.db"
    with mounted(path, 1) as disk:
        db = opened(path)
        add(db, 1)
        disk.full = True
        with pytest.raises(sqlite3.OperationalError, match="full"):
            add(db, 2)
        assert last(db) == 1
        disk.full = False
        add(db, 2)
        assert last(db) == 2
        db.close()


def test_a_failed_sync_is_read_back_and_gone_with_the_power(tmp_path: Path) -> None:
    path = tmp_path / "sync.db"
    with mounted(path, 1) as disk:
        db = opened(path)
        add(db, 1)
        disk.bad_sync = True
        with pytest.raises(sqlite3.OperationalError, match="I/O"):
            add(db, 2)
        disk.gone = True
        db.close()
        disk.again()
        db = opened(path)
        assert last(db) == 2
        add(db, 3)
        disk.gone = True
        db.close()
        disk.cut_power()
        disk.again()
        db = opened(path)
        assert last(db) == 1
        db.close()


def test_other_databases_are_left_alone(tmp_path: Path) -> None:
    with mounted(tmp_path / "mine.db", 1) as disk:
        disk.full = True
        db = opened(tmp_path / "other.db")
        add(db, 1)
        assert (last(db), disk.calls) == (1, 0)
        db.close()
