"""Barriers raised by hand: once, or kept up through passages, time and a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.commands import ClearAlarm, OpenBarrier, RaiseAlarm
from gateway.core.entitlement import Policy
from gateway.core.events import BarrierMoved, Position, Woke
from gateway.core.exit import WithoutLease
from gateway.core.holding import REPEAT_MS
from gateway.core.session import State
from gateway.orders import Verb
from tests import entitled
from tests.lots import HOUR_MS, plate
from tests.operating import ATTENDANT, OperatedLot

OUT, IN = {"lane": "out"}, {"lane": "in"}


@pytest.fixture
def lot(tmp_path: Path) -> OperatedLot:
    found = OperatedLot(tmp_path, policy=WithoutLease.PAY_HERE)
    found.list(ATTENDANT)
    return found


def opened(lot: OperatedLot) -> list[str]:
    return [command.lane for command in lot.outcome.commands if isinstance(command, OpenBarrier)]


def test_a_vehicle_held_for_payment_leaves_and_still_owes(lot: OperatedLot) -> None:
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT)
    assert opened(lot) == ["out"]
    assert lot.engine.memory.session(session).state is State.HELD
    lot.step(lot.passed("out"))
    assert lot.last("arrears") == {"session": session, "amount_minor": 700, "payment": ""}


def test_a_barred_vehicle_that_is_let_in_by_hand_is_barred_no_more(lot: OperatedLot) -> None:
    lot.step(lot.grant(entitled.block(Policy.BLOCK, plate=plate().identity)))
    lot.step(lot.read("in"))
    assert lot.engine.memory.lanes["in"].barred == "blocked"
    lot.obey(ATTENDANT, Verb.BARRIER_OPEN, IN)
    assert opened(lot) == ["in"]
    assert OpenBarrier("in") in lot.restart().commands
    lot.step(lot.passed("in"))
    assert len(lot.lines("entry")) == 1


def test_an_open_barrier_lets_nobody_in_twice(lot: OperatedLot) -> None:
    lot.obey(ATTENDANT, Verb.BARRIER_OPEN, IN)
    lot.step(lot.read("in"))
    lot.step(lot.passed("in"))
    assert len(lot.lines("entry")) == 1


def test_a_held_barrier_is_raised_again(lot: OperatedLot) -> None:
    lot.obey(ATTENDANT, Verb.BARRIER_HOLD, OUT)
    alarms = [c for c in lot.outcome.commands if isinstance(c, RaiseAlarm)]
    assert [(a.alarm, a.cause) for a in alarms] == [("hold/out", "operator 1 holds the barrier of out open.")]
    lot.step(Woke())
    steps = {
        "soon": ([Woke()], 1000),
        "later": ([Woke()], REPEAT_MS),
        "passage": ([lot.passed("out")], 1000),
        "fallen": ([BarrierMoved(lot.source("out"), "out", Position.CLOSED)], 1000),
        "moving": ([BarrierMoved(lot.source("out"), "out", Position.MOVING)], 1000),
        "other": ([lot.passed("in")], 1000),
    }
    found = {}
    for name, (events, after_ms) in steps.items():
        lot.outcome = lot.step(*events, after_ms=after_ms)
        found[name] = "out" in opened(lot)
    assert found == {"soon": False, "later": True, "passage": True, "fallen": True, "moving": False, "other": False}


def test_a_start_goes_on_holding_and_tells_it(lot: OperatedLot) -> None:
    lot.obey(ATTENDANT, Verb.BARRIER_HOLD, OUT)
    lot.wait(HOUR_MS)
    lot.outcome = lot.restart()
    assert any(isinstance(c, RaiseAlarm) and c.alarm == "hold/out" for c in lot.outcome.commands)
    assert opened(lot) == ["out"]
    lot.outcome = lot.step(Woke(), after_ms=REPEAT_MS)
    assert opened(lot) == ["out"]
    lot.obey(ATTENDANT, Verb.BARRIER_RELEASE, OUT)
    assert ClearAlarm("hold/out") in lot.outcome.commands
    lot.outcome = lot.step(Woke(), after_ms=REPEAT_MS)
    assert opened(lot) == []
    lot.outcome = lot.restart()
    assert lot.engine.memory.roster.holds == {}


def test_a_hold_of_a_lane_that_is_gone_ends_at_the_start(lot: OperatedLot) -> None:
    lot.obey(ATTENDANT, Verb.BARRIER_HOLD, OUT)
    lot.rows("UPDATE hold SET lane = 'gone'")
    lot.restart()
    assert lot.rows("SELECT * FROM hold") == []
    assert lot.step(Woke()).commands == ()
