"""Room for the hour when the card is full: held, given up, taken back, and told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.store import reserve as reserve_module
from gateway.store.reserve import RESERVE_BYTES, Reserve, Room


def test_the_reserve_takes_real_room_and_only_once(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path)
    assert [reserve.hold() is not Room.NONE for _ in range(2)] == [True, True]
    taken = os.stat(reserve.path)
    assert (taken.st_size, taken.st_blocks * 512) >= (RESERVE_BYTES, RESERVE_BYTES)
    reserve.release()
    reserve.release()
    assert list(tmp_path.iterdir()) == []


def test_no_room_is_told_and_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserve_module, "RESERVE_BYTES", 1 << 50)
    assert Reserve(tmp_path).hold() is Room.NONE
    assert list(tmp_path.iterdir()) == []
    assert Reserve(tmp_path / "no folder").hold() is Room.NONE


def test_little_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = os.statvfs(tmp_path)
    free_bytes = found.f_bavail * found.f_frsize
    monkeypatch.setattr(reserve_module, "LOW_BYTES", free_bytes * 2)
    assert Reserve(tmp_path).hold() is Room.LOW
    monkeypatch.setattr(reserve_module, "LOW_BYTES", 0)
    assert Reserve(tmp_path).hold() is Room.PLENTY


@pytest.mark.parametrize(("needed_share", "left"), [(0, True), (2, False)])
def test_it_is_given_up_only_for_want_of_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, needed_share: int, left: bool
) -> None:
    found = os.statvfs(tmp_path)
    monkeypatch.setattr(reserve_module, "NEEDED_BYTES", found.f_bavail * found.f_frsize * needed_share)
    reserve = Reserve(tmp_path)
    reserve.hold()
    reserve.release_if_full()
    assert reserve.path.exists() is left
