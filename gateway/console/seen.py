"""One gateway as its topics show it: the newest of each kind of message, and the rings of its last hours.

Owns which message replaces which, and how much of one is kept. Rules: pure; whatever is sent, a gateway costs a bounded amount
of memory; only the broker's word in a gateway's stead can be stale. Knows nothing of other gateways, nor how any of it looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from gateway.console.history import Ring
from gateway.forms import Reason, Rejection
from gateway.messages import Alarm, LaneHealth, Meta, Metrics, Notice, Occupancy, Presence, State
from gateway.topics import Kind, Topic

Value = TypeVar("Value")
Message = State | Meta | Occupancy | LaneHealth | Notice | Alarm | Metrics

LANES_MAX = 32
"""As many nodes as one bus carries."""
ALARMS_MAX = 64
"""Nobody works through more; the gateway itself keeps 256."""
NOTICES_MAX = 60
"""A screen and a half; older ones are in the ledger."""
NUMBERS_MAX = 48
"""Three times what a gateway sends."""
TEXT_MAX = 400
"""Letters of a text that are kept: one alarm must not fill a screen, nor a thousand of them the memory."""

WHOLE = {"statement", "statement_sig"}
"""What a signature covers is of no use in part."""


@dataclass(slots=True)
class Seen:
    """One gateway. `touched`: revision of its last change. `ahead_ms`: its clock less ours, from what is never retained."""

    touched: int = 0
    state: State | None = None
    meta: Meta | None = None
    lot: str = ""
    occupancy: Occupancy | None = None
    numbers: Metrics | None = None
    ahead_ms: int | None = None
    lanes: dict[str, LaneHealth] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    notices: deque[tuple[str, Notice]] = field(default_factory=lambda: deque(maxlen=NOTICES_MAX))
    places: Ring = field(default_factory=lambda: Ring(3))
    money: Ring = field(default_factory=lambda: Ring(2))


def reconnected(seen: Seen) -> None:
    """A new connection brings all that is retained again; what was taken back meanwhile is not said, so it goes now."""
    seen.alarms.clear()
    seen.lanes.clear()


def put(seen: Seen, topic: Topic, payload: bytes, now_ms: int) -> Reason | None:
    """Take one message of this gateway, heard at `now_ms`; the reason when it is none."""
    if not payload and topic.rule.retain:
        return _forget(seen, topic)
    message = _read(topic, payload)
    if len(payload) > TEXT_MAX:
        message = _short(message)
    match message:
        case Rejection():
            return message.reason
        case State():
            # Only the broker's word in the gateway's stead can be late: the rest stands in the order it was said in.
            if message.state is not Presence.LOST or seen.state is None or _start(message) >= _start(seen.state):
                seen.state = message
        case Meta():
            seen.meta, seen.lot = replace(message, lanes=_few(message.lanes, LANES_MAX)), message.lot
        case Occupancy():
            seen.occupancy, seen.lot = message, topic.name
            seen.places.put(now_ms, message.inside, message.occupied, message.free)
        case LaneHealth():
            if topic.name in seen.lanes or len(seen.lanes) < LANES_MAX:
                seen.lanes[topic.name] = message
        case Notice():
            seen.ahead_ms = message.at_ms - now_ms
            seen.notices.append((topic.name, message))
            if topic.name.startswith("exit-"):
                seen.money.add(now_ms, message.amount_minor, 1)
        case Alarm():
            if topic.name in seen.alarms or len(seen.alarms) < ALARMS_MAX:
                seen.alarms[topic.name] = message
        case Metrics():
            seen.ahead_ms = message.at_ms - now_ms
            seen.numbers = replace(message, numbers=_few(message.numbers, NUMBERS_MAX))
    return None


def _forget(seen: Seen, topic: Topic) -> Reason | None:
    """An empty retained message takes back what was said on its topic."""
    match topic.kind:
        case Kind.ALARM:
            seen.alarms.pop(topic.name, None)
        case Kind.LANE:
            seen.lanes.pop(topic.name, None)
        case Kind.STATE:
            seen.state = None
        case Kind.META:
            seen.meta = None
        case Kind.OCCUPANCY:
            seen.occupancy = None
        case _:
            return Reason.FORM
    return None


def _read(topic: Topic, payload: bytes) -> Message | Rejection:
    match topic.kind:
        case Kind.STATE:
            return State.from_json(payload)
        case Kind.META:
            return Meta.from_json(payload)
        case Kind.OCCUPANCY:
            return Occupancy.from_json(payload)
        case Kind.LANE:
            return LaneHealth.from_json(payload)
        case Kind.NOTICE:
            return Notice.from_json(payload)
        case Kind.ALARM:
            return Alarm.from_json(payload)
        case Kind.METRICS:
            return Metrics.from_json(payload)
        case _:
            return Rejection(Reason.TOPIC, str(topic)[:200])


def _short(message: Message | Rejection) -> Message | Rejection:
    names = {f.name for f in fields(message)} - WHOLE
    long = {name: text[:TEXT_MAX] for name in names if isinstance(text := getattr(message, name), str)}
    return message if isinstance(message, Rejection | State | LaneHealth) else replace(message, **long)  # type: ignore[arg-type]


def _few(table: Mapping[str, Value], limit: int) -> dict[str, Value]:
    return {name[:TEXT_MAX]: value for name, value in list(table.items())[:limit]}


def _start(state: State) -> tuple[int, int]:
    return state.boot, state.connection
