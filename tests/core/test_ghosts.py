"""Stays whose vehicle is gone: what ends them, what does not, and that nobody pays for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.events import Woke
from gateway.core.exit import WithoutLease
from gateway.core.ghosts import BAYS_FREE_MS, COUNT_MARGIN_MS, ENDED_MAX
from tests.lots import HOUR_MS, START_MS, SmallLot, plate

DAY_MS = 24 * HOUR_MS


def states(lot: SmallLot) -> dict[str, str]:
    return dict(lot.rows("SELECT id, state FROM session"))


@pytest.mark.parametrize("restart", [False, True])
def test_a_stay_beyond_the_maximum_is_unfinished_and_debits_nobody(tmp_path: Path, restart: bool) -> None:
    lot = SmallLot(tmp_path, max_stay_ms=DAY_MS)
    session = lot.enter()
    lot.step(Woke(), after_ms=DAY_MS - 1000)
    assert lot.lines("unfinished") == []
    if restart:
        lot.restart()
    lot.step(Woke(), after_ms=1001)
    told = {"session": session, "reason": "longer than the maximum stay", "open_s": 86_400}
    assert (lot.last("unfinished"), states(lot)[session]) == (told, "review")
    assert lot.rows("SELECT count(*) FROM posting") == [(0,)]
    assert lot.engine.memory.inside == 0
    lot.step(Woke(), after_ms=DAY_MS)
    assert len(lot.lines("unfinished")) == 1


def test_an_early_stay_does_not_end_with_the_others(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, max_stay_ms=DAY_MS)
    old = lot.enter()
    lot.wait(DAY_MS // 2)
    young = lot.enter(plate("沪B54321"))
    lot.step(Woke(), after_ms=DAY_MS // 2)
    assert (states(lot)[old], states(lot)[young], lot.engine.memory.inside) == ("review", "inside", 1)


def test_one_tick_ends_a_bounded_number(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, max_stay_ms=DAY_MS)
    for number in range(ENDED_MAX + 3):
        lot.enter(plate(f"浙A{number:05}"))
    lot.wait(2 * DAY_MS)
    found = []
    for _ in range(3):
        lot.step(Woke())
        found.append(len(lot.lines("unfinished")))
    assert found == [ENDED_MAX, ENDED_MAX + 3, ENDED_MAX + 3]
    assert lot.engine.memory.inside == 0


@pytest.mark.parametrize(
    ("ago_ms", "late_ms", "counted", "state"),
    [
        # stay begun, count made before it came, vehicles -> the stay
        (2 * HOUR_MS,         0,           0, "review"),
        (2 * HOUR_MS,         0,           1, "inside"),
        (COUNT_MARGIN_MS,     0,           0, "inside"),   # it may have driven in behind the counter's back
        (2 * HOUR_MS,         3 * HOUR_MS, 0, "inside"),   # the count is older than the stay: the link was dead
        (5 * HOUR_MS,         3 * HOUR_MS, 0, "review"),
    ],
)  # fmt: skip
def test_a_count_of_nobody(tmp_path: Path, ago_ms: int, late_ms: int, counted: int, state: str) -> None:
    lot = SmallLot(tmp_path)
    lot.wait(DAY_MS)
    session = lot.enter()
    lot.wait(ago_ms - 2000)
    lot.step(lot.recount(counted, at_ms=START_MS + lot.now_ms + 1000 - late_ms))
    lot.step(Woke())
    assert states(lot)[session] == state
    if state == "review":
        assert lot.last("unfinished")["reason"] == "lot counted empty"
        assert lot.engine.memory.inside == 0
        lot.enter(plate("沪B54321"))
        assert lot.engine.memory.inside == 1


def test_a_lot_with_all_bays_free_for_long_holds_only_ghosts(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    ghost = lot.enter()
    lot.step(lot.bays(False, False, False, False))
    lot.step(Woke())
    lot.step(Woke(), after_ms=BAYS_FREE_MS - 1)
    assert states(lot)[ghost] == "inside"
    young = lot.enter(plate("沪B54321"))
    lot.step(Woke())
    assert (states(lot)[ghost], states(lot)[young]) == ("review", "inside")
    assert lot.last("unfinished")["reason"] == "all bays free"


@pytest.mark.parametrize("bays", [(True, False, False, False), None])
def test_an_occupied_or_an_unknown_bay_proves_nothing(tmp_path: Path, bays: tuple[bool, ...] | None) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.step(lot.bays(*bays) if bays else lot.bay("b1", False))
    for _ in range(3):
        lot.step(Woke(), after_ms=BAYS_FREE_MS)
    assert states(lot)[session] == "inside"


@pytest.mark.parametrize(("stands", "state"), [(True, "held"), (False, "arrears")])
def test_a_held_stay_is_in_arrears_unless_its_vehicle_still_stands_there(
    tmp_path: Path, stands: bool, state: str
) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE, max_stay_ms=DAY_MS)
    session = lot.enter()
    lot.wait(DAY_MS - 10_000)
    lot.step(lot.read("out"))
    if not stands:
        lot.step(lot.read("out", plate("沪B54321")))
    lot.step(Woke(), after_ms=20_000)
    assert states(lot)[session] == state
    assert lot.lines("unfinished") == []


@pytest.mark.parametrize(
    ("how", "inside"),
    [
        # what leaves beside the one vehicle with a stay -> inside before and after its ghost is found
        ("no match",   [1, 1]),
        ("no plate",   [1, 1]),
        ("no read",    [1, 1]),
        ("in doubt",   [1, 1]),
        ("nothing",    [2, 1]),
    ],
)  # fmt: skip
def test_the_number_inside_follows_every_exit_once(tmp_path: Path, how: str, inside: list[int]) -> None:
    lot = SmallLot(tmp_path, max_stay_ms=DAY_MS)
    lot.enter()
    lot.wait(DAY_MS // 2)
    lot.enter(plate("沪B54321"))
    reads = {"no match": plate("京C99999"), "no plate": plate("", confidence=0), "in doubt": plate(confidence=20)}
    if how in reads:
        lot.step(lot.read("out", reads[how]))
    if how != "nothing":
        lot.step(lot.passed("out"))
    found = [lot.engine.memory.inside]
    lot.step(Woke(), after_ms=DAY_MS // 2)
    assert (len(lot.lines("unfinished")), len(lot.lines("paired"))) == ((0, 1) if how == "in doubt" else (1, 0))
    found.append(lot.engine.memory.inside)
    lot.restart()
    assert [*found, lot.engine.memory.inside] == [*inside, inside[1]]


def test_more_may_leave_than_the_lot_knew_of(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    for _ in range(3):
        lot.step(lot.passed("out"))
    lot.enter()
    assert lot.engine.memory.inside == 1
