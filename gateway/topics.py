"""Names of the MQTT topics, in one table: who publishes, how it is delivered, how many parts follow the kind.

Owns `park/v1/{city}/{gw}/...` and `park/v1/{city}/_op/{console}/rsp/{gw}`: building a topic, reading one back, and those that
a gateway listens to. A wrong part handed in by us is a ValueError; a wrong topic from outside is a Rejection. Knows no bodies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from gateway.forms import Reason, Rejection

ROOT = "park/v1"
OPERATORS = "_op"
"""Branch of the consoles, beside the gateways."""
PART_BYTES_MAX = 64
"""One part of a topic: ids are short, and a topic of seven such parts stays far below MQTT's 65,535 bytes."""


class Kind(StrEnum):
    """What a topic carries."""

    STATE = "state"
    META = "meta"
    OCCUPANCY = "occ"
    LANE = "lane"
    NOTICE = "evt"
    RECORDS = "rec"
    RECEIPT = "ack"
    DOWN = "dn"
    ALARM = "alarm"
    METRICS = "met"
    COMMAND = "cmd"
    SETTING = "cfg"
    REPLY = "rsp"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a kind is delivered; `down`: it comes to a gateway. `named`: an id follows the kind (before occ and rsp)."""

    named: bool
    qos: int
    retain: bool
    down: bool = False


RULES: dict[Kind, Rule] = {
    #                    named  qos retain
    Kind.STATE:     Rule(False, 1, True),
    Kind.META:      Rule(False, 1, True),
    Kind.OCCUPANCY: Rule(True,  1, True),
    Kind.LANE:      Rule(True,  1, True),
    Kind.NOTICE:    Rule(True,  0, False),
    Kind.RECORDS:   Rule(True,  1, False),
    Kind.RECEIPT:   Rule(True,  1, True, down=True),
    Kind.DOWN:      Rule(True,  1, False, down=True),
    Kind.ALARM:     Rule(True,  1, True),
    Kind.METRICS:   Rule(False, 0, False),
    Kind.COMMAND:   Rule(True,  1, False, down=True),
    Kind.SETTING:   Rule(True,  1, True, down=True),
    Kind.REPLY:     Rule(True,  1, False),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: `name` is the lot, lane, event kind, stream, alarm id, verb or console; '' where the kind stands alone.

    Raises ValueError when a part could not stand in a topic. A '/' in a name becomes '_' (alarm ids hold one). No gateway's
    name begins with '_', which marks the branches beside the gateways.
    """

    city: str
    gateway: str
    kind: Kind
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.replace("/", "_"))
        for part in (self.city, self.gateway):
            if not _is_part(part):
                raise ValueError(
                    f"{part!r} cannot stand in a topic: 1 to {PART_BYTES_MAX} bytes, no '/', '+', '#', control"
                )
        if self.gateway.startswith("_"):
            raise ValueError(f"{self.gateway!r} cannot be a gateway in a topic: '_' marks other branches")
        if RULES[self.kind].named != bool(self.name) or (self.name and not _is_part(self.name)):
            raise ValueError(f"{self.name!r} cannot be the name in a topic of kind {self.kind}")

    def __str__(self) -> str:
        root = f"{ROOT}/{self.city}/{self.gateway}"
        if self.kind is Kind.REPLY:
            return f"{ROOT}/{self.city}/{OPERATORS}/{self.name}/{self.kind}/{self.gateway}"
        if self.kind is Kind.OCCUPANCY:
            return f"{root}/lot/{self.name}/{self.kind}"
        return f"{root}/{self.kind}/{self.name}" if self.name else f"{root}/{self.kind}"

    @property
    def rule(self) -> Rule:
        """How this topic is delivered."""
        return RULES[self.kind]


def subscriptions(city: str, gateway: str, stream: str) -> tuple[str, ...]:
    """The topics that a gateway listens to; all are delivered with QoS 1."""
    named = [str(Topic(city, gateway, kind, stream)) for kind in (Kind.RECEIPT, Kind.DOWN)]
    return (*named, *(f"{ROOT}/{city}/{gateway}/{kind}/+" for kind in (Kind.COMMAND, Kind.SETTING)))


def parse_topic(text: str) -> Topic | Rejection:
    """The topic that a text names, or why it names none."""
    parts = text.split("/")
    if parts[:2] != ROOT.split("/") or len(parts) not in (5, 6, 7):
        return Rejection(Reason.TOPIC, text[:200])
    city, gateway, *rest = parts[2:]
    if gateway == OPERATORS and len(rest) == 3:
        name, word, gateway = rest
        if word != Kind.REPLY:
            return Rejection(Reason.TOPIC, text[:200])
        rest = [word, name]
    elif len(rest) == 3:
        lot, name, word = rest
        if lot != "lot" or word != Kind.OCCUPANCY:
            return Rejection(Reason.TOPIC, text[:200])
        rest = [word, name]
    elif rest[0] in (Kind.OCCUPANCY, Kind.REPLY):
        return Rejection(Reason.TOPIC, text[:200])
    try:
        return Topic(city, gateway, Kind(rest[0]), rest[1] if len(rest) == 2 else "")
    except ValueError:
        return Rejection(Reason.TOPIC, text[:200])


_NO_PART = re.compile("[/+#\x00-\x1f\x7f]")


def _is_part(text: str) -> bool:
    return 0 < len(text.encode()) <= PART_BYTES_MAX and _NO_PART.search(text) is None
