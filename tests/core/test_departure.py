"""How a stay of known length is billed, now and afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.answer import Answer
from gateway.core.departure import Departure, settle
from gateway.core.exit import WithoutLease
from tests.lots import HOUR_MS, SmallLot, at


@pytest.mark.parametrize(
    ("hours", "cap", "pairs", "outcome"),
    [
        # stay  lease    review exit  outcome at a lot that asks for payment in the lane
        (2,     None,    "",          "pay-here"),
        (2,     100_000, "",          "lease"),
        (2,     None,    "1.9",       "arrears"),    # it is gone
        (2,     100_000, "1.9",       "lease"),
        (0.3,   None,    "1.9",       "free"),
    ],
)  # fmt: skip
def test_outcome(tmp_path: Path, hours: float, cap: int | None, pairs: str, outcome: str) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    id_ = lot.enter()
    if cap is not None:
        lot.step(lot.lease(id_, cap))
    memory, answer = lot.engine.memory, Answer(1, 100)
    session = memory.session(id_)
    assert session is not None
    exited = at(lot.now_ms + int(hours * HOUR_MS) - 60_000)
    bill, verdict = settle(memory, session, Departure("out", exited, pairs=pairs), answer)
    body = answer.drafts[0].body
    assert (str(verdict.outcome), body["outcome"]) == (outcome, outcome)
    assert (bill.amount_minor, body.get("pairs", ""), "source" in body) == (
        0 if outcome == "free" else 700,
        pairs,
        False,
    )
    assert sum(posting.amount_minor for posting in answer.postings) == 0
