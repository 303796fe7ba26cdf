"""The lot's answer to the events of one engine step: what to write, what changed, what to do.

Owns the numbering of the records that a step adds (a session's id is the number of the record that opens it). Everything in
one answer is committed in one transaction or not at all; the commands follow only after that.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.core.city_events import Origin
from gateway.core.commands import Command
from gateway.core.entitlement import Held, Kind, Space
from gateway.core.plate import Plate
from gateway.core.platform_state import PlatformAnswer
from gateway.core.posting import Posting
from gateway.core.record import Draft
from gateway.core.roster import RosterChanges
from gateway.core.session import Session


@dataclass(frozen=True, slots=True)
class LaneState:
    """Who is in a lane, first the one nearest to the barrier: plates not yet through an entry, sessions decided at an exit
    ('' for a vehicle that nobody decided).

    Two at most: one that passes and one behind it. `barred`: why the last of those waiting is not let in, '' if it is.
    """

    waiting: tuple[Plate, ...] = ()
    leaving: tuple[str, ...] = ()
    barred: str = ""

    def unbarred(self) -> LaneState:
        """The same lane with its barrier opened."""
        return replace(self, barred="")


@dataclass(frozen=True, slots=True)
class Till:
    """The cash of an open shift: whose it is, the change it began with, how many payments, and minor units together."""

    shift: str
    attendant: str
    float_minor: int
    payments: int = 0
    cash_minor: int = 0


@dataclass(slots=True)
class Answer:
    """Collects what one step writes; `next_n` is the number that the first new record will get.

    `standing`: session -> the standing lease that let it out. `unlisted`: vehicles inside without a stay, if recounted.
    `used`: (kind, id) -> content of the city's messages about money that were applied. `tills`: shift -> its cash,
    None once it is closed. `closed_days`: local day -> number of the record that closed it.
    """

    epoch: int
    next_n: int
    drafts: list[Draft] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    postings: list[Posting] = field(default_factory=list)
    lanes: dict[str, LaneState] = field(default_factory=dict)
    bays: dict[str, bool] = field(default_factory=dict)
    origins: list[Origin] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    held: dict[tuple[Kind, str], Held] = field(default_factory=dict)
    forgotten: list[tuple[Kind, str]] = field(default_factory=list)
    spaces: dict[str, Space | None] = field(default_factory=dict)
    standing: dict[str, str] = field(default_factory=dict)
    unlisted: int | None = None
    tills: dict[str, Till | None] = field(default_factory=dict)
    closed_days: dict[str, int] = field(default_factory=dict)
    used: dict[tuple[str, str], str] = field(default_factory=dict)
    platform: PlatformAnswer = field(default_factory=PlatformAnswer)
    roster: RosterChanges = field(default_factory=RosterChanges)

    @property
    def upcoming_n(self) -> int:
        """Number of the next record that `write` adds."""
        return self.next_n + len(self.drafts)

    @property
    def upcoming_id(self) -> str:
        """Id of the session that the next record opens."""
        return f"{self.epoch}.{self.upcoming_n}"

    def write(self, draft: Draft) -> int:
        """Add a record; returns its number."""
        n = self.upcoming_n
        self.drafts.append(draft)
        return n
