"""A city's own protocol beside the rules of the lot: vehicles that turn back, exits found late, prices not known."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.city_events import ExitAttached
from gateway.core.commands import RaiseAlarm
from gateway.core.exit import WithoutLease
from gateway.core.platform import find_stay
from gateway.core.session import State
from gateway.sync.hangzhou import tables
from sim.hangzhou import Account
from tests.core.test_charge import HOLIDAY, OF_THE_PLATE, rules, stay
from tests.core.test_platform_money import holds, leave, money, result
from tests.lots import HOUR_MS, plate
from tests.platforms import PlatformLot, push_of

CAR = "浙A12345"
RICH = {CAR: Account(100_000)}
MISREAD = plate("苏E77777")
MINUTE_MS = 60_000


def arrive(lot: PlatformLot, hours: int = 2) -> str:
    """In, authorized, and read at the exit, under whose barrier it stands; its session."""
    session = lot.enter()
    lot.settle()
    lot.wait(hours * HOUR_MS)
    lot.step(lot.read("out"))
    return session


def bills(lot: PlatformLot) -> list[tuple[int, bool, bool, bool]]:
    """Owed, passed, reversed and told, in the order of the exits."""
    rows = lot.rows("SELECT owed_minor, passed, reversed, told FROM platform_bill ORDER BY exit_n")
    return [(owed, bool(passed), bool(back), bool(told)) for owed, passed, back, told in rows]


def outs(lot: PlatformLot) -> list[str]:
    return lot.sent(tables.APPLY, tables.CAR_OUT, tables.ABNORMAL)


def test_an_exit_is_told_once_its_vehicle_is_through(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, RICH)
    arrive(lot)
    lot.settle()
    assert outs(lot) == []
    lot.step(lot.passed("out"))
    lot.settle()
    assert outs(lot) == [tables.APPLY, tables.CAR_OUT]
    assert bills(lot) == [(700, True, False, True)]


def test_what_is_behind_an_exit_waits_with_it_and_a_lost_passage_stops_it_for_half_a_minute_only(
    tmp_path: Path,
) -> None:
    lot = PlatformLot(tmp_path, RICH)
    arrive(lot)
    lot.enter(plate("浙A00002"))
    lot.settle()
    assert len(lot.sent(tables.CAR_IN)) == 1
    lot.wait(MINUTE_MS // 2)
    lot.settle()
    assert lot.sent(tables.CAR_IN, tables.APPLY, tables.CAR_OUT)[1:] == [tables.APPLY, tables.CAR_OUT, tables.CAR_IN]


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_vehicle_that_turns_back_leaves_no_bill_at_the_platform(tmp_path: Path, away: bool, restarted: bool) -> None:
    lot = PlatformLot(tmp_path, RICH)
    session = arrive(lot)
    lot.away = away
    lot.settle()
    lot.step(lot.backed_out("out"))
    lot.settle()
    lot.wait(HOUR_MS)
    if restarted:
        lot.restart()
    lot.away = False
    lot.settle()
    assert outs(lot) == []
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    lot.settle()
    assert outs(lot) == [tables.APPLY, tables.CAR_OUT]
    assert [(bill.owed, bill.paid) for bill in lot.city.bills.values()] == [
        (lot.lines("exit")[-1]["body"]["amount_minor"],) * 2
    ]
    assert money(lot)[0] == State.PAID
    assert [back for _, _, back, _ in bills(lot)] == [True, False]
    assert lot.city.visits[str(lot.rows(f"SELECT uid FROM platform_stay WHERE session = '{session}'")[0][0])].exit
    assert holds(lot)


def turned_back_late(lot: PlatformLot) -> str:
    """It stands under the barrier until its exit is told, and then turns back; the bill that was told."""
    arrive(lot)
    lot.deaf = True
    lot.wait(MINUTE_MS)
    lot.settle()
    assert outs(lot) == [tables.APPLY, tables.CAR_OUT]
    lot.step(lot.backed_out("out"))
    lot.settle()
    return str(lot.applied()["billID"])


def test_a_bill_that_was_told_and_reversed_is_told_as_abnormal(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, RICH)
    bill = turned_back_late(lot)
    assert lot.city.abnormal[bill]["reason"] == "turned back"
    assert bills(lot) == [(700, False, True, True)]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_debit_for_a_reversed_bill_waits_for_the_true_exit_and_counts_there(tmp_path: Path, restarted: bool) -> None:
    lot = PlatformLot(tmp_path, RICH)
    turned_back_late(lot)
    lot.deaf = False
    lot.settle()
    assert (money(lot)[0], lot.lines("paid")) == (State.INSIDE, [])
    if restarted:
        lot.restart()
    lot.wait(3 * HOUR_MS)
    lot.step(lot.read("out"))
    owed = int(lot.last("exit")["amount_minor"])
    assert (money(lot), lot.last("difference")["amount_minor"]) == ((State.DUE, owed, 0, 700), 700 - owed)
    lot.step(lot.passed("out"))
    lot.settle()
    # The platform debits the second bill whole: what it had from the first is due back, and nobody pays twice.
    assert money(lot) == (State.PAID, owed, 0, 700 + owed)
    assert [line["body"]["amount_minor"] for line in lot.lines("refund-due")] == [700]
    assert holds(lot)


def test_a_debit_for_a_reversed_bill_is_told_if_the_vehicle_never_leaves(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, RICH)
    bill = turned_back_late(lot)
    lot.deaf = False
    lot.settle()
    outcome = lot.step(after_ms=25 * HOUR_MS)
    assert lot.last("refused")["reason"] == "the vehicle turned back"
    assert [c.alarm for c in outcome.commands if isinstance(c, RaiseAlarm)] == [f"payment/{bill}"]


def test_a_failed_debit_of_a_reversed_bill_changes_nothing(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    bill = leave(lot, passed=False)
    lot.step(lot.backed_out("out"))
    result(lot, bill, 0, request=20, payStatus=2)
    lot.wait(HOUR_MS)
    lot.step(lot.read("out"))
    result(lot, bill, 0, request=21, payStatus=2, orderCode="other")
    assert (money(lot)[0], lot.lines("refused"), lot.lines("arrears")) == (State.DUE, [], [])


def test_an_attached_bill_is_a_bill(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, RICH)
    session = lot.enter()
    lot.settle()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out", MISREAD))
    lot.step(lot.passed("out"))
    stray = str(lot.last("exit")["session"])
    lot.wait(HOUR_MS)
    lot.step(lot.line(ExitAttached, "a-1", session, stray, "entry", "seen on the picture"))
    lot.settle()
    assert lot.last("attached")["lease"]["dn"] == 0
    assert outs(lot) == [tables.APPLY, tables.CAR_OUT]
    out = next(data for name, data in lot.city.calls if name == tables.CAR_OUT)
    assert (out["outNum"], out["endTime"]) == ("02", lot.applied()["endTime"])
    assert lot.city.totals()["recorded"] == 1
    assert money(lot)[0] == State.PAID
    lot.wait(30 * HOUR_MS)
    lot.settle()
    assert (lot.last("bills-compared")["bills"], lot.last("bills-compared")["apart"]) == (1, 0)
    assert holds(lot)


def test_an_exit_that_was_read_before_its_entry_was_heard_is_told(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.wait(3 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    lot.step(lot.read("in", age_ms=2 * HOUR_MS), lot.passed("in", age_ms=2 * HOUR_MS))
    assert lot.last("paired")["evidence"] == "entry heard late"
    lot.settle()
    # Nothing waits for a passage: it was before.
    assert lot.sent(tables.CAR_IN, tables.CAR_OUT, tables.ABNORMAL) == [tables.CAR_IN, tables.CAR_OUT, tables.ABNORMAL]


def ask(lot: PlatformLot, request: int) -> list[tuple[int, str]]:
    """Push a query for the running bill; amount and verdict of all queries so far."""
    lot.push([push_of("fee", {"plateNo": CAR, "plateColor": 1}, request)])
    return [
        (int(amount), str(verdict))
        for amount, verdict in lot.rows("SELECT amount_minor, verdict FROM platform_push ORDER BY since_ms, request")
    ]


def test_a_price_that_is_not_known_is_no_answer(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, rules=rules(HOLIDAY, "china-2026"))
    lot.enter()
    lot.wait(100 * 24 * HOUR_MS)
    assert ask(lot, 5) == [(0, "price not known")]


def test_a_query_counts_the_plates_earlier_stays(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, rules=rules(OF_THE_PLATE))
    assert stay(lot, 5) == 1300
    lot.wait(HOUR_MS)
    lot.enter()
    lot.wait(6 * HOUR_MS - 1000)
    assert ask(lot, 5) == [(700, "")]


def test_a_query_at_the_exit_is_answered_with_what_is_still_owed(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, policy=WithoutLease.PAY_HERE)
    leave(lot, cap=0, passed=False)
    lot.step(lot.payment(str(lot.last("exit")["session"]), 200))
    assert ask(lot, 5) == [(500, "")]


def test_a_plate_is_found_however_the_platform_spells_it(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.enter()
    assert [find_stay(lot.engine.memory, text, "") is not None for text in ("浙A·12345", "浙a12345", "无牌", "")] == [
        True,
        True,
        False,
        False,
    ]
