"""The step: all or nothing, once, chained and signed, and a restart that knows what the dead engine knew."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from gateway.core.city_events import ReceiptArrived
from gateway.core.commands import RaiseAlarm
from gateway.core.events import Event, HelpCalled, Woke
from gateway.core.record import canonical, record_hash, signed_bytes
from gateway.engine import RECEIPT_KEPT_MS
from tests.lots import HOUR_MS, KEY, SmallLot, at, plate, state_of


def day(lot: SmallLot) -> None:
    """A day in which something of everything happens."""
    lot.step(lot.read("in", plate("浙A00001")))
    lot.step(lot.passed("in"), lot.read("in", plate("浙A00002")))
    lot.step(lot.passed("in"), lot.bay("b1", True))
    lot.step(lot.lease("1.3", 5000))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out", plate("浙A00001")))
    lot.step(lot.passed("out"), lot.read("out-2", plate("浙A99999")))
    lot.step(lot.payment("1.3", 700))
    lot.step(lot.read("out", plate("浙A00002")), lot.bay("b1", False))
    lot.step(HelpCalled(lot.source("out"), "out"))


def test_the_chain_holds_and_no_line_knows_a_plate(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    day(lot)
    prev = "0" * 64
    for n, record in enumerate(lot.engine.records(1, 100), 1):
        line = json.loads(record.line)
        assert (record.n, line["n"], line["prev"]) == (n, n, prev)
        assert canonical(line) == record.line
        KEY.public_key().verify(record.signature, signed_bytes(record.line))
        prev = record_hash(record.line).hex()
        assert "浙" not in record.line
    salts = [row[0] for row in lot.rows("SELECT salt FROM disclosure")]
    assert salts
    assert not [salt for salt in salts for record in lot.engine.records(1, 100) if salt in record.line]


def test_postings_sum_to_zero_in_every_record(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    day(lot)
    assert lot.rows("SELECT n FROM posting GROUP BY n HAVING sum(amount_minor) <> 0") == []
    assert lot.rows("SELECT count(*) > 0 FROM posting") == [(1,)]


@pytest.mark.parametrize("steps", range(1, 12))
def test_a_restart_knows_what_the_dead_engine_knew(tmp_path: Path, steps: int) -> None:
    lot = SmallLot(tmp_path)
    taken = 0
    step = lot.step

    def counted(*events: Event, after_ms: int = 1000) -> object:
        nonlocal taken
        taken += 1
        return step(*events, after_ms=after_ms) if taken <= steps else None

    lot.step = counted  # type: ignore[method-assign,assignment]
    day(lot)
    before = state_of(lot.engine.memory)
    lot.restart()
    after = state_of(lot.engine.memory)
    assert before == after


def test_an_event_counts_once(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    read, passed = lot.read("in"), lot.passed("in")
    lot.step(read, passed)
    before = lot.lines()
    assert lot.step(read, passed).acked == {}
    lot.restart()
    assert lot.step(passed).acked == {}
    assert [line for line in lot.lines() if line["type"] == "entry"] == [
        line for line in before if line["type"] == "entry"
    ]


def test_a_new_log_of_the_same_node_counts_anew(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in"), lot.passed("in"))
    source = lot.source("in")
    again = type(source)(source.uid, 8, 1, 0)
    assert lot.step(HelpCalled(again, "in")).acked == {source.uid: (8, 1)}


def test_an_error_in_a_step_leaves_all_or_nothing(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.rows("CREATE TRIGGER full BEFORE INSERT ON posting BEGIN SELECT raise(ABORT, 'disk is full'); END")
    records = len(lot.lines())
    read = lot.read("out")
    with pytest.raises(sqlite3.IntegrityError, match="disk is full"):
        lot.step(read)
    lot.rows("DROP TRIGGER full")
    lot.restart()
    assert len(lot.lines()) == records + 1
    assert lot.lines("exit") == []
    lot.step(read)
    assert lot.last("exit")["amount_minor"] == 700


@pytest.mark.parametrize("by", ["time", "close"])
def test_a_receipt_costs_no_commit_of_its_own_at_once(tmp_path: Path, by: str) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    done = lot.step(lot.receipt(2))
    assert (done.receipted_n, lot.rows("SELECT receipted FROM chain")) == (2, [(0,)])
    lot.engine.idle(at(lot.now_ms + RECEIPT_KEPT_MS - 1))
    assert lot.rows("SELECT receipted FROM chain") == [(0,)]
    if by == "time":
        lot.engine.idle(at(lot.now_ms + RECEIPT_KEPT_MS))
    else:
        lot.engine.close()
        lot.restart()
    assert lot.rows("SELECT receipted, (SELECT n FROM receipt) FROM chain") == [(2, 2)]


def test_receipts_move_forward_only(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    assert lot.step(lot.receipt(3)).receipted_n == 3
    assert lot.step(lot.receipt(2)).receipted_n == 3


@pytest.mark.parametrize("n", [2, 99])
def test_a_receipt_for_another_chain_is_a_fork(tmp_path: Path, n: int) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    done = lot.step(ReceiptArrived(1, n, b"x" * 32, "line", bytes(64)))
    assert (done.forked, done.receipted_n) == (True, 0)
    assert any(isinstance(command, RaiseAlarm) and command.alarm == "fork/chain" for command in done.commands)


def test_a_heartbeat_signs_the_totals_once_an_hour(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    for _ in range(4):
        lot.step(Woke(), after_ms=HOUR_MS // 2)
    beats = [line["body"] for line in lot.lines("heartbeat")]
    assert beats == [{"entries": 1, "exits": 0, "billed_minor": 0, "inside": 1, "occupied": 0}] * 2


def test_every_start_is_written_down(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.restart()
    assert [line["type"] for line in lot.lines()] == ["genesis", "start", "start"]
