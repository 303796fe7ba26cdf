"""Postings: two sides or none."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.posting import Account, Posting, billed, lowered, refunded, settled


def test_a_bill_and_its_payment() -> None:
    assert billed(5, "1.3", 700) == (
        Posting(5, Account.RECEIVABLE, "1.3", 700),
        Posting(5, Account.REVENUE, "1.3", -700),
    )
    assert settled(8, "1.3", 700) == (
        Posting(8, Account.CLEARING, "1.3", 700),
        Posting(8, Account.RECEIVABLE, "1.3", -700),
    )


@given(st.integers(0, 2**53 - 1))
@settings(derandomize=True, max_examples=50)
def test_each_sums_to_zero_and_together_they_leave_nothing_owed(amount_minor: int) -> None:
    bill, payment = billed(1, "1.1", amount_minor), settled(2, "1.1", amount_minor)
    assert sum(posting.amount_minor for posting in bill) == sum(posting.amount_minor for posting in payment) == 0
    assert sum(p.amount_minor for p in (*bill, *payment) if p.account is Account.RECEIVABLE) == 0
    assert len(bill) == len(payment) == (2 if amount_minor else 0)


def test_a_bill_that_is_lowered_and_paid_back() -> None:
    assert [(p.account, p.amount_minor) for p in lowered(7, "1.3", 200)] == [
        (Account.REFUNDS, 200),
        (Account.RECEIVABLE, -200),
    ]
    assert [(p.account, p.amount_minor) for p in refunded(9, "1.3", 300, 200)] == [
        (Account.RECEIVABLE, 200),
        (Account.REFUNDS, 100),
        (Account.CLEARING, -300),
    ]
