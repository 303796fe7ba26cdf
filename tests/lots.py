"""A small lot with an engine over a real ledger, and short names for what can happen in it."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.city_events import (
    EntitlementGranted,
    EntitlementWithdrawn,
    LeaseGranted,
    LotRecounted,
    Numbered,
    Origin,
    PaymentReported,
    ReceiptArrived,
    RefundMade,
)
from gateway.core.entitlement import Entitlement, Kind
from gateway.core.events import (
    BarrierMoved,
    BayChanged,
    BaysReported,
    Event,
    PlateRead,
    Position,
    Source,
    VehicleBackedOut,
    VehiclePassed,
)
from gateway.core.exit import WithoutLease
from gateway.core.layout import BayNode, LaneNode, LaneRole, Lot
from gateway.core.memory import MAX_STAY_MS, LotMemory, Rules
from gateway.core.moment import ClockQuality, Moment
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from gateway.core.platform_state import PlatformTerms
from gateway.engine import Engine, Identity, Outcome
from gateway.quote import shipped_tariff
from gateway.shell.signer import Signer
from gateway.store.journal import Journal

Line = TypeVar("Line", bound=Numbered)
CHAIN = "gw-1"
UIDS = {
    "in": "00000000000000a1",
    "out": "00000000000000a2",
    "out-2": "00000000000000a3",
    "in-2": "00000000000000a4",
    "bays": "00000000000000b1",
}
LOT = Lot(
    "small",
    {
        "bus": (
            LaneNode(1, UIDS["in"], "in", LaneRole.ENTRY),
            LaneNode(2, UIDS["out"], "out", LaneRole.EXIT),
            LaneNode(3, UIDS["out-2"], "out-2", LaneRole.EXIT),
            LaneNode(5, UIDS["in-2"], "in-2", LaneRole.ENTRY),
            BayNode(4, UIDS["bays"], ("b1", "b2", "b3", "b4")),
        )
    },
)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HOUR_MS = 3_600_000
START_MS = 1_793_577_600_000


def at(ms: int, *, boot: str = "boot-1", quality: ClockQuality = ClockQuality.SYNCHRONISED) -> Moment:
    """The clocks `ms` after the start of the test."""
    return Moment(boot, ms, START_MS + ms, quality)


def plate(text: str = "浙A12345", *, confidence: int = 99, vehicle: Vehicle = Vehicle.SMALL) -> Plate:
    """A blue plate."""
    return Plate(text, Colour.BLUE, vehicle, Energy.FUEL, confidence)


class SmallLot:
    """One lot and its engine; `restart` is what a SIGKILL leaves: a new engine over the same file."""

    def __init__(
        self,
        folder: Path,
        *,
        policy: WithoutLease = WithoutLease.OPEN_ARREARS,
        rules: Rules | None = None,
        max_stay_ms: int = MAX_STAY_MS,
        platform: PlatformTerms | None = None,
    ) -> None:
        self.path = folder / "ledger.db"
        self.platform = platform
        self.policy = policy
        self._rules = rules
        self.max_stay_ms = max_stay_ms
        self.now_ms = 0
        self.key = KEY
        self._salts = 0
        self._seqs: dict[str, int] = defaultdict(int)
        self._dn = 0
        self.restart()

    def restart(self, *, successor: Ed25519PrivateKey | None = None) -> Outcome:
        """A new engine from the journal; it hands over to the successor's key."""
        self.journal = Journal(self.path, chain=CHAIN, instance="test")
        self.engine = self.make_engine(self.journal, successor)
        started = self.engine.start(at(self.now_ms))
        self.key = successor or self.key
        return started

    def make_engine(self, journal: Journal, successor: Ed25519PrivateKey | None = None) -> Engine:
        """An engine over this journal, not yet started."""
        return Engine(
            identity=Identity(CHAIN, LOT.lot, "test"),
            lot=LOT,
            rules=self._rules or Rules(shipped_tariff("plain-garage"), self.policy, "CNY", None, self.max_stay_ms),
            journal=journal,
            signer=Signer(self.key),
            salt=self._salt,
            successor=None if successor is None else Signer(successor),
            platform=self.platform,
        )

    def step(self, *events: Event, after_ms: int = 1000) -> Outcome:
        """One engine step, a second later."""
        self.now_ms += after_ms
        return self.engine.step(events, at(self.now_ms))

    def wait(self, ms: int) -> None:
        """Let time pass."""
        self.now_ms += ms

    def source(self, node: str, age_ms: int = 0) -> Source:
        """The next event number of a node."""
        self._seqs[node] += 1
        return Source(UIDS[node], 7, self._seqs[node], age_ms)

    def read(self, lane: str, read: Plate | None = None, age_ms: int = 0, *, behind: bool = False) -> PlateRead:
        """A plate read."""
        return PlateRead(self.source(lane, age_ms), lane, read or plate(), behind)

    def passed(self, lane: str, age_ms: int = 0) -> VehiclePassed:
        """A passage."""
        return VehiclePassed(self.source(lane, age_ms), lane)

    def backed_out(self, lane: str, *, behind: bool = False) -> VehicleBackedOut:
        """A turn-back."""
        return VehicleBackedOut(self.source(lane), lane, behind)

    def barrier(self, lane: str, position: Position, age_ms: int = 0) -> BarrierMoved:
        """A barrier's contacts."""
        return BarrierMoved(self.source(lane, age_ms), lane, position)

    def bay(self, bay: str, occupied: bool) -> BayChanged:
        """A bay's change."""
        return BayChanged(self.source("bays"), bay, occupied)

    def bays(self, *occupied: bool) -> BaysReported:
        """All bays at once."""
        return BaysReported(self.source("bays"), tuple(zip(LOT.bays, occupied, strict=True)))

    def lease(self, session: str, cap_minor: int, *, expires_ms: int = 2 * START_MS) -> LeaseGranted:
        """The city's next line: a lease."""
        return LeaseGranted(self.origin(), f"lease-{self._dn}", session, cap_minor, expires_ms)

    def payment(self, session: str, amount_minor: int, *, paid: bool = True) -> PaymentReported:
        """The city's next line: a payment."""
        return PaymentReported(self.origin(), f"payment-{self._dn}", session, amount_minor, paid)

    def line(self, kind: Callable[..., Line], *members: object) -> Line:
        """The city's next line, of any kind."""
        return kind(self.origin(), *members)

    def refund(self, session: str, amount_minor: int, *, refund: str = "") -> RefundMade:
        """The city's next line: a refund."""
        origin = self.origin()
        return RefundMade(origin, refund or f"refund-{self._dn}", session, amount_minor, "goodwill")

    def grant(self, entitlement: Entitlement) -> EntitlementGranted:
        """The city's next line: an entitlement."""
        return EntitlementGranted(self.origin(), entitlement)

    def withdraw(self, kind: Kind, id_: str) -> EntitlementWithdrawn:
        """The city's next line: an entitlement taken back."""
        return EntitlementWithdrawn(self.origin(), kind, id_)

    def recount(self, inside: int, *, at_ms: int = 0) -> LotRecounted:
        """The city's next line: a count of the vehicles inside."""
        return LotRecounted(replace(self.origin(), at_ms=at_ms), f"count-{self._dn}", inside)

    def receipt(self, n: int) -> ReceiptArrived:
        """The city's receipt for record n as it is."""
        record_hash = self.journal.line_hash(n) or bytes(32)
        return ReceiptArrived(1, n, record_hash, f"receipt {n}", bytes(64))

    def enter(self, read: Plate | None = None, *, lane: str = "in") -> str:
        """A whole entry; the session's id."""
        self.step(self.read(lane, read))
        self.step(self.passed(lane))
        return str(self.lines("entry")[-1]["body"]["session"])

    def lines(self, kind: str = "") -> list[dict[str, Any]]:
        """The records as JSON, all or of one type."""
        found = [json.loads(record.line) for record in self.engine.records(1, 10_000)]
        return [line for line in found if not kind or line["type"] == kind]

    def last(self, kind: str) -> dict[str, Any]:
        """The body of the newest record of a type."""
        body: dict[str, Any] = self.lines(kind)[-1]["body"]
        return body

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the ledger."""
        return self.journal._connection.execute(sql).fetchall()

    def origin(self) -> Origin:
        """The next number of the city's lines."""
        self._dn += 1
        return Origin(self._dn, f"line {self._dn}", bytes(64))

    def _salt(self) -> str:
        self._salts += 1
        return base64.b64encode(self._salts.to_bytes(16, "big")).decode()


def state_of(memory: LotMemory) -> dict[str, object]:
    """What two memories of the same lot must agree in."""
    lanes = memory.lanes
    leaving = {lane: memory.session(state.leaving) for lane, state in lanes.items() if state.leaving}
    return {
        "inside": memory.inside_sessions(),
        "lanes": dict(lanes),
        "leaving": leaving,
        "bays": dict(memory.bays),
        "entitled": (vars(memory.book), vars(memory.spaces)["_taken"], vars(memory.debts), memory.unlisted),
        "tills": dict(memory.tills),
        "day": {name: value for name, value in vars(memory.days).items() if name != "_zone"},
        "totals": (memory.entries, memory.exits, memory.billed_minor),
    }
