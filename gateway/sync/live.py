"""The live view up: what people see of a lot, as topics and bodies.

Owns which command becomes which message, the alarms that are open, and the newest occupancy. Rules: state is retained and
absolute, so a console that just connected sees the truth; notices may be lost; no plate in clear. Publishes nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.commands import ClearAlarm, PublishNotice, PublishOccupancy, RaiseAlarm
from gateway.messages import Alarm, Notice, Occupancy
from gateway.topics import Kind, Topic

LiveCommand = RaiseAlarm | ClearAlarm | PublishOccupancy | PublishNotice

ALARMS_MAX = 256
"""Alarms open at once: four for each of 32 nodes, and again as many; beyond it the oldest is dropped from the view."""

NOTICES_MAX = 64
"""Notices that wait for the link; they are a view, and old ones are of no use."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish."""

    topic: Topic
    body: bytes


class Live:
    """Collects what is to be shown of one gateway's lot, and says what to publish next."""

    def __init__(self, *, city: str, gateway: str, lot: str) -> None:
        self._city = city
        self._gateway = gateway
        self._lot = lot
        self._alarms: dict[str, Alarm] = {}
        self._occupancy: Occupancy | None = None
        self._changed: dict[str, Outgoing] = {}
        self._notices: list[Outgoing] = []

    def take(self, command: LiveCommand, at_ms: int) -> None:
        """Remember what a command wants shown; `at_ms` is UTC."""
        match command:
            case RaiseAlarm():
                opened = self._alarms.get(command.alarm)
                since_ms = opened.since_ms if opened else at_ms
                alarm = Alarm(command.alarm, str(command.severity), command.cause, command.remedy, since_ms)
                if len(self._alarms) >= ALARMS_MAX and opened is None:
                    self._withdraw(next(iter(self._alarms)))
                self._alarms[command.alarm] = alarm
                self._put(Kind.ALARM, command.alarm, alarm.to_json())
            case ClearAlarm():
                if command.alarm in self._alarms:
                    self._withdraw(command.alarm)
            case PublishOccupancy():
                total = command.free + command.occupied + command.unknown
                self._occupancy = Occupancy(
                    command.free, command.occupied, command.unknown, total, command.inside, at_ms
                )
                self._put(Kind.OCCUPANCY, self._lot, self._occupancy.to_json())
            case PublishNotice():
                notice = Notice(command.lane, command.session, command.plate_masked, command.amount_minor, at_ms)
                del self._notices[: max(0, len(self._notices) - NOTICES_MAX + 1)]
                self._notices.append(Outgoing(self._topic(Kind.NOTICE, command.kind), notice.to_json()))

    def reconnected(self) -> None:
        """A new connection: everything that is true now is to be told again; old notices are not."""
        self._notices.clear()
        for alarm in self._alarms.values():
            self._put(Kind.ALARM, alarm.alarm, alarm.to_json())
        if self._occupancy is not None:
            self._put(Kind.OCCUPANCY, self._lot, self._occupancy.to_json())

    def next(self, room: int) -> list[Outgoing]:
        """Up to `room` retained messages, and all notices, that wait to be published; they count as published."""
        keys = list(self._changed)[: max(0, room)]
        chosen = [self._changed.pop(key) for key in keys] + self._notices
        self._notices = []
        return chosen

    def _withdraw(self, alarm: str) -> None:
        del self._alarms[alarm]
        self._put(Kind.ALARM, alarm, b"")

    def _put(self, kind: Kind, name: str, body: bytes) -> None:
        topic = self._topic(kind, name)
        self._changed[str(topic)] = Outgoing(topic, body)

    def _topic(self, kind: Kind, name: str) -> Topic:
        return Topic(self._city, self._gateway, kind, name)
