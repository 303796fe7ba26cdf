"""What a listener heard on a bus, as text and as JSON.

Owns the wording of frames, events and commands in traces. Rules: a plate is always masked; a poll that brought nothing is no
news in the text. Knows neither ports nor files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from gateway.core import wording
from gateway.core.commands import Command, OpenBarrier, RaiseAlarm, ShowText
from gateway.core.events import NodeEvent, PlateRead
from gateway.link.tap import Heard


def heard_lines(heard: Heard, *, idle: bool = False) -> Iterator[str]:
    """The lines for one frame; `idle` shows also polls and replies that bring nothing."""
    if heard.problem:
        yield f"{heard.direction} {_head(heard)}not read: {heard.problem}"
    elif heard.command is not None:
        yield f"sent {command_text(heard.command)}"
    elif idle or heard.kind in ("HELLO", "HELLO_R"):
        yield f"{heard.kind} address {heard.address} {heard.detail}"
    for event in heard.events:
        yield f"event {event_text(event)}"


def heard_json(heard: Heard) -> dict[str, object]:
    """One frame as an object."""
    found: dict[str, object] = {"dir": heard.direction, "kind": heard.kind, "address": heard.address}
    found |= {"session": heard.session, "counter": heard.counter, "problem": heard.problem, "detail": heard.detail}
    found["events"] = [event_text(event) for event in heard.events]
    found["command"] = command_text(heard.command) if heard.command is not None else ""
    return found


def event_text(event: NodeEvent) -> str:
    """An event in one line."""
    source = event.source
    origin = f"{source.uid} #{source.seq}, {source.age_ms} ms ago"
    if isinstance(event, PlateRead):
        plate = event.plate
        return f"PlateRead {event.lane} {wording.masked(plate.text)} {plate.colour} {plate.confidence}% ({origin})"
    fields = [f"{name}={value}" for name, value in asdict(event).items() if name != "source"]
    return f"{type(event).__name__} {' '.join(fields)} ({origin})"


def command_text(command: Command) -> str:
    """A command in one line; empty for what is none of a person's business."""
    match command:
        case OpenBarrier():
            return f"open {command.lane}"
        case ShowText():
            return f"show {command.lane} {command.text!r}, say {command.voice}"
        case RaiseAlarm():
            return f"alarm {command.alarm}: {command.cause}"
        case _:
            return ""


def _head(heard: Heard) -> str:
    return f"{heard.kind} address {heard.address} " if heard.kind else "frame "
