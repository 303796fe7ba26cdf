"""The world with all sixteen invariants checked as it goes, a city that lies, and an operator who repeats himself.

Owns what is checked when, and the verdict at the end: every true stay is billed once and rightly, or is in review and billed
nothing. Rules: the checkers read the ledger over a connection of their own; the first that fails ends the run.
"""

from __future__ import annotations

import base64
import sqlite3
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from pathlib import Path

from gateway.core.city_events import Numbered
from gateway.core.events import Event, NodeEvent
from gateway.forms import Rejection
from sim.books import sessions
from sim.drivers import Casting, Driver, Stay, plan, steady_by
from sim.lane import Phase
from sim.summary import CitySession
from tests.faults import EVERYTHING, Faults
from tests.invariants import chain, outside
from tests.invariants.facts import Facts, must
from tests.invariants.table import Auditor
from tests.troublemakers import Commander, Liar
from tests.world import BASE_MS, CHAIN, MARGIN_MS, ROOT, SCALE, State, World

HOUR_MS = 3_600_000 // SCALE
EXIT_MS = 4_000
"""A node opens by itself after two seconds; the rest is its barrier's way and the pace of its bus."""
CARS, BAYS = 16, 8
ARRIVE_MS, LEAVE_MS = 45 * 60_000, 150 * 60_000
"""A small busy lot: its cars come within three quarters of an hour and queue for its bays."""
AGAIN = 0.02
"""Share of steps whose events come once more."""
THROUGH_MS = 200_000
"""Far more than the longest pause between two repeats of gateway and city, a minute each, and a few losses."""


