"""What an operator's command asks for, in the lot's words; `Unfit` is a command that asks for nothing that can be read.

A grant carries its own id, made of the command's key and number. What follows from a deed is decided in `core/operators`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.city_events import BillVoided, CashTaken, ExitAttached, ShiftClosed, ShiftOpened
from gateway.core.entitlement import Benefit, Block, Validation
from gateway.findings import Which
from gateway.orders import Code


@dataclass(frozen=True, slots=True)
class OpenLane:
    """Raise a lane's barrier for one vehicle."""

    lane: str


@dataclass(frozen=True, slots=True)
class HoldLane:
    """Keep a lane's barrier up until it is released."""

    lane: str


@dataclass(frozen=True, slots=True)
class ReleaseLane:
    """End the holding of a lane's barrier."""

    lane: str


@dataclass(frozen=True, slots=True)
class Count:
    """So many vehicles are inside; `id` names the count."""

    id: str
    inside: int


@dataclass(frozen=True, slots=True)
class Grant:
    """Grant or forbid something beforehand."""

    entitlement: Validation | Benefit | Block


@dataclass(frozen=True, slots=True)
class Unblock:
    """End the blocks that operators put on a plate's identity."""

    plate: str


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Give back so much of what was paid for a session; `id` names the deed."""

    id: str
    session: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Settle:
    """Change or account for the money of a stay by the rule that answers the city, with an id made of the command's."""

    event: BillVoided | ExitAttached | ShiftOpened | CashTaken | ShiftClosed


@dataclass(frozen=True, slots=True)
class Look:
    """Show some stays; `plate` is an identity, under the colour 'unknown' if none was named, '' unless a plate is sought."""

    which: Which
    plate: str


@dataclass(frozen=True, slots=True)
class Explain:
    """Show one stay, its bill line by line, and what happened to it."""

    session: str


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a command cannot be read as a deed."""

    code: Code
    detail: str


Deed = OpenLane | HoldLane | ReleaseLane | Count | Grant | Unblock | GiveBack | Settle | Look | Explain
