"""Exits that were read without a stay, and the stays that they turn out to end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.commands import OpenBarrier
from gateway.core.events import Woke
from gateway.core.exit import WithoutLease
from gateway.core.plate import Plate
from tests import entitled
from tests.lots import HOUR_MS, SmallLot, plate

DAY_MS = 24 * HOUR_MS


def state(lot: SmallLot, session: str) -> str:
    return str(lot.rows(f"SELECT state FROM session WHERE id = '{session}'")[0][0])


def leave(lot: SmallLot, read: Plate, lane: str = "out") -> str:
    """A whole exit; its session's id."""
    assert OpenBarrier(lane) in lot.step(lot.read(lane, read)).commands
    lot.step(lot.passed(lane))
    return str(lot.last("exit")["session"])


def enter_late(lot: SmallLot, ago_ms: int, read: Plate | None = None) -> str:
    """An entry that happened a while ago and is heard now."""
    lot.step(lot.read("in", read, age_ms=ago_ms), lot.passed("in", age_ms=ago_ms))
    return str(lot.last("entry")["session"])


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("policy", "standing", "outcome"),
    [
        (WithoutLease.OPEN_ARREARS, False, "arrears"),
        (WithoutLease.PAY_HERE,     False, "arrears"),   # it is gone: nobody can be held
        (WithoutLease.PAY_HERE,     True,  "standing"),
    ],
)  # fmt: skip
def test_an_entry_heard_after_its_exit_is_billed_once(
    tmp_path: Path, restart: bool, policy: WithoutLease, standing: bool, outcome: str
) -> None:
    lot = SmallLot(tmp_path, policy=policy)
    lot.wait(DAY_MS)
    if standing:
        lot.step(lot.grant(entitled.standing(plate=plate().identity)))
    stray = leave(lot, plate())
    assert (lot.last("exit")["outcome"], lot.last("exit")["amount_minor"]) == ("review", 0)
    if restart:
        lot.restart()
    session = enter_late(lot, 2 * HOUR_MS)
    body = lot.last("exit")
    assert (body["session"], body["pairs"], body["outcome"]) == (session, stray, outcome)
    assert (body["amount_minor"], "source" in body) == (700, False)
    assert lot.last("paired") == {"session": session, "exit": stray, "evidence": "entry heard late"}
    assert (state(lot, stray), lot.engine.memory.inside, lot.engine.memory.exits) == ("free", 0, 1)
    assert lot.rows("SELECT sum(amount_minor) FROM posting WHERE account = 'receivable'") == [(700,)]
    lot.step(lot.read("out"))
    assert lot.last("exit")["outcome"] == "review", "it is not billed a second time"


