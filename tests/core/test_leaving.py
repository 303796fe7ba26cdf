"""At the exit: who is billed, who is let out, and what a repeat changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.commands import OpenBarrier, ShowText
from gateway.core.events import BarrierSelfOpened, BudgetSpent, SelfOpening
from gateway.core.exit import WithoutLease
from gateway.core.moment import ClockQuality
from gateway.engine import Outcome
from tests.lots import HOUR_MS, SmallLot, at, plate


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


@pytest.mark.parametrize("restarted", [False, True])
def test_an_exit_repeats_the_commitment_of_its_entry(tmp_path: Path, restarted: bool) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    if restarted:
        lot.restart()
    lot.wait(HOUR_MS)
    lot.step(lot.read("out"))
    assert lot.last("exit")["plate"] == lot.last("entry")["plate"]


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


def held(folder: Path) -> tuple[SmallLot, str]:
    """A vehicle that was told its amount at `out` and backed out again."""
    lot = SmallLot(folder, policy=WithoutLease.PAY_HERE)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.backed_out("out"))
    return lot, session


@pytest.mark.parametrize("restart", [False, True])
def test_a_held_vehicle_that_tries_another_exit_is_held_there_for_the_same_bill(tmp_path: Path, restart: bool) -> None:
    lot, session = held(tmp_path)
    if restart:
        lot.restart()
    done = lot.step(lot.read("out-2"))
    assert (opens(done, "out-2"), text(done)) == (False, "请扫码付费 7.00元")
    assert len(lot.lines("exit")) == 1
    assert opens(lot.step(lot.payment(session, 700)), "out-2")
    lot.step(lot.passed("out-2"))
    assert lot.last("left") == {"session": session, "lane": "out-2", "at": lot.last("left")["at"]}


def test_another_vehicle_does_not_inherit_the_place_of_a_held_one(tmp_path: Path) -> None:
    lot, session = held(tmp_path)
    lot.step(lot.read("out", plate("沪B54321")))
    lot.step(lot.passed("out"))
    assert lot.rows(f"SELECT state FROM session WHERE id = '{session}'") == [("held",)]
    assert text(lot.step(lot.read("out"))) == "请扫码付费 7.00元"


def test_a_vehicle_that_came_back_after_an_exit_that_nobody_saw_it_pass_is_billed(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    for _ in range(2):
        lot.enter()
        lot.wait(2 * HOUR_MS)
        assert opens(lot.step(lot.read("out")))
        lot.wait(60_000)
    assert [line["body"]["amount_minor"] for line in lot.lines("exit")] == [700, 700]


@pytest.mark.parametrize(
    ("reads", "billed"),
    [
        # confidence of each read of the same vehicle -> exit records and what they bill
        ((60, 99),     [0, 700]),
        ((60, 60, 99), [0, 700]),
        ((60, 60),     [0]),
        ((99, 60),     [700]),
        ((99, 99),     [700]),
    ],
)  # fmt: skip
def test_a_certain_read_after_one_of_doubt_is_billed_once(
    tmp_path: Path, reads: tuple[int, ...], billed: list[int]
) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    for confidence in reads:
        assert opens(lot.step(lot.read("out", plate(confidence=confidence))))
    assert [line["body"]["amount_minor"] for line in lot.lines("exit")] == billed


S, I_, U = ClockQuality.SYNCHRONISED, ClockQuality.INFORMATIVE, ClockQuality.UNKNOWN


@pytest.mark.parametrize(
    ("entry", "leave", "boot", "billed"),
    [
        # clock at entry, at exit, boot at exit -> fen; the wall clock says two hours throughout
        (S,  S,  "boot-1", 700),
        (U,  U,  "boot-1", 700),
        (S,  S,  "boot-2", 700),
        (S,  I_, "boot-2", 700),
        (U,  S,  "boot-2", 0),
        (S,  U,  "boot-2", 0),
    ],
)  # fmt: skip
def test_a_stay_whose_length_no_clock_can_tell_is_not_billed(
    tmp_path: Path, entry: ClockQuality, leave: ClockQuality, boot: str, billed: int
) -> None:
    lot = SmallLot(tmp_path)
    lot.engine.step([lot.read("in"), lot.passed("in")], at(1000, quality=entry))
    done = lot.engine.step([lot.read("out")], at(1000 + 2 * HOUR_MS, boot=boot, quality=leave))
    assert opens(done)
    assert lot.last("exit")["amount_minor"] == billed
    state = lot.rows("SELECT state FROM session WHERE id = '1.3'")
    if billed == 0:
        assert lot.last("review") == {"session": "1.3", "reason": "length of the stay not known"}
        assert state == [("review",)]
    else:
        assert state == [("arrears",)]


def test_a_read_of_before_the_nodes_restart_is_reviewed_since_nobody_knows_its_age(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.wait(9 * HOUR_MS)
    read = lot.read("out")
    done = lot.step(replace(read, source=replace(read.source, early=True)))
    assert opens(done)
    assert lot.last("review") == {"session": session, "reason": "length of the stay not known"}
    assert lot.rows("SELECT count(*) FROM posting") == [(0,)]


def test_an_exit_that_seems_to_be_before_its_entry_bills_nobody(tmp_path: Path) -> None:
    """The entry's node restarted before it could tell, so that its report seems younger than it is."""
    lot = SmallLot(tmp_path)
    session = lot.enter()
    read = lot.read("out", plate())
    done = lot.step(replace(read, source=replace(read.source, age_ms=HOUR_MS)))
    review, exit_ = lot.last("review"), lot.last("exit")
    assert (review["session"], review["reason"]) == (session, "length of the stay not known")
    assert (exit_["outcome"], exit_["amount_minor"], opens(done)) == ("review", 0, True)
