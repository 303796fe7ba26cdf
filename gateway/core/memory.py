"""What a lot remembers while the gateway runs: stays inside, what each lane waits for, bays, totals.

Owns the index of open stays by plate and the rule that an ended stay leaves memory. It is filled from the journal at start
and changed only by the rules in this folder; the journal is always at least as new as the last committed step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.core.answer import Answer, LaneState, Till
from gateway.core.book import EntitlementBook
from gateway.core.calendar import Calendar
from gateway.core.days import Days, Uncounted
from gateway.core.debts import Debts
from gateway.core.deeds import Explain, Look
from gateway.core.entitlement import Debt, Held, Space
from gateway.core.exit import WithoutLease
from gateway.core.lane_watch import LaneWatch
from gateway.core.layout import Lot
from gateway.core.near_plates import NearPlates
from gateway.core.once import Once
from gateway.core.plate import Plate
from gateway.core.platform_book import PlatformBook
from gateway.core.recent import Recent
from gateway.core.roster import NO_ROSTER, RememberedRoster, Roster
from gateway.core.session import IN_THE_LOT, Session, State
from gateway.core.spaces import Spaces
from gateway.core.stay_watch import StayWatch
from gateway.core.strays import Strays
from gateway.core.tariff import Tariff

PastStays = tuple[tuple[str, ...], tuple[int, int], int]
"""Plates, the span of UTC ms in which they left, and how many stays at most, the newest of each plate first."""

PAST_STAYS_MAX = 100
"""Ended stays that one event may need: one step must not write more records than one message up can carry."""
MAX_STAY_MS = 720 * 3_600_000
"""After this an open stay is a ghost, unless the operator says otherwise: a month, as a permit's."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator has decided for this lot; `calendar` where the tariff has prices for holidays."""

    tariff: Tariff
    without_lease: WithoutLease
    currency: str
    calendar: Calendar | None = None
    max_stay_ms: int = MAX_STAY_MS


