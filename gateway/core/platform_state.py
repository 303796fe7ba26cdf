"""What is remembered for a city's own lot protocol beside the ledger: stays' names there, pushes, uploads set aside, days.

Owns the rows' shapes. "Platform" is a city that is spoken to in its own protocol, beside our signed stream. Rules: a name given
to a stay or a bill is kept, never made again; a push is one request with one content. Refuses to know the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from gateway.core.record import Record
from gateway.core.session import Session


class PushState(StrEnum):
    """How far a push is. OWED and REFUSED wait to be answered, each in its own way."""

    WAITING = "waiting"
    OWED = "owed"
    REFUSED = "refused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class PlatformTerms:
    """What the core must know of a platform: the lot's code there, each lane's number, and all bays of the lot."""

    code: str
    lanes: Mapping[str, str]
    total_bays: int


@dataclass(frozen=True, slots=True)
class PlatformStay:
    """A stay's name at the platform. `stamp_ms`: the time inside the uid; `free_in`: absolute free bays after the entry."""

    session: str
    lane: str
    stamp_ms: int
    uid: str
    free_in: int


@dataclass(frozen=True, slots=True)
class PlatformBill:
    """The bill of record `exit_n`, which ended a stay at `at_ms` UTC; `free_out`: absolute free bays after it.

    `owed_minor`: what the platform is asked for, if it is (`applied`); `paid_minor`: what it said was paid. `passed`: the
    vehicle is through the exit; `reversed`: it turned back instead; `told`: the platform heard of this bill.
    """

    bill: str
    session: str
    exit_n: int
    at_ms: int
    free_out: int
    owed_minor: int
    paid_minor: int = 0
    applied: bool = False
    passed: bool = False
    reversed: bool = False
    told: bool = False


@dataclass(frozen=True, slots=True)
class KeptPush:
    """A push: request and digest of its content together are its identity. `text`: what the platform sent, decrypted, as JSON.

    `verdict`: '' if it was taken, else why not. `amount_minor`: what a query for the running bill is answered with. `payment`:
    the id under which records name the payment that it brought.
    """

    request: str
    digest: str
    name: str
    text: str
    since_ms: int
    state: PushState
    session: str = ""
    verdict: str = ""
    amount_minor: int = 0
    payment: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Request and digest."""
        return self.request, self.digest


@dataclass(frozen=True, slots=True)
class Aside:
    """An upload that the platform refused, to be tried again later; `due_ms` UTC."""

    n: int
    call: str
    reason: str
    due_ms: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A committed record with what an upload made of it needs: the stay, its name, the bill that the record is about with the
    line that made it, a payment's push."""

    record: Record
    session: Session | None = None
    stay: PlatformStay | None = None
    bill: PlatformBill | None = None
    exit_line: str = ""
    push_text: str = ""


@dataclass(frozen=True, slots=True)
class DayBill:
    """A bill of one day, as one side knows it; amounts in minor units."""

    bill: str
    owed_minor: int
    paid_minor: int
    plate: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the sender wants to read: records from `first` on, at most `limit` of each sort; `now_ms` UTC.

    `days`: the last days that are over, the oldest first, each with its span of UTC ms. `pull`: also what a push may have been
    lost for.
    """

    first: int
    limit: int
    now_ms: int
    days: tuple[tuple[str, tuple[int, int]], ...] = ()
    pull: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """What is there to be sent at `now_ms` UTC. `cursor`: the last call taken. `free`: absolute free bays now. `day`: one to be
    compared, '' if none, and the plates of its bills. `unauthorized`: stays inside without a lease; `unpaid`: bills due."""

    cursor: tuple[int, str]
    head_n: int
    free: int
    now_ms: int
    pushes: tuple[KeptPush, ...] = ()
    entries: tuple[Entry, ...] = ()
    asides: tuple[tuple[Aside, Entry], ...] = ()
    day: str = ""
    day_plates: tuple[str, ...] = ()
    unauthorized: tuple[Session, ...] = ()
    unpaid: tuple[str, ...] = ()


@dataclass(slots=True)
class PlatformAnswer:
    """What one step changes of this; empty for a lot without a platform.

    `passed`, `reversed`: session -> the record that says so of its last bill before; `asked`: session -> the record by which
    the platform is asked for that bill, and minor units; `received`: bill id and minor units of payments; `told`: bill ids.
    """

    stays: dict[str, PlatformStay] = field(default_factory=dict)
    bills: list[PlatformBill] = field(default_factory=list)
    passed: dict[str, int] = field(default_factory=dict)
    reversed: dict[str, int] = field(default_factory=dict)
    asked: dict[str, tuple[int, int]] = field(default_factory=dict)
    received: list[tuple[str, int]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    pushes: dict[tuple[str, str], KeptPush] = field(default_factory=dict)
    cursor: tuple[int, str] | None = None
    aside: dict[tuple[int, str], Aside | None] = field(default_factory=dict)
    days: dict[str, int] = field(default_factory=dict)
    forget_before_ms: int = 0

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self))
