"""Long mixed histories: ledger, city and verifier all come to the same money by the records."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import verifier
from gateway.core.city_events import (
    BillCorrected,
    BillVoided,
    BillWrittenOff,
    CashTaken,
    DisputeClosed,
    DisputeOpened,
    ExitAttached,
    InvoiceRequested,
    ShiftClosed,
    ShiftOpened,
)
from gateway.core.entitlement import Way
from gateway.core.events import Woke
from gateway.core.exit import WithoutLease
from gateway.core.session import DAY_MS
from gateway.shell.signer import Signer
from gateway.store.lap import Lap
from gateway.store.reader import Reader
from gateway.store.scrub import Damage, damage
from sim import city_money
from tests import entitled
from tests.lots import HOUR_MS, KEY, SmallLot, plate

STEPS = 400
SEEDS = (1, 4)
POLICIES = (WithoutLease.OPEN_ARREARS, WithoutLease.PAY_HERE)
SIGNED = Signer(KEY).made
LAP_EVERY, LAP_RECORDS = 3, 12
"""Moves between two pieces of the lap beside a history, and records of a piece: more than they write, so that laps end."""
PLATES = tuple(plate(f"浙A{number}0{number}0{number}") for number in range(10))
MONEY = {
    *(
        "exit",
        "attached",
        "paid",
        "cash",
        "arrears",
        "dunning",
        "released",
        "leased",
        "lowered",
        "refund-due",
        "refunded",
    ),
    *(
        "corrected",
        "voided",
        "written-off",
        "disputed",
        "dispute-closed",
        "shift-opened",
        "shift-closed",
        "invoice",
        "day",
    ),
}


def unjudged(_key: str, _data: bytes, _signature: bytes) -> bool:
    """Stands for the check of signatures, which is slow and no matter of money."""
    return True


class History:
    """Draws moves that are mostly legal; every id is new, but for a few that repeat an older message under a new line."""

    def __init__(self, lot: SmallLot, seed: int) -> None:
        self.lot = lot
        self.dice = random.Random(seed)
        self.ids = 0
        self.shift = ""
        self.moved = 0
        self.lap = Lap()
        self.laps: list[Damage | None] = []
        self.moves: tuple[Callable[[], None], ...] = (
            *(self.enter,) * 3,
            *(self.leave,) * 3,
            self.lease,
            *(self.pay,) * 3,
            self.refund,
            self.correct,
            self.end,
            self.dispute,
            self.decide,
            self.benefit,
            self.cash,
            self.turn,
            self.invoice,
            self.attach,
            self.wait,
            self.restart,
        )

    def move(self) -> None:
        self.dice.choice(self.moves)()
        self.moved += 1
        if self.moved % LAP_EVERY:
            return
        ended, found = self.lap.go_on(self.lot.journal._connection, LAP_RECORDS, unjudged)
        if ended or found is not None:
            self.laps.append(found)
            self.lap = Lap()

    def id(self) -> str:
        self.ids += 1
        return f"x-{self.ids if self.dice.random() > 0.05 else self.dice.randint(1, self.ids)}"

    def stay(self, *states: str) -> tuple[Any, ...]:
        """A session in one of these states, now and then in any: id, bill, what was paid, the record that set the bill."""
        sql = "SELECT id, amount_minor, paid_minor, priced_n, state, dispute FROM session ORDER BY id"
        found = self.lot.rows(sql)
        chosen = [row for row in found if row[4] in states]
        if not chosen or self.dice.random() < 0.1:
            chosen = [*found, ("9.9", 0, 0, 0, "", "")]
        return self.dice.choice(chosen)

    def amount(self, whole: int) -> int:
        return self.dice.choice((whole, whole, whole // 2, whole + 100, self.dice.randint(0, 900)))

    def enter(self) -> None:
        self.lot.step(self.lot.read("in", self.dice.choice(PLATES)))
        self.lot.step(self.lot.passed("in"))

    def leave(self) -> None:
        lane = self.dice.choice(("out", "out", "out-2"))
        self.lot.wait(self.dice.randint(0, 4 * HOUR_MS))
        self.lot.step(self.lot.read(lane, self.dice.choice(PLATES)))
        if self.dice.random() < 0.7:
            self.lot.step(self.lot.passed(lane))

    def lease(self) -> None:
        session, amount, *_ = self.stay(self.dice.choice(("inside", "arrears", "held")))
        self.lot.step(self.lot.lease(session, self.amount(amount or 2000)))

    def pay(self) -> None:
        session, amount, *_ = self.stay("due", "arrears", "held", "written-off")
        self.lot.step(self.lot.payment(session, self.amount(amount), paid=self.dice.random() > 0.2))

    def refund(self) -> None:
        session, _, paid, *_ = self.stay("paid", "voided")
        self.lot.step(self.lot.refund(session, self.amount(paid), refund=self.id()))

    def correct(self) -> None:
        session, amount, _, set_by, *_ = self.stay("due", "arrears", "paid", "held", "free")
        self.lot.step(self.lot.line(BillCorrected, self.id(), session, set_by, self.amount(amount), "class"))

    def end(self) -> None:
        session = self.stay("arrears", "due")[0]
        kind = self.dice.choice((BillVoided, BillWrittenOff))
        self.lot.step(self.lot.line(kind, self.id(), session, "told so"))

    def dispute(self) -> None:
        session = self.stay("due", "arrears", "paid")[0]
        self.lot.step(self.lot.line(DisputeOpened, self.id(), session, "not me"))

    def decide(self) -> None:
        session, *_, dispute = self.stay("disputed")
        self.lot.step(self.lot.line(DisputeClosed, dispute or "d", session, self.dice.random() < 0.5))

    def benefit(self) -> None:
        way, value = self.dice.choice(((Way.PERCENT, 30), (Way.MONEY, 200), (Way.FREE, 0)))
        identity = self.dice.choice(PLATES).identity
        self.lot.step(self.lot.grant(entitled.validation(way, value, self.id(), identity, single=True)))

    def cash(self) -> None:
        session, amount, *_ = self.stay("held", "arrears", "written-off")
        taken = (session, "", self.amount(amount), "wang", self.shift or "s-0")
        self.lot.step(self.lot.line(CashTaken, self.id(), *taken))

    def turn(self) -> None:
        if self.shift:
            self.lot.step(self.lot.line(ShiftClosed, self.shift, "wang", self.dice.randint(4000, 6000)))
            self.shift = ""
        else:
            self.ids += 1
            self.shift = f"s-{self.ids}"
            self.lot.step(self.lot.line(ShiftOpened, self.shift, "wang", 5000))

    def invoice(self) -> None:
        self.lot.step(self.lot.line(InvoiceRequested, self.id(), self.stay("paid", "refunded", "voided")[0], 900))

    def attach(self) -> None:
        stray = self.stay("review")[0]
        self.lot.step(self.lot.line(ExitAttached, self.id(), self.stay("inside", "review")[0], stray, "entry", "seen"))

    def wait(self) -> None:
        self.lot.step(Woke(), after_ms=self.dice.choice((HOUR_MS, HOUR_MS, 12 * HOUR_MS, 3 * DAY_MS, 8 * DAY_MS)))

    def restart(self) -> None:
        self.lot.restart()


@pytest.fixture(scope="module")
def drawn_histories(tmp_path_factory: pytest.TempPathFactory) -> list[History]:
    found = []
    for seed in SEEDS:
        for policy in POLICIES:
            print(f"seed {seed}, {policy}")
            lot = SmallLot(tmp_path_factory.mktemp("history"), policy=policy)
            drawn = History(lot, seed)
            for _ in range(STEPS):
                drawn.move()
            lot.step(Woke(), after_ms=DAY_MS)
            found.append(drawn)
    return found


@pytest.fixture(scope="module")
def histories(drawn_histories: list[History]) -> list[SmallLot]:
    return [drawn.lot for drawn in drawn_histories]


def test_the_histories_hold_everything_that_moves_money(histories: list[SmallLot]) -> None:
    assert {line["type"] for lot in histories for line in lot.lines()} >= MONEY


def test_sessions_and_postings_are_what_the_records_say(histories: list[SmallLot]) -> None:
    for lot in histories:
        assert Reader(lot.path).money_differences() == []


def test_a_start_and_the_scrub_find_no_damage_in_what_is_whole(drawn_histories: list[History]) -> None:
    for drawn in drawn_histories:
        assert drawn.laps == [None] * len(drawn.laps)
        assert len(drawn.laps) > 3
        drawn.lot.journal.check(SIGNED)
        ended, last = False, drawn.lot.journal.head().n
        assert damage(drawn.lot.journal._connection, 1, last, SIGNED) is None
        while not ended:
            ended, found = drawn.lot.journal.scrub(SIGNED)
            assert found is None


def test_every_record_of_money_sums_to_zero_and_every_stay_balances(histories: list[SmallLot]) -> None:
    owed = "amount_minor - lowered_minor - written_off_minor - paid_minor + refunded_minor"
    receivable = (
        "SELECT coalesce(sum(p.amount_minor), 0) FROM posting p WHERE p.session = s.id AND account = 'receivable'"
    )
    for lot in histories:
        assert lot.rows("SELECT n FROM posting GROUP BY n HAVING sum(amount_minor) <> 0") == []
        assert lot.rows(f"SELECT id FROM session s WHERE {owed} <> ({receivable})") == []
        settled = "state IN ('paid', 'free', 'voided', 'refunded', 'written-off')"
        assert lot.rows(f"SELECT id FROM session WHERE {settled} AND {owed} > 0") == []
        assert lot.rows(f"SELECT id FROM session WHERE state IN ('due', 'arrears', 'held') AND {owed} <= 0") == []
        assert lot.rows("SELECT id FROM session WHERE refunded_minor > paid_minor") == []


def test_what_is_due_back_was_told_to_the_unit(histories: list[SmallLot]) -> None:
    """But for stays whose bill was raised again: that takes up what was due back."""
    credit = "max(0, paid_minor - refunded_minor - amount_minor + lowered_minor + written_off_minor)"
    for lot in histories:
        due: dict[str, int] = {}
        for line in lot.lines():
            sign = {"refund-due": 1, "refunded": -1}.get(line["type"], 0)
            if sign:
                amount = line["body"]["amount_minor" if sign > 0 else "due_minor"]
                due[line["body"]["session"]] = due.get(line["body"]["session"], 0) + sign * amount
        raised = {
            line["body"]["session"]
            for line in lot.lines("corrected")
            if line["body"]["amount_minor"] > line["body"]["before_minor"]
        }
        stored = {id_: minor for id_, minor in lot.rows(f"SELECT id, {credit} FROM session") if id_ not in raised}
        assert stored == {id_: due.get(id_, 0) for id_ in stored}


def test_the_city_and_the_verifier_come_to_the_same(histories: list[SmallLot]) -> None:
    for lot in histories:
        books = verifier._Books()
        purses: dict[str, city_money.Purse] = {}
        lines, first, days = lot.lines(), 1, 0
        for line in lines:
            kind, body = line["type"], line["body"]
            if kind == "day":
                stretch = [(one["type"], one["body"]) for one in lines[first - 1 : line["n"] - 1]]
                open_minor = sum(purse.open_minor for purse in purses.values())
                assert body["figures"] == city_money.figures(stretch, open_minor)
                first, days = line["n"] + 1, days + 1
            books.record(line["n"], kind, body)
            if city_money.is_money(kind, body):
                purse = purses.get(body["session"], city_money.Purse())
                purses[body["session"]] = city_money.after(purse, kind, body)
        assert days > 3
        sql = "SELECT id, amount_minor, paid_minor, refunded_minor FROM session WHERE priced_n > 0"
        stored = {id_: tuple(money) for id_, *money in lot.rows(sql)}
        assert stored == {id_: (p.billed_minor, p.paid_minor, p.refunded_minor) for id_, p in purses.items()}
        assert stored == {id_: (p.billed, p.paid, p.refunded) for id_, p in books.purses.items()}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE session SET paid_minor = paid_minor + 1 WHERE id = '1.3'",                 "session 1.3: stored"),
        ("UPDATE session SET state = 'paid' WHERE id = '1.3'",                              "session 1.3: stored"),
        ("DELETE FROM posting WHERE account = 'receivable'",                                "by its record, and not stored"),
        ("UPDATE posting SET amount_minor = amount_minor + 1 WHERE account = 'receivable'", "stored, and by no record"),
    ],
)  # fmt: skip
def test_a_difference_is_named(tmp_path: Path, change: str, named: str) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert Reader(lot.path).money_differences() == []
    lot.rows(change)
    assert named in " ".join(Reader(lot.path).money_differences())
