"""The index of open stays by their begin on this boot's clock."""

from __future__ import annotations

import pytest

from gateway.core.moment import ClockQuality, Moment
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from gateway.core.session import Session, State, Trigger, moved
from gateway.core.stay_watch import StayWatch
from tests.lots import at

PLATE = Plate("浙A12345", Colour.BLUE, Vehicle.SMALL, Energy.FUEL, 99)
S, U = ClockQuality.SYNCHRONISED, ClockQuality.UNKNOWN


def stay(id_: str, entered: Moment) -> Session:
    return Session(id_, State.INSIDE, "in", PLATE, 1, entered)


@pytest.mark.parametrize(
    ("boot", "quality", "begun_ms"),
    [
        # entered at 5000 of the wall clock; now is 9000 of boot-2 -> open since, on boot-2's clock
        ("boot-2", S, 5000),
        ("boot-2", U, 5000),
        ("boot-1", S, 5000),
        ("boot-1", U, 9000),   # nobody knows how long: from now on
    ],
)  # fmt: skip
def test_begin(boot: str, quality: ClockQuality, begun_ms: int) -> None:
    watch = StayWatch()
    watch.follow(stay("1.1", at(5000, boot=boot, quality=quality)))
    watch.settle(at(9000, boot="boot-2"))
    assert watch.begun_before(begun_ms, 9) == []
    assert watch.begun_before(begun_ms + 1, 9) == ["1.1"]


def test_the_longest_first_and_what_ended_not_at_all() -> None:
    watch = StayWatch()
    for id_, ms in (("1.3", 300), ("1.1", 100), ("1.2", 200)):
        watch.follow(stay(id_, at(ms)))
    watch.settle(at(1000))
    assert watch.begun_before(1000, 2) == ["1.1", "1.2"]
    watch.follow(moved(stay("1.1", at(100)), Trigger.DOUBTED))
    watch.put_off("1.2", 900)
    assert watch.begun_before(1000, 9) == ["1.3", "1.2"]
    assert watch.begun_before(900, 9) == ["1.3"]


def test_a_stay_that_ended_before_anybody_looked() -> None:
    watch = StayWatch()
    watch.follow(stay("1.1", at(100)))
    watch.follow(moved(stay("1.1", at(100)), Trigger.DOUBTED))
    watch.settle(at(1000))
    assert watch.begun_before(1000, 9) == []


@pytest.mark.parametrize(
    ("bays", "free_ms"),
    [
        ([[False, False], [False, False]],               1000),
        ([[False, False], [True, False]],                0),
        ([[False], [False]],                             0),
        ([[True, False], [False, False]],                0),
    ],
)  # fmt: skip
def test_free_bays(bays: list[list[bool]], free_ms: int) -> None:
    watch = StayWatch()
    assert [watch.free_for_ms(known, 2, at(1000 * i)) for i, known in enumerate(bays)][-1] == free_ms
    assert watch.free_for_ms([], 0, at(9000)) == 0
