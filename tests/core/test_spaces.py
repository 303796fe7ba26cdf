"""Several vehicles and fewer spaces, at a lot: who is free and from when."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.entitlement import Kind
from tests import entitled
from tests.lots import HOUR_MS, START_MS, SmallLot, plate

A, B, C = plate("浙A00001"), plate("浙A00002"), plate("浙A00003")


def lot_with(folder: Path, spaces: int) -> SmallLot:
    lot = SmallLot(folder)
    lot.step(lot.grant(entitled.permit("p1", A.identity, B.identity, C.identity, spaces=spaces)))
    return lot


def leave(lot: SmallLot, read: object) -> int:
    lot.step(lot.read("out", read))  # type: ignore[arg-type]
    lot.step(lot.passed("out"))
    return int(lot.last("exit")["amount_minor"])


@pytest.mark.parametrize(
    ("spaces", "owed"),
    [(0, [700, 700, 700]), (1, [0, 700, 700]), (2, [0, 0, 700]), (3, [0, 0, 0])],
)
def test_extra_vehicles_pay(tmp_path: Path, spaces: int, owed: list[int]) -> None:
    lot = lot_with(tmp_path, spaces)
    for read in (A, B, C):
        lot.enter(read)
    lot.restart()
    lot.wait(2 * HOUR_MS)
    billed = []
    for read in (C, B, A):
        billed.append(leave(lot, read))
    assert billed[::-1] == owed


def test_the_longest_inside_takes_the_space_that_becomes_free(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, 1)
    for read in (A, B, C):
        lot.enter(read)
    lot.wait(2 * HOUR_MS)
    assert leave(lot, A) == 0
    lot.restart()
    lot.wait(20 * HOUR_MS)
    # B pays for the two hours before the space was free, C for all of its stay.
    assert leave(lot, B) == 700
    assert leave(lot, C) > 700
    assert lot.rows("SELECT count(*) FROM space") == [(0,)]


def test_a_permit_that_comes_in_mid_stay_splits_it(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    begins_ms = START_MS + lot.now_ms
    lot.step(lot.grant(entitled.permit(from_ms=begins_ms)))
    lot.wait(20 * HOUR_MS)
    assert leave(lot, plate()) == 700
    assert [line["kind"] for line in lot.last("exit")["lines"] if "kind" in line] == ["permit"]


def test_a_permit_that_is_withdrawn_covers_what_was_before(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.permit()))
    lot.enter()
    lot.wait(20 * HOUR_MS)
    lot.step(lot.withdraw(Kind.PERMIT, "p1"))
    lot.restart()
    lot.wait(2 * HOUR_MS)
    assert leave(lot, plate()) == 700
    lot.enter()
    lot.wait(2 * HOUR_MS)
    assert leave(lot, plate()) == 700
