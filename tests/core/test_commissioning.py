"""Questions of a lot, limits, and the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.commissioning import Item, questions
from gateway.core.events import Commissioned
from tests.lots import LOT, SmallLot

YES = Item("fire", "lane", "?", "", 1, 1)
REST = Item("rest", "bus", "?", "mV", 200, 500)
ANSWER = Commissioned("ab" * 32, "rest", "bus", 282, "mV", True, "engineer-7", "")


def test_each_thing_of_a_lot_is_asked_about() -> None:
    items = [Item("earth", "lot", "?", "", 1, 1), REST, YES, Item("bays", "bay-node", "?", "", 1, 1)]
    assert [one.name for one in questions(items, LOT)] == [
        f"earth@{LOT.lot}",
        "rest@bus",
        *(f"fire@{lane}" for lane in ("in", "out", "out-2", "in-2")),
        "bays@bus/4",
    ]


@pytest.mark.parametrize(("item", "value", "good"), [
    (YES,  1,   True),
    (YES,  0,   False),
    (REST, 199, False),
    (REST, 200, True),
    (REST, 500, True),
    (REST, 501, False),
])  # fmt: skip
def test_limits_belong_to_what_is_good(item: Item, value: int, good: bool) -> None:
    assert item.good(value) is good


def test_an_answer_is_a_record_without_a_plate(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(Commissioned("ab" * 32, "rest", "bus", 282, "mV", True, "engineer-7", "tried with 浙A12345 " + "x" * 300))
    body = lot.last("commissioned")
    assert body["note"].startswith("tried with *** x")
    assert len(body["note"]) <= 200
    del body["note"]
    told = {"checklist": "ab" * 32, "item": "rest", "of": "bus", "value": 282, "unit": "mV"}
    assert body == {**told, "passed": True, "by": "engineer-7"}
