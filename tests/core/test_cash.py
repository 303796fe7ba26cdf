"""Cash: for whom it is taken, by whom, and what the count at the end says."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.city_events import BillWrittenOff, CashTaken, ShiftClosed, ShiftOpened
from gateway.core.commands import OpenBarrier, RaiseAlarm
from gateway.core.exit import WithoutLease
from tests.core.test_corrections import accounts_balance, money, reasons
from tests.core.test_payments import OWED, owing, receivable
from tests.lots import SmallLot


def opened(folder: Path, policy: WithoutLease = WithoutLease.ATTENDANT) -> tuple[SmallLot, str]:
    lot, session = owing(folder, policy)
    lot.step(lot.line(ShiftOpened, "s-1", "wang", 5000))
    return lot, session


def test_cash_at_the_lane_opens(tmp_path: Path) -> None:
    lot, session = opened(tmp_path)
    part = lot.line(CashTaken, "k-1", "", "out", 300, "wang", "s-1")
    assert OpenBarrier("out") not in lot.step(part).commands
    lot.restart()
    assert OpenBarrier("out") in lot.step(lot.line(CashTaken, "k-2", "", "out", 400, "wang", "s-1")).commands
    assert (money(lot, session)[0], receivable(lot), accounts_balance(lot)) == ("paid", 0, True)
    assert lot.rows("SELECT sum(amount_minor) FROM posting WHERE account = 'cash'") == [(OWED,)]
    told = {"session": session, "cash": "k-2", "amount_minor": 400, "attendant": "wang", "shift": "s-1"}
    assert lot.last("cash") == {**told, "dn": 3}


#    counted  difference
@pytest.mark.parametrize(("counted", "difference"), [(5700, 0), (5650, -50), (5800, 100)])
def test_the_count_at_the_end_of_a_shift(tmp_path: Path, counted: int, difference: int) -> None:
    lot, session = opened(tmp_path, WithoutLease.OPEN_ARREARS)
    lot.step(lot.line(CashTaken, "k-1", session, "", OWED, "wang", "s-1"))
    lot.restart()
    commands = lot.step(lot.line(ShiftClosed, "s-1", "wang", counted)).commands
    told = {"shift": "s-1", "attendant": "wang", "payments": 1, "expected_minor": 5700, "counted_minor": counted}
    assert lot.last("shift-closed") == {**told, "difference_minor": difference, "dn": 3}
    alarms = [command.alarm for command in commands if isinstance(command, RaiseAlarm)]
    assert alarms == (["till/s-1"] if difference else [])
    found = lot.rows("SELECT sum(amount_minor) FROM posting WHERE account = 'till-difference'")
    assert (found, accounts_balance(lot)) == ([(-difference or None,)], True)
    assert (lot.engine.memory.tills, lot.rows("SELECT count(*) FROM till")) == ({}, [(0,)])


def test_cash_id_and_shift_mean_one_thing_for_ever(tmp_path: Path) -> None:
    lot, session = opened(tmp_path, WithoutLease.OPEN_ARREARS)
    for amount in (300, 300, 400):
        lot.step(lot.line(CashTaken, "k-1", session, "", amount, "wang", "s-1"))
    lot.step(lot.line(ShiftOpened, "s-1", "wang", 5000), lot.line(ShiftOpened, "s-1", "li", 0))
    for _ in range(2):
        lot.step(lot.line(ShiftClosed, "s-1", "wang", 5300))
    lot.step(lot.line(ShiftClosed, "s-1", "wang", 9), lot.line(CashTaken, "k-2", session, "", 1, "wang", "s-1"))
    lot.step(lot.line(ShiftOpened, "s-1", "wang", 5000))
    other = "id has another content"
    assert reasons(lot) == [other, other, other, "shift is not open"]
    assert (len(lot.lines("cash")), len(lot.lines("shift-closed")), receivable(lot)) == (1, 1, 400)


@pytest.mark.parametrize(
    ("session", "lane", "amount", "attendant", "shift", "reason"),
    [
        ("1.3", "",      OWED + 1, "wang", "s-1", "not a part of the 700 that are owed"),
        ("1.3", "",      0,        "wang", "s-1", "not a part of the 700 that are owed"),
        ("9.9", "",      OWED,     "wang", "s-1", "unknown session"),
        ("",    "out-2", OWED,     "wang", "s-1", "no vehicle is held there"),
        ("",    "none",  OWED,     "wang", "s-1", "no vehicle is held there"),
        ("1.3", "",      OWED,     "li",   "s-1", "shift is of another attendant"),
        ("1.3", "",      OWED,     "wang", "s-2", "shift is not open"),
    ],
)  # fmt: skip
def test_what_is_refused(
    tmp_path: Path, session: str, lane: str, amount: int, attendant: str, shift: str, reason: str
) -> None:
    lot, _ = opened(tmp_path, WithoutLease.OPEN_ARREARS)
    lot.step(lot.line(CashTaken, "k-1", session, lane, amount, attendant, shift))
    assert (reasons(lot), receivable(lot), lot.lines("cash")) == ([reason], OWED, [])


def test_nobody_takes_cash_for_what_the_city_debits(tmp_path: Path) -> None:
    lot, session = opened(tmp_path, WithoutLease.OPEN_ARREARS)
    lot.step(lot.lease(session, OWED))
    lot.step(lot.line(CashTaken, "k-1", session, "", OWED, "wang", "s-1"))
    assert reasons(lot) == ["session is due"]


def test_cash_for_what_was_given_up(tmp_path: Path) -> None:
    lot, session = opened(tmp_path, WithoutLease.OPEN_ARREARS)
    lot.step(lot.line(BillWrittenOff, "w-1", session, "no address"))
    lot.step(lot.line(CashTaken, "k-1", session, "", OWED, "wang", "s-1"))
    assert (money(lot, session), lot.last("cash")["recovered_minor"]) == (("paid", OWED, 0, 0, OWED), OWED)
