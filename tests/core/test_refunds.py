"""Refunds: what was due back, goodwill beyond it, never more than is kept, each once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.entitlement import Way
from tests import entitled
from tests.core.test_payments import OWED, owing, receivable
from tests.lots import SmallLot

COLUMNS = "state, paid_minor, refunded_minor, lowered_minor"


def money(lot: SmallLot, session: str) -> tuple[object, ...]:
    return lot.rows(f"SELECT {COLUMNS} FROM session WHERE id = '{session}'")[0]


#     paid          refunds           refused                                            state, paid, refunded, lowered
CASES = [
    ([700],         [700],            [],                                                ("refunded", 700, 700, 700)),
    ([700],         [200, 300],       [],                                                ("paid", 700, 500, 500)),
    ([700],         [200, 500],       [],                                                ("refunded", 700, 700, 700)),
    ([700],         [200, 501],       ["more than the 500 that were paid and are kept"], ("paid", 700, 200, 200)),
    ([700],         [701],            ["more than the 700 that were paid and are kept"], ("paid", 700, 0, 0)),
    ([700],         [0],              ["nothing to refund"],                             ("paid", 700, 0, 0)),
    ([700],         [700, 1],         ["session is refunded"],                           ("refunded", 700, 700, 700)),
    ([1000],        [300],            [],                                                ("paid", 1000, 300, 0)),
    ([1000],        [400],            [],                                                ("paid", 1000, 400, 100)),
    ([1000],        [1000],           [],                                                ("refunded", 1000, 1000, 700)),
    ([300],         [300],            ["session is arrears"],                            ("arrears", 300, 0, 0)),
    ([],            [1],              ["session is arrears"],                            ("arrears", 0, 0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("paid", "refunds", "refused", "expected"), CASES)
def test_refunds(
    tmp_path: Path, paid: list[int], refunds: list[int], refused: list[str], expected: tuple[str, int, int, int]
) -> None:
    lot, session = owing(tmp_path)
    for amount in paid:
        lot.step(lot.payment(session, amount))
    for amount in refunds:
        lot.restart()
        lot.step(lot.refund(session, amount))
    assert [line["body"]["reason"] for line in lot.lines("refused")] == refused
    assert money(lot, session) == expected
    taken, returned, off = expected[1:]
    assert receivable(lot) == OWED - off - taken + returned
    assert lot.rows("SELECT n FROM posting GROUP BY n HAVING sum(amount_minor) <> 0") == []


def test_a_refund_id_means_one_refund_for_ever(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.payment(session, OWED))
    for amount in (200, 200, 300):
        lot.step(lot.refund(session, amount, refund="r-1"))
        lot.restart()
    assert len(lot.lines("refunded")) == 1
    assert lot.last("refunded")["due_minor"] == 0
    assert lot.last("refused")["reason"] == "id has another content"
    assert money(lot, session) == ("paid", OWED, 200, 200)


def test_a_refund_for_nobody(tmp_path: Path) -> None:
    lot, _ = owing(tmp_path)
    lot.step(lot.refund("9.9", 1))
    assert lot.last("refused")["reason"] == "unknown session"


def test_two_late_benefits_give_back_no_more_than_was_paid(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.passed("out"))
    lot.step(lot.payment(session, OWED))
    lot.step(lot.grant(entitled.benefit(Way.PERCENT, 80, "b1", entitled.BLUE)))
    lot.step(lot.grant(entitled.validation(Way.FREE)))
    assert [line["body"]["amount_minor"] for line in lot.lines("lowered")] == [560, 140]
    due_back = [line["body"]["amount_minor"] for line in lot.lines("refund-due")]
    assert due_back == [560, 140]
    for amount in due_back:
        lot.step(lot.refund(session, amount))
    assert money(lot, session) == ("refunded", OWED, OWED, OWED)
    assert receivable(lot) == 0
