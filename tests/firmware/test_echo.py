"""The ultrasonic detector, look by look. How well it does over days stands in test_detection."""

from __future__ import annotations

import pytest

from firmware.echo import CAR_MM, DRIFT_MM, WINDOW, Echo

FLOOR = 2500


# fmt: off
LOOKS = [
    ("undecided at first",       [FLOOR] * (WINDOW - 1),                               None),
    ("free",                     [FLOOR] * WINDOW,                                     False),
    ("taken from the start",     [1000] * WINDOW,                                      True),
    ("a car comes",              [FLOOR] * 5 + [1000] * 3,                             True),
    ("one stray echo is nobody", [FLOOR] * 5 + [1000, FLOOR, 1000, FLOOR],             False),
    ("no echo decides nothing",  [FLOOR] * 5 + [1000] * 3 + [-1] * 50,                 True),
    ("a low thing is no car",    [FLOOR] * 5 + [FLOOR - CAR_MM + 20] * 20,             False),
    ("a bonnet stays a car",     [FLOOR] * 5 + [1000] * 5 + [FLOOR - CAR_MM + 20] * 9, True),
    ("gone",                     [FLOOR] * 5 + [1000] * 5 + [FLOOR] * 3,               False),
]
# fmt: on


@pytest.mark.parametrize(("looks", "occupied"), [case[1:] for case in LOOKS], ids=[case[0] for case in LOOKS])
def test_looks(looks: list[int], occupied: bool | None) -> None:
    bay = Echo(FLOOR)
    for distance_mm in looks:
        before = bay.occupied
        assert bay.look(distance_mm) == (bay.occupied != before)
    assert bay.occupied is occupied


def test_the_floor_is_learnt_only_so_far() -> None:
    bay = Echo(FLOOR)
    for distance_mm in range(FLOOR, FLOOR - DRIFT_MM - CAR_MM - 5, -5):
        for _ in range(300):
            bay.look(distance_mm)
    assert bay.occupied is True, "a floor that rises by more is a car"
    assert bay._floor >> 6 >= FLOOR - DRIFT_MM
