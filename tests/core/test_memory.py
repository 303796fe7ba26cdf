"""The lot's memory holds who is inside and who stands under a barrier, and nobody else."""

from __future__ import annotations

from pathlib import Path

from gateway.core.exit import WithoutLease
from tests.lots import HOUR_MS, SmallLot, plate


def test_an_ended_stay_leaves_memory_when_its_vehicle_has_left(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    assert lot.engine.memory.session_of("blue 浙A12345") is not None
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert lot.engine.memory.session_of("blue 浙A12345") is None
    assert lot.engine.memory.session(session) is not None
    lot.step(lot.passed("out"))
    assert lot.engine.memory.session(session) is None


def test_a_held_vehicle_is_still_inside(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert lot.engine.memory.inside == 1


def test_vehicles_without_a_plate_are_counted_and_never_found_by_it(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.passed("in"))
    lot.step(lot.passed("in"))
    assert lot.engine.memory.inside == 2
    assert lot.engine.memory.session_of(plate("").identity) is None


def test_bays_are_absolute_and_unknown_until_they_report(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    done = lot.step(lot.bay("b1", True), lot.bay("b2", False))
    shown = done.commands[-1]
    assert (shown.free, shown.occupied, shown.unknown, shown.inside) == (1, 1, 2, 0)  # type: ignore[union-attr]
