"""Quiet moments: a disk that fills and a record that rots become alarms, told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.commands import ClearAlarm, RaiseAlarm
from gateway.core.events import Woke
from gateway.store import reserve as reserve_module
from gateway.store.upkeep import ROOM_EVERY_MS, SCRUB_EVERY_MS
from tests.lots import SmallLot, at


def quiet(lot: SmallLot, ms: int) -> list[str]:
    """A quiet moment later; the alarms that the next tick raises, and with a minus those that it clears."""
    lot.wait(ms)
    lot.engine.idle(at(lot.now_ms))
    commands = lot.step(Woke(), after_ms=1).commands
    raised = [command.alarm for command in commands if isinstance(command, RaiseAlarm)]
    return raised + [f"-{command.alarm}" for command in commands if isinstance(command, ClearAlarm)]


def test_a_disk_that_fills_is_told_once_and_withdrawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lot = SmallLot(tmp_path)
    room = {"plenty": (1, 0), "low": (1, 1 << 60), "none": (1 << 50, 0)}

    def becomes(word: str) -> None:
        for name, value in zip(("RESERVE_BYTES", "LOW_BYTES"), room[word], strict=True):
            monkeypatch.setattr(reserve_module, name, value)

    becomes("plenty")
    assert quiet(lot, 0) == []
    becomes("low")
    assert quiet(lot, ROOM_EVERY_MS - 2) == []
    assert quiet(lot, ROOM_EVERY_MS) == ["disk/low"]
    assert quiet(lot, ROOM_EVERY_MS) == []
    becomes("none")
    assert quiet(lot, ROOM_EVERY_MS) == ["disk/full", "-disk/low"]
    becomes("plenty")
    assert quiet(lot, ROOM_EVERY_MS) == ["-disk/full"]


def test_the_whole_ledger_is_read_again_every_week(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    assert quiet(lot, 0) == []
    lot.rows("UPDATE record SET line = replace(line, 'wall', 'wbll') WHERE n = 2")
    assert quiet(lot, SCRUB_EVERY_MS - 60_000) == []
    assert quiet(lot, 60_000) == ["ledger/damaged"]
    assert quiet(lot, 60_000) == []
    assert quiet(lot, SCRUB_EVERY_MS) == ["ledger/damaged"]
