"""The city's own arithmetic, and that it gives back what is due back: once, and never more than came in."""

from __future__ import annotations

import pytest

from sim.city_money import Purse, after, figures, giving_back, is_money
from tests.records import Chain
from tests.sim.test_city import GOOD, down, give, make_city, stay


def record(kind, amount_minor, **more):
    return kind, {"session": "1.2", "amount_minor": amount_minor, **more}


#    records                                                                             open, paid, refunded
PURSES = [
    ([record("exit", 700)],                                                              (700, 0, 0)),
    ([record("exit", 700), record("paid", 300), record("paid", 400)],                    (0, 700, 0)),
    ([record("exit", 700), record("paid", 900)],                                         (-200, 900, 0)),
    ([record("exit", 700), record("paid", 900), record("refunded", 200, due_minor=200)], (0, 900, 200)),
    ([record("exit", 700), record("paid", 700), record("lowered", 100)],                 (-100, 700, 0)),
    ([record("exit", 700), record("paid", 700), record("refunded", 700, due_minor=0)],   (0, 700, 700)),
    ([record("attached", 700), record("corrected", 500, before_minor=700)],              (500, 0, 0)),
    ([record("exit", 700), record("paid", 300), record("voided", 700)],                  (-300, 300, 0)),
    ([record("exit", 700), record("written-off", 700)],                                  (0, 0, 0)),
    ([record("exit", 700), record("written-off", 700), record("paid", 300, recovered_minor=300)], (0, 300, 0)),
    ([record("exit", 700), record("cash", 700)],                                         (0, 700, 0)),
    ([record("exit", 700), record("dispute-closed", 0)],                                 (700, 0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("records", "expected"), PURSES)
def test_purse(records, expected):
    purse = Purse()
    for kind, body in records:
        assert is_money(kind, body)
        purse = after(purse, kind, body)
    assert (purse.open_minor, purse.paid_minor, purse.refunded_minor) == expected


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("entry", {"session": "1.2", "amount_minor": 1}),
        ("paid", {"session": 5, "amount_minor": 1}),
        ("paid", {"session": "1.2", "amount_minor": -1}),
        ("paid", {"session": "1.2", "amount_minor": True}),
        ("refunded", {"session": "1.2", "amount_minor": 1}),
    ],
)
def test_no_money(kind, body):
    assert not is_money(kind, body)


def test_never_more_than_came_in():
    purse = Purse(billed_minor=700, paid_minor=700)
    assert giving_back(purse, 0) is None
    assert giving_back(purse, 701) is None
    half = giving_back(purse, 400)
    assert half.promised_minor == 400
    assert giving_back(half, 301) is None
    assert giving_back(half, 300).promised_minor == 700
    assert giving_back(Purse(paid_minor=700, refunded_minor=701), 1) is None


def test_what_is_due_back_is_given_back_once():
    city, chain = make_city(), Chain().fill(1)
    entry, _ = stay(chain, GOOD, 500)
    session = f"1.{entry.n}"
    chain.add("paid", {"session": session, "payment": "c-1/payment/3", "amount_minor": 500})
    chain.add("lowered", {"session": session, "kind": "benefit", "id": "b-1", "amount_minor": 200})
    due = {"session": session, "kind": "benefit", "id": "b-1", "amount_minor": 200}
    chain.add("refund-due", due)
    lines = down(give(city, chain.records))
    assert lines[-1]["type"] == "refund"
    body = {"session": session, "refund": "c-1/refund/6", "amount_minor": 200, "reason": "benefit"}
    assert lines[-1]["body"] == body
    assert down(give(city, chain.records)) == []
    chain.add("refunded", {"session": session, "refund": "c-1/refund/6", "amount_minor": 200, "due_minor": 200})
    chain.add("refund-due", due | {"amount_minor": 301})
    assert down(give(city, chain.records)) == []
    totals = city.totals()
    assert (totals["refunded_minor"], totals["open_minor"], city.store.tallies()["odd"]) == (200, 0, 1)


def test_a_day_by_its_records():
    records = [
        ("entry", {"session": "1.2"}),
        record("exit", 700, outcome="lease"),
        record("exit", 300, outcome="lease"),
        record("corrected", 500, before_minor=700),
        record("paid", 600, recovered_minor=40),
        record("cash", 50),
        record("refunded", 100, due_minor=60),
        record("written-off", 90),
        ("exit", {"session": 7}),
    ]
    assert figures(records, -5) == {
        "entries": 1,
        "exits": 3,
        "outcome-lease": 2,
        "billed_minor": 800,
        "lowered_minor": 40,
        "written_off_minor": 50,
        "paid_minor": 600,
        "cash_minor": 50,
        "refunded_minor": 100,
        "open_minor": -5,
    }


def test_a_closed_day_is_answered_with_the_citys_own_figures():
    city, chain = make_city(), Chain().fill(1)
    stay(chain, GOOD, 500)
    chain.add("day", {"day": "2026-11-02", "first": 1, "last": 3, "figures": {}})
    chain.add("day", {"day": 5, "first": 1, "last": 3})
    line = down(give(city, chain.records))[-1]
    assert (line["type"], line["body"]["tally"], line["body"]["day"]) == ("day", "c-1/day/4", "2026-11-02")
    found = line["body"]["figures"]
    assert (found["exits"], found["billed_minor"], found["open_minor"]) == (1, 500, 500)
    assert city.store.tallies()["odd"] == 1
