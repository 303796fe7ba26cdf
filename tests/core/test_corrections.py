"""Corrections, voids and write-offs: what they do to the bill, to what was paid, and to a vehicle that waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.city_events import BillCorrected, BillVoided, BillWrittenOff
from gateway.core.commands import OpenBarrier, ShowText
from gateway.core.exit import WithoutLease
from gateway.core.session import DUE_MS
from tests.core.test_payments import OWED, owing, receivable
from tests.lots import HOUR_MS, SmallLot

COLUMNS = "state, amount_minor, lowered_minor, written_off_minor, paid_minor"


def money(lot: SmallLot, session: str) -> tuple[object, ...]:
    return lot.rows(f"SELECT {COLUMNS} FROM session WHERE id = '{session}'")[0]


def correction(lot: SmallLot, session: str, amount: int, *, corrects: int = 0) -> BillCorrected:
    set_by = lot.rows(f"SELECT priced_n FROM session WHERE id = '{session}'")[0][0]
    return lot.line(BillCorrected, f"c-{amount}", session, corrects or set_by, amount, "wrong class")


def reasons(lot: SmallLot) -> list[str]:
    return [line["body"]["reason"] for line in lot.lines("refused")]


def accounts_balance(lot: SmallLot) -> bool:
    return lot.rows("SELECT n FROM posting GROUP BY n HAVING sum(amount_minor) <> 0") == []


#    paid   new bills      state     bill due back
CASES = [
    (0,     [400],         "arrears", 400, []),
    (0,     [900],         "arrears", 900, []),
    (0,     [0],           "free",    0,   []),
    (0,     [0, 500],      "due",     500, []),
    (300,   [300],         "paid",    300, []),
    (300,   [200],         "paid",    200, [100]),
    (700,   [500],         "paid",    500, [200]),
    (700,   [500, 300],    "paid",    300, [200, 200]),
    (700,   [0],           "paid",    0,   [700]),
    (700,   [800],         "due",     800, []),
]  # fmt: skip


@pytest.mark.parametrize(("paid", "bills", "state", "amount", "due_back"), CASES)
def test_a_correction(
    tmp_path: Path, paid: int, bills: list[int], state: str, amount: int, due_back: list[int]
) -> None:
    lot, session = owing(tmp_path)
    if paid:
        lot.step(lot.payment(session, paid))
    for bill in bills:
        lot.step(correction(lot, session, bill))
        lot.restart()
    assert money(lot, session) == (state, amount, 0, 0, paid)
    assert [line["body"]["amount_minor"] for line in lot.lines("refund-due")] == due_back
    assert (receivable(lot), accounts_balance(lot), reasons(lot)) == (amount - paid, True, [])
    assert lot.last("corrected")["before_minor"] == ([OWED, *bills])[-2]


def test_a_correction_names_the_record_that_it_replaces(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    exit_n = lot.lines("exit")[-1]["n"]
    lot.step(correction(lot, session, 500, corrects=exit_n))
    corrected_n = lot.lines("corrected")[-1]["n"]
    lot.step(correction(lot, session, 400, corrects=exit_n))
    assert reasons(lot) == [f"record {corrected_n} set the bill, not {exit_n}"]
    lot.step(lot.line(BillCorrected, "c-1", session, corrected_n, 500, "again"))
    lot.step(lot.line(BillCorrected, "c-2", "9.9", 1, 500, "nobody"))
    assert reasons(lot)[1:] == ["nothing is corrected", "unknown session"]
    assert money(lot, session) == ("arrears", 500, 0, 0, 0)


def test_what_was_taken_off_is_not_billed_away(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.payment(session, OWED))
    lot.step(lot.refund(session, 300))
    lot.step(correction(lot, session, 299))
    assert reasons(lot) == ["300 were taken off the bill already"]
    lot.step(lot.refund(session, 400))
    lot.step(correction(lot, session, 800))
    assert reasons(lot)[1:] == ["session is refunded"]


def test_a_stay_without_exit_has_no_bill_to_correct_or_to_void(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.wait(HOUR_MS)
    lot.enter()
    lot.step(lot.line(BillCorrected, "c-1", session, 3, 5, "?"), lot.line(BillVoided, "v-1", session, "?"))
    assert reasons(lot) == ["it has no bill", "it has no exit"]


@pytest.mark.parametrize(
    ("amount", "lease", "opens", "shown"),
    [
        (0,   0,   True,  ["免费停车 一路平安"]),
        (400, 0,   False, ["请扫码付费 4.00元"]),
        (400, 500, True,  ["先离场后付费 4.00元"]),
    ],
)  # fmt: skip
def test_a_correction_for_a_vehicle_that_waits(
    tmp_path: Path, amount: int, lease: int, opens: bool, shown: list[str]
) -> None:
    lot, session = owing(tmp_path, WithoutLease.PAY_HERE)
    if lease:
        lot.step(lot.lease(session, lease))
    commands = lot.step(correction(lot, session, amount)).commands
    assert (OpenBarrier("out") in commands) is opens
    assert [command.text for command in commands if isinstance(command, ShowText)] == shown


def test_a_bill_that_is_raised_after_it_was_paid_has_a_new_term(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.payment(session, OWED))
    lot.wait(10 * DUE_MS)
    lot.step(correction(lot, session, 800))
    next_ms = lot.rows(f"SELECT next_ms FROM session WHERE id = '{session}'")[0][0]
    assert next_ms == lot.lines("corrected")[-1]["wall"] + DUE_MS


@pytest.mark.parametrize("paid", [0, 300, OWED, OWED + 100])
def test_a_void_leaves_nothing_owed_and_nothing_kept(tmp_path: Path, paid: int) -> None:
    lot, session = owing(tmp_path)
    if paid:
        lot.step(lot.payment(session, paid))
    void = lot.line(BillVoided, "v-1", session, "ambulance")
    lot.step(void)
    assert lot.last("voided")["amount_minor"] == OWED
    assert lot.last("voided")["corrects"] == lot.lines("exit")[-1]["n"]
    lot.step(lot.line(BillVoided, "v-1", session, "ambulance"), lot.line(BillVoided, "v-2", session, "again"))
    assert (reasons(lot), receivable(lot)) == (["session is voided"], -paid)
    assert sum(line["body"]["amount_minor"] for line in lot.lines("refund-due")) == paid
    if paid:
        lot.step(lot.refund(session, paid))
    assert (receivable(lot), accounts_balance(lot)) == (0, True)
    assert lot.rows("SELECT account, sum(amount_minor) FROM posting GROUP BY 1 HAVING sum(amount_minor) <> 0") == []
    assert money(lot, session)[0] == "voided"


def test_a_void_opens_for_a_vehicle_that_waits(tmp_path: Path) -> None:
    lot, session = owing(tmp_path, WithoutLease.PAY_HERE)
    assert OpenBarrier("out") in lot.step(lot.line(BillVoided, "v-1", session, "ambulance")).commands


def test_what_is_given_up_may_still_be_paid(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.payment(session, 100))
    lot.step(lot.line(BillWrittenOff, "w-1", session, "no address"))
    assert (money(lot, session), receivable(lot)) == (("written-off", OWED, 0, 600, 100), 0)
    lot.restart()
    lot.step(lot.payment(session, 200))
    assert lot.last("paid")["recovered_minor"] == 200
    assert (money(lot, session), receivable(lot)) == (("written-off", OWED, 0, 400, 300), 0)
    lot.step(lot.payment(session, 500))
    assert (money(lot, session), receivable(lot)) == (("paid", OWED, 0, 0, 800), -100)
    assert (lot.last("refund-due")["amount_minor"], accounts_balance(lot)) == (100, True)


def test_only_arrears_are_given_up(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.payment(session, OWED))
    lot.step(lot.line(BillWrittenOff, "w-1", session, "?"), lot.line(BillWrittenOff, "w-2", "9.9", "?"))
    assert reasons(lot) == ["session is paid", "unknown session"]
