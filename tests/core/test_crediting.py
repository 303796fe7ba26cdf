"""What is due back: only what one change added to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.answer import Answer
from gateway.core.crediting import tell
from gateway.core.session import Session, State
from tests.lots import at, plate

PAID = Session("1.3", State.PAID, "in", plate(), 3, at(0), amount_minor=700, paid_minor=700)


@pytest.mark.parametrize(
    ("before",              "after",                                    "told"),
    [
        ({},                    {"paid_minor": 900},                       [200]),
        ({"paid_minor": 900},   {"paid_minor": 1000},                      [100]),
        ({},                    {"lowered_minor": 50},                     [50]),
        ({"paid_minor": 300},   {"paid_minor": 300, "lowered_minor": 400}, []),
        ({"paid_minor": 900},   {"paid_minor": 900, "refunded_minor": 1},  []),
    ],
)  # fmt: skip
def test_only_the_rise_is_told(before: dict[str, int], after: dict[str, int], told: list[int]) -> None:
    answer = Answer(1, 9)
    tell(replace(PAID, **before), replace(PAID, **after), "payment", "p-1", 4, answer)  # type: ignore[arg-type]
    bodies = [draft.body for draft in answer.drafts]
    named = {"session": "1.3", "kind": "payment", "id": "p-1", "dn": 4}
    assert bodies == [{**named, "amount_minor": amount} for amount in told]
