"""The step: all or nothing, once, chained and signed, and a restart that knows what the dead engine knew."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.city_events import ReceiptArrived
from gateway.core.commands import RaiseAlarm
from gateway.core.events import Event, HelpCalled, Woke
from gateway.core.record import canonical, record_hash, signed_bytes
from gateway.engine import RECEIPT_KEPT_MS, Engine, Identity
from gateway.shell.signer import Signer
from gateway.store.journal import LedgerError
from tests.lots import CHAIN, HOUR_MS, KEY, LOT, START_MS, SmallLot, at, plate, state_of
from tests.records import OTHER_KEY


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


def everything(lot: SmallLot, session: str) -> list[Event]:
    """One step that writes to every table."""
    return [
        lot.read("out"),
        lot.read("in", plate("沪B54321")),
        lot.passed("in"),
        lot.bay("b2", True),
        lot.lease(session, 5000),
        lot.receipt(2),
    ]


TABLES = ("record", "disclosure", "session", "posting", "lane", "bay", "node", "down", "receipt")


def counts(lot: SmallLot) -> dict[str, int]:
    return {table: lot.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


@pytest.mark.parametrize(
    "fault", [*(f"INSERT ON {table}" for table in TABLES), "UPDATE ON chain", "query_only", "max_page_count"]
)
def test_whatever_a_step_fails_at_nothing_of_it_stays(tmp_path: Path, fault: str) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    events = everything(lot, session)
    before, lines = counts(lot), lot.lines()
    match fault:
        case "query_only":
            lot.rows("PRAGMA query_only = ON")
        case "max_page_count":
            lot.rows("CREATE TABLE ballast (a)")
            lot.rows(
                "CREATE TRIGGER heavy AFTER INSERT ON node BEGIN INSERT INTO ballast VALUES (zeroblob(30000)); END"
            )
            lot.rows(f"PRAGMA max_page_count = {lot.rows('PRAGMA page_count')[0][0]}")
        case _:
            lot.rows(f"CREATE TRIGGER broken BEFORE {fault} BEGIN SELECT raise(ABORT, 'planted'); END")
    with pytest.raises(sqlite3.Error, match=r"planted|readonly|full"):
        lot.step(*events)
    lot.journal._connection.close()
    with sqlite3.connect(lot.path) as connection:
        connection.executescript("DROP TRIGGER IF EXISTS broken; DROP TRIGGER IF EXISTS heavy")
    connection.close()
    lot.restart()
    assert lot.lines()[:-1] == lines
    assert counts(lot) == before | {"record": before["record"] + 1}
    lot.step(*events)
    assert [line["n"] for line in lot.lines()] == list(range(1, len(lot.lines()) + 1))
    assert (lot.last("exit")["amount_minor"], counts(lot)["down"], counts(lot)["receipt"]) == (700, 1, 1)


@pytest.mark.parametrize(
    ("key", "currency", "told"),
    [
        (KEY,                                                     "CNY", ""),
        (Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))), "CNY", "under another record key"),
        (KEY,                                                     "EUR", "amounts are in CNY, not EUR"),
    ],
)  # fmt: skip
def test_a_ledger_keeps_its_key_and_its_currency(
    tmp_path: Path, key: Ed25519PrivateKey, currency: str, told: str
) -> None:
    lot = SmallLot(tmp_path)
    rules = replace(lot.engine.memory.rules, currency=currency)

    def again() -> Engine:
        return Engine(
            identity=Identity(CHAIN, LOT.lot, "test"),
            lot=LOT,
            rules=rules,
            journal=lot.journal,
            signer=Signer(key),
            salt=lambda: "",
        )

    if not told:
        assert again().start(at(0)).head_n == 3
        return
    with pytest.raises(LedgerError, match=told) as raised:
        again()
    assert str(lot.path) in str(raised.value)


@pytest.mark.parametrize(
    ("epoch", "n", "true_hash", "forked", "receipted"),
    [
        # epoch  n  ours   forked  cursor
        (1,      2, True,  False,  2),
        (1,      1, False, False,  2),   # older than what we have: ignored
        (1,      2, False, False,  2),
        (0,      3, True,  False,  2),   # of an earlier epoch
        (2,      2, True,  True,   2),   # of a later one: this ledger was replaced
        (1,      3, True,  False,  3),
        (1,      3, False, True,   2),
        (1,      4, False, True,   2),   # of a record that we never wrote
    ],
)  # fmt: skip
def test_receipts(tmp_path: Path, epoch: int, n: int, true_hash: bool, forked: bool, receipted: int) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.step(lot.receipt(2))
    record_hash = (lot.journal.line_hash(n) if true_hash else None) or b"x" * 32
    done = lot.step(ReceiptArrived(epoch, n, record_hash, "line", bytes(64)))
    assert (done.forked, done.receipted_n) == (forked, receipted)
    assert lot.step().forked is forked


def test_a_receipt_rides_along_with_the_next_commit(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.step(lot.receipt(2))
    lot.step(lot.bay("b1", True))
    assert lot.rows("SELECT receipted, (SELECT max(n) FROM receipt) FROM chain") == [(2, 2)]


def test_a_line_of_the_city_counts_once_even_after_a_kill(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lease = lot.lease(session, 5000)
    assert lot.step(lease, lease).dn == 1
    lot.restart()
    assert lot.step(lease).dn == 1
    assert lot.rows("SELECT count(*) FROM down") == [(1,)]
    assert lot.lines("refused") == []


def test_a_quiet_tick_writes_nothing(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    before = lot.rows("PRAGMA data_version"), lot.lines()
    for _ in range(3):
        assert lot.step(Woke()).commands == ()
    assert (lot.rows("PRAGMA data_version"), lot.lines()) == before


def test_the_old_key_hands_over_and_signs_no_more(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    started = lot.restart(successor=OTHER_KEY)
    lot.enter(plate("浙A00002"))
    keys = [record.key for record in lot.engine.records(1, 100)]
    (n,) = [line["n"] for line in lot.lines("rotate")]
    assert (started.head_n, n) == (n, 5)
    assert keys == [Signer(KEY).key] * n + [Signer(OTHER_KEY).key] * (len(keys) - n)
    OTHER_KEY.public_key().verify(
        lot.engine.records(n + 1, 1)[0].signature, signed_bytes(lot.engine.records(n + 1, 1)[0].line)
    )
    lot.restart()
    lot.key = KEY
    with pytest.raises(LedgerError, match="under another record key"):
        lot.restart()


def test_a_clock_that_was_put_back_is_marked_and_changes_no_bill(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    back = replace(at(lot.now_ms), wall_ms=START_MS - HOUR_MS)
    lot.engine.step((lot.read("out"),), back)
    expected_ms = START_MS + lot.now_ms
    assert lot.last("clock") == {"from": expected_ms, "to": START_MS - HOUR_MS}
    assert [line["type"] for line in lot.lines()][-3:-1] == ["clock", "exit"]
    assert lot.last("exit")["amount_minor"] == 700
    lot.engine.step((lot.passed("out"),), back)
    lot.now_ms += 1
    lot.restart()
    assert lot.last("clock") == {"from": START_MS - HOUR_MS + 1, "to": START_MS + lot.now_ms}
