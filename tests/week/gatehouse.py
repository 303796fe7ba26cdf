"""The product in the lot's week: the real engine over its ledger, the real link's both ends, and the city, under one clock.

Owns the agenda of lot time and the order in which messages travel. Rules: time is what the agenda says, nothing sleeps; each
event of a node is one engine step as it is one read of the bus; a record goes up a moment after its commit, unless the link is
dead. Knows neither vehicles nor lanes beyond the commands that it hands out.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Container, Generator, Mapping, Sequence
from heapq import heappop, heappush
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.core.city_events import ReceiptArrived
from gateway.core.commands import Command
from gateway.core.events import Event, Woke
from gateway.core.exit import WithoutLease
from gateway.core.layout import Lot
from gateway.core.memory import Rules
from gateway.core.moment import ClockQuality, Moment
from gateway.engine import Engine, Identity, Outcome
from gateway.forms import Rejection
from gateway.quote import shipped_tariff
from gateway.shell.signer import Signer
from gateway.store.journal import Journal
from gateway.sync.downlink import Downlink
from gateway.sync.uplink import Uplink
from sim.city import Agreement, City, Outgoing

CHAIN = "gw-week"
ROOT = f"park/v1/week/{CHAIN}"
MIDNIGHT_MS = 1_793_548_800_000
"""UTC ms of the first midnight in Hangzhou, a Monday's."""
TARIFF = "hangzhou-2012-garage-6"
"""Half-hour steps and no cap: nearly every wrong time shows in the amount."""
TICK_MS = 10_000
"""Pace of idle work; the gateway's own is a second, and most of these would find nothing to do."""
FLIGHT_MS = 300
"""From a commit to the city: what is committed meanwhile travels along."""

Course = Generator[int, None, None]
"""Something that takes time: it yields the ms until it goes on."""


class Gatehouse:
    """One gateway and its city. `obey` is told of every command that a step gave out."""

    def __init__(
        self,
        seed: int,
        folder: Path,
        *,
        lot: Lot,
        agreements: Mapping[str, Agreement],
        borne: Container[str],
        dead_ms: Sequence[tuple[int, int]],
        obey: Callable[[Command], None],
    ) -> None:
        """`dead_ms`: spans of lot time in which the link is dead."""
        self.now_ms = 0
        self.tick_ms = TICK_MS
        self._dice = random.Random(f"{seed} keys")
        self._obey = obey
        self._dead_ms = tuple(dead_ms)
        self._agenda: list[tuple[int, int, Course]] = []
        self._order = 0
        self._flying = False
        self._online = False
        signer = Signer(Ed25519PrivateKey.from_private_bytes(self._dice.randbytes(32)))
        key = Ed25519PrivateKey.from_private_bytes(self._dice.randbytes(32))
        public = base64.b64decode(signer.public_base64)
        self.city = City(key, str(folder / "city.db"), {CHAIN: public}, agreements, borne=borne)
        self._folder, self._lot, self._signer = folder, lot, signer
        self._rules = Rules(shipped_tariff(TARIFF), WithoutLease.OPEN_ARREARS, "CNY")
        self._city_public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._boot()
        self.begin(self._tick())

    def _boot(self) -> None:
        """Start the gateway from its ledger."""
        self.journal = Journal(self._folder / "ledger.db", chain=CHAIN, instance="week")
        self.engine = Engine(
            identity=Identity(CHAIN, self._lot.lot, "week"),
            lot=self._lot,
            rules=self._rules,
            journal=self.journal,
            signer=self._signer,
            salt=lambda: base64.b64encode(self._dice.randbytes(16)).decode(),
        )
        started = self.engine.start(self._moment())
        self._uplink = Uplink(CHAIN, 1)
        self._uplink.start(started.head_n, started.receipted_n)
        self._downlink = Downlink(CHAIN, self._city_public)
        self._downlink.start(started.dn)
        self._follow(started)

    def begin(self, course: Course, after_ms: int = 0) -> None:
        """Put a course on the agenda."""
        self._order += 1
        heappush(self._agenda, (self.now_ms + after_ms, self._order, course))

    def run(self, until: Callable[[], bool]) -> None:
        """Let time pass until the condition holds."""
        while not until():
            self.now_ms, _, course = heappop(self._agenda)
            wait_ms = next(course, None)
            if wait_ms is not None:
                self.begin(course, wait_ms)

    def step(self, *events: Event) -> None:
        """One read of a bus: one engine step."""
        outcome = self.engine.step(events, self._moment())
        assert not outcome.forked
        for event in events:
            if isinstance(event, ReceiptArrived):
                self._uplink.receipted(event.n, self.now_ms)
        self._follow(outcome)

    @property
    def delivered(self) -> bool:
        """The city has every record."""
        return self.city.head(CHAIN).n == self.journal.head().n

    def _moment(self) -> Moment:
        return Moment("week", self.now_ms, MIDNIGHT_MS + self.now_ms, ClockQuality.SYNCHRONISED)

    def _follow(self, outcome: Outcome) -> None:
        self._uplink.committed(outcome.head_n)
        for command in outcome.commands:
            self._obey(command)
        if self._online and not self._flying and self._uplink.wanted() is not None:
            self._flying = True
            self.begin(self._fly())

    def _fly(self) -> Course:
        yield FLIGHT_MS
        self._flying = False
        while self._online and (wanted := self._uplink.wanted()) is not None:
            for body in self._uplink.batch(self.engine.records(*wanted)):
                self._deliver(self.city.receive(f"{ROOT}/rec/{CHAIN}", body, self.now_ms))
            self._uplink.run(self.now_ms)

    def _tick(self) -> Course:
        while True:
            alive = not any(begin <= self.now_ms < end for begin, end in self._dead_ms)
            if alive and not self._online:
                self._online = True
                self._uplink.connected(self.now_ms)
                self._deliver(self.city.receive(f"{ROOT}/state", b'{"state":"online"}', self.now_ms))
            elif self._online and not alive:
                self._online = False
                self._uplink.disconnected()
            if self._online:
                self._uplink.run(self.now_ms)
                self._deliver(self.city.wake(self.now_ms))
            self.step(Woke())
            self.engine.idle(self._moment())
            yield self.tick_ms

    def _deliver(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            events: list[Event] = []
            for found in self._downlink.receive(message.topic.split("/")[4], message.payload):
                assert not isinstance(found, Rejection), found
                events.append(found)
            if events:
                self.step(*events)
