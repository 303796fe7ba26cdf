"""What happened: everything that may enter the engine, in the past tense.

A node's event carries its `Source`, the identity under which it is counted once. What the city sends stands in
`city_events`. Events are facts; what follows from them is decided in `core/lot`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.core.city_events import CityEvent
from gateway.core.operator_events import OperatorEvent
from gateway.core.plate import Plate
from gateway.core.platform_events import PlatformEvent


@dataclass(frozen=True, slots=True)
class Source:
    """Identity and age of a node's event.

    `uid`: 16 hex digits. `log`: the node's event log; numbers rise by 1 within it. `age_ms`: from the happening to the
    moment the gateway read the reply. `early`: it happened before the node's last restart: the age is a lower bound.
    """

    uid: str
    log: int
    seq: int
    age_ms: int
    early: bool = False


class Position(StrEnum):
    """Position of a barrier, read back from its contacts."""

    CLOSED = "closed"
    OPEN = "open"
    MOVING = "moving"
    FAULT = "fault"


class SelfOpening(StrEnum):
    """Why a node raised a barrier on its own."""

    UNANSWERED = "unanswered"
    FIRE = "fire"
    MAINS = "mains"


@dataclass(frozen=True, slots=True)
class PlateRead:
    """A vehicle stands at a lane's barrier and its plate was read (or found missing: empty text).

    `behind`: the vehicle ahead of it is still passing; its passage will be told after this read.
    """

    source: Source
    lane: str
    plate: Plate
    behind: bool = False


@dataclass(frozen=True, slots=True)
class VehiclePassed:
    """A vehicle drove through under the raised barrier: the safety loop was occupied and is clear again."""

    source: Source
    lane: str


@dataclass(frozen=True, slots=True)
class VehicleBackedOut:
    """A vehicle left the arrival loop again without passing; `behind`: the vehicle ahead of it is still passing."""

    source: Source
    lane: str
    behind: bool = False


@dataclass(frozen=True, slots=True)
class BarrierMoved:
    """A barrier's contacts show a new position."""

    source: Source
    lane: str
    position: Position


@dataclass(frozen=True, slots=True)
class BarrierSelfOpened:
    """The node raised the barrier without the gateway."""

    source: Source
    lane: str
    reason: SelfOpening


@dataclass(frozen=True, slots=True)
class HelpCalled:
    """Somebody pressed the help button of a lane."""

    source: Source
    lane: str


@dataclass(frozen=True, slots=True)
class FireAlarmChanged:
    """The fire-alarm contact at a lane node closed or opened."""

    source: Source
    lane: str
    active: bool


@dataclass(frozen=True, slots=True)
class MainsChanged:
    """Mains power at a lane node went or came back."""

    source: Source
    lane: str
    present: bool


@dataclass(frozen=True, slots=True)
class BayChanged:
    """A bay became occupied or free."""

    source: Source
    bay: str
    occupied: bool


@dataclass(frozen=True, slots=True)
class BaysReported:
    """Snapshot of all bays of one node, sent after a restart or a loss: (bay, occupied)."""

    source: Source
    bays: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class EventsLost:
    """The node had to drop its own events numbered first..last; a snapshot follows."""

    source: Source
    first: int
    last: int


NodeEvent = (
    PlateRead
    | VehiclePassed
    | VehicleBackedOut
    | BarrierMoved
    | BarrierSelfOpened
    | HelpCalled
    | FireAlarmChanged
    | MainsChanged
    | BayChanged
    | BaysReported
    | EventsLost
)


@dataclass(frozen=True, slots=True)
class NodeJoined:
    """A node answered the hello and has a session; `log` tells which numbering its events use."""

    uid: str
    log: int
    boot: int


@dataclass(frozen=True, slots=True)
class NodeWentSilent:
    """A node that had a session stopped answering."""

    uid: str


@dataclass(frozen=True, slots=True)
class NodeRefused:
    """Something on the bus speaks for an address without the right key, uid or version; `reason` names which."""

    address: int
    reason: str


BusEvent = NodeJoined | NodeWentSilent | NodeRefused


@dataclass(frozen=True, slots=True)
class BudgetSpent:
    """A commit was late: the shell raised this exit's barrier when the time budget ran out."""

    lane: str
    waited_ms: int


@dataclass(frozen=True, slots=True)
class GatewayStarted:
    """The journal was read and the engine is about to take events; `first`: no gateway ever ran on this chain."""

    version: str
    first: bool = False


@dataclass(frozen=True, slots=True)
class Commissioned:
    """A person answered one question of the commissioning checklist whose SHA-256 is `checklist`, about `of`.

    `value` is what was measured in `unit`, or 1 for yes and 0 for no with the unit ''.
    """

    checklist: str
    item: str
    of: str
    value: int
    unit: str
    passed: bool
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Woke:
    """The time that the lot asked to be woken at has come."""


ShellEvent = BudgetSpent | GatewayStarted | Commissioned | Woke
Event = NodeEvent | BusEvent | CityEvent | PlatformEvent | OperatorEvent | ShellEvent