class CheckedWorld(World):
    """A small busy lot under every fault, checked after every step."""

    def __init__(
        self, seed: int, folder: Path, *, cars: int = CARS, faults: Faults = EVERYTHING, bays: int = BAYS
    ) -> None:
        self.auditor: Auditor | None = None
        self.restarts_in_debt = 0
        """Restarts of nodes while something was not yet told."""
        self.spared = 0
        self.rejections: Counter[str] = Counter()
        self._waiting: dict[str, int] = {}
        self._told: dict[str, tuple[int, int]] = {}
        self._hour_ms = HOUR_MS
        self._through: deque[tuple[int, int, int]] = deque()
        super().__init__(seed, folder, cars=cars, faults=faults, bays=bays)

    @property
    def checks(self) -> int:
        """Checks that held."""
        return self.auditor.runs if self.auditor is not None else 0

    def verdict(self) -> int:
        """Judge every true stay by the city's books, and the rest of the invariants; the number of stays in review."""
        auditor = self._audit()
        auditor.hour()
        auditor.that(outside.i08_another_body_is_refused, auditor.facts, self.liar.refused)
        lines = [tuple(row) for row in auditor.facts.ask("SELECT n, line FROM record ORDER BY n")]
        must(lines == _city_lines(self.folder / "city.db"), "the city's copy of the chain is not ours")
        booked: dict[str, list[CitySession]] = defaultdict(list)
        for session in sessions(self.folder / "city.db"):
            booked[session.plate].append(session)
        reviewed = 0
        for stay in self.truth.stays.values():
            mine = booked.pop(stay.car.identity, [])
            bills = [session for session in mine if session.outcome not in ("", "review", "inside")]
            owed = self.owed(stay.entered_ms, stay.at_exit_ms, stay.car.vehicle, stay.car.energy)
            billed = [bill.amount_minor for bill in bills]
            doubted = any(session.outcome == "review" for session in mine)
            reviewed += doubted
            right = billed == [owed] or (doubted and not any(billed))
            must(right or self._spared(stay, bills), f"stay {stay.number} owes {owed}, billed {mine}")
        must(not booked, f"stays that nobody had: {booked}")
        return reviewed

    def _spared(self, stay: Stay, bills: list[CitySession]) -> bool:
        """Whether a stay was billed too late an entry, since its node restarted before it could tell how old the report is."""
        if not self.restarts_in_debt or len(bills) != 1:
            return False
        least = self.owed(bills[0].entered_ms, bills[0].exit_ms, stay.car.vehicle, stay.car.energy)
        late = bills[0].entered_ms > stay.entered_ms + MARGIN_MS
        self.spared += late
        return late and bills[0].amount_minor == least

    def _restart_node(self) -> None:
        before = dict(self.nodes)
        super()._restart_node()
        self.restarts_in_debt += any(node.pending and node is not self.nodes[uid] for uid, node in before.items())

    def _audit(self) -> Auditor:
        assert self.auditor is not None
        return self.auditor

    def _drivers(self, cars: int) -> tuple[Driver, ...]:
        steady = steady_by(self.owed, MARGIN_MS)
        return plan(
            self.dice,
            cars=cars,
            from_ms=BASE_MS + 600_000,
            arrive_within_ms=ARRIVE_MS,
            leave_within_ms=ARRIVE_MS + LEAVE_MS,
            steady=steady,
            casting=Casting(self.dice),
        )

    # What the world tells of.

    def _booted(self) -> None:
        if self.auditor is None:
            self.liar = Liar(self.dice, self.city, CHAIN, ROOT)
            self.commander = Commander(self.dice, CHAIN, "world")
            facts = Facts(
                self.folder / "ledger.db",
                CHAIN,
                base64.b64decode(self.signer.public_base64),
                lambda: self.city.head(CHAIN),
                self.owed,
            )
            self.auditor = Auditor(facts)
        self._through.clear()
        self._told.clear()
        self.auditor.facts.open()
        self.auditor.that(chain.i03_acknowledged_survives, self.auditor.facts)
        self._heard()

    def _ending(self) -> None:
        self._audit().facts.close()

    def _committed(self) -> None:
        auditor = self._audit()
        auditor.step()
        if auditor.facts.look.records:
            auditor.that(outside.i14_commands_run_once, auditor.facts, self.commander.fresh)

    def _heard(self) -> None:
        """Every node that was told more than before must have been told the truth."""
        auditor = self._audit()
        if not auditor.facts.is_open:
            return
        for uid, node in self.nodes.items():
            told = (node._log.log, node._log.acked)
            if told[1] and self._told.get(uid) != told:
                auditor.that(chain.i03_nothing_is_acknowledged_before_its_commit, auditor.facts, uid, *told)
                self._told[uid] = told

    def _published(self, body: bytes) -> None:
        self._audit().that(chain.i02_no_self_fork, self._audit().facts, body)

    def _rejected(self, rejection: Rejection) -> None:
        self.rejections[rejection.reason] += 1

    def _step(self, events: Sequence[Event]) -> None:
        journal = self.journal
        super()._step(events)
        # Another process has not been given these events: there they are no repeat.
        same = self.journal is journal and self.state is State.RUNNING
        if self._chance(AGAIN) and same and all(isinstance(event, NodeEvent | Numbered) for event in events):
            self._again(events)

    def _again(self, events: Sequence[Event]) -> None:
        """The same once more, as after a lost acknowledgement: nothing may come of it."""
        before, journal = self._audit().facts.n, self.journal
        super()._step(events)
        same = self.journal is journal and self.state is State.RUNNING
        must(not same or self._audit().facts.n == before, f"invariant (8): repeated, {events} was written down again")

    def _turn(self) -> None:
        super()._turn()
        for name, lane in self.lanes.items():
            if not name.startswith("exit") or lane.phase is not Phase.WAITING:
                self._waiting.pop(name, None)
                continue
            waited_ms = self.now_ms - self._waiting.setdefault(name, self.now_ms)
            self._audit().that(outside.i15_barrier_opens, name, waited_ms, EXIT_MS)

    def _tick(self) -> None:
        super()._tick()
        if self.state is not State.RUNNING:
            return
        facts = self._audit().facts
        if self._chance(self.faults.lie):
            known = list(facts.states), sorted(facts.payments)
            self._deliver(self.liar.lie(*known, self.now_ms))
            self._carry()
        if self._chance(self.faults.lie) and self.state is State.RUNNING and self.machine.known:
            self._step([self.commander.listed()])
            self._step([self.commander.command(self.moment().wall_ms)])
        self._look_back()

    def _finished(self) -> bool:
        return super()._finished() and self._audit().facts.cursor[1] >= self.liar.told_dn

    def _look_back(self) -> None:
        """Whether what was there a while ago came through, and once a lot-hour everything whole."""
        auditor = self._audit()
        facts, head = auditor.facts, self.city.head(CHAIN)
        if not self._linked:
            self._through.clear()
            return
        self._through.append((self.now_ms, facts.n, self.liar.told_dn))
        while self._through and self._through[0][0] <= self.now_ms - THROUGH_MS:
            _, sent_n, told_dn = self._through.popleft()
            auditor.that(outside.i16_nothing_stops_later_records, sent_n, head.n, told_dn, facts.cursor[1])
        if self.now_ms >= self._hour_ms:
            self._hour_ms = self.now_ms + HOUR_MS
            auditor.hour()


def _city_lines(path: Path) -> list[tuple[int, str]]:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return [(n, line) for n, line in db.execute("SELECT n, line FROM record ORDER BY n")]
    finally:
        db.close()
