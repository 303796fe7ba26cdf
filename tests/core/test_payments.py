"""Results of payments: what they book, and what they may not touch."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.commands import OpenBarrier
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


@pytest.mark.parametrize(
    ("session", "amount", "reason"),
    [
        ("1.3", OWED - 1, "amount differs from the bill of 700"),
        ("1.3", 2 * OWED, "amount differs from the bill of 700"),
        ("9.9", OWED, "unknown session"),
    ],
)
def test_a_payment_that_fits_nothing_is_written_down_and_moves_nothing(
    tmp_path: Path, session: str, amount: int, reason: str
) -> None:
    lot, ours = owing(tmp_path)
    lot.step(lot.payment(session, amount))
    assert (lot.last("refused")["reason"], state(lot, ours), receivable(lot)) == (reason, ("arrears", 0), OWED)


def test_nobody_pays_twice(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.payment(session, OWED))
    lot.step(lot.payment(session, OWED))
    assert lot.last("refused")["reason"] == "session is paid"
    assert (state(lot, session), receivable(lot), len(lot.lines("paid"))) == (("paid", OWED), 0, 1)


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
    assert OpenBarrier("out") in lot.step(lot.payment(session, OWED)).commands


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
