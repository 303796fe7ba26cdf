"""Payments of a city's own protocol: discounts, parts, a surplus, orders told twice; the records alone make the books."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.core.commands import OpenBarrier, RaiseAlarm
from gateway.core.exit import WithoutLease
from gateway.core.platform_events import UploadRefused
from gateway.core.session import State
from gateway.engine import Outcome
from gateway.forms import Rejection
from gateway.store.reader import Reader
from tests.laps import SIGNED, lap
from tests.lots import HOUR_MS, START_MS, SmallLot
from tests.platforms import PlatformLot, push_of

OWED = 700


def leave(lot: PlatformLot, *, cap: int = 100_000, passed: bool = True) -> str:
    """A stay of two hours to its exit; the bill's id."""
    session = lot.enter()
    if cap:
        authorize(lot, cap)
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    if passed:
        lot.step(lot.passed("out"))
    return str(lot.rows(f"SELECT bill FROM platform_bill WHERE session = '{session}' ORDER BY exit_n DESC")[0][0])


def authorize(lot: PlatformLot, cap: int = 100_000, request: int = 7) -> None:
    content = {"plateNo": "浙A·12345", "plateColor": 1, "noSense": 1, "departurePay": 1, "moneyLimit": cap}
    lot.push([push_of("departurePayInfo", content, request)])


def result(lot: PlatformLot, bill: str, paid: int, *, request: int, **more: Any) -> Outcome:
    """Push how a debit ended, as one step."""
    content = {"plateNo": "浙A12345", "billID": bill, "payStatus": 1, "actualPay": paid, "orderCode": f"P{request}"}
    message = push_of("payResult", content | {"discountAmount": 0, "dealTime": "2026-11-02 10:00:00"} | more, request)
    event = lot.pushes.receive(message.topic, message.payload)
    assert event is not None
    assert not isinstance(event, Rejection)
    return lot.step(event)


def money(lot: SmallLot) -> tuple[str, int, int, int]:
    """State, bill, what was taken off it, what was paid."""
    row = lot.rows("SELECT state, amount_minor, lowered_minor, paid_minor FROM session WHERE lane_in <> ''")[0]
    return str(row[0]), int(row[1]), int(row[2]), int(row[3])


def holds(lot: SmallLot) -> bool:
    """Every record sums to zero, and sessions and postings are what the records say."""
    uneven = lot.rows("SELECT n FROM posting GROUP BY n HAVING sum(amount_minor) <> 0")
    lot.journal.check(SIGNED)
    return uneven == [] and Reader(lot.path).money_differences() == [] and lap(lot) == []


@pytest.mark.parametrize(("results", "state", "lowered", "due_back", "apart"), [
    ([(700, 0)],             State.PAID,  0,     [],    []),
    ([(600, 100)],           State.PAID,  100,   [],    []),
    ([(300, 0), (400, 0)],   State.PAID,  0,     [],    [-400]),
    ([(300, 0), (300, 100)], State.PAID,  100,   [],    [-400]),
    ([(699, 0)],             State.DUE,   0,     [],    [-1]),
    ([(900, 0)],             State.PAID,  0,     [200], [200]),
    ([(700, 0), (700, 0)],   State.PAID,  0,     [700], [700]),
    ([(600, 200)],           State.PAID,  200,   [100], [100]),
    ([(0, 700)],             State.FREE,  700,   [],    []),
    ([(0, 700), (50, 0)],    State.PAID,  700,   [50],  [50]),
])  # fmt: skip
def test_parts_discounts_and_surplus(
    tmp_path: Path, results: list[tuple[int, int]], state: State, lowered: int, due_back: list[int], apart: list[int]
) -> None:
    lot = PlatformLot(tmp_path)
    bill = leave(lot)
    for number, (paid, discount) in enumerate(results, 20):
        result(lot, bill, paid, request=number, discountAmount=discount)
    assert money(lot) == (state, OWED, lowered, sum(paid for paid, _ in results))
    assert [line["body"]["amount_minor"] for line in lot.lines("refund-due")] == due_back
    assert [line["body"]["amount_minor"] for line in lot.lines("difference")] == apart
    assert lot.rows("SELECT owed_minor, paid_minor FROM platform_bill") == [(OWED, sum(paid for paid, _ in results))]
    assert holds(lot)


