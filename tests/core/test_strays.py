"""Which exits in review are remembered, and which stay each may belong to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.moment import ClockQuality
from gateway.core.plate import Vehicle
from gateway.core.session import Session, State, Trigger, moved
from gateway.core.strays import STRAYS_MAX, Strays, fits
from tests.lots import at, plate

STRAY = Session("1.9", State.REVIEW, "", plate("浙A12345"), 9, at(5000), lane_out="out", exited_ms=at(5000).wall_ms)
STAY = Session("1.3", State.INSIDE, "in", plate("浙A12345"), 3, at(1000))


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("浙A12345", True),
        ("浙A12346", True),    # one character, whichever
        ("沪A12345", True),
        ("浙A12366", False),
        ("浙A1234",  False),
        ("",         False),
    ],
)  # fmt: skip
def test_one_character_apart(text: str, fit: bool) -> None:
    assert fits(STAY, replace(STRAY, plate=plate(text))) is fit


def test_another_class_an_earlier_exit_or_an_unknown_length_do_not_fit() -> None:
    assert fits(STAY, STRAY)
    assert not fits(STAY, replace(STRAY, plate=plate(vehicle=Vehicle.LARGE)))
    assert not fits(replace(STAY, entered=at(5000)), STRAY)
    unknown = at(5000, boot="boot-0", quality=ClockQuality.UNKNOWN)
    assert not fits(STAY, replace(STRAY, entered=unknown))


def test_a_tickets_number_is_exact() -> None:
    ticket = replace(STAY, plate=plate("无A12345"))
    assert fits(ticket, replace(STRAY, plate=plate("无A12345")))
    assert not fits(ticket, replace(STRAY, plate=plate("无A12346")))


def test_what_is_remembered() -> None:
    strays = Strays()
    strays.follow(moved(STAY, Trigger.DOUBTED))
    strays.follow(STRAY)
    assert (strays.fitting(STAY), strays.of(STRAY.plate), strays.of(plate(""))) == ([STRAY], [STRAY], [])
    strays.follow(moved(STRAY, Trigger.PAIRED))
    assert strays.fitting(STAY) == []
    for number in range(STRAYS_MAX + 1):
        strays.follow(replace(STRAY, id=f"2.{number}"))
    assert [stray.id for stray in strays.of(STRAY.plate)][0 :: STRAYS_MAX - 1] == ["2.1", f"2.{STRAYS_MAX}"]
