"""Barriers raised by an operator: once for one vehicle, or held up until somebody releases them.

Owns what such an opening means for the lane. Rules: whoever opens an entry by hand decides for the lot, so that the vehicle
there is barred no more; a vehicle held at an exit still owes; a held barrier is raised again and again, since a node
opens for one vehicle at a time, and a start goes on holding it. Refuses to know who may open.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core import wording
from gateway.core.answer import Answer
from gateway.core.commands import ClearAlarm, OpenBarrier, PublishNotice, RaiseAlarm, Severity
from gateway.core.events import BarrierMoved, Event, Position, VehiclePassed
from gateway.core.layout import LaneRole
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.roster import Hold

REPEAT_MS = 10_000
"""A node lets an unclaimed opening lapse after 30 s; three commands within that time may get lost."""


def open_lane(memory: LotMemory, lane: str, answer: Answer) -> None:
    """Raise a barrier for the vehicle that stands there, or for the next one."""
    state = memory.lanes[lane]
    plate = ""
    answer.commands.append(OpenBarrier(lane))
    if memory.lot.lanes[lane] is LaneRole.ENTRY:
        plate = state.waiting[-1].text if state.waiting else ""
        if state.barred:
            memory.set_lane(lane, state.unbarred(), answer)
            answer.commands.append(wording.welcome(lane))
    elif state.leaving and (session := memory.session(state.leaving[-1])) is not None:
        plate = session.plate.text
    answer.commands += [
        ClearAlarm(f"attendant/{lane}"),
        PublishNotice("operator-open", lane, "", wording.masked(plate), 0),
    ]


def hold(memory: LotMemory, lane: str, key: str, now: Moment, answer: Answer) -> None:
    """Keep a barrier up from now on."""
    memory.roster.hold(Hold(lane, key, now.wall_ms), answer.roster)
    open_lane(memory, lane, answer)
    _tell(memory, answer)


def release(memory: LotMemory, lane: str, answer: Answer) -> None:
    """Let a barrier fall again once nobody is under it."""
    memory.roster.let_go(lane, answer.roster)
    answer.commands += [ClearAlarm(f"hold/{lane}"), PublishNotice("operator-release", lane, "", "", 0)]


def keep_open(memory: LotMemory, events: Iterable[Event], now: Moment, answer: Answer) -> None:
    """Raise held barriers again: when it is time, and whenever a passage let one fall. Call it in every step."""
    if not memory.roster.holds:
        return
    fallen = {_fallen(event) for event in events}
    due = now.mono_ms >= memory.roster.hold_due_ms
    if due:
        memory.roster.hold_due_ms = now.mono_ms + REPEAT_MS
    answer.commands += [OpenBarrier(lane) for lane in memory.roster.holds if due or lane in fallen]


def resume(memory: LotMemory, now: Moment, answer: Answer) -> None:
    """After a start: go on holding, and open again for a command obeyed just before, whose opening may not have gone out."""
    opened = {given.opens for given in memory.roster.openings if given.expires_ms > now.wall_ms}
    answer.commands += [OpenBarrier(lane) for lane in sorted(opened) if lane in memory.lanes]
    for lane in [lane for lane in memory.roster.holds if lane not in memory.lanes]:
        memory.roster.let_go(lane, answer.roster)
    _tell(memory, answer)


def _fallen(event: Event) -> str:
    """The lane whose barrier this event lets fall, or shows fallen; '' if none."""
    match event:
        case VehiclePassed() | BarrierMoved(position=Position.CLOSED):
            return event.lane
        case _:
            return ""


def _tell(memory: LotMemory, answer: Answer) -> None:
    for held, name in memory.roster.holders():
        alarm = RaiseAlarm(
            f"hold/{held.lane}",
            Severity.WARNING,
            f"{name} holds the barrier of {held.lane} open.",
            "Release it in the end.",
        )
        answer.commands.append(alarm)
