"""Alarms: raised with cause and remedy, withdrawn by the opposite, written down if a node said so."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.commands import ClearAlarm, RaiseAlarm
from gateway.core.events import (
    BarrierMoved,
    Event,
    EventsLost,
    FireAlarmChanged,
    HelpCalled,
    MainsChanged,
    NodeJoined,
    NodeRefused,
    NodeWentSilent,
    Position,
)
from tests.lots import UIDS, SmallLot


def happenings(lot: SmallLot) -> list[tuple[Event, str, bool, int]]:
    """Event, alarm id, raised or withdrawn, records written."""
    source, uid = lot.source, UIDS["out"]
    return [
        (HelpCalled(source("out"), "out"),                    "help/out",     True,  1),
        (FireAlarmChanged(source("out"), "out", True),        "fire/out",     True,  1),
        (FireAlarmChanged(source("out"), "out", False),       "fire/out",     False, 0),
        (MainsChanged(source("out"), "out", False),           "mains/out",    True,  1),
        (MainsChanged(source("out"), "out", True),            "mains/out",    False, 0),
        (BarrierMoved(source("out"), "out", Position.FAULT),  "barrier/out",  True,  1),
        (BarrierMoved(source("out"), "out", Position.CLOSED), "barrier/out",  False, 0),
        (EventsLost(source("out"), 3, 9),                     f"loss/{uid}",  True,  1),
        (NodeWentSilent(uid),                                 f"silent/{uid}", True, 0),
        (NodeJoined(uid, 7, 1),                               f"silent/{uid}", False, 0),
        (NodeRefused(9, "mac"),                               "refused/9",    True,  0),
    ]  # fmt: skip


@pytest.mark.parametrize("row", range(11))
def test_alarm(tmp_path: Path, row: int) -> None:
    lot = SmallLot(tmp_path)
    event, alarm, raised, records = happenings(lot)[row]
    before = len(lot.lines())
    commands = lot.step(event).commands
    found = [command for command in commands if isinstance(command, RaiseAlarm | ClearAlarm)]
    assert [command.alarm for command in found] == [alarm]
    assert isinstance(found[0], RaiseAlarm) is raised
    assert len(lot.lines()) - before == records
    if isinstance(found[0], RaiseAlarm):
        assert found[0].cause.endswith(".")
        assert found[0].remedy.endswith(".")
