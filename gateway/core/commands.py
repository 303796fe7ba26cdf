"""What shall happen in the world once the step is committed, in the imperative.

None of these is carried out before COMMIT returned. Each is safe to repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Voice(StrEnum):
    """What the lane says aloud; the node holds the recordings, the wire carries a number."""

    WELCOME = "welcome"
    PAY_LATER = "pay-later"
    FREE = "free"
    PAY_HERE = "pay-here"
    PAID = "paid"
    ASK_ATTENDANT = "ask-attendant"
    GO = "go"
    FULL = "full"


class Severity(StrEnum):
    """How soon a person must look at an alarm."""

    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class OpenBarrier:
    """Raise a lane's barrier for one vehicle."""

    lane: str


@dataclass(frozen=True, slots=True)
class ShowText:
    """Show one line (at most 60 UTF-8 bytes) on a lane's display and say the matching sentence."""

    lane: str
    text: str
    voice: Voice


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """Tell the operators; `alarm` is the id under which it is open once, e.g. 'help/exit-1'."""

    alarm: str
    severity: Severity
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ClearAlarm:
    """Withdraw an alarm by its id."""

    alarm: str


@dataclass(frozen=True, slots=True)
class PublishOccupancy:
    """Tell the absolute numbers of the lot; `unknown` bays have not reported since start."""

    free: int
    occupied: int
    unknown: int
    inside: int


@dataclass(frozen=True, slots=True)
class PublishNotice:
    """Tell a live view what happened; lossy, plate masked, money in minor units."""

    kind: str
    lane: str
    session: str
    plate_masked: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class SendReply:
    """Answer an operator's command: the console's key, the line, and the record key's signature, empty until it is signed."""

    key: str
    line: str
    signature: bytes = b""


Command = OpenBarrier | ShowText | RaiseAlarm | ClearAlarm | PublishOccupancy | PublishNotice | SendReply
