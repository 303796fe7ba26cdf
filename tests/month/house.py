"""The large lot's gateway under faults: it is killed, loses power, finds its disk full, and its link and clock fail.

Owns what the nodes keep until it is committed, and when the gateway runs. Rules: a node's event is given again, older, until a
step with it came back; a read at an exit that nobody answers opens after two seconds, as the node does; the sixteen invariants
are checked after every step. Knows neither vehicles nor lanes.
"""

from __future__ import annotations

import base64
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

from gateway.core.city_events import ReceiptArrived
from gateway.core.commands import OpenBarrier
from gateway.core.events import BarrierSelfOpened, Event, NodeEvent, PlateRead, Woke
from gateway.core.moment import Moment
from gateway.engine import Outcome
from gateway.forms import Rejection
from sim.city import Outgoing
from sim.disk import Disk
from tests.faults import Faults
from tests.invariants import chain, outside
from tests.invariants.facts import Facts, must
from tests.invariants.table import Auditor
from tests.life import Life
from tests.machine import Machine
from tests.post import Post
from tests.troublemakers import Commander, Liar
from tests.week.gatehouse import CHAIN, FLIGHT_MS, MIDNIGHT_MS, ROOT, Course, Gatehouse
from tests.week.traffic import DAY_MS, MINUTE_MS

MONTHLY = Faults(
    message_lost=0.01,
    message_doubled=0.01,
    message_late=0.01,
    message_old=0.005,
    outage=0.00035,
    kill=0.0006,
    power=0.00018,
    disk_full=0.00023,
    sync_error=0.00023,
    clock_drift_ppm=40,
    clock_step=0.00012,
    clock_lost=0.2,
    lie=0.0014,
)
"""Per ten seconds: five kills a day, three outages of the link, two full disks and failed syncs, one or two power cuts."""
OUTAGE_MS = (MINUTE_MS, 60 * MINUTE_MS)
START_MS = 2_000
DARK_MS = 120_000
RETRY_MS = 10_000
UNANSWERED_MS = 2_000
KEPT_AT_ONCE = 50
AGAIN = 0.002
EXIT_MS = 60_000
"""Longest wait at an exit's barrier: the vehicle ahead passes, the gateway is away, and the node opens after two seconds."""
THROUGH_MS = 30 * MINUTE_MS


class State(Enum):
    """What the gateway is doing."""

    RUNNING = "running"
    OPEN = "open"
    DOWN = "down"