def test_a_lease_that_follows_the_late_entry_makes_it_due(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.wait(DAY_MS)
    leave(lot, plate())
    session = enter_late(lot, 2 * HOUR_MS)
    lot.step(lot.lease(session, 700))
    assert state(lot, session) == "due"


@pytest.mark.parametrize(
    "why", ["entered after it", "exit in doubt", "entry in doubt", "two exits", "age not known", "other plate"]
)
def test_an_entry_that_is_not_certainly_before_the_exit_opens_a_stay(tmp_path: Path, why: str) -> None:
    lot = SmallLot(tmp_path)
    lot.wait(DAY_MS)
    read = lot.read("out", plate(confidence=60 if why == "exit in doubt" else 99))
    lot.step(replace(read, source=replace(read.source, early=why == "age not known")))
    lot.step(lot.passed("out"))
    if why == "two exits":
        leave(lot, plate())
    late = {"entry in doubt": plate(confidence=60), "other plate": plate("浙A12346")}.get(why, plate())
    session = enter_late(lot, 0 if why == "entered after it" else 2 * HOUR_MS, late)
    assert (state(lot, session), lot.lines("paired")) == ("inside", [])
    assert lot.rows("SELECT count(*) FROM posting") == [(0,)]


@pytest.mark.parametrize(
    ("read", "back", "paired"),
    [
        # the exit's read, the plate is in again -> both are one review
        (plate("浙A1234W"),                True,  True),
        (plate("浙A1234W"),                False, True),
        (plate("浙A1234W", confidence=60), True,  True),
        (plate(confidence=60),             True,  True),
        (plate("浙A1284W"),                True,  False),
    ],
)  # fmt: skip
def test_a_ghost_and_the_only_exit_that_explains_it(tmp_path: Path, read: Plate, back: bool, paired: bool) -> None:
    lot = SmallLot(tmp_path, max_stay_ms=DAY_MS)
    session = lot.enter()
    lot.step(lot.lease(session, 100_000))
    lot.wait(2 * HOUR_MS)
    stray = leave(lot, read)
    before = lot.engine.memory.inside
    if back:
        lot.wait(6 * HOUR_MS)
        lot.enter()
    else:
        lot.step(Woke(), after_ms=DAY_MS)
    assert state(lot, session) == "review"
    assert lot.engine.memory.inside == before + back
    assert lot.rows("SELECT count(*) FROM posting") == [(0,)]
    if not paired:
        assert (lot.lines("paired"), state(lot, stray)) == ([], "review")
        return
    assert lot.last("paired") == {"session": session, "exit": stray, "evidence": "fits, and may be another"}
    assert state(lot, stray) == "free"


@pytest.mark.parametrize(
    ("misread", "other_stay", "other_exit", "ended"),
    [
        # the plate at the entry, another stay and another exit beside it -> the stay, when the plate that left is in again
        ("浙A1234W", "",         "",         "review"),
        ("浙A1234W", "浙A1W345", "",         "inside"),   # either may be the one that left
        ("浙A1234W", "",         "浙A1234X", "inside"),   # either may be its exit
        ("浙A12WW5", "",         "",         "inside"),   # too far
    ],
)  # fmt: skip
@pytest.mark.parametrize("restart", [False, True])
def test_a_plate_that_left_in_review_and_is_in_again_was_misread_at_its_entry(
    tmp_path: Path, misread: str, other_stay: str, other_exit: str, ended: str, restart: bool
) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter(plate(misread))
    lot.step(lot.lease(session, 100_000))
    if other_stay:
        lot.enter(plate(other_stay))
    lot.wait(2 * HOUR_MS)
    stray = leave(lot, plate())
    if other_exit:
        leave(lot, plate(other_exit))
    lot.wait(6 * HOUR_MS)
    if restart:
        lot.restart()
    lot.enter()
    assert state(lot, session) == ended
    assert lot.rows("SELECT count(*) FROM posting") == [(0,)]
    if ended == "review":
        assert lot.last("paired") == {"session": session, "exit": stray, "evidence": "fits, and may be another"}


def test_two_exits_that_fit_explain_nothing(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    leave(lot, plate("浙A1234W"))
    leave(lot, plate("浙A12346"))
    lot.enter()
    assert (state(lot, session), lot.lines("paired")) == ("review", [])


def test_a_review_exit_names_the_stays_that_it_may_have_ended(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.enter(plate("京C99999"))
    lot.wait(2 * HOUR_MS)
    leave(lot, plate("浙A1234W"))
    assert lot.last("exit")["near"] == [session]


@pytest.mark.parametrize(
    ("how", "read", "paired"),
    [
        ("tailgater", plate("沪B54321"),          True),
        ("no plate",  plate("沪B54321"),          True),
        ("no plate",  plate("", confidence=0),    True),
        ("no plate",  plate("浙A1234W"),          False),   # another stay's plate is near
    ],
)  # fmt: skip
def test_a_stay_without_a_plate_and_an_exit_without_a_stay_are_one_review(
    tmp_path: Path, how: str, read: Plate, paired: bool
) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.step(*([lot.read("in", plate("", confidence=0))] if how == "no plate" else []), lot.passed("in"))
    unread = str(lot.last("entry")["session"])
    lot.wait(2 * HOUR_MS)
    stray = leave(lot, read)
    assert (state(lot, unread), state(lot, stray)) == (("review", "free") if paired else ("inside", "review"))
    assert lot.engine.memory.inside == 1
    assert lot.rows("SELECT count(*) FROM posting") == [(0,)]


@pytest.mark.parametrize(
    ("reads", "exits"),
    [
        # (text, confidence) of each read before the passage -> outcome of each exit; all are one vehicle
        ((("浙A12345", 60), ("浙A12345", 99)),  ["review", "arrears"]),
        ((("浙A9Z3W5", 60), ("浙A12345", 99)),  ["review", "arrears"]),
        ((("", 0), ("浙A12345", 99)),           ["review", "arrears"]),
        ((("浙A1234W", 99), ("浙A12345", 99)),  ["review", "arrears"]),
        ((("", 0), ("浙A12345", 60)),           ["review"]),
        ((("浙A99999", 99), ("浙A99998", 99)),  ["review"]),
        ((("浙A99999", 60), ("浙A99998", 99)),  ["review", "review"]),
    ],
)  # fmt: skip
def test_a_vehicle_that_is_read_again_before_it_passed_is_one_exit(
    tmp_path: Path, reads: tuple[tuple[str, int], ...], exits: list[str]
) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.enter(plate("京C00000"))
    lot.wait(2 * HOUR_MS)
    for text, confidence in reads:
        assert OpenBarrier("out") in lot.step(lot.read("out", plate(text, confidence=confidence))).commands
    lot.step(lot.passed("out"))
    assert [line["body"]["outcome"] for line in lot.lines("exit")] == exits
    open_reviews = lot.rows("SELECT count(*) FROM session WHERE state = 'review'")
    assert (open_reviews, lot.engine.memory.inside, lot.engine.memory.exits) == ([(int("arrears" not in exits),)], 1, 1)
