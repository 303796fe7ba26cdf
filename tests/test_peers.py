"""What other gateways' users lost, in the small: docs/PEERS.md names these tests; the full figures are by tests.soak_peers."""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
import signal
import sqlite3
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.moment import Moment
from gateway.quote import shipped_tariff
from gateway.shell import broker_client
from gateway.shell.mqtt import WINDOW
from gateway.shell.signer import Signer
from gateway.store.journal import Journal
from gateway.sync.uplink import Uplink
from tests import peers_backlog
from tests.lots import CHAIN, HOUR_MS, KEY, SmallLot, at
from tests.peers import Tap, cut_again_and_again, drained, failed_connects, refused_link, signalled, silent_link

YEAR_MS = 365 * 86_400_000
SEED = 1


def test_a_silent_link_loses_nothing(tmp_path: Path) -> None:
    found = asyncio.run(silent_link(tmp_path, silent_s=0.5, burst=20))
    assert (found.records, found.connections) == (2 + 12 * 20, 2)


def test_a_refused_link_loses_nothing(tmp_path: Path) -> None:
    found = asyncio.run(refused_link(tmp_path, refused_s=0.5, burst=20))
    assert found.records == 2 + 12 * 20
    assert found.connections >= 2


def test_a_link_that_is_cut_again_and_again_empties_the_backlog_within_the_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_client, "RECONNECT_MIN_S", 0)
    found = asyncio.run(cut_again_and_again(tmp_path, backlog=2000, every_s=0.03, cuts=8))
    assert found.records == 2002
    assert found.connections > 8
    assert 1 < found.most_under_way <= WINDOW


def test_a_backlog_drains_by_itself(tmp_path: Path) -> None:
    found = asyncio.run(drained(tmp_path, backlog=1000))
    assert found.records == 1002
    assert found.per_s > 20


def test_the_tap_counts_what_is_under_way() -> None:
    tap = Tap()
    long = b"\x32\x80\x01" + bytes(128)
    stream = b"\x10\x00" + long + b"\x32\x01x\x30\x01y"
    for byte in stream:
        tap.seen(1, True, bytes((byte,)))
    assert (tap.published, tap.most) == (2, 2)
    tap.seen(1, False, b"\x40\x02ab")
    tap.seen(1, True, long)
    tap.seen(2, True, long)
    assert (tap.published, tap.most, tap.connections) == (4, 2, 2)


def test_failed_connects_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_client, "RECONNECT_MIN_S", 0)
    grown_bytes, connects, threads = asyncio.run(failed_connects(1000))
    assert (connects >= 1000, threads) == (True, 0)
    assert grown_bytes < 5 << 20


def test_a_start_with_a_large_backlog_reads_a_bounded_part_of_it(tmp_path: Path) -> None:
    peaks = []
    for records in (500, 1500):
        folder = tmp_path / str(records)
        folder.mkdir()
        peers_backlog.make(folder, records)
        tracemalloc.start()
        waiting, spent_s = peers_backlog.start(folder)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert waiting == records + 3
        assert spent_s < 30
    assert peaks[1] < 1.1 * peaks[0]


@pytest.mark.parametrize("step_ms", [-10 * YEAR_MS, -HOUR_MS, HOUR_MS, 10 * YEAR_MS])
@pytest.mark.parametrize("when", ["parked", "at exit", "both"])
def test_a_clock_that_jumps_changes_no_bill_and_is_written_down(tmp_path: Path, step_ms: int, when: str) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()

    def off(ms: int, *, by_ms: int) -> Moment:
        lot.now_ms += ms
        moment = at(lot.now_ms)
        return replace(moment, wall_ms=moment.wall_ms + by_ms)

    parked_ms, exit_ms = {"parked": (step_ms, 0), "at exit": (0, step_ms), "both": (step_ms, step_ms)}[when]
    lot.engine.step((lot.bay("b1", True),), off(HOUR_MS, by_ms=parked_ms))
    lot.engine.step((lot.read("out"),), off(HOUR_MS, by_ms=exit_ms))
    assert lot.last("exit")["amount_minor"] == 700
    moved = [line["body"]["to"] - line["body"]["from"] for line in lot.lines("clock")]
    assert [ms > 0 for ms in moved] == [ms > 0 for ms in (parked_ms, exit_ms - parked_ms) if ms]


