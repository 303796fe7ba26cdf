"""Barriers that open without a decision, and alarms of a lane that are over.

Owns what explains an open barrier (a command, the node's own opening, somebody who was let through) and when a lane's alarm is
withdrawn. Rules: an opening by hand is a record and an alarm until the barrier is closed; what happened before this process
began is not judged, since it does not know what was commanded. Refuses to know stays and money.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.answer import Answer
from gateway.core.commands import ClearAlarm, Command, OpenBarrier, RaiseAlarm, Severity
from gateway.core.events import (
    BarrierMoved,
    BarrierSelfOpened,
    BudgetSpent,
    Event,
    FireAlarmChanged,
    GatewayStarted,
    MainsChanged,
    Position,
    VehicleBackedOut,
    VehiclePassed,
)
from gateway.core.moment import Moment
from gateway.core.record import Draft

OPEN_MS = 60_000
"""From a command to the barrier's contact: the command's life, the node's wait for a slow driver, and the arm's way."""

WITH_THE_VEHICLE = ("help", "attendant", "blocked")
"""Alarms that are over when the vehicle is gone."""

WITH_THE_NEXT = ("passage", "turned-back")
"""Alarms about a vehicle that is gone: they stand until the lane works as it should again."""


class LaneWatch:
    """When each lane's barrier was last opened for a reason, and which alarms of lanes are open; of this process alone.

    One that this process neither raised nor withdrew may be open since an earlier one and is withdrawn too when it is over.
    """

    def __init__(self) -> None:
        self._started_ms = 0
        self._opened_ms: dict[str, int] = {}
        self._open: set[str] = set()
        self._known: set[str] = set()
        self._first = False

    def follow(self, event: Event, let_through: bool, now: Moment, answer: Answer) -> None:
        """What an event that was just answered means for its lane; `let_through`: somebody is on the way through it."""
        match event:
            case GatewayStarted(first=first):
                self._started_ms, self._first = now.mono_ms, first
            case BarrierSelfOpened(lane=lane) | FireAlarmChanged(lane=lane) | MainsChanged(lane=lane):
                self._opened_ms[lane] = now.mono_ms - event.source.age_ms
            case BudgetSpent(lane=lane):
                self._opened_ms[lane] = now.mono_ms
            case BarrierMoved(lane=lane, position=Position.OPEN) if not (let_through or self._is_explained(event, now)):
                _opened_by_hand(lane, now.earlier(event.source.age_ms), answer)
            case BarrierMoved(lane=lane, position=Position.CLOSED):
                self._withdraw(("manual",), lane, answer)
            case VehiclePassed(lane=lane) | VehicleBackedOut(lane=lane):
                self._withdraw(WITH_THE_VEHICLE, lane, answer)
            case _:
                pass
        self.took(answer.commands, now)

    def regular(self, lane: str, answer: Answer) -> None:
        """A vehicle passed that was let through."""
        self._withdraw(WITH_THE_NEXT, lane, answer)

    def took(self, commands: Sequence[Command], now: Moment) -> None:
        """What an answer commands so far; the same again changes nothing."""
        for command in commands:
            match command:
                case OpenBarrier(lane=lane):
                    self._opened_ms[lane] = now.mono_ms
                case RaiseAlarm(alarm=alarm):
                    self._open.add(alarm)
                    self._known.add(alarm)
                case ClearAlarm(alarm=alarm):
                    self._open.discard(alarm)
                    self._known.add(alarm)

    def _is_explained(self, event: BarrierMoved, now: Moment) -> bool:
        at_ms = now.mono_ms - event.source.age_ms
        opened_ms = self._opened_ms.get(event.lane)
        commanded = opened_ms is not None and at_ms - opened_ms <= OPEN_MS
        return at_ms < self._started_ms or event.source.early or commanded

    def _withdraw(self, kinds: Sequence[str], lane: str, answer: Answer) -> None:
        for kind in kinds:
            alarm = f"{kind}/{lane}"
            if alarm in self._open or not (self._first or alarm in self._known):
                answer.commands.append(ClearAlarm(alarm))


def _opened_by_hand(lane: str, at: Moment, answer: Answer) -> None:
    answer.write(Draft("manual-open", {"lane": lane, "at": at.wall_ms}))
    told = "The barrier was opened by hand, or by something that the gateway does not know."
    answer.commands.append(
        RaiseAlarm(f"manual/{lane}", Severity.WARNING, told, "Look at the lane's pictures; ask why.")
    )
