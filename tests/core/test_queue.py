"""Bumper to bumper: the next vehicle is read while the one ahead still passes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.commands import OpenBarrier
from gateway.core.events import PlateRead
from gateway.core.exit import WithoutLease
from tests.lots import HOUR_MS, SmallLot, plate

A, B = plate("浙A11111"), plate("浙B22222")


def behind(read: PlateRead) -> PlateRead:
    return replace(read, behind=True)


def plates(lot: SmallLot) -> list[str]:
    return [record.disclosure.plate for record in lot.engine.records(1, 99) if record.disclosure is not None]


@pytest.mark.parametrize("restart", [False, True])
def test_at_the_entry_each_passage_gets_its_own_plate(tmp_path: Path, restart: bool) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in", A))
    lot.step(behind(lot.read("in", B)))
    if restart:
        lot.restart()
    lot.step(lot.passed("in"))
    lot.step(lot.passed("in"))
    assert plates(lot) == ["blue 浙A11111", "blue 浙B22222"]


def test_at_the_entry_the_passing_vehicle_read_again_is_no_second_one(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in", A))
    lot.step(behind(lot.read("in", A)))
    lot.step(lot.passed("in"))
    assert plates(lot) == ["blue 浙A11111"]
    assert lot.engine.memory.lanes["in"].waiting == ()


def test_at_the_entry_a_vehicle_behind_an_unread_one_keeps_its_plate(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(behind(lot.read("in", B)))
    lot.step(lot.passed("in"))
    lot.step(lot.passed("in"))
    assert plates(lot) == ["unknown ", "blue 浙B22222"]


def test_at_the_entry_the_second_backs_out_and_the_first_keeps_its_plate(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in", A))
    lot.step(behind(lot.read("in", B)), lot.backed_out("in"), lot.passed("in"))
    assert plates(lot) == ["blue 浙A11111"]


@pytest.mark.parametrize("restart", [False, True])
def test_at_the_exit_the_passage_is_the_first_ones_and_the_second_stays_held(tmp_path: Path, restart: bool) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    first, second = lot.enter(A), lot.enter(B)
    lot.step(lot.lease(first, 100_000))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out", A))
    lot.step(behind(lot.read("out", B)))
    if restart:
        lot.restart()
    lot.step(lot.passed("out"))
    assert lot.last("left")["session"] == first
    assert lot.rows(f"SELECT state FROM session WHERE id = '{second}'") == [("held",)]
    assert OpenBarrier("out") in lot.step(lot.payment(second, 700)).commands
    lot.step(lot.passed("out"))
    assert [line["body"]["session"] for line in lot.lines("left")] == [first, second]


def test_at_the_exit_an_undecided_passage_is_not_booked_on_the_next(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    second = lot.enter(B)
    lot.wait(2 * HOUR_MS)
    lot.step(behind(lot.read("out", B)))
    lot.step(lot.passed("out"))
    assert lot.last("alarm")["cause"] == "passage without a read"
    assert lot.rows(f"SELECT state FROM session WHERE id = '{second}'") == [("held",)]


def test_at_the_exit_the_passing_vehicle_read_again_changes_nothing(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter(A)
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out", A))
    before = lot.engine.memory.lanes["out"]
    lot.step(behind(lot.read("out", A)))
    assert (len(lot.lines("exit")), lot.engine.memory.lanes["out"]) == (1, before)
