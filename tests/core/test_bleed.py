"""One plate read where its vehicle is not: near lanes, readers that repeat themselves, copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.bleed import BLEED_MS, REENTRY_MS, REREAD_MS
from gateway.core.commands import OpenBarrier
from gateway.core.events import BarrierSelfOpened, SelfOpening
from gateway.core.exit import WithoutLease
from gateway.engine import Outcome
from tests.lots import HOUR_MS, SmallLot, plate

X = plate("京C99999")
SECOND_MS = 1000


def states(lot: SmallLot) -> list[str]:
    return [row[0] for row in lot.rows("SELECT state FROM session ORDER BY plate_n")]


def reasons(lot: SmallLot) -> list[str]:
    return [line["body"]["reason"] for line in lot.lines("ignored")]


def receivable(lot: SmallLot) -> int:
    return int(lot.rows("SELECT coalesce(sum(amount_minor), 0) FROM posting WHERE account = 'receivable'")[0][0])


@pytest.mark.parametrize("first", ["out", "out-2"])
@pytest.mark.parametrize("passes", [("out", "out-2"), ("out-2", "out")])
def test_one_vehicle_read_at_two_exits_leaves_once_and_both_barriers_open(
    tmp_path: Path, first: str, passes: tuple[str, str]
) -> None:
    lot = SmallLot(tmp_path)
    session, other = lot.enter(), lot.enter(X)
    lot.wait(2 * HOUR_MS)
    second = "out" if first == "out-2" else "out-2"
    assert OpenBarrier(first) in lot.step(lot.read(first)).commands
    assert OpenBarrier(second) in lot.step(lot.read(second)).commands
    assert (len(lot.lines("exit")), reasons(lot)) == (1, ["leaves at another lane"])
    lot.restart()
    for lane in passes:
        lot.step(lot.passed(lane))
    assert [line["body"]["session"] for line in lot.lines("left")] == [session]
    assert (lot.last("alarm")["cause"], receivable(lot), lot.engine.memory.inside) == ("passage without a read", 700, 0)
    assert states(lot) == ["arrears", "inside"], f"{other} was not read, and is found as a ghost"


def test_a_vehicle_that_is_read_right_after_all_is_billed_for_itself(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.enter(X)
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.read("out-2"))
    lot.step(lot.read("out-2", X))
    lot.step(lot.passed("out-2"), lot.passed("out"))
    assert (states(lot), len(lot.lines("left")), lot.lines("alarm")) == (["arrears", "arrears"], 2, [])


@pytest.mark.parametrize(
    ("after_ms", "lane", "passed", "reasons_", "exits"),
    [
        # the second read of a plate that left: after the first, where, did it pass -> ignored, exit records
        (5_000,             "out-2", True,  ["has just left"],           1),
        (5_000,             "out",   True,  ["has just left"],           1),
        (REREAD_MS - 5_000, "out",   True,  ["has just left"],           1),
        (REREAD_MS + 5_000, "out",   True,  [],                          2),
        (5_000,             "out",   False, [],                          1),   # it still stands there: the barrier again
        (BLEED_MS + 5_000,  "out-2", False, [],                          2),   # long after: nobody knows
    ],
)  # fmt: skip
def test_a_plate_read_again_after_it_left(
    tmp_path: Path, after_ms: int, lane: str, passed: bool, reasons_: list[str], exits: int
) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    if passed:
        lot.step(lot.passed("out"))
    assert OpenBarrier(lane) in lot.step(lot.read(lane), after_ms=after_ms).commands
    assert (reasons(lot), len(lot.lines("exit")), receivable(lot)) == (reasons_, exits, 700)


@pytest.mark.parametrize(
    ("passed", "after_ms", "reasons_", "exits"),
    [
        (False, 5_000,            ["waits at an entry"],  0),
        (False, BLEED_MS + 5_000, [],                     1),   # the entry's bus may be late: a review exit that waits for it
        (True,  5_000,            ["has just come in"],   0),
        (True,  BLEED_MS + 5_000, [],                     1),
    ],
)  # fmt: skip
def test_a_plate_at_the_entry_read_at_the_exit(
    tmp_path: Path, passed: bool, after_ms: int, reasons_: list[str], exits: int
) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in"))
    if passed:
        lot.step(lot.passed("in"))
    assert OpenBarrier("out") in lot.step(lot.read("out"), after_ms=after_ms).commands
    assert (reasons(lot), len(lot.lines("exit"))) == (reasons_, exits)
    assert lot.rows("SELECT count(*) FROM posting") == [(0,)]


def test_a_ghost_is_not_billed_because_its_plate_waits_at_the_entry(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.wait(30 * HOUR_MS)
    lot.step(lot.read("in"))
    lot.step(lot.read("out"))
    lot.step(lot.passed("in"))
    assert (states(lot), receivable(lot)) == (["review", "inside"], 0)


@pytest.mark.parametrize(
    ("before", "after_ms", "stays", "reasons_"),
    [
        # what the plate did at the first lane, then it passes "in" -> states, ignored reads
        ("in",    5_000,              ["inside", "inside"],  ["has just come in"]),
        ("in",    REENTRY_MS + 5_000, ["review", "inside"],  []),
        ("in-2",  5_000,              ["inside", "inside"],  ["has just come in"]),
        ("in-2",  BLEED_MS + 5_000,   ["review", "review"],  []),
        ("in-2",  REENTRY_MS + 5_000, ["review", "inside"],  []),
        ("out",   5_000,              ["free", "inside"],    ["leaves at another lane"]),
        ("out",   BLEED_MS + 5_000,   ["free", "inside"],    []),
    ],
)  # fmt: skip
def test_a_plate_that_comes_in_where_it_can_not_be(
    tmp_path: Path, before: str, after_ms: int, stays: list[str], reasons_: list[str]
) -> None:
    lot = SmallLot(tmp_path)
    if before == "out":
        lot.enter()
        lot.step(lot.read("out"), after_ms=60_000)
    else:
        lot.enter(lane=before)
    lot.step(lot.read("in"), lot.passed("in"), after_ms=after_ms)
    plates = [row[0] for row in lot.rows("SELECT plate FROM disclosure WHERE n IN (SELECT plate_n FROM session)")]
    assert (states(lot), reasons(lot)) == (stays, reasons_)
    assert plates.count("unknown ") == len(reasons_)
    assert lot.engine.memory.inside == {"out": 1}.get(before, 1 if "review" in stays and "inside" in stays else 2)
    if stays == ["review", "review"]:
        assert {line["body"]["reason"] for line in lot.lines("review")} == {"plate inside twice"}


def test_a_plate_that_came_in_no_longer_waits_at_the_lane_beside(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in"), lot.read("in-2"))
    lot.step(lot.passed("in"))
    assert reasons(lot) == ["has just come in"]
    lot.step(lot.passed("in-2"), after_ms=REENTRY_MS * 2)
    assert states(lot) == ["inside", "inside"]
    assert lot.last("entry")["confidence"] == 0


def opened(outcome: Outcome) -> list[str]:
    return [command.lane for command in outcome.commands if isinstance(command, OpenBarrier)]


def held(folder: Path, *lanes: str, after_ms: int = 1000) -> tuple[SmallLot, str]:
    """A vehicle that is held for 700, and read at these lanes."""
    lot = SmallLot(folder, policy=WithoutLease.PAY_HERE)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    for number, lane in enumerate(lanes):
        assert opened(lot.step(lot.read(lane), after_ms=after_ms if number else 1000)) == []
    return lot, session


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("pays", ["payment", "lease"])
@pytest.mark.parametrize("after_ms", [1000, 5 * BLEED_MS])
@pytest.mark.parametrize(
    ("lanes", "back", "opens"),
    [
        # read at, backed out of -> what opens once it has paid
        (("out",),                  "",      ["out"]),
        (("out", "out-2"),          "",      ["out", "out-2"]),   # which camera read the lane beside is not known
        (("out", "out-2", "out"),   "",      ["out", "out-2"]),
        (("out", "out-2"),          "out",   ["out-2"]),
        (("out", "out-2"),          "out-2", ["out"]),
    ],
)  # fmt: skip
def test_a_held_vehicle_that_paid_is_let_out_wherever_it_stands(
    tmp_path: Path, lanes: tuple[str, ...], back: str, opens: list[str], after_ms: int, pays: str, restart: bool
) -> None:
    lot, session = held(tmp_path, *lanes, after_ms=after_ms)
    if back:
        lot.step(lot.backed_out(back))
    if restart:
        lot.restart()
    assert (states(lot), reasons(lot)) == (["held"], [])
    paid = lot.payment(session, 700) if pays == "payment" else lot.lease(session, 100_000)
    assert opened(lot.step(paid)) == opens
    assert opened(lot.restart()) == opens
    lot.step(lot.passed(opens[-1]))
    assert opened(lot.restart()) == []
    assert (len(lot.lines("left")), lot.lines("alarm"), lot.engine.memory.inside) == (1, [], 0)


@pytest.mark.parametrize("ends", ["passed", "mains"])
def test_a_held_vehicle_that_was_taken_for_gone_is_not_shut_in_at_the_other_lane(tmp_path: Path, ends: str) -> None:
    lot, _ = held(tmp_path, "out", "out-2")
    gone = BarrierSelfOpened(lot.source("out-2"), "out-2", SelfOpening.MAINS)
    assert opened(lot.step(lot.passed("out-2") if ends == "passed" else gone)) == ["out"]
    assert states(lot) == ["arrears"]


def test_two_held_side_by_side_are_each_let_out_when_both_cameras_read_both(tmp_path: Path) -> None:
    lot, first = held(tmp_path, "out")
    lot.wait(HOUR_MS)
    second = lot.enter(plate("浙B22222"))
    lot.step(lot.read("out-2", plate("浙B22222")), after_ms=2 * HOUR_MS)
    lot.step(lot.read("out", plate("浙B22222")), lot.read("out-2"))
    assert (states(lot), reasons(lot)) == (["held", "held"], ["is held at another lane"] * 2)
    assert opened(lot.step(lot.payment(first, 700))) == ["out"]
    assert opened(lot.step(lot.payment(second, 700))) == ["out-2"]


def test_a_turn_back_at_one_lane_leaves_nothing_at_the_other(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"), lot.read("out-2"))
    lot.step(lot.backed_out("out"))
    lot.step(lot.passed("out-2"))
    assert (states(lot), lot.lines("left")) == (["inside"], [])
    lot.step(lot.read("out"), after_ms=2 * BLEED_MS)
    assert lot.last("exit")["session"] == session
