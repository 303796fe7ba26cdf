"""What the console knows: all gateways of a city, from the messages on their topics alone.

Owns the newest state, occupancy, lanes, notices, alarms and numbers of each gateway, and which of them changed since when.
Rules: pure, time is an argument; memory has a maximum however much is sent; a message that is none is counted by reason. Times
leave here on the console's clock: a gateway's own are moved by its clock's difference. Knows no broker, no screen, no browser.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from gateway.console.seen import LANES_MAX, Seen, put, reconnected
from gateway.forms import Reason, Rejection
from gateway.messages import Meta, Notice, Presence
from gateway.topics import ROOT, Kind, parse_topic

GATEWAYS_MAX = 2_000
"""Twice the largest district that one console is meant for."""
CLOCK_OFF_MS = 5_000
"""A gateway's clock that differs by more is a trouble of its own; less may be the way of the message."""
BACKLOG_RECORDS = 500
"""More records unreceipted than this is a link that does not keep up: a batch holds 100."""
HOUR_MS = 3_600_000

URGENT, TROUBLE, WARNING, INFO, GOOD = 4, 3, 2, 1, 0
"""How bad a lot is; the list is sorted by it."""
_SEVERITY = {"urgent": URGENT, "warning": WARNING, "info": INFO}

Json = dict[str, Any]


class Picture:
    """The city as its gateways tell it. `revision` rises with each message that was taken."""

    def __init__(self, city: str) -> None:
        self.city = city
        self.revision = 0
        self.rejected: Counter[str] = Counter()
        self._seen: dict[str, Seen] = {}

    def take(self, topic_text: str, payload: bytes, now_ms: int) -> None:
        """One message, heard at `now_ms` (UTC). Never raises on what it holds."""
        topic = parse_topic(topic_text)
        if isinstance(topic, Rejection):
            self.rejected[topic.reason] += 1
            return
        if topic.city != self.city or (topic.gateway not in self._seen and len(self._seen) >= GATEWAYS_MAX):
            self.rejected[Reason.TOPIC] += 1
            return
        seen = self._seen.setdefault(topic.gateway, Seen())
        reason = put(seen, topic, payload, now_ms)
        if reason is not None:
            self.rejected[reason] += 1
            return
        self.revision += 1
        seen.touched = self.revision

    def reconnected(self) -> None:
        """The console has a new connection to the broker, and is about to hear all that is retained."""
        self.revision += 1
        for seen in self._seen.values():
            reconnected(seen)
            seen.touched = self.revision

    def gateways(self) -> list[str]:
        """Every gateway heard of, worst first."""
        return sorted(self._seen, key=lambda name: _order(name, self._seen[name]))

    def changed(self, since: int) -> list[str]:
        """The gateways of which something was heard after this revision."""
        return [name for name, seen in self._seen.items() if seen.touched > since]

    def knows(self, gateway: str) -> bool:
        """Whether anything was heard of it."""
        return gateway in self._seen

    def met(self, gateway: str) -> tuple[Meta | None, Presence | None]:
        """What a gateway said it is, and whether it is there; None for what is not known."""
        seen = self._seen.get(gateway, Seen())
        return seen.meta, seen.state.state if seen.state else None

    def row(self, gateway: str, now_ms: int) -> Json:
        """A lot in the overview. Raises KeyError for a gateway never heard of."""
        return _row(gateway, self._seen[gateway], now_ms)

    def lot(self, gateway: str, now_ms: int) -> Json:
        """All that is known of one lot. Raises KeyError for a gateway never heard of."""
        seen = self._seen[gateway]
        return {
            **_row(gateway, seen, now_ms),
            **_birth(seen),
            "lanes": _lanes(seen),
            "alarms": _alarms(seen),
            "notices": [_notice(kind, notice, seen) for kind, notice in reversed(seen.notices)],
            "numbers": dict(seen.numbers.numbers) if seen.numbers else {},
            "places": seen.places.rows(),
            "money": seen.money.rows(),
        }

    def as_json(self, now_ms: int) -> Json:
        """The overview: every lot, worst first, and what the console could not read."""
        rows = [self.row(name, now_ms) for name in self.gateways()]
        return {"city": self.city, "now_ms": now_ms, "lots": rows, "rejected": dict(self.rejected)}


def filters(city: str) -> tuple[str, ...]:
    """The topic filters that a picture lives on."""
    root = f"{ROOT}/{city}/+"
    # A broker hands out what is retained in this order, so what an overview needs most comes first.
    kinds = (f"{kind}/+" for kind in (Kind.ALARM, Kind.LANE, Kind.NOTICE))
    return tuple(f"{root}/{part}" for part in (Kind.STATE, "lot/+/occ", Kind.META, *kinds, Kind.METRICS))


