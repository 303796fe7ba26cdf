"""What the gateways of a city say, line by line: `lotgate watch`.

Owns the reading of the live topics and how each message looks in one line, or as one JSON object. Rules: it only listens; a
message that is no message of ours is shown as such, never dropped. Knows nothing of a gateway but what goes over MQTT.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from gateway.forms import Rejection
from gateway.messages import Alarm, Notice, Occupancy, State
from gateway.topics import ROOT, Kind, Topic, parse_topic

SHOWN = (Kind.STATE, Kind.OCCUPANCY, Kind.NOTICE, Kind.ALARM)

Message = State | Occupancy | Notice | Alarm


def filters(city: str) -> tuple[str, ...]:
    """The topic filters to subscribe to, for all gateways of a city."""
    return (
        f"{ROOT}/{city}/+/state",
        f"{ROOT}/{city}/+/lot/+/occ",
        f"{ROOT}/{city}/+/evt/+",
        f"{ROOT}/{city}/+/alarm/+",
    )


def shown(topic_text: str, payload: bytes, *, as_json: bool) -> str:
    """One line for one message."""
    topic = parse_topic(topic_text)
    if isinstance(topic, Rejection) or topic.kind not in SHOWN:
        return _line(as_json, topic_text, "foreign topic", {"topic": topic_text})
    if topic.kind is Kind.ALARM and not payload:
        return _line(
            as_json, topic.gateway, f"alarm withdrawn: {topic.name}", {"kind": "alarm-withdrawn", "alarm": topic.name}
        )
    message = _read(topic, payload)
    if isinstance(message, Rejection):
        return _line(
            as_json, topic.gateway, f"rejected on {topic_text}: {message}", {"kind": "rejected", "topic": topic_text}
        )
    return _line(
        as_json, topic.gateway, _words(topic, message), {"kind": str(topic.kind), "name": topic.name, **asdict(message)}
    )


def _read(topic: Topic, payload: bytes) -> Message | Rejection:
    readers: dict[Kind, Callable[[bytes], Message | Rejection]] = {
        Kind.STATE: State.from_json,
        Kind.OCCUPANCY: Occupancy.from_json,
        Kind.NOTICE: Notice.from_json,
        Kind.ALARM: Alarm.from_json,
    }
    return readers[topic.kind](payload)


def _words(topic: Topic, message: Message) -> str:
    match message:
        case State():
            return f"{message.state} (start {message.boot}, connection {message.connection}, release {message.version})"
        case Occupancy():
            bays = f"{message.free} free, {message.occupied} taken, {message.unknown} unknown"
            return f"lot {topic.name}: {message.inside} inside; bays {bays}"
        case Notice():
            whole, rest = divmod(message.amount_minor, 100)
            amount = f"{whole}.{rest:02d}" if message.amount_minor else ""
            return f"{topic.name} {message.lane} {message.plate_masked} session {message.session} {amount}".rstrip()
        case Alarm():
            return f"alarm {message.alarm} [{message.severity}] {message.cause} {message.remedy}"


def _line(as_json: bool, gateway: str, words: str, fields: dict[str, object]) -> str:
    if as_json:
        return json.dumps({"gateway": gateway, **fields}, ensure_ascii=False)
    # Others wrote these words: they must not start a line of their own or give orders to the terminal.
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in f"{gateway}  {words}")
