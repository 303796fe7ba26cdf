"""Hangzhou's protocol whole: every trap of its known clients, an outage of a day, and a death at every counted point."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.core import platform
from gateway.core.exit import WithoutLease
from gateway.core.plate import Colour
from gateway.core.session import State
from gateway.sync.hangzhou import tables
from gateway.sync.hangzhou.terms import Photos, Refusal
from sim.hangzhou import Account
from tests.lots import HOUR_MS, plate
from tests.platforms import CODE, PlatformLot, push_of, terms

CAR = "浙A12345"
RICH = {CAR: Account(100_000)}
MINUTE_MS = 60_000


def authorization(limit: int = 100_000, car: str = CAR, **more: Any) -> dict[str, Any]:
    content = {"plateNo": car, "plateColor": 1, "parkingCode": CODE, "noSense": 1, "departurePay": 1}
    return {**content, "moneyLimit": limit, **more}


def result(bill: str, paid: int, *, status: int = 1, discount: int = 0) -> dict[str, Any]:
    return {
        "plateNo": CAR,
        "billID": bill,
        "payStatus": status,
        "actualPay": paid,
        "discountAmount": discount,
        "dealTime": "2026-11-02 10:00:00",
        "orderCode": "P1",
        "paidType": 3,
        "payType": 101,
    }


def state(lot: PlatformLot, session: str) -> str:
    return str(lot.rows(f"SELECT state FROM session WHERE id = '{session}'")[0][0])


def push_states(lot: PlatformLot) -> list[tuple[str, str]]:
    return [
        (state, verdict)
        for state, verdict in lot.rows("SELECT state, verdict FROM platform_push ORDER BY since_ms, request")
    ]


def stay(lot: PlatformLot, hours: int = 2, car: str = CAR) -> str:
    """A whole stay; its session."""
    session = lot.enter(plate(car))
    lot.settle()
    lot.wait(hours * HOUR_MS)
    lot.step(lot.read("out", plate(car)))
    lot.step(lot.passed("out"))
    return session


# Trap 1: an authorization is lost when it comes too early, again, or raised.


def test_an_authorization_before_the_entry_waits_for_it(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.step(lot.read("in"))
    lot.push([push_of("departurePayInfo", authorization(), 7)])
    assert push_states(lot) == [("waiting", "")]
    lot.restart()
    lot.step(lot.passed("in"))
    session = lot.lines("entry")[-1]["body"]["session"]
    assert lot.engine.memory.inside_sessions()[session].lease is not None
    assert push_states(lot) == [("owed", "")]


def test_an_authorization_before_the_entry_upload_is_acknowledged_counts(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.away = True
    session = lot.enter()
    lot.settle()
    assert lot.sent() == []
    lot.push([push_of("departurePayInfo", authorization(), 7)])
    found = lot.engine.memory.inside_sessions()[session].lease
    assert found is not None
    assert (found.cap_minor, found.dn) == (100_000, 0)


def test_an_authorization_for_nobody_is_refused_in_the_end(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, agreed=terms(refusal=Refusal.SILENT))
    lot.push([push_of("departurePayInfo", authorization(), 7)])
    lot.step(after_ms=11 * MINUTE_MS)
    assert lot.last("refused") == {
        "kind": "authorization", "session": "", "id": "7", "reason": "no stay of this plate", "dn": 0,
    }  # fmt: skip
    lot.settle()
    # Silence is the answer, and never a confirmation.
    assert lot.sent(tables.CONFIRM_AUTHORIZATION) == []
    assert push_states(lot) == [("done", "no stay of this plate")]


def test_what_waits_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "WAITING_MAX", 2)
    lot = PlatformLot(tmp_path)
    for number in range(3):
        lot.push([push_of("departurePayInfo", authorization(car=f"浙B0000{number}"), number)])
    assert push_states(lot) == [("waiting", ""), ("waiting", ""), ("refused", "too many wait")]


def test_a_raised_limit_counts_at_once(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, {CAR: Account(600)})
    session = lot.enter()
    lot.settle()
    lot.city.raise_limit(CAR, 5000, lot.wall_ms)
    lot.settle()
    found = lot.engine.memory.inside_sessions()[session].lease
    assert found is not None
    assert found.cap_minor == 5000


@pytest.mark.parametrize("restarted", [False, True])
def test_a_duplicate_push_changes_nothing_and_is_confirmed_again(tmp_path: Path, restarted: bool) -> None:
    lot = PlatformLot(tmp_path, RICH)
    lot.enter()
    lot.settle()
    before = [line["type"] for line in lot.lines() if line["type"] != "start"]
    confirmed = len(lot.sent(tables.CONFIRM_AUTHORIZATION))
    if restarted:
        lot.restart()
    for request in (100_001, 555):
        lot.push([push_of("departurePayInfo", authorization(), request)])
    lot.settle()
    assert [line["type"] for line in lot.lines() if line["type"] != "start"] == before
    assert len(lot.sent(tables.CONFIRM_AUTHORIZATION)) == confirmed + 2


def test_one_request_means_one_content(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    session = lot.enter()
    lot.push([push_of("departurePayInfo", authorization(1000), 7)])
    lot.push([push_of("departurePayInfo", authorization(9000), 7)])
    lot.push([push_of("departurePayInfo", authorization(9000), 7)])
    found = lot.engine.memory.inside_sessions()[session].lease
    assert found is not None
    assert found.cap_minor == 1000
    assert [line["body"]["reason"] for line in lot.lines("refused")] == ["request has another content"]


@pytest.mark.parametrize("more", [{"noSense": 0}, {"departurePay": 0}, {"moneyLimit": 0}])
def test_what_authorizes_nothing_is_written_down(tmp_path: Path, more: dict[str, int]) -> None:
    lot = PlatformLot(tmp_path)
    session = lot.enter()
    lot.push([push_of("departurePayInfo", authorization(**more), 7)])
    assert lot.engine.memory.inside_sessions()[session].lease is None
    assert lot.last("refused")["reason"] == "authorizes nothing"


def test_a_plate_of_two_colours_is_no_match_without_a_colour(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.enter()
    lot.enter(replace(plate(), colour=Colour.YELLOW))
    content = authorization()
    del content["plateColor"]
    lot.push([push_of("departurePayInfo", content, 7)])
    assert all(s.lease is None for s in lot.engine.memory.inside_sessions().values())
    assert push_states(lot) == [("waiting", "")]


# Traps 2 and 3: a result that is confirmed but lost, and one with a discount.


@pytest.mark.parametrize(("paid", "discount", "status", "end", "records", "success"), [
    (700,   0, 1, State.PAID,    ["paid"],                             True),
    (600, 100, 1, State.PAID,    ["lowered", "paid"],                  True),
    (699,   0, 1, State.DUE,     ["paid", "difference"],               True),
    (600,  50, 1, State.DUE,     ["lowered", "paid", "difference"],    True),
    (800,   0, 1, State.PAID,    ["paid", "refund-due", "difference"], True),
    (700, 100, 1, State.PAID,    ["lowered", "paid", "refund-due", "difference"], True),
    (0,   700, 1, State.FREE,    ["lowered"],                          True),
    (0,   800, 1, State.FREE,    ["lowered", "difference"],            True),
    (0,     0, 1, State.DUE,     ["refused"],                          False),
    (0,     0, 2, State.ARREARS, ["arrears"],                          True),
    (700,   0, 3, State.DUE,     ["refused"],                          False),
])  # fmt: skip
def test_a_result_is_booked_as_it_is_and_confirmed_after_commit(
    tmp_path: Path, paid: int, discount: int, status: int, end: State, records: list[str], success: bool
) -> None:
    lot = PlatformLot(tmp_path)
    session = lot.enter()
    lot.push([push_of("departurePayInfo", authorization(), 7)])
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    before = lot.lines()[-1]["n"]
    bill = str(lot.rows("SELECT bill FROM platform_bill")[0][0])
    lot.push([push_of("payResult", result(bill, paid, status=status, discount=discount), 8)])
    assert state(lot, session) == end
    assert [line["type"] for line in lot.lines() if line["n"] > before] == records
    assert lot.rows("SELECT n, sum(amount_minor) FROM posting GROUP BY n HAVING sum(amount_minor) <> 0") == []
    owed = 700 - (paid + min(discount, 700) if success else 0)
    found = lot.rows("SELECT coalesce(sum(amount_minor), 0) FROM posting WHERE account = 'receivable'")
    assert found == [(owed,)]
    lot.settle()
    confirms = [data["success"] for name, data in lot.city.calls if name == tables.CONFIRM_PAYMENT]
    assert confirms == [success]


def test_an_unknown_bill_is_never_confirmed_with_success(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.push([push_of("payResult", result("nobody's", 700), 8)])
    lot.settle()
    assert push_states(lot) == [("waiting", "")]
    assert lot.sent(tables.CONFIRM_PAYMENT) == []
    lot.step(after_ms=25 * HOUR_MS)
    lot.settle()
    assert lot.last("refused")["reason"] == "unknown bill"
    assert [data["success"] for name, data in lot.city.calls if name == tables.CONFIRM_PAYMENT] == [False]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_result_before_its_bill_waits_for_it(tmp_path: Path, restarted: bool) -> None:
    lot = PlatformLot(tmp_path)
    session = lot.enter()
    lot.push([push_of("departurePayInfo", authorization(), 7)])
    lot.wait(2 * HOUR_MS)
    lot.step()
    upcoming = lot.lines()[-1]["n"] + 1 + restarted
    lot.push([push_of("payResult", result(f"{CODE}B1{upcoming:010d}", 700), 8)])
    if restarted:
        lot.restart()
    lot.step(lot.read("out"))
    assert state(lot, session) == State.PAID


def test_a_result_pushed_before_the_call_is_answered(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, RICH)
    lot.city.faults.result_first = True
    session = stay(lot)
    lot.settle()
    assert state(lot, session) == State.PAID
    assert lot.city.totals()["unconfirmed"] == 0


def test_no_payment_is_booked_twice(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, RICH)
    stay(lot)
    lot.settle()
    bill = str(lot.applied()["billID"])
    paid = json.loads(lot.rows("SELECT text FROM platform_push WHERE name = 'payResult'")[0][0])
    assert paid["billID"] == bill
    for request in (100_002, 77, 78):
        lot.push([push_of("payResult", paid, request)])
    lot.push([push_of("payResult", {**paid, "actualPay": 1}, 79)])
    lot.settle()
    assert len(lot.lines("paid")) == 1
    assert lot.last("refused")["reason"] == "id has another content"


# Trap 4: a refused call that opens the barrier as if it were taken, a query that nobody answers, a fee above the limit.


def test_a_refused_application_makes_arrears_and_holds_nobody(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, RICH)
    lot.city.faults.refuse = {tables.APPLY}
    session = stay(lot)
    lot.settle()
    assert state(lot, session) == State.ARREARS
    assert len(lot.sent(tables.APPLY)) == 3
    # It stops nothing behind it, and is tried again later.
    assert lot.sent(tables.CAR_OUT) == [tables.CAR_OUT]
    lot.city.faults.refuse = set()
    lot.wait(2 * HOUR_MS)
    lot.settle()
    assert state(lot, session) == State.PAID
    assert lot.rows("SELECT * FROM platform_aside") == []


def test_a_query_is_answered_with_the_running_bill(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, RICH)
    lot.enter()
    lot.settle()
    lot.wait(2 * HOUR_MS)
    lot.city.ask_fee(CAR, 1, lot.wall_ms)
    lot.settle()
    assert [(fee["plateNo"], fee["shouldPay"]) for fee in lot.city.fees] == [(CAR, 700)]
    assert lot.lines("exit") == []
    assert lot.city.totals()["unconfirmed"] == 0


@pytest.mark.parametrize(("limit", "outcome", "calls"), [
    (700, "lease",    [tables.APPLY, tables.CAR_OUT]),
    (699, "pay-here", [tables.CAR_OUT, tables.ABNORMAL]),
])  # fmt: skip
def test_a_fee_above_the_limit_is_paid_at_the_lane(tmp_path: Path, limit: int, outcome: str, calls: list[str]) -> None:
    lot = PlatformLot(tmp_path, {CAR: Account(limit)}, policy=WithoutLease.PAY_HERE)
    stay(lot)
    lot.settle()
    assert lot.last("exit")["outcome"] == outcome
    assert lot.sent(tables.APPLY, tables.CAR_OUT, tables.ABNORMAL) == calls


# An outage of a day, photos, a refused entry, what is switched off.


def test_after_a_day_away_the_backlog_comes_in_order_then_absolute_counts(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, RICH)
    lot.settle()
    lot.city.calls.clear()
    lot.city.states.clear()
    lot.away = True
    for number in range(20):
        stay(lot, 1, f"浙A000{number:02d}")
        lot.settle()
    inside = lot.enter(plate("浙A00099"))
    lot.settle()
    lot.away = False
    lot.wait(MINUTE_MS)
    lot.settle()
    ledger = [(line["type"], line["body"]["session"]) for line in lot.lines() if line["type"] in ("entry", "exit")]
    names = {"entry": (tables.CAR_IN, "arriveID"), "exit": (tables.CAR_OUT, "endID")}
    exits = {line["body"]["session"]: f"1.{line['n']}" for line in lot.lines("exit")}
    want = [(names[kind][0], session if kind == "entry" else exits[session]) for kind, session in ledger]
    moves = [(name, data) for name, data in lot.city.calls if name in (tables.CAR_IN, tables.CAR_OUT)]
    assert [(name, data.get("endID") or data["arriveID"]) for name, data in moves] == want
    assert len(want) == 41
    order = lot.sent()
    assert order.index(tables.STATE) > max(i for i, name in enumerate(order) if name in (tables.CAR_IN, tables.CAR_OUT))
    assert [free for _, free in lot.city.states] == [3]
    uid = str(lot.rows(f"SELECT uid FROM platform_stay WHERE session = '{inside}'")[0][0])
    assert lot.city.visits[uid].exit is None
    assert [data["freeBerthNum"] for _, data in moves] == [3, 4] * 20 + [3]


@pytest.mark.parametrize(("photos", "photo", "found"), [
    (Photos.NEVER,         b"\xff\xd8\xff1", []),
    (Photos.IN_CIPHER,     b"\xff\xd8\xff1", ["/9j/MQ=="]),
    (Photos.BESIDE_CIPHER, b"\xff\xd8\xff1", ["/9j/MQ=="]),
    (Photos.IN_CIPHER,     b"PNG",           []),
    (Photos.IN_CIPHER,     b"\xff\xd8\xff" + bytes(400_000), []),
    (Photos.IN_CIPHER,     None,             []),
])  # fmt: skip
def test_photos_leave_only_by_policy_and_only_as_the_city_takes_them(
    tmp_path: Path, photos: Photos, photo: bytes | None, found: list[str]
) -> None:
    lot = PlatformLot(tmp_path, agreed=terms(photos=photos), photo=lambda _: photo)
    lot.enter()
    lot.settle()
    assert [data["file"] for name, data in lot.city.calls if name == tables.PHOTO] == found


def test_a_call_without_a_table_stays_off(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, agreed=terms(calls=tables.KNOWN))
    lot.enter()
    lot.city.ask_fee(CAR, 1, lot.wall_ms)
    lot.settle()
    assert not set(lot.sent()) & set(tables.UNKNOWN)


def test_a_push_lost_by_the_line_is_pulled(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, RICH)
    lot.settle()
    session = lot.enter()
    lot.deaf = True
    lot.settle()
    assert lot.engine.memory.inside_sessions()[session].lease is None
    lot.sender.subscribed()
    lot.settle()
    assert lot.engine.memory.inside_sessions()[session].lease is not None


# A death at every counted point between push and confirm, and everywhere else.


def a_day(folder: Path, kill_at: int) -> PlatformLot:
    """One stay with doubled pushes and a query; dies once, at the point."""
    lot = PlatformLot(folder, RICH)
    lot.city.faults.doubled = True
    lot.city.faults.result_first = True
    lot.kill_at = kill_at
    lot.enter()
    lot.settle()
    lot.wait(90 * MINUTE_MS)
    lot.city.ask_fee(CAR, 1, lot.wall_ms)
    for _ in range(3):
        # Asked again until it is answered: a query for a vehicle that is gone has no answer.
        lot.settle()
        lot.wait(MINUTE_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    lot.settle()
    # What nobody confirmed is pushed again.
    for _ in range(4):
        lot.wait(20 * MINUTE_MS)
        lot.settle()
    lot.wait(24 * HOUR_MS)
    lot.settle()
    return lot


PARTS = 4
"""The sweep is cut, so that no test comes near its time limit on a slow machine."""


@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_killed_at_every_counted_point_no_payment_is_lost_or_booked_twice(tmp_path: Path, part: int) -> None:
    (tmp_path / "whole").mkdir()
    points = a_day(tmp_path / "whole", -1).points
    assert points > 40
    for point in range(part, points + 1, PARTS):
        folder = tmp_path / str(point)
        folder.mkdir()
        lot = a_day(folder, point)
        assert lot.killed == 1, point
        assert [line["body"]["amount_minor"] for line in lot.lines("paid")] == [700], point
        assert lot.rows("SELECT sum(amount_minor) FROM posting WHERE account = 'receivable'") == [(0,)], point
        assert lot.rows("SELECT state FROM session") == [("paid",)], point
        totals = lot.city.totals()
        assert (totals["unconfirmed"], totals["conflicts"], totals["disorder"]) == (0, 0, 0), (point, totals)
        assert (totals["bills"], totals["paid"], totals["recorded"]) == (1, 700, 1), (point, totals)
        assert lot.last("bills-compared")["apart"] == 0, point
        lot.journal.close()
    print(f"killed at points {part}, {part + PARTS}, ... of {points}")