def test_a_configuration_that_is_applied_again_and_again_changes_nothing_that_was_written(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    sound = lot.engine.memory.rules
    other = replace(sound, tariff=shipped_tariff("hangzhou-2012-garage-6"), max_stay_ms=HOUR_MS)
    for number in range(20):
        before, books = lot.lines(), lot.rows("SELECT * FROM session")
        lot._rules = other if number % 4 == 1 else sound
        lot.restart()
        assert lot.lines()[:-1] == before
        assert lot.lines()[-1]["type"] == "start"
        assert lot.rows("SELECT * FROM session") == books
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert (lot.last("exit")["session"], lot.last("exit")["amount_minor"]) == (session, 700)


def test_numbers_go_on_after_everything_was_receipted_and_the_gateway_started_again(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    head_n = lot.lines()[-1]["n"]
    lot.step(lot.receipt(head_n))
    lot.engine.close()
    started = lot.restart()
    assert (started.receipted_n, started.head_n) == (head_n, head_n + 1)
    uplink = Uplink(CHAIN, 1)
    uplink.start(started.head_n, started.receipted_n)
    uplink.connected(0)
    lot.step(lot.bay("b1", True), lot.passed("out"))
    uplink.committed(lot.journal.head().n)
    first, limit = uplink.wanted() or (0, 0)
    assert first == head_n + 1
    assert [record.n for record in lot.engine.records(first, limit)] == list(range(first, first + limit))
    assert limit >= 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_at_any_moment_leaves_all_that_was_acknowledged_on_the_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, number: signal.Signals
) -> None:
    found = asyncio.run(signalled(tmp_path, number, rounds=3, seed=SEED))
    print(f"seed {SEED}: {found}")
    assert found.events == found.booked > 3
    assert found.acknowledged_early == 0
    # What a step that was under way brings about after the end is no fault.
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


def nothing(_whole: bytes) -> bytes:
    return b""


def noise(whole: bytes) -> bytes:
    return random.Random(SEED).randbytes(len(whole))


@pytest.mark.parametrize(
    ("file", "damaged", "becomes"),
    [
        ("ledger.db",     lambda whole: whole[: len(whole) // 2],                  "refused"),
        ("ledger.db",     lambda whole: whole[:50],                                "refused"),
        ("ledger.db",     lambda whole: bytes(len(whole)),                         "refused"),
        ("ledger.db",     lambda whole: bytes(4096) + whole[4096:],                "refused"),
        ("ledger.db",     noise,                                                   "refused"),
        ("ledger.db",     nothing,                                                 "less"),
        ("ledger.db-wal", lambda whole: whole[: len(whole) // 2],                  "less"),
        ("ledger.db-wal", nothing,                                                 "less"),
        ("ledger.db-wal", lambda whole: bytes(len(whole)),                         "less"),
        ("ledger.db-wal", noise,                                                   "less"),
        ("ledger.db-wal", lambda whole: whole,                                     "whole"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_by_the_start_or_by_the_first_receipt(
    tmp_path: Path, file: str, damaged: Callable[[bytes], bytes], becomes: str
) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    # Half of what was written lies in the file, half in its log.
    lot.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    lot.step(lot.read("out"), lot.passed("out"))
    lines = lot.lines()
    receipt = lot.receipt(lines[-1]["n"])
    after = tmp_path / "after"
    shutil.copytree(tmp_path, after, ignore=shutil.ignore_patterns("*-shm", "after"))
    (after / file).write_bytes(damaged((after / file).read_bytes()))
    try:
        Journal(after / "ledger.db", chain=CHAIN, instance="test").check(Signer(KEY).made)
    except sqlite3.Error:
        assert becomes == "refused"
        return
    other = SmallLot(after)
    kept = other.lines()[:-1]
    assert becomes == ("whole" if kept == lines else "less")
    assert kept == lines[: len(kept)] or [line["type"] for line in kept] == ["genesis"]
    assert other.step(receipt).forked is (becomes == "less")