def test_an_order_is_booked_once_for_ever(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    bill = leave(lot)
    result(lot, bill, 700, request=20)
    lot.rows("DELETE FROM platform_push")
    lot.restart()
    result(lot, bill, 700, request=21, orderCode="P20")
    result(lot, bill, 700, request=22, orderCode="P20", dealTime="2026-11-02 11:00:00")
    outcome = result(lot, bill, 700, request=23, orderCode="P20", discountAmount=1)
    assert [line["body"]["payment"] for line in lot.lines("paid")] == ["platform/P20"]
    assert [line["body"]["reason"] for line in lot.lines("refused")] == ["id has another content"]
    assert [c.alarm for c in outcome.commands if isinstance(c, RaiseAlarm)] == [f"payment/{bill}"]
    assert holds(lot)


def test_a_bill_without_an_orders_name_is_paid_once(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    bill = leave(lot)
    for request, paid in ((20, 700), (21, 700), (22, 650)):
        result(lot, bill, paid, request=request, orderCode="", dealTime=str(request))
    assert [line["body"]["payment"] for line in lot.lines("paid")] == [f"platform/{bill}"]
    assert lot.last("refused")["reason"] == "id has another content"


def test_an_order_that_failed_may_still_be_paid(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    bill = leave(lot)
    result(lot, bill, 0, request=20, payStatus=2, orderCode="P1")
    assert money(lot)[0] == State.ARREARS
    result(lot, bill, 700, request=21, orderCode="P1")
    assert money(lot) == (State.PAID, OWED, 0, 700)
    # An old failure under a new request undoes nothing.
    result(lot, bill, 0, request=22, payStatus=2, orderCode="P1")
    result(lot, bill, 0, request=23, payStatus=2, orderCode="P2")
    assert (money(lot)[0], lot.last("refused")["reason"]) == (State.PAID, "session is paid")
    assert holds(lot)


@pytest.mark.parametrize(("paid", "discount", "opens", "state"), [
    (700, 0,   True,  State.PAID),
    (600, 100, True,  State.PAID),
    (0,   700, True,  State.FREE),
    (50,  700, True,  State.PAID),
    (600, 50,  False, State.HELD),
])  # fmt: skip
def test_a_held_vehicle_is_let_out_once_nothing_is_owed(
    tmp_path: Path, paid: int, discount: int, opens: bool, state: State
) -> None:
    lot = PlatformLot(tmp_path, policy=WithoutLease.PAY_HERE)
    bill = leave(lot, cap=0, passed=False)
    outcome = result(lot, bill, paid, request=20, discountAmount=discount)
    assert outcome.commands.count(OpenBarrier("out")) == int(opens)
    assert money(lot)[0] == state
    assert holds(lot)


def test_what_a_held_vehicle_has_paid_is_not_asked_for_again(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, policy=WithoutLease.PAY_HERE)
    bill = leave(lot, cap=0, passed=False)
    lot.step(lot.payment(str(lot.last("exit")["session"]), 200))
    authorize(lot, 500)
    assert lot.lines("released") != []
    assert lot.rows("SELECT bill, owed_minor, applied FROM platform_bill") == [(bill, 500, 1)]


@pytest.mark.parametrize(("exit_", "state"), [(0, State.DUE), (1, State.ARREARS)])
def test_a_refused_application_puts_only_its_own_bill_into_arrears(tmp_path: Path, exit_: int, state: State) -> None:
    lot = PlatformLot(tmp_path)
    leave(lot, passed=False)
    lot.step(lot.backed_out("out"))
    lot.wait(HOUR_MS)
    lot.step(lot.read("out"))
    told = lot.lines("exit")[exit_]
    session = str(told["body"]["session"])
    lot.step(UploadRefused(told["n"], "applyPayment", session, "resultCode 409: no", True, 2 * START_MS))
    assert money(lot)[0] == state
    assert holds(lot)
