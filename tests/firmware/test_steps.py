"""The lane's table: complete for what can happen, safe in every state, and the same as in the manual."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware import wire
from firmware.steps import (
    ARRIVE,
    BLOCKED,
    BLOCKED_WAITING,
    CLEAR,
    EMPTY,
    ENTER,
    GRANT,
    HOLD,
    INTRUDE,
    LAPSE,
    LEAVE,
    PASSING,
    PASSING_GRANTED,
    PASSING_NEXT,
    READ,
    STEPS,
    UNCLAIMED,
    UP,
)

MANUAL = Path(__file__).resolve().parents[2] / "firmware" / "PROTOCOL.md"
STATES = {state for state, _ in STEPS}
ON_SAFETY_LOOP = {PASSING, PASSING_NEXT, PASSING_GRANTED, BLOCKED, BLOCKED_WAITING}
ANYWHERE = {ARRIVE, READ, LEAVE, GRANT, HOLD}
EVENTS = {0: "", wire.PASSED: "PASSED", wire.BACKED_OUT: "BACKED_OUT"}


@pytest.mark.parametrize("state", sorted(STATES))
def test_every_state_knows_what_can_happen_in_it(state):
    expected = ANYWHERE | ({CLEAR} if state in ON_SAFETY_LOOP else {ENTER})
    if state not in ON_SAFETY_LOOP and state not in UP:
        expected |= {INTRUDE}
    if state == UNCLAIMED:
        expected |= {LAPSE}
    assert {happening for at, happening in STEPS if at == state} == expected


def test_every_state_can_be_reached_and_left():
    reached = {EMPTY}
    for _ in STATES:
        reached |= {target for (state, _), (target, _) in STEPS.items() if state in reached}
    assert reached == STATES
    for state in STATES:
        assert any(target != state for (at, _), (target, _) in STEPS.items() if at == state)


def test_the_arm_comes_down_only_with_the_safety_loop_clear():
    lowering = {(at, happening) for (at, happening), (to, _) in STEPS.items() if at in UP and to not in UP}
    assert {happening for _, happening in lowering} == {CLEAR, LAPSE}
    assert all(at == UNCLAIMED for at, happening in lowering if happening == LAPSE)


def test_a_passing_is_told_exactly_when_the_loop_clears_under_a_raised_arm():
    for (state, happening), (_, event) in STEPS.items():
        assert (event == wire.PASSED) == (happening == CLEAR and state in UP)
        assert event != wire.BACKED_OUT or happening == LEAVE


def test_manual_shows_this_table():
    lines = [
        f"| {state} | {happening} | {target} | {EVENTS[event]} |"
        for (state, happening), (target, event) in STEPS.items()
    ]
    assert "\n".join(lines) in MANUAL.read_text(encoding="utf-8")
