"""What a city's gateways say they are now, folded from their retained messages.

Owns the fold and how a lot looks as one row. Rules: the newest message of a topic counts; a message that is none of ours is
passed over. Knows nothing of a gateway but what goes over MQTT.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gateway.forms import Rejection
from gateway.messages import Alarm, Meta, Occupancy, State
from gateway.topics import ROOT, Kind, parse_topic

T = TypeVar("T")

WORST_FIRST = ("lost", "offline", "unknown", "online")


@dataclass(slots=True)
class Seen:
    """What is known of one gateway."""

    gateway: str
    state: State | None = None
    meta: Meta | None = None
    occupancy: Occupancy | None = None
    alarms: dict[str, Alarm] = field(default_factory=dict)

    @property
    def presence(self) -> str:
        """online, offline, lost, or unknown if nothing was said."""
        return str(self.state.state) if self.state is not None else "unknown"


def filters(city: str, gateway: str = "+") -> tuple[str, ...]:
    """Topic filters for all that `Lots` takes."""
    return tuple(f"{ROOT}/{city}/{gateway}/{rest}" for rest in ("state", "meta", "lot/+/occ", "alarm/+"))


class Lots:
    """All gateways that were heard of."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}

    def take(self, topic_text: str, payload: bytes) -> None:
        """One message."""
        topic = parse_topic(topic_text)
        if isinstance(topic, Rejection):
            return
        seen = self._seen.setdefault(topic.gateway, Seen(topic.gateway))
        match topic.kind:
            case Kind.STATE:
                seen.state = _good(State.from_json(payload)) or seen.state
            case Kind.META:
                seen.meta = _good(Meta.from_json(payload)) or seen.meta
            case Kind.OCCUPANCY:
                seen.occupancy = _good(Occupancy.from_json(payload)) or seen.occupancy
            case Kind.ALARM:
                alarm = _good(Alarm.from_json(payload))
                seen.alarms.pop(topic.name, None)
                if alarm is not None:
                    seen.alarms[topic.name] = alarm

    def find(self, gateway: str) -> Seen | None:
        """What is known of a gateway."""
        return self._seen.get(gateway)

    def names(self) -> dict[str, list[str]]:
        """Gateway -> its lanes."""
        return {name: sorted(seen.meta.lanes) if seen.meta else [] for name, seen in sorted(self._seen.items())}

    def rows(self) -> list[dict[str, Any]]:
        """One object for each gateway, the worst first."""
        order = sorted(self._seen.values(), key=lambda seen: (WORST_FIRST.index(seen.presence), seen.gateway))
        return [_row(seen) for seen in order]

    def alarms(self) -> list[dict[str, Any]]:
        """One object for each open alarm, urgent ones first, then the oldest."""
        weight = {"urgent": 0, "warning": 1, "info": 2}
        found = [(seen.gateway, alarm) for seen in self._seen.values() for alarm in seen.alarms.values()]
        found.sort(key=lambda one: (weight[one[1].severity], one[1].since_ms))
        return [
            {
                "gateway": gateway,
                "alarm": alarm.alarm,
                "severity": alarm.severity,
                "cause": alarm.cause,
                "remedy": alarm.remedy,
                "since_ms": alarm.since_ms,
            }
            for gateway, alarm in found
        ]


def table(rows: Iterable[dict[str, Any]], columns: Iterable[str]) -> str:
    """Rows as aligned text under their names; nothing that others wrote may give orders to a terminal."""
    names = list(columns)
    lines = [[name.replace("_", " ") for name in names]]
    lines += [[_plain(str(row[name])) for name in names] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _row(seen: Seen) -> dict[str, Any]:
    meta, occupancy = seen.meta, seen.occupancy
    return {
        "gateway": seen.gateway,
        "lot": meta.lot if meta else "",
        "state": seen.presence,
        "free": occupancy.free if occupancy else "",
        "bays": occupancy.total if occupancy else "",
        "inside": occupancy.inside if occupancy else "",
        "alarms": len(seen.alarms),
        "lanes": ",".join(sorted(meta.lanes)) if meta else "",
        "release": seen.state.version if seen.state else "",
    }


def _good(message: T | Rejection) -> T | None:
    return None if isinstance(message, Rejection) else message
