"""How frames look in a trace."""

from __future__ import annotations

import pytest

from gateway.core.commands import OpenBarrier, ShowText, Voice
from gateway.core.events import HelpCalled, PlateRead, Source
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from gateway.heard import heard_json, heard_lines
from gateway.link.tap import Heard

SOURCE = Source("00a1", 7, 3, 12)
PLATE = PlateRead(SOURCE, "in", Plate("浙A12345", Colour.BLUE, Vehicle.SMALL, Energy.FUEL, 97))


def heard(kind: str, direction: str = "rx", **more: object) -> Heard:
    return Heard(direction, kind, 1, 9, 5, **more)  # type: ignore[arg-type]


# fmt: off
CASES = [
    (heard("DATA", detail="pending 0"),                        []),
    (heard("HELLO", "tx", detail="epoch 3"),                   ["HELLO address 1 epoch 3"]),
    (heard("DATA", events=(PLATE,)),                           ["event PlateRead in 浙A***45 blue 97% (00a1 #3, 12 ms ago)"]),
    (heard("DATA", events=(HelpCalled(SOURCE, "in"),)),        ["event HelpCalled lane=in (00a1 #3, 12 ms ago)"]),
    (heard("CMD", "tx", command=OpenBarrier("in")),            ["sent open in"]),
    (heard("CMD", "tx", command=ShowText("in", "a", Voice.GO)), ["sent show in 'a', say go"]),
    (heard("DATA", problem="session"),                         ["rx DATA address 1 not read: session"]),
    (Heard("rx", "", 0, 0, 0, problem="crc"),                  ["rx frame not read: crc"]),
]
# fmt: on


@pytest.mark.parametrize(("frame", "lines"), CASES, ids=[str(case[1]) for case in CASES])
def test_lines(frame: Heard, lines: list[str]) -> None:
    assert list(heard_lines(frame)) == lines


def test_idle_frames_on_demand() -> None:
    assert list(heard_lines(heard("DATA", detail="pending 0"), idle=True)) == ["DATA address 1 pending 0"]


def test_an_object_masks_the_plate_too() -> None:
    found = heard_json(heard("DATA", events=(PLATE,)))
    assert found["events"] == ["PlateRead in 浙A***45 blue 97% (00a1 #3, 12 ms ago)"]
