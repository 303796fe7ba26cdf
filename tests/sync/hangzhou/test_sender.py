"""The sender's order and pace: answers first, one call at a time, pauses that grow, refusals that stop nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.sync.hangzhou import tables
from gateway.sync.hangzhou.envelope import Answer, read_answer
from gateway.sync.hangzhou.sender import REFUSED_MAX, WAIT_MAX_MS, WAIT_MS, Post
from sim.hangzhou import Account
from tests.lots import HOUR_MS, plate
from tests.platforms import PlatformLot, push_of, terms

OK = Answer(200, 200, "", {})


def ready(lot: PlatformLot) -> Post:
    """The next post."""
    while (asked := lot.sender.wanted(lot.now_ms, lot.wall_ms)) is not None:
        lot._commit(lot.sender.give(lot.engine.platform_work(asked), lot.now_ms))
    post = lot.sender.post(lot.now_ms, lot.wall_ms)
    assert isinstance(post, Post)
    return post


def test_one_call_at_a_time(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.enter()
    assert ready(lot).name == tables.CAR_IN
    assert lot.sender.post(lot.now_ms, lot.wall_ms) is None
    assert lot.sender.wanted(lot.now_ms, lot.wall_ms) is None


def test_answers_go_before_the_ledger(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.enter()
    content = {"plateNo": "浙A12345", "plateColor": 1, "noSense": 1, "departurePay": 1, "moneyLimit": 5}
    lot.push([push_of("departurePayInfo", content, 7)])
    assert ready(lot).name == tables.CONFIRM_AUTHORIZATION


@pytest.mark.parametrize(
    "answer", [None, read_answer(500, b""), read_answer(200, b"<html>"), read_answer(502, b'{"resultCode":200}')]
)
def test_without_an_answer_the_same_call_comes_again_ever_more_seldom(tmp_path: Path, answer: Answer | None) -> None:
    lot = PlatformLot(tmp_path)
    lot.enter()
    waits = []
    for _ in range(7):
        assert ready(lot).name == tables.CAR_IN
        assert lot.sender.answered(answer, lot.now_ms, lot.wall_ms) == []
        assert lot.sender.down
        waits.append(lot.sender.wake_ms(lot.now_ms) - lot.now_ms)
        assert lot.sender.post(lot.now_ms, lot.wall_ms) is None
        lot.now_ms += waits[-1]
    assert waits == [WAIT_MS, 4000, 8000, 16_000, 32_000, WAIT_MAX_MS, WAIT_MAX_MS]
    ready(lot)
    lot._commit(lot.sender.answered(OK, lot.now_ms, lot.wall_ms))
    assert not lot.sender.down


def test_a_call_that_is_sent_again_has_a_new_time_and_its_old_keys(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.enter()
    lot.away = True
    lot.settle()
    lot.wait(HOUR_MS)
    lot.away = False
    lot.settle()
    sent = next(data for name, data in lot.city.calls if name == tables.CAR_IN)
    assert sent["uploadTime"] > sent["arriveTime"]
    assert lot.city.totals()["visits"] == 1


def test_a_refused_call_is_set_aside_and_stops_nothing(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.city.faults.refuse = {tables.CAR_IN}
    lot.enter()
    lot.enter(plate("浙A00002"))
    lot.settle()
    assert lot.sender.counts[f"{tables.CAR_IN} refused"] == 2 * REFUSED_MAX
    assert [line["body"]["reason"] for line in lot.lines("refused")] == ["resultCode 409: refused on purpose"] * 2
    assert len(lot.rows("SELECT * FROM platform_aside")) == 2
    lot.city.faults.refuse = set()
    lot.wait(2 * HOUR_MS)
    lot.settle()
    assert lot.rows("SELECT * FROM platform_aside") == []
    assert lot.city.totals()["visits"] == 2


def test_the_heartbeat_comes_at_its_interval_with_the_counts(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    for _ in range(6):
        lot.settle()
        lot.wait(5 * 60_000)
    assert lot.sent(tables.HEARTBEAT, tables.STATE) == [tables.HEARTBEAT, tables.STATE] * 3


@pytest.mark.parametrize("by_plate", [False, True])
def test_a_day_is_compared_once_after_its_end(tmp_path: Path, by_plate: bool) -> None:
    calls = {**tables.KNOWN, **tables.STAND_IN}
    if by_plate:
        calls[tables.DAILY] = {**tables.KNOWN[tables.DAILY], "plateNo": "plate"}
    cars = ["浙A00001", "浙A00002"]
    lot = PlatformLot(tmp_path, {car: Account(5000) for car in cars}, agreed=terms(calls=calls, daily_plates=by_plate))
    lot.settle()
    for car in cars:
        lot.enter(plate(car))
        lot.settle()
        lot.wait(HOUR_MS)
        lot.step(lot.read("out", plate(car)))
        lot.step(lot.passed("out"))
        lot.settle()
    before = len(lot.sent(tables.DAILY))
    for _ in range(30):
        lot.wait(HOUR_MS)
        lot.settle()
    assert len(lot.sent(tables.DAILY)) - before == (2 if by_plate else 1)
    found = lot.last("bills-compared")
    assert (found["day"], found["bills"], found["apart"]) == ("2026-11-02", 2, 0)


def test_a_day_that_differs_is_written_down_with_its_bills(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, {"浙A12345": Account(5000)})
    lot.enter()
    lot.settle()
    lot.wait(HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    lot.settle()
    bill = next(iter(lot.city.bills.values()))
    bill.owed += 1
    lot.wait(30 * HOUR_MS)
    lot.settle()
    found = lot.last("bills-compared")
    assert (found["apart"], found["named"]) == (1, [bill.bill])


def test_a_list_that_cannot_be_read_balances_nothing(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, agreed=terms(day_form=tables.DayForm("rows", "a", "b", "c")))
    lot.settle()
    assert lot.lines("bills-compared") == []
    assert lot.sender.counts[f"{tables.DAILY} unreadable"] == 1