@dataclass(frozen=True, slots=True)
class Entitled:
    """What the journal remembers beside the stays: entitlements, spaces, open debts, and vehicles inside without a stay."""

    held: tuple[Held, ...] = ()
    spaces: tuple[Space, ...] = ()
    debts: tuple[Debt, ...] = ()
    unlisted: int = 0


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the journal remembers of a lot: stays inside or under a barrier, lanes, bays, and the running totals."""

    sessions: tuple[Session, ...]
    lanes: Mapping[str, LaneState]
    bays: Mapping[str, bool]
    entries: int
    exits: int
    billed_minor: int
    entitled: Entitled = Entitled()
    tills: tuple[Till, ...] = ()
    uncounted: Uncounted = field(default_factory=Uncounted)
    roster: RememberedRoster = NO_ROSTER


@dataclass(frozen=True, slots=True)
class Told:
    """A record about a stay: its number, type, UTC ms and body."""

    n: int
    type: str
    at_ms: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Looked:
    """What the store found for a question: stays, the newest first and one more than is shown; records, the oldest first."""

    stays: tuple[Session, ...] = ()
    records: tuple[Told, ...] = ()


class LotMemory:
    """The lot's memory while the gateway runs; `salt` gives base64 of 16 fresh random bytes."""

    def __init__(self, lot: Lot, rules: Rules, remembered: Remembered, salt: Callable[[], str]) -> None:
        self.lot = lot
        self.rules = rules
        self.salt = salt
        self.lanes = {lane: remembered.lanes.get(lane, LaneState()) for lane in lot.lanes}
        self.bays = {bay: remembered.bays[bay] for bay in lot.bays if bay in remembered.bays}
        self.entries = remembered.entries
        self.exits = remembered.exits
        self.billed_minor = remembered.billed_minor
        self.heartbeat_due_ms = 0
        self.book = EntitlementBook(remembered.entitled.held)
        self.spaces = Spaces(self.book, remembered.entitled.spaces)
        self.debts = Debts(remembered.entitled.debts)
        self.unlisted = remembered.entitled.unlisted
        self.once = Once()
        self.tills = {till.shift: till for till in remembered.tills}
        self.days = Days(remembered.uncounted, rules.tariff.rules.zone)
        self.watch = StayWatch()
        self.strays = Strays()
        self.recent = Recent()
        self.lane_watch = LaneWatch()
        self.platform: PlatformBook | None = None
        self.roster = Roster(remembered.roster)
        self.silent: set[str] = set()
        self.looked: dict[Look | Explain, Looked] = {}
        self._inside: dict[str, Session] = {}
        self._by_plate: dict[str, str] = {}
        self._by_trace: dict[str, set[str]] = {}
        self._near = NearPlates()
        self._adopted: dict[str, Session] = {}
        for session in remembered.sessions:
            self.keep(session)

    @property
    def inside(self) -> int:
        """Number of vehicles in the lot: by its open stays, and those that a count found beside them."""
        return max(0, len(self._inside) + self.unlisted)

    def inside_sessions(self) -> dict[str, Session]:
        """The open stays by id."""
        return dict(self._inside)

    def session(self, session: str) -> Session | None:
        """A stay that is inside or was adopted for this step."""
        return self._inside.get(session) or self._adopted.get(session)

    def session_of(self, identity: str) -> Session | None:
        """The open stay of a plate's identity."""
        session = self._by_plate.get(identity)
        return self._inside[session] if session is not None else None

    def sessions_alike(self, plate: Plate) -> list[Session]:
        """The open stays whose plates a reader could take for this one, itself included; same colour, same length."""
        return [self._inside[session] for session in sorted(self._by_trace.get(plate.trace, ()))]

    def near(self, plate: Plate) -> list[Session]:
        """The open stays whose plate is at most one character from this one, the oldest first."""
        return self._near.near(plate)

    def ended_of(self, identity: str) -> list[Session]:
        """The adopted stays of a plate's identity, and the one held at an exit, by their exit."""
        found = [session for session in self._adopted.values() if session.plate.identity == identity]
        inside = self.session_of(identity)
        if inside is not None and inside.state is State.HELD:
            found.append(inside)
        return sorted(found, key=lambda session: (session.exited_ms, session.id))

    def past_term(self, now_ms: int) -> list[Session]:
        """The adopted stays whose term has passed, the oldest first."""
        found = [session for session in self._adopted.values() if 0 < session.next_ms <= now_ms]
        return sorted(found, key=lambda session: (session.next_ms, session.id))

    def recount(self, unlisted: int, answer: Answer) -> None:
        """Change the number of vehicles inside without a stay, here and in the answer."""
        self.unlisted = unlisted
        answer.unlisted = unlisted

    def stands_at(self, session: Session) -> list[str]:
        """The exits at which this stay's vehicle was decided, and where nobody was since; two if near lanes read it."""
        return [lane for lane, state in self.lanes.items() if session.id in state.leaving]

    def adopt(self, session: Session) -> None:
        """Hold an ended stay for the length of one step, because an event names it."""
        self._adopted[session.id] = session

    def release_adopted(self) -> None:
        """Forget what was adopted, but for stays whose vehicle still stands under a lane's raised barrier."""
        self.once.forget()
        self.days.closed.clear()
        self.looked.clear()
        self.roster.release()
        leaving = {session for lane in self.lanes.values() for session in lane.leaving}
        self._adopted = {session: kept for session, kept in self._adopted.items() if session in leaving}

    def keep(self, session: Session) -> None:
        """Take a session's new form; once it is out of the lot it leaves memory."""
        inside = session.state in IN_THE_LOT
        self.watch.follow(session)
        self.strays.follow(session)
        if inside:
            self._inside[session.id] = session
            self._near.put(session)
            self._adopted.pop(session.id, None)
            if session.plate.text:
                self._by_plate[session.plate.identity] = session.id
                self._by_trace.setdefault(session.plate.trace, set()).add(session.id)
            return
        self._adopted[session.id] = session
        before = self._inside.pop(session.id, None)
        if before is None:
            return
        self._near.remove(before)
        alike = self._by_trace.get(before.plate.trace, set())
        alike.discard(session.id)
        if not alike:
            self._by_trace.pop(before.plate.trace, None)
        if self._by_plate.get(before.plate.identity) == session.id:
            del self._by_plate[before.plate.identity]

    def set_lane(self, lane: str, state: LaneState, answer: Answer) -> None:
        """Change what a lane waits for, here and in the answer."""
        self.lanes[lane] = state
        answer.lanes[lane] = state

    def put(self, session: Session, answer: Answer) -> None:
        """Change a session, here and in the answer."""
        self.keep(session)
        answer.sessions[session.id] = session
        self.spaces.follow(session, self._inside.values(), answer)
        self.debts.follow(session, answer)
