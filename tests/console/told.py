"""What gateways tell in the tests of the console: topics with the bytes of real messages."""

from __future__ import annotations

from gateway.messages import Alarm, LaneHealth, Meta, Metrics, Notice, Occupancy, Presence, State
from gateway.topics import Kind, Topic

CITY = "hz"
T0_MS = 1_790_000_000_000
Told = tuple[str, bytes]


def topic(gateway: str, kind: Kind, name: str = "") -> str:
    """A topic of the tests' city."""
    return str(Topic(CITY, gateway, kind, name))


def state(
    gateway: str, presence: Presence = Presence.ONLINE, *, boot: int = 1, link: int = 1, at_ms: int = T0_MS
) -> Told:
    """Presence."""
    return topic(gateway, Kind.STATE), State(presence, boot, link, "0.1.0", at_ms).to_json()


def meta(gateway: str, lot: str) -> Told:
    """The birth of a lot with one entry and one exit."""
    lanes = {"entry-1": "entry", "exit-1": "exit"}
    return topic(gateway, Kind.META), Meta(
        lot=lot, lanes=lanes, bays=100, chain=gateway, epoch=1, next=40, receipted=39, key="abcd", currency="CNY",
        tariff="hangzhou-2014", tariff_hash="00", version="0.1.0",
    ).to_json()  # fmt: skip


def occupancy(gateway: str, lot: str, *, occupied: int, inside: int | None = None, at_ms: int = T0_MS) -> Told:
    """A hundred bays, so many of them taken."""
    body = Occupancy(100 - occupied, occupied, 0, 100, occupied if inside is None else inside, at_ms)
    return topic(gateway, Kind.OCCUPANCY, lot), body.to_json()


def lane(gateway: str, name: str, *, barrier: str = "closed", node: str = "joined", at_ms: int = T0_MS) -> Told:
    """A lane's health."""
    return topic(gateway, Kind.LANE, name), LaneHealth(barrier, node, at_ms).to_json()


def notice(gateway: str, kind: str, *, at: str = "exit-1", amount_minor: int = 0, at_ms: int = T0_MS) -> Told:
    """Something that happened in a lane."""
    return topic(gateway, Kind.NOTICE, kind), Notice(at, "s-1", "浙A·***45", amount_minor, at_ms).to_json()


CAUSES = {
    "silent/12": ("Node 12 does not answer.", "Check cable and power."),
    "tariff/calendar": ("Calendar china-2026 ends on 2026-12-31.", "Install the next one and name it in lot.calendar."),
    "attendant/exit-1": ("A vehicle waits for an attendant.", "Take the money, or open by hand."),
}


def alarm(gateway: str, name: str, severity: str, *, at_ms: int = T0_MS) -> Told:
    """An open alarm."""
    cause, remedy = CAUSES.get(name, (f"{name} is wrong.", "Look at it."))
    body = Alarm(name, severity, cause, remedy, at_ms)
    return topic(gateway, Kind.ALARM, name), body.to_json()


def numbers(gateway: str, *, at_ms: int = T0_MS, **values: int) -> Told:
    """The minute's numbers."""
    return topic(gateway, Kind.METRICS), Metrics(values, at_ms).to_json()
