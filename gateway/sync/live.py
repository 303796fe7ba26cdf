"""The live view up: what people see of a lot, as topics and bodies.

Owns which command becomes which message, the alarms that are open, the newest occupancy, each lane's barrier and node. Rules:
state is retained and absolute, so a console that just connected sees the truth; notices may be lost; no plate in clear.
Publishes nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.core.commands import ClearAlarm, PublishNotice, PublishOccupancy, RaiseAlarm
from gateway.core.events import BarrierMoved, Event, NodeJoined, NodeWentSilent
from gateway.messages import Alarm, LaneHealth, Notice, Occupancy
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
    """Collects what is to be shown of one gateway's lot, and says what to publish next.

    `lanes`: uid of a node to its lane; `at_ms`: UTC of the start.
    """

    def __init__(self, *, city: str, gateway: str, lot: str, lanes: Mapping[str, str], at_ms: int) -> None:
        self._city = city
        self._gateway = gateway
        self._lot = lot
        self._alarms: dict[str, Alarm] = {}
        self._withdrawn: set[str] = set()
        self._occupancy: Occupancy | None = None
        self._lane_of = dict(lanes)
        # Before a node has spoken nothing is known of its lane; that is said too, over what an earlier start left behind.
        self._lanes = {lane: LaneHealth("unknown", "silent", at_ms) for lane in self._lane_of.values()}
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
                # The broker may still hold what an earlier process raised, so that an unknown one is withdrawn too, once.
                if command.alarm in self._alarms or command.alarm not in self._withdrawn:
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

    def saw(self, events: Sequence[Event], at_ms: int) -> bool:
        """Events that are committed; those of barriers and nodes change their lane's health. `at_ms` is UTC.

        Answers whether a lane has something to tell.
        """
        for event in events:
            match event:
                case BarrierMoved():
                    self._put_lane(event.lane, at_ms, barrier=str(event.position))
                case NodeJoined():
                    self._put_lane(self._lane_of.get(event.uid), at_ms, node="joined")
                case NodeWentSilent():
                    # What its contacts would show now is not known.
                    self._put_lane(self._lane_of.get(event.uid), at_ms, node="silent", barrier="unknown")
                case _:
                    pass
        return any(outgoing.topic.kind is Kind.LANE for outgoing in self._changed.values())

    def reconnected(self) -> None:
        """A new connection: everything that is true now is to be told again; old notices are not."""
        self._notices.clear()
        for alarm in self._alarms.values():
            self._put(Kind.ALARM, alarm.alarm, alarm.to_json())
        for lane, health in self._lanes.items():
            self._put(Kind.LANE, lane, health.to_json())
        if self._occupancy is not None:
            self._put(Kind.OCCUPANCY, self._lot, self._occupancy.to_json())

    def next_lanes(self, room: int) -> list[Outgoing]:
        """Up to `room` messages of lanes, which must not wait for the next second: somebody stands there and looks."""
        keys = [key for key, outgoing in self._changed.items() if outgoing.topic.kind is Kind.LANE]
        return [self._changed.pop(key) for key in keys[: max(0, room)]]

    def next(self, room: int) -> list[Outgoing]:
        """Up to `room` retained messages, and all notices, that wait to be published; they count as published."""
        keys = list(self._changed)[: max(0, room)]
        chosen = [self._changed.pop(key) for key in keys] + self._notices
        self._notices = []
        return chosen

    def _put_lane(self, lane: str | None, at_ms: int, **changed: str) -> None:
        if lane in self._lanes:
            self._lanes[lane] = replace(self._lanes[lane], at_ms=at_ms, **changed)
            self._put(Kind.LANE, lane, self._lanes[lane].to_json())

    def _withdraw(self, alarm: str) -> None:
        self._alarms.pop(alarm, None)
        if len(self._withdrawn) >= ALARMS_MAX:
            self._withdrawn.clear()
        self._withdrawn.add(alarm)
        self._put(Kind.ALARM, alarm, b"")

    def _put(self, kind: Kind, name: str, body: bytes) -> None:
        topic = self._topic(kind, name)
        self._changed[str(topic)] = Outgoing(topic, body)

    def _topic(self, kind: Kind, name: str) -> Topic:
        return Topic(self._city, self._gateway, kind, name)
