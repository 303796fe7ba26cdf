"""The walk over a lot's money: a fixed set of walks each time; `make soak` takes fresh ones."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.settlement_model import Settlement


def test_the_money_is_right_after_every_legal_and_illegal_move() -> None:
    walk = settings(
        max_examples=60,
        stateful_step_count=50,
        deadline=None,
        derandomize=True,
        phases=(Phase.generate,),
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Settlement, settings=walk)
