"""Results of payments: what they book, and what they may not touch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.city_events import PaymentReported
from gateway.core.commands import OpenBarrier, ShowText
from gateway.core.exit import WithoutLease
from tests.lots import HOUR_MS, SmallLot, plate

OWED = 700


def owing(folder: Path, policy: WithoutLease = WithoutLease.OPEN_ARREARS) -> tuple[SmallLot, str]:
    lot = SmallLot(folder, policy=policy)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    return lot, session


def state(lot: SmallLot, session: str) -> tuple[str, int]:
    return lot.rows(f"SELECT state, paid_minor FROM session WHERE id = '{session}'")[0]  # type: ignore[return-value]


def receivable(lot: SmallLot) -> int:
    return int(lot.rows("SELECT coalesce(sum(amount_minor), 0) FROM posting WHERE account = 'receivable'")[0][0])


def test_a_payment_long_after_the_exit_and_a_restart(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.passed("out"))
    lot.restart()
    assert lot.engine.memory.session(session) is None
    lot.step(lot.payment(session, OWED))
    assert (state(lot, session), receivable(lot)) == (("paid", OWED), 0)
    assert lot.last("paid") == {"session": session, "payment": "payment-1", "amount_minor": OWED, "dn": 1}


def test_part_payments_make_the_whole(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    found = []
    for amount in (300, 300, 100):
        lot.step(lot.payment(session, amount))
        lot.restart()
        found.append((*state(lot, session), receivable(lot)))
    assert found == [("arrears", 300, 400), ("arrears", 600, 100), ("paid", 700, 0)]
    assert lot.lines("refund-due") == []


@pytest.mark.parametrize(("amounts", "due_back"), [((1000,), [300]), ((700, 700), [700]), ((300, 500, 50), [100, 50])])
def test_what_is_paid_beyond_the_bill_is_due_back(
    tmp_path: Path, amounts: tuple[int, ...], due_back: list[int]
) -> None:
    lot, session = owing(tmp_path)
    for amount in amounts:
        lot.step(lot.payment(session, amount))
    assert [line["body"]["amount_minor"] for line in lot.lines("refund-due")] == due_back
    assert (state(lot, session), receivable(lot)) == (("paid", sum(amounts)), OWED - sum(amounts))
    told = lot.last("refund-due")
    assert (told["kind"], told["id"]) == ("payment", f"payment-{len(amounts)}")


@pytest.mark.parametrize(
    ("session", "amount", "reason"),
    [
        ("1.3", 0,    "nothing was paid"),
        ("9.9", OWED, "unknown session"),
        ("",    OWED, "unknown session"),
    ],
)  # fmt: skip
def test_a_payment_that_fits_nothing_is_written_down_and_moves_nothing(
    tmp_path: Path, session: str, amount: int, reason: str
) -> None:
    lot, ours = owing(tmp_path)
    lot.step(lot.payment(session, amount))
    assert (lot.last("refused")["reason"], state(lot, ours), receivable(lot)) == (reason, ("arrears", 0), OWED)


def again(lot: SmallLot, event: PaymentReported, **changes: object) -> PaymentReported:
    """The same payment in the city's next line, or another under its id."""
    return replace(
        lot.payment("", 0), payment=event.payment, session=event.session, amount_minor=event.amount_minor, **changes
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({},                     0),
        ({"amount_minor": 1},    1),
        ({"session": "9.9"},     1),
        ({"paid": False},        1),
        ({"place": "lot-2"},     1),
    ],
)  # fmt: skip
def test_a_payment_id_means_one_payment_for_ever(
    tmp_path: Path, changes: dict[str, object], refused: int, restart: bool
) -> None:
    lot, session = owing(tmp_path)
    first = lot.payment(session, OWED)
    lot.step(first)
    if restart:
        lot.restart()
    lot.step(replace(again(lot, first), **changes))  # type: ignore[arg-type]
    assert [line["body"]["reason"] for line in lot.lines("refused")] == ["id has another content"] * refused
    assert (state(lot, session), receivable(lot), len(lot.lines("paid"))) == (("paid", OWED), 0, 1)


def test_a_payment_id_that_was_refused_may_come_again(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    first = lot.payment(session, OWED)
    lot.step(first)
    assert lot.last("refused")["reason"] == "session is inside"
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(again(lot, first))
    assert state(lot, session) == ("paid", OWED)


def test_arrears_paid_at_another_lot(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(replace(lot.payment(session, OWED), place="lot-2"))
    assert lot.last("paid")["place"] == "lot-2"
    assert (state(lot, session), receivable(lot)) == (("paid", OWED), 0)


def test_the_same_line_again_changes_nothing(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    payment = lot.payment(session, OWED)
    lot.step(payment)
    before = lot.lines()
    lot.step(payment)
    assert lot.lines() == before


def test_a_failed_payment_leaves_arrears_and_a_later_one_settles_them(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.payment(session, OWED, paid=False))
    assert (state(lot, session), receivable(lot)) == (("arrears", 0), OWED)
    lot.step(lot.payment(session, OWED))
    assert (state(lot, session), receivable(lot)) == (("paid", OWED), 0)


def test_a_payment_in_the_lane_opens(tmp_path: Path) -> None:
    lot, session = owing(tmp_path, WithoutLease.PAY_HERE)
    assert OpenBarrier("out") not in lot.step(lot.payment(session, OWED, paid=False)).commands
    part = lot.step(lot.payment(session, 300)).commands
    assert [command.text for command in part if isinstance(command, ShowText)] == ["请扫码付费 4.00元"]
    assert OpenBarrier("out") not in part
    assert OpenBarrier("out") in lot.step(lot.payment(session, 400)).commands


def test_a_payment_opens_for_nobody_else(tmp_path: Path) -> None:
    """The vehicle turned back to pay; meanwhile another one stands at the exit."""
    lot, session = owing(tmp_path, WithoutLease.PAY_HERE)
    lot.step(lot.backed_out("out"))
    lot.step(lot.read("out", plate("沪B54321")))
    done = lot.step(lot.payment(session, OWED))
    assert OpenBarrier("out") not in done.commands
    assert (state(lot, session), receivable(lot)) == (("paid", OWED), 0)


def test_a_review_can_not_be_paid(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("out"))
    lot.step(lot.payment("1.3", 0))
    assert (lot.last("refused")["reason"], state(lot, "1.3")) == ("session is review", ("review", 0))