def _here(seen: Seen, at_ms: int) -> int:
    """A gateway's time on the console's clock, as far as the difference is known."""
    return at_ms - (seen.ahead_ms or 0)


def _badness(seen: Seen) -> int:
    found = max((_SEVERITY[alarm.severity] for alarm in seen.alarms.values()), default=GOOD)
    if seen.state is not None and seen.state.state is Presence.LOST:
        found = max(found, URGENT)
    if seen.state is None or seen.state.state is Presence.OFFLINE or _lanes_bad(seen):
        found = max(found, TROUBLE)
    if (_backlog(seen) or 0) > BACKLOG_RECORDS or abs(seen.ahead_ms or 0) > CLOCK_OFF_MS:
        found = max(found, WARNING)
    return found


def _order(name: str, seen: Seen) -> tuple[int, int, str, str]:
    return -_badness(seen), -len(seen.alarms), seen.lot or name, name


def _lanes_bad(seen: Seen) -> int:
    return sum(lane.node != "joined" or lane.barrier == "fault" for lane in seen.lanes.values())


def _backlog(seen: Seen) -> int | None:
    return seen.numbers.numbers.get("backlog_records") if seen.numbers else None


def _row(name: str, seen: Seen, now_ms: int) -> Json:
    state, occupancy = seen.state, seen.occupancy
    severities = Counter(alarm.severity for alarm in seen.alarms.values())
    money, cars = seen.money.since(now_ms - HOUR_MS)
    return {
        "gw": name,
        "lot": seen.lot or name,
        "bad": _badness(seen),
        "state": str(state.state) if state else "unknown",
        "state_ms": _here(seen, state.at_ms) if state else None,
        "version": state.version if state else "",
        "free": occupancy.free if occupancy else None,
        "occupied": occupancy.occupied if occupancy else None,
        "unknown": occupancy.unknown if occupancy else None,
        "total": occupancy.total if occupancy else None,
        "inside": occupancy.inside if occupancy else None,
        "occ_ms": _here(seen, occupancy.at_ms) if occupancy else None,
        "urgent": severities["urgent"],
        "warning": severities["warning"],
        "info": severities["info"],
        "lanes_known": len(seen.lanes),
        "lanes_bad": _lanes_bad(seen),
        "backlog": _backlog(seen),
        "numbers_ms": _here(seen, seen.numbers.at_ms) if seen.numbers else None,
        "ahead_ms": seen.ahead_ms,
        "currency": seen.meta.currency if seen.meta else "",
        "hour_minor": money,
        "hour_cars": cars,
    }


def _birth(seen: Seen) -> Json:
    meta = seen.meta
    if meta is None:
        return {"bays": None, "tariff": "", "key": "", "next": None, "receipted": None}
    return {name: getattr(meta, name) for name in ("bays", "tariff", "key", "next", "receipted")}


def _lanes(seen: Seen) -> list[Json]:
    roles = dict(seen.meta.lanes) if seen.meta else {}
    last = {notice.lane: (kind, notice) for kind, notice in seen.notices}
    found = []
    for lane in sorted(roles | seen.lanes)[:LANES_MAX]:
        health = seen.lanes.get(lane)
        found.append(
            {
                "lane": lane,
                "role": roles.get(lane, ""),
                "barrier": health.barrier if health else "unknown",
                "node": health.node if health else "unknown",
                "at_ms": _here(seen, health.at_ms) if health else None,
                "last": _notice(*last[lane], seen) if lane in last else None,
            }
        )
    return found


def _alarms(seen: Seen) -> list[Json]:
    ranked = sorted(seen.alarms.items(), key=lambda item: (-_SEVERITY[item[1].severity], item[1].since_ms))
    return [
        {
            "id": name,
            "alarm": alarm.alarm,
            "severity": alarm.severity,
            "cause": alarm.cause,
            "remedy": alarm.remedy,
            "since_ms": _here(seen, alarm.since_ms),
        }
        for name, alarm in ranked
    ]


def _notice(kind: str, notice: Notice, seen: Seen) -> Json:
    return {
        "kind": kind,
        "lane": notice.lane,
        "session": notice.session,
        "plate": notice.plate_masked,
        "amount_minor": notice.amount_minor,
        "at_ms": _here(seen, notice.at_ms),
    }
