"""The short memory of plates."""

from __future__ import annotations

from gateway.core.layout import LaneRole
from gateway.core.recent import RECENT_MAX, Passage, Recent
from tests.lots import at


def test_the_newest_of_each_kind_counts() -> None:
    recent = Recent()
    first, second = Passage("in", "1.3", at(1000)), Passage("in-2", "1.5", at(2000))
    recent.note(LaneRole.ENTRY, "blue A", first)
    recent.note(LaneRole.ENTRY, "blue A", second)
    recent.note_read("blue A", "in", at(500))
    assert (recent.of(LaneRole.ENTRY, "blue A"), recent.of(LaneRole.EXIT, "blue A")) == (second, None)
    assert recent.read_of("blue A") == Passage("in", "", at(500))
    assert first.apart_ms(at(400)) == first.apart_ms(at(1600)) == 600


def test_the_oldest_is_forgotten() -> None:
    recent = Recent()
    for number in range(RECENT_MAX + 1):
        recent.note(LaneRole.EXIT, f"blue {number}", Passage("out", "1.3", at(number)))
    assert recent.of(LaneRole.EXIT, "blue 0") is None
    assert recent.of(LaneRole.EXIT, "blue 1") is not None
