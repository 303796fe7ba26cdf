"""Barriers opened by hand, and when the alarms of a lane are over."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.commands import ClearAlarm, RaiseAlarm
from gateway.core.entitlement import Policy, WhenFull
from gateway.core.events import BarrierSelfOpened, BudgetSpent, FireAlarmChanged, HelpCalled, Position, SelfOpening
from gateway.core.exit import WithoutLease
from gateway.core.lane_watch import OPEN_MS
from gateway.engine import Outcome
from tests import entitled
from tests.lots import HOUR_MS, SmallLot, plate

OPEN, CLOSED = Position.OPEN, Position.CLOSED


def cleared(done: Outcome) -> list[str]:
    return [command.alarm for command in done.commands if isinstance(command, ClearAlarm)]


def raised(done: Outcome) -> list[str]:
    return [command.alarm for command in done.commands if isinstance(command, RaiseAlarm)]


@pytest.mark.parametrize(
    ("why", "lane", "manual"),
    [
        ("nothing",               "out", True),
        ("held",                  "out", True),
        ("barred",                "in",  True),
        ("read",                  "in",  False),
        ("long after a command",  "in",  True),
        ("soon after a command",  "in",  False),
        ("node opened",           "out", False),
        ("fire",                  "out", False),
        ("late commit",           "out", False),
        ("before the start",      "out", False),
        ("let out before a kill", "out", False),
    ],
)  # fmt: skip
def test_what_explains_an_open_barrier(tmp_path: Path, why: str, lane: str, manual: bool) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE if why == "held" else WithoutLease.OPEN_ARREARS)
    if why == "barred":
        lot.step(lot.grant(entitled.house(0, WhenFull.REFUSE)))
    if why in ("held", "let out before a kill"):
        lot.enter()
        lot.wait(2 * HOUR_MS)
        lot.step(lot.read("out"))
    if why in ("barred", "read") or "command" in why:
        lot.step(lot.read("in"))
    if "command" in why:
        lot.step(lot.passed("in"))
        lot.wait(OPEN_MS // 2 if why == "soon after a command" else OPEN_MS)
    if why == "node opened":
        lot.step(BarrierSelfOpened(lot.source("out"), "out", SelfOpening.UNANSWERED))
    if why == "fire":
        lot.step(FireAlarmChanged(lot.source("out"), "out", True))
    if why == "late commit":
        lot.step(BudgetSpent("out", 203))
    if why == "let out before a kill":
        lot.wait(OPEN_MS)
        lot.restart()
    lot.wait(5000)
    done = lot.step(lot.barrier(lane, OPEN, age_ms=60_000 if why == "before the start" else 0))
    assert (raised(done) == [f"manual/{lane}"], len(lot.lines("manual-open"))) == (manual, int(manual))
    # After a restart it may have been open since before it.
    over = [f"manual/{lane}"] if manual or why == "let out before a kill" else []
    assert cleared(lot.step(lot.barrier(lane, CLOSED))) == [f"barrier/{lane}", *over]


@pytest.mark.parametrize("how", ["passed", "backed out"])
def test_what_is_over_with_its_vehicle(tmp_path: Path, how: str) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.block(Policy.NOTIFY, Policy.NOTIFY, plate=plate().identity)))
    lot.step(HelpCalled(lot.source("in"), "in"), lot.read("in"), HelpCalled(lot.source("out"), "out"))
    done = lot.step(lot.passed("in") if how == "passed" else lot.backed_out("in"))
    assert cleared(done) == ["help/in", "blocked/in"]
    assert cleared(lot.step(lot.read("in", plate("沪B54321")), lot.passed("in"))) == []


@pytest.mark.parametrize("lane", ["in", "out"])
def test_an_unread_passage_stands_until_the_lane_works_again(tmp_path: Path, lane: str) -> None:
    lot = SmallLot(tmp_path)
    lot.enter(plate("沪B54321"), lane="in-2")
    lot.wait(HOUR_MS)
    assert raised(lot.step(lot.passed(lane))) == [f"passage/{lane}"]
    assert lot.last("alarm")["cause"] == "passage without a read"
    lot.step(lot.read(lane, plate("沪B54321")))
    assert cleared(lot.step(lot.passed(lane))) == [f"passage/{lane}"]


def test_a_vehicle_without_a_plate_is_no_alarm(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in", plate("", confidence=0)))
    assert raised(lot.step(lot.passed("in"))) == []


@pytest.mark.parametrize("restart", [False, True])
def test_an_alarm_of_an_earlier_process_is_withdrawn_when_it_is_over(tmp_path: Path, restart: bool) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in"))
    assert raised(lot.step(HelpCalled(lot.source("in"), "in"))) == ["help/in"]
    if restart:
        lot.restart()
    assert "help/in" in cleared(lot.step(lot.passed("in")))
    lot.step(lot.read("in", plate("沪B54321")))
    assert cleared(lot.step(lot.passed("in"))) == []
