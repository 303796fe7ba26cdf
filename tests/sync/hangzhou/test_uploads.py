"""Which record makes which calls, and that every field of every table is filled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.core.city_events import BillCorrected
from gateway.core.events import Woke
from gateway.core.exit import WithoutLease
from gateway.core.platform_state import Asked
from gateway.sync.hangzhou import tables
from gateway.sync.hangzhou.uploads import Call, calls, fields
from sim.hangzhou import Account
from tests.hangzhou_keys import VECTORS
from tests.lots import HOUR_MS, plate
from tests.platforms import PlatformLot, terms

CAR = "浙A12345"


def made(lot: PlatformLot) -> list[tuple[str, list[str]]]:
    """Type of each record that makes calls, and the calls."""
    found = []
    for entry in lot.engine.platform_work(Asked(1, 100, 0)).entries:
        names = [call.name for call in calls(entry, lot.terms)]
        if names:
            found.append((str(json.loads(entry.record.line)["type"]), names))
    return found


def leave(lot: PlatformLot) -> None:
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    lot.settle()


ENTRY = ("entry", [tables.CAR_IN])


LET_OUT = ("exit", [tables.APPLY, tables.CAR_OUT])
UNPAID = ("arrears", [tables.ABNORMAL])
OPEN, HOLD = WithoutLease.OPEN_ARREARS, WithoutLease.PAY_HERE


@pytest.mark.parametrize(("account", "policy", "found"), [
    (Account(5000),        OPEN, [ENTRY, LET_OUT, ("paid", [tables.PAY_RECORD])]),
    (Account(5000, False), OPEN, [ENTRY, LET_OUT, UNPAID]),
    (None,                 OPEN, [ENTRY, ("exit", [tables.CAR_OUT, tables.ABNORMAL])]),
    (None,                 HOLD, [ENTRY, ("left", [tables.CAR_OUT]), UNPAID]),
])  # fmt: skip
def test_a_stay_is_told_by_its_records(
    tmp_path: Path, account: Account | None, policy: WithoutLease, found: list[tuple[str, list[str]]]
) -> None:
    lot = PlatformLot(tmp_path, {CAR: account} if account else {}, policy=policy)
    lot.enter()
    lot.settle()
    leave(lot)
    assert made(lot) == found


def test_a_ghost_is_told_and_a_stranger_is_not(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.enter()
    lot.wait(2 * 60_000)
    lot.enter()
    lot.step(lot.read("out", plate("浙A99999")))
    assert made(lot) == [ENTRY, ("review", [tables.ABNORMAL]), ENTRY]


def test_a_stay_longer_than_the_maximum_is_told(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.enter()
    lot.step(Woke(), after_ms=lot.max_stay_ms + 1)
    assert lot.last("unfinished")["reason"] == "longer than the maximum stay"
    assert made(lot) == [ENTRY, ("unfinished", [tables.ABNORMAL])]


def test_a_stay_that_is_in_review_by_a_pair_is_told(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.step(lot.read("in", plate("浙A1234Z")), lot.passed("in"))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out", plate("浙A12342")), lot.passed("out"))
    assert lot.last("paired")["evidence"] == "one lookalike apart"
    assert made(lot) == [ENTRY, ("paired", [tables.ABNORMAL])]


def test_a_bill_discounted_to_nothing_is_recorded(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, {CAR: Account(5000, discount=5000)})
    lot.enter()
    lot.settle()
    leave(lot)
    assert made(lot) == [ENTRY, LET_OUT, ("lowered", [tables.PAY_RECORD])]
    assert lot.city.totals()["recorded"] == 1


def test_a_bill_whose_term_passed_is_told_as_not_paid(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, {CAR: Account(5000)})
    lot.enter()
    lot.settle()
    lot.deaf = True
    leave(lot)
    lot.step(Woke(), after_ms=49 * HOUR_MS)
    lot.settle()
    assert made(lot) == [ENTRY, LET_OUT, UNPAID]
    assert [bill["reason"] for bill in lot.city.abnormal.values()] == ["not paid"]
    lot.deaf = False
    lot.settle()
    assert (lot.rows("SELECT state FROM session"), lot.city.totals()["recorded"]) == ([("paid",)], 1)


def test_what_a_call_holds_is_what_its_record_said(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path, {CAR: Account(5000)})
    session = lot.enter()
    lot.settle()
    lot.away = True
    leave(lot)
    set_by = lot.lines("exit")[-1]["n"]
    lot.step(lot.line(BillCorrected, "c-1", session, set_by, 300, "wrong class"))
    lot.away = False
    lot.wait(60_000)
    lot.settle()
    assert (lot.applied()["shouldPay"], lot.city.totals()["conflicts"]) == (700, 0)
    assert lot.last("refund-due")["amount_minor"] == 400


def test_a_stay_of_our_own_city_is_not_applied_for(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    session = lot.enter()
    lot.step(lot.lease(session, 5000))
    leave(lot)
    lot.step(lot.payment(session, 700))
    assert made(lot) == [ENTRY, ("exit", [tables.CAR_OUT])]


def test_an_erased_plate_is_told_nobody(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.enter()
    lot.journal._connection.execute("DELETE FROM disclosure")
    assert made(lot) == []


@pytest.mark.parametrize(("unlicensed", "found"), [("", []), ("无牌", [ENTRY])])
def test_a_vehicle_without_a_plate_is_told_only_as_agreed(tmp_path: Path, unlicensed: str, found: list[object]) -> None:
    lot = PlatformLot(tmp_path, agreed=terms(unlicensed=unlicensed))
    lot.step(lot.passed("in"))
    assert made(lot) == found


def test_the_fields_of_an_entry_are_the_known_ones(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    lot.enter()
    lot.settle()
    sent = next(data for name, data in lot.city.calls if name == tables.CAR_IN)
    assert sent.keys() == json.loads(VECTORS["V2"]["plain"])["data"].keys()
    assert {type(value) for value in sent.values()} == {str, int}


def test_every_field_of_every_table_can_be_filled() -> None:
    for call, table in (terms().calls).items():
        values = dict.fromkeys(tables.VALUES, 0)
        assert fields(call, values, terms()).keys() == table.keys()
    assert fields(tables.APPLY, dict.fromkeys(tables.VALUES, 7), terms())["carStock"] == 1


def test_paths_are_those_of_the_second_generation() -> None:
    assert tables.path(tables.CAR_IN) == "/api/v2/cp/uploadCarInData"
    assert tables.path(tables.HEARTBEAT) == "/api/v2/tcjg/uploadHeartbeat"


def test_both_slashes_and_the_older_form_are_subscribed() -> None:
    found = terms().topics()
    assert len(found) == 9
    assert {"hzcity/v2/fee/acc-1/#", "/hzcity/v2/fee/acc-1/#", "/hzcity/fee/acc-1/#"} <= set(found)


def test_a_call_knows_what_it_is_about() -> None:
    assert Call("a", {}) == Call("a", {}, 0, "", False, "")
