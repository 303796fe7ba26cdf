"""What the gateway knows of one node: keys, counter, how far its events are delivered and committed, commands to come.

Owns the rule of delivery: an event is given on once, in order; what is missing between is said to be lost. Knows no
scheduling and no bytes on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware import wire
from gateway.core.events import EventsLost, NodeEvent
from gateway.core.layout import BayNode, LaneNode, LaneRole, Node
from gateway.link.translate import node_event, source_of

CREDIT_MAX = 18
"""Events wanted per reply: as many plain ones as a frame holds."""
MISSES_MAX = 5
"""Misses in a row without a sound before a node counts as silent: 300 ms, well inside the 2 s of an exit's patience."""
NOISY_MISSES_MAX = 25
"""The same when noise was heard in a reply's place: 1.5 s. Somebody speaks there; a hello would have no better luck."""


@dataclass(slots=True)
class Keys:
    """One session: its number, its two keys, the counter of the last frame sent, the node's boot."""

    number: int
    mac: bytes
    enc: bytes
    boot: int
    counter: int = 0


@dataclass(slots=True)
class Order:
    """A command that waits for its result; `number` stays the same over all repeats."""

    number: int
    op: int
    rest: bytes
    expires_ms: int


@dataclass(slots=True)
class Delivered:
    """What one reply brought: events for the engine, and how many were repeats, missing or not to be understood."""

    events: list[NodeEvent] = field(default_factory=list)
    repeats: int = 0
    missing: int = 0
    unintelligible: int = 0


class Station:
    """One node as seen from here. `log` is 0 until it is known; `committed` and `delivered` count within that log."""

    def __init__(self, node: Node, key: bytes, acked: tuple[int, int]) -> None:
        self.node = node
        self.key = key
        self.keys: Keys | None = None
        self.log, self.committed = acked
        self.delivered = self.committed
        self.acked_sent = 0
        self.pending = 0
        self.misses = 0
        self.silences = 0
        self.credit = CREDIT_MAX
        self.hellos = 0
        self.due_ms = 0
        self.uptime_offset_ms: int | None = None
        self.orders: dict[int, Order] = {}

    @property
    def is_lane(self) -> bool:
        """A lane is asked more often than bays."""
        return isinstance(self.node, LaneNode)

    @property
    def is_exit(self) -> bool:
        """The node of an exit lane."""
        return isinstance(self.node, LaneNode) and self.node.role is LaneRole.EXIT

    def mismatch(self, welcome: wire.Welcome) -> str:
        """Why an authentic node is not the one that the configuration names, or ''."""
        if welcome.uid.hex() != self.node.uid:
            return "uid"
        if welcome.version != wire.VERSION:
            return "version"
        if welcome.kind != (wire.KIND_LANE if self.is_lane else wire.KIND_BAY):
            return "kind"
        if isinstance(self.node, BayNode) and welcome.ports < len(self.node.bays):
            return "ports"
        return ""

    def join(self, keys: Keys, log: int) -> None:
        """The node answered the hello: from here on its events are numbered within `log`."""
        if log != self.log:
            self.log, self.committed, self.delivered = log, 0, 0
        self.keys = keys
        self.acked_sent = 0
        self.misses = self.silences = 0
        self.hellos = 0
        self.uptime_offset_ms = None

    def missed(self, *, noise_heard: bool) -> None:
        """No reply in time. The next one shall be shorter: a line that spoils one byte in a hundred spoils the long ones."""
        self.misses += 1
        self.silences += not noise_heard
        self.credit = max(1, self.credit // 2)

    def answered(self) -> None:
        """A reply came whole; the next may be a little longer."""
        self.misses = self.silences = 0
        self.credit = min(CREDIT_MAX, self.credit + 1)

    @property
    def gone(self) -> bool:
        """The node counts as silent."""
        return self.silences >= MISSES_MAX or self.misses >= NOISY_MISSES_MAX

    def deliver(self, events: list[wire.Event]) -> Delivered:
        """Pass on what is new. Gaps and events that nobody can read become EventsLost: nothing vanishes without a word."""
        result = Delivered()
        for event in events:
            if event.seq <= self.delivered:
                result.repeats += 1
                continue
            known = node_event(self.node, self.log, event)
            first = self.delivered + 1
            if isinstance(known, EventsLost):
                known = EventsLost(known.source, first, event.seq)
                result.missing += event.seq - self.delivered
            elif event.seq > first:
                gap = wire.Event(event.seq - 1, event.age_ms, wire.LOST, event.port & wire.EARLY, 0)
                result.events.append(EventsLost(source_of(self.node.uid, self.log, gap), first, event.seq - 1))
                result.missing += event.seq - first
            if known is None:
                known = EventsLost(source_of(self.node.uid, self.log, event), event.seq, event.seq)
                result.unintelligible += 1
            result.events.append(known)
            self.delivered = event.seq
        return result

    def commit(self, log: int, seq: int) -> None:
        """The ack may now say `seq`. ValueError for a number that was never delivered: that would lose events."""
        if log != self.log:
            return
        if seq > self.delivered:
            raise ValueError(f"{self.node.uid}: commit of {seq}, but only {self.delivered} were delivered")
        self.committed = max(self.committed, seq)

    @property
    def ack_waits(self) -> bool:
        """More events wait in the node, and an ack that it has not had would let them come."""
        return self.pending > 0 and (self.committed > self.acked_sent or self.delivered == self.committed)

    @property
    def ready_for_order(self) -> bool:
        """A command waits and the node hears: a node that missed its last frame is asked in turn like the others."""
        return bool(self.orders) and self.keys is not None and self.misses == 0 and self.uptime_offset_ms is not None

    def order(self, order: Order) -> None:
        """Queue a command; a newer one of the same kind takes the place of the old: at most one OPEN and one SHOW wait."""
        self.orders[order.op] = order

    def drop_stale_orders(self, now_ms: int) -> int:
        """Forget what is too old to be sent; returns how many."""
        stale = [op for op, order in self.orders.items() if order.expires_ms <= now_ms]
        for op in stale:
            del self.orders[op]
        return len(stale)

    def next_order(self) -> Order | None:
        """OPEN before SHOW, or None."""
        return self.orders[min(self.orders)] if self.orders else None
