"""At the exit: who is billed, who is let out, and what a repeat changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.commands import OpenBarrier, ShowText
from gateway.core.events import BarrierSelfOpened, BudgetSpent, SelfOpening
from gateway.core.exit import WithoutLease
from gateway.core.leaving import BILL_LINES_MAX, _bill_lines
from gateway.core.tariff import Bill, BillLine
from gateway.engine import Outcome
from tests.lots import HOUR_MS, SmallLot, plate


def opens(outcome: Outcome, lane: str = "out") -> bool:
    return OpenBarrier(lane) in outcome.commands


def text(outcome: Outcome) -> str:
    return next(command.text for command in outcome.commands if isinstance(command, ShowText))


@pytest.mark.parametrize(
    ("hours", "cap", "policy", "outcome", "amount", "open_", "shown"),
    [
        # stay  lease  policy                        outcome     fen  opens  display
        (0.4,   None,  WithoutLease.PAY_HERE,     "free",       0,  True,  "免费停车 一路平安"),
        (2,     1000,  WithoutLease.PAY_HERE,     "lease",    700,  True,  "先离场后付费 7.00元"),
        (2,      699,  WithoutLease.OPEN_ARREARS, "arrears",  700,  True,  "请离场后补缴 7.00元"),
        (2,     None,  WithoutLease.OPEN_ARREARS, "arrears",  700,  True,  "请离场后补缴 7.00元"),
        (2,     None,  WithoutLease.PAY_HERE,     "pay-here", 700,  False, "请扫码付费 7.00元"),
    ],
)  # fmt: skip
def test_each_outcome(
    tmp_path: Path,
    hours: float,
    cap: int | None,
    policy: WithoutLease,
    outcome: str,
    amount: int,
    open_: bool,
    shown: str,
) -> None:
    lot = SmallLot(tmp_path, policy=policy)
    session = lot.enter()
    if cap is not None:
        lot.step(lot.lease(session, cap))
    lot.wait(int(hours * HOUR_MS) - 5000)
    done = lot.step(lot.read("out"))
    body = lot.last("exit")
    assert (body["outcome"], body["amount_minor"], body["session"]) == (outcome, amount, session)
    assert sum(line["amount_minor"] for line in body["lines"]) == amount
    assert opens(done) is open_
    assert text(done) == shown


@pytest.mark.parametrize(
    ("text_", "confidence", "why"),
    [
        ("浙A12345", 79, "read with doubt"),
        ("浙A12346", 99, "not inside"),
        ("", 0, "no plate"),
    ],
)
def test_an_uncertain_read_opens_and_debits_nobody(tmp_path: Path, text_: str, confidence: int, why: str) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    session = lot.enter()
    lot.step(lot.lease(session, 100_000))
    lot.wait(9 * HOUR_MS)
    done = lot.step(lot.read("out", plate(text_, confidence=confidence)))
    body = lot.last("exit")
    assert opens(done), why
    assert (body["outcome"], body["amount_minor"]) == ("review", 0)
    assert body["session"] != session
    assert lot.rows("SELECT count(*) FROM posting") == [(0,)]
    assert lot.rows(f"SELECT state FROM session WHERE id = '{session}'") == [("inside",)]


@pytest.mark.parametrize("restart", [False, True])
def test_a_second_read_of_the_same_vehicle_only_opens_again(tmp_path: Path, restart: bool) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    if restart:
        lot.restart()
    assert opens(lot.step(lot.read("out")))
    assert len(lot.lines("exit")) == 1
    assert lot.rows("SELECT sum(amount_minor) FROM posting WHERE account = 'receivable'") == [(700,)]


def test_waiting_at_our_barrier_costs_nothing(tmp_path: Path) -> None:
    """The bill ends when the plate was read, however late the gateway hears of it."""
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.wait(HOUR_MS + 1000)
    lot.step(lot.read("out", age_ms=10 * 60_000), after_ms=10 * 60_000 - 20_000)
    assert lot.last("exit")["amount_minor"] == 500


def test_a_held_vehicle_that_leaves_anyway_is_in_arrears(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert lot.rows(f"SELECT state FROM session WHERE id = '{session}'") == [("held",)]
    lot.step(lot.passed("out"))
    assert lot.rows(f"SELECT state FROM session WHERE id = '{session}'") == [("arrears",)]
    assert lot.last("arrears") == {"session": session, "amount_minor": 700, "payment": ""}


def test_a_passage_that_nobody_let_out_is_an_alarm(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.passed("out"))
    assert lot.last("alarm")["cause"] == "passage without a read"


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (SelfOpening.UNANSWERED, "held"),
        (SelfOpening.FIRE, "arrears"),
        (SelfOpening.MAINS, "arrears"),
    ],
)
def test_a_node_that_opened_by_itself_is_an_outage(tmp_path: Path, reason: SelfOpening, state: str) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(BarrierSelfOpened(lot.source("out"), "out", reason))
    assert lot.last("outage")["kind"] == f"node-opened-{reason}"
    assert lot.rows(f"SELECT state FROM session WHERE id = '{session}'") == [(state,)]


def test_a_late_commit_is_an_outage(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(BudgetSpent("out", 203))
    assert (lot.last("outage")["kind"], lot.last("outage")["waited_ms"]) == ("commit-late", 203)


@pytest.mark.parametrize("count", [1, BILL_LINES_MAX, BILL_LINES_MAX + 1, 40])
def test_a_long_bill_folds_its_tail_and_keeps_its_sum(count: int) -> None:
    lines = tuple(BillLine("一", "one", i, i + 1, 1, 100 + i, 100 + i) for i in range(count))
    amount = sum(line.amount_minor for line in lines)
    folded = _bill_lines(Bill(amount, "CNY", lines))
    assert len(folded) == min(count, BILL_LINES_MAX)
    assert sum(line["amount_minor"] for line in folded) == amount  # type: ignore[index,call-overload,misc]
