"""Invoices: the tax in the price, once a state of the bill."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.city_events import BillVoided, InvoiceRequested
from gateway.core.invoice import tax_in
from tests.core.test_corrections import accounts_balance, reasons
from tests.core.test_payments import OWED, owing


@pytest.mark.parametrize(
    ("total", "rate", "tax"),
    [
        (700,    900, 58),   # 57.80
        (10_900, 900, 900),
        (109,    900, 9),
        (103,    300, 3),
        (1,      900, 0),
        (6,      900, 0),    # 0.495
        (7,      900, 1),    # 0.578
        (3,    10000, 2),    # 1.5 is rounded up
        (700,      0, 0),
        (0,      900, 0),
    ],
)  # fmt: skip
def test_the_tax_in_a_price(total: int, rate: int, tax: int) -> None:
    assert tax_in(total, rate) == tax


@given(st.integers(0, 2**53 - 1), st.integers(0, 10_000))
@settings(derandomize=True, max_examples=200)
def test_rounded_by_half_a_unit_at_most(total: int, rate: int) -> None:
    tax = tax_in(total, rate)
    assert 0 <= tax <= total
    assert abs(2 * (tax * (10_000 + rate) - total * rate)) <= 10_000 + rate


def test_an_invoice_and_the_one_that_takes_its_place(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.line(InvoiceRequested, "i-0", session, 900))
    lot.step(lot.payment(session, OWED + 100))
    lot.step(lot.line(InvoiceRequested, "i-1", session, 900))
    told = {"session": session, "currency": "CNY", "rate_bp": 900, "rounding": "half-up", "invoice": "i-1"}
    amounts = {"total_minor": OWED, "net_minor": 642, "tax_minor": 58, "before_tax_minor": 0}
    assert lot.last("invoice") == {**told, **amounts, "dn": 3}
    lot.step(lot.line(InvoiceRequested, "i-1", session, 900), lot.line(InvoiceRequested, "i-1", session, 600))
    lot.step(lot.line(InvoiceRequested, "i-2", session, 900), lot.line(InvoiceRequested, "i-3", "9.9", 900))
    other = "id has another content"
    assert reasons(lot) == ["session is arrears", other, "it is invoiced", "unknown session"]
    lot.restart()
    lot.step(lot.line(BillVoided, "v-1", session, "ambulance"))
    lot.step(lot.line(InvoiceRequested, "i-4", session, 900))
    taken_back = {"total_minor": 0, "net_minor": 0, "tax_minor": 0, "before_tax_minor": 58}
    assert lot.last("invoice") == {**told, **taken_back, "invoice": "i-4", "dn": lot.last("invoice")["dn"]}
    assert lot.rows("SELECT sum(amount_minor) FROM posting WHERE account IN ('tax', 'revenue')") == [(0,)]
    assert accounts_balance(lot)


def test_nothing_paid_is_nothing_to_invoice(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.line(BillVoided, "v-1", session, "ambulance"), lot.line(InvoiceRequested, "i-1", session, 900))
    assert reasons(lot) == ["nothing to invoice"]
