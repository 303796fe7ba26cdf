"""Disputes: opened, upheld, rejected, and where the stay's money puts it then."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.city_events import DisputeClosed, DisputeOpened
from gateway.core.entitlement import Way
from gateway.core.events import Woke
from gateway.core.session import DAY_MS
from tests import entitled
from tests.core.test_corrections import correction, money, reasons
from tests.core.test_payments import OWED, owing, receivable


@pytest.mark.parametrize(
    ("paid", "lowered", "upheld", "state", "due_back"),
    [
        # paid  benefit meanwhile  verdict   state       due back
        (0,     False,             True,     "voided",    0),
        (300,   False,             True,     "voided",    300),
        (OWED,  False,             True,     "voided",    OWED),
        (0,     False,             False,    "arrears",   0),
        (300,   False,             False,    "arrears",   0),
        (OWED,  False,             False,    "paid",      0),
        (0,     True,              False,    "free",      0),
        (OWED,  True,              False,    "refunded",  OWED),
        (OWED,  True,              True,     "voided",    OWED),
    ],
)  # fmt: skip
def test_how_a_dispute_ends(tmp_path: Path, paid: int, lowered: bool, upheld: bool, state: str, due_back: int) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.passed("out"))
    if paid:
        lot.step(lot.payment(session, paid))
    lot.step(lot.line(DisputeOpened, "d-1", session, "it was not me"))
    assert money(lot, session)[0] == "disputed"
    if lowered:
        lot.step(lot.grant(entitled.benefit(Way.FREE, 0, "b1", entitled.BLUE)))
        if paid:
            lot.step(lot.refund(session, paid))
    lot.restart()
    lot.step(lot.line(DisputeClosed, "d-1", session, upheld))
    assert (money(lot, session)[0], reasons(lot)) == (state, [])
    assert sum(line["body"]["amount_minor"] for line in lot.lines("refund-due")) == due_back
    open_minor = 0 if lowered else -paid if upheld else OWED - paid
    assert receivable(lot) == open_minor


def test_no_term_passes_while_a_bill_is_contested(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.line(DisputeOpened, "d-1", session, "it was not me"))
    lot.step(Woke(), after_ms=40 * DAY_MS)
    assert lot.lines("dunning") == []
    lot.step(lot.line(DisputeClosed, "d-1", session, False))
    lot.step(Woke(), after_ms=6 * DAY_MS)
    assert lot.lines("dunning") == []
    lot.step(Woke(), after_ms=2 * DAY_MS)
    assert lot.last("dunning")["stage"] == "reminder-1"


def test_what_happens_to_the_money_meanwhile_is_booked(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.line(DisputeOpened, "d-1", session, "it was not me"))
    lot.step(lot.payment(session, 300), correction(lot, session, 500), lot.payment(session, 300, paid=False))
    assert money(lot, session) == ("disputed", 500, 0, 0, 300)
    lot.step(lot.line(DisputeClosed, "d-1", session, False))
    assert (money(lot, session)[0], receivable(lot)) == ("arrears", 200)


def test_what_is_refused(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.line(DisputeClosed, "d-1", session, True), lot.line(DisputeOpened, "d-1", "9.9", "?"))
    lot.step(lot.line(DisputeOpened, "d-1", session, "not me"), lot.line(DisputeOpened, "d-1", session, "not me"))
    lot.step(lot.line(DisputeOpened, "d-2", session, "not me"), lot.line(DisputeClosed, "d-2", session, True))
    told = ["session is arrears", "unknown session", "session is disputed", "another dispute is open"]
    assert reasons(lot) == told
    assert len(lot.lines("disputed")) == 1
    lot.step(lot.line(DisputeClosed, "d-1", "9.9", True))
    assert reasons(lot)[4:] == ["unknown session"]