class FaultyHouse(Gatehouse):
    """A gatehouse that fails. `opens`: told of a lane whose node opens by itself; `longest_ms`: the longest wait at an exit."""

    def __init__(
        self, seed: int, folder: Path, *, faults: Faults, price: Callable[[int, int, str, str], int], **known: Any
    ) -> None:
        dice = random.Random(f"{seed} faults")
        self.state = State.DOWN
        self.opens: Callable[[str], None] = lambda _: None
        self.longest_ms: Callable[[], int] = lambda: 0
        self.auditor: Auditor | None = None
        self._price = price
        self._fate = dice
        self._faults = faults
        self._kept: deque[tuple[int, NodeEvent]] = deque()
        self._outage_until_ms = 0
        self._through: deque[tuple[int, int, int]] = deque()
        self._day_ms = DAY_MS
        self.disk = Disk(folder / "ledger.db", dice)
        self.machine = Machine(dice, MIDNIGHT_MS, drift_ppm=faults.clock_drift_ppm)
        self.life = Life(dice, self.disk, self.machine, faults)
        self.post = Post(
            dice,
            lost=faults.message_lost,
            doubled=faults.message_doubled,
            late=faults.message_late,
            old=faults.message_old,
        )
        super().__init__(seed, folder, **known)

    def step(self, *events: Event) -> None:
        """What a node reports waits there until it is committed; what the city says comes again."""
        heard = [event for event in events if isinstance(event, NodeEvent)]
        if not heard:
            if self.state is State.RUNNING:
                self._attempt(events)
            return
        self._kept.extend((self.now_ms - event.source.age_ms, event) for event in heard)
        if self.state is State.OPEN:
            self._let_through(heard)
        self._drain()
        for event in heard:
            if isinstance(event, PlateRead) and event.lane.startswith("exit") and self._keeps(event):
                self.begin(self._unanswered(event), UNANSWERED_MS)

    def audit(self) -> Auditor:
        """The checkers."""
        assert self.auditor is not None
        return self.auditor

    @property
    def delivered(self) -> bool:
        """The city has every record, and the gateway every line."""
        return self.state is State.RUNNING and not self._kept and super().delivered

    def _moment(self) -> Moment:
        return self.machine.moment(self.now_ms)

    # Its deaths.

    def _boot(self) -> None:
        if self.life.works(super()._boot):
            self.state = State.RUNNING
            self._drain()
            return
        self._end_process()
        if self.disk.full or not self.life.struck:
            self.life.ran_open += 1
            self.state = State.OPEN
            self.begin(self._start_again(), max(RETRY_MS, self.tick_ms))
        else:
            self._lie_down()

    def _start_again(self) -> Course:
        self._boot()
        yield from ()

    def _end_process(self) -> None:
        self.audit().facts.close()
        self.life.end(self.journal._connection)
        self.post.cut()
        self.state, self._online = State.DOWN, False
        self._through.clear()

    def _died(self, events: Sequence[Event]) -> None:
        if not self.life.struck:
            self.life.failures += 1
            self._let_through([event for event in events if getattr(event, "lane", "").startswith("exit")])
        self._end_process()
        if self.life.struck:
            self._lie_down()
        else:
            self.begin(self._start_again(), START_MS)

    def _lie_down(self) -> None:
        dark = self.life.falls_dark(self.now_ms)
        self.begin(self._start_again(), self._fate.randrange(1, DARK_MS) if dark else START_MS)

    def _let_through(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, PlateRead | BarrierSelfOpened):
                self._obey(OpenBarrier(event.lane))

    # Its nodes.

    def _drain(self) -> None:
        """What the nodes keep, as it happened, until all of it is committed or the gateway is gone."""
        while self._kept and self.state is State.RUNNING:
            given = list(self._kept)[:KEPT_AT_ONCE]
            if not self._attempt([self._aged(at_ms, event) for at_ms, event in given]):
                return
            for _ in given:
                self._kept.popleft()

    def _aged(self, at_ms: int, event: NodeEvent) -> NodeEvent:
        return replace(event, source=replace(event.source, age_ms=self.now_ms - at_ms))

    def _keeps(self, event: NodeEvent) -> bool:
        known = event.source.uid, event.source.seq
        return any((kept.source.uid, kept.source.seq) == known for _, kept in self._kept)

    def _unanswered(self, event: PlateRead) -> Course:
        if self._keeps(event):
            self.opens(event.lane)
        yield from ()

    # Its steps.

    def _attempt(self, events: Sequence[Event]) -> bool:
        """Whether the step came back."""
        outcomes: list[Outcome] = []
        if not self.life.works(lambda: outcomes.append(self.engine.step(events, self._moment()))):
            self._died(events)
            return False
        must(not outcomes[0].forked, "the city signed for another chain than ours")
        for event in events:
            if isinstance(event, ReceiptArrived) and event.epoch == self._uplink.epoch:
                self._uplink.receipted(event.n, self.now_ms)
        self._follow(outcomes[0])
        if self.life.chance(AGAIN) and all(isinstance(event, NodeEvent) for event in events):
            return self._again(events)
        return True

    def _again(self, events: Sequence[Event]) -> bool:
        before = self.audit().facts.n
        outcomes: list[Outcome] = []
        if not self.life.works(lambda: outcomes.append(self.engine.step(events, self._moment()))):
            self._died(events)
            return True
        self.audit().step()
        must(self.audit().facts.n == before, f"invariant (8): repeated, {events} was written down again")
        return True

    def _follow(self, outcome: Outcome) -> None:
        if self.auditor is None:
            self.liar = Liar(self._fate, self.city, CHAIN, ROOT)
            self.commander = Commander(self._fate, CHAIN, "week")
            public = base64.b64decode(self._signer.public_base64)
            facts = Facts(self.journal.path, CHAIN, public, lambda: self.city.head(CHAIN), self._price)
            self.auditor = Auditor(facts)
        facts = self.auditor.facts
        if not facts.is_open:
            facts.open()
            self.auditor.that(chain.i03_acknowledged_survives, facts)
        self.auditor.step()
        if facts.look.records:
            self.auditor.that(outside.i14_commands_run_once, facts, self.commander.fresh)
        super()._follow(outcome)

    # Its link, and its seconds.

    def _fly(self) -> Course:
        yield FLIGHT_MS
        self._flying = False
        while self._online and (wanted := self._uplink.wanted()) is not None:
            for body in self._uplink.batch(self.engine.records(*wanted)):
                self.audit().that(chain.i02_no_self_fork, self.audit().facts, body)
                self.post.send(f"{ROOT}/rec/{CHAIN}", body, self.now_ms, up=True)
            self._uplink.run(self.now_ms)
            self._carry()

    def _deliver(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            self.post.send(message.topic, message.payload, self.now_ms, up=False)

    def _carry(self) -> None:
        for letter in self.post.arrived(self.now_ms):
            if letter.up:
                self._deliver(self.city.receive(letter.topic, letter.payload, self.now_ms))
            elif self._online:
                events: list[Event] = [
                    found
                    for found in self._downlink.receive(letter.topic.split("/")[4], letter.payload)
                    if not isinstance(found, Rejection)
                ]
                if events:
                    self.step(*events)

    def _tick(self) -> Course:
        while True:
            self.life.hurt(self.now_ms, online=self._online)
            self._connect_or_not()
            if self._online:
                self._uplink.run(self.now_ms)
                self._deliver(self.city.wake(self.now_ms))
                self._trouble()
            self._carry()
            if self.state is State.RUNNING:
                self._attempt((Woke(),))
            if self.state is State.RUNNING and not self.life.works(lambda: self.engine.idle(self._moment())):
                self._died(())
            self._look_back()
            yield self.tick_ms

    def _connect_or_not(self) -> None:
        if self.life.chance(self._faults.outage):
            self._outage_until_ms = self.now_ms + self._fate.randrange(*OUTAGE_MS)
        dead = any(begin <= self.now_ms < end for begin, end in self._dead_ms) or self.now_ms < self._outage_until_ms
        if self._online and dead:
            self._online = False
            self._uplink.disconnected()
            self.post.cut()
        elif not self._online and not dead and self.state is State.RUNNING:
            self._online = True
            self._uplink.connected(self.now_ms)
            self._deliver(self.city.receive(f"{ROOT}/state", b'{"state":"online"}', self.now_ms))

    def _trouble(self) -> None:
        facts = self.audit().facts
        if self.life.chance(self._faults.lie):
            states = list(facts.states)[-500:]
            self._deliver(self.liar.lie(states, sorted(facts.payments)[-500:], self.now_ms))
        if self.life.chance(self._faults.lie) and self.machine.known:
            self.step(self.commander.listed())
            self.step(self.commander.command(self._moment().wall_ms))

    def _look_back(self) -> None:
        """Whether what was there a while ago came through; once a day, everything whole."""
        if not self._online:
            self._through.clear()
            return
        auditor, head = self.audit(), self.city.head(CHAIN)
        self._through.append((self.now_ms, auditor.facts.n, self.liar.told_dn))
        while self._through and self._through[0][0] <= self.now_ms - THROUGH_MS:
            _, sent_n, told_dn = self._through.popleft()
            auditor.that(outside.i16_nothing_stops_later_records, sent_n, head.n, told_dn, auditor.facts.cursor[1])
        if self.now_ms >= self._day_ms:
            self._day_ms = self.now_ms + DAY_MS
            auditor.hour()
            auditor.that(outside.i15_barrier_opens, "some exit", self.longest_ms(), EXIT_MS)
