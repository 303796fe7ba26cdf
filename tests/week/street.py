"""The physical lot in its week: vehicles at lanes and bays, what they really do, and the truth about it.

Owns the lanes' and drivers' behaviour and the record of what truly happened, each node event with the vehicle that caused it.
Rules: a vehicle moves under a raised barrier only; what a lane node reports follows firmware/steps.py; nothing that the gateway
says enters here but its commands to the barriers.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.core.commands import Command, OpenBarrier
from gateway.core.events import (
    BarrierSelfOpened,
    BayChanged,
    PlateRead,
    SelfOpening,
    Source,
    VehicleBackedOut,
    VehiclePassed,
)
from gateway.core.layout import BayNode, LaneNode, LaneRole, Lot
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from sim.drivers import Car
from tests.week.camera import Camera, Look
from tests.week.gatehouse import Course, Gatehouse
from tests.week.traffic import MINUTE_MS, Visit

ENTRIES, EXITS = 4, 5
BAYS_PER_NODE = 16
LAPSE_MS = 30_000
"""A barrier raised for nobody comes down again, as in firmware/lane.py."""
PATIENCE_MS = 90_000
SWAP_APART_MS = 90 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Habits:
    """How often a driver or a reader does what it should not; shares of passages through a lane."""

    read_again: float = 0.03
    read_after: float = 0.003
    bleed: float = 0.004
    turn_back_in: float = 0.004
    turn_back_out: float = 0.003
    tailgate_in: float = 0.0005
    tailgate_out: float = 0.001


HABITS = Habits()
BUSY = Habits(
    0.1, read_after=0.03, bleed=0.03, turn_back_in=0.03, turn_back_out=0.02, tailgate_in=0.01, tailgate_out=0.01
)
"""So many odd things that a few vehicles meet most of them."""
SILENT_SHARE = 0.4
"""Tailgaters so close that the safety loop feels one long vehicle."""


@dataclass(slots=True)
class Stay:
    """What really happened to one visit; lot time in ms, 0 = not yet.

    `tried_ms`: (first read, turned back) of each time that it came to an exit in vain; `marks`: what went wrong around it.
    """

    visit: Visit
    read_ms: int = 0
    entered_ms: int = 0
    at_exit_ms: int = 0
    left_ms: int = 0
    tried_ms: list[tuple[int, int]] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Lane:
    """One lane: who queues, who stands on the arrival loop, whether one passes, since when the barrier is granted."""

    name: str
    uid: str
    entry: bool
    queue: deque[Stay] = field(default_factory=deque)
    close: deque[Stay] = field(default_factory=deque)
    standing: Stay | None = None
    passing: bool = False
    held_up: bool = False
    granted_ms: int | None = None


class Street:
    """All vehicles of the week. `stays` by number; `caused`: (uid, seq) of a node's event to the stay behind it."""

    def __init__(self, dice: random.Random, camera: Camera, bays: int, habits: Habits, *, swap: bool = False) -> None:
        """`swap`: a planted fault: one day two vehicles' plates change places at the exit, and the truth is not told."""
        self._dice = dice
        self._swap = swap
        self._swapped: dict[int, Car] = {}
        self._camera = camera
        self._habits = habits
        self.stays: dict[int, Stay] = {}
        self.caused: dict[tuple[str, int], int] = {}
        self.counts: Counter[str] = Counter()
        self.arrived = 0
        self.gone = 0
        self.waiting_longest_ms = 0
        self.exit_longest_ms = 0
        self.inside_most = 0
        names = [(f"entry-{n}", True) for n in range(1, ENTRIES + 1)] + [
            (f"exit-{n}", False) for n in range(1, EXITS + 1)
        ]
        self.lanes = [Lane(name, f"{n:016x}", entry) for n, (name, entry) in enumerate(names, 1)]
        self._by_name = {lane.name: lane for lane in self.lanes}
        self._bays = [f"b{n:04d}" for n in range(1, bays + 1)]
        self._bay_uid = {bay: f"{0x100 + n // BAYS_PER_NODE:016x}" for n, bay in enumerate(self._bays)}
        self._free = list(self._bays)
        self._seqs: dict[str, int] = defaultdict(int)
        self._inside = 0

    def layout(self) -> Lot:
        """The lot as the gateway is configured for it."""
        roles = {True: LaneRole.ENTRY, False: LaneRole.EXIT}
        nodes: list[LaneNode | BayNode] = [
            LaneNode(address, lane.uid, lane.name, roles[lane.entry]) for address, lane in enumerate(self.lanes, 1)
        ]
        groups = [tuple(self._bays[i : i + BAYS_PER_NODE]) for i in range(0, len(self._bays), BAYS_PER_NODE)]
        nodes += [BayNode(address, self._bay_uid[group[0]], group) for address, group in enumerate(groups, 16)]
        return Lot("week", {"bus": tuple(nodes)})

    def open(self, house: Gatehouse) -> None:
        """Connect the lanes' nodes to their gateway."""
        self._house = house

    def obey(self, command: Command) -> None:
        """A command of the gateway: an open barrier, for whoever stands there."""
        if isinstance(command, OpenBarrier):
            lane = self._by_name[command.lane]
            if lane.standing is not None or not lane.passing:
                lane.granted_ms = self._house.now_ms

    def open_unanswered(self, name: str) -> None:
        """An exit's node raises the barrier without the gateway, for whoever stands there."""
        lane = self._by_name[name]
        if lane.standing is not None and lane.granted_ms is None:
            source, _ = self._source(lane, lane.standing)
            lane.granted_ms = self._house.now_ms
            self._house.step(BarrierSelfOpened(source, name, SelfOpening.UNANSWERED))

    @property
    def inside(self) -> int:
        """Vehicles in the lot."""
        return self._inside

    def arrivals(self, visits: Sequence[Visit]) -> Course:
        """The vehicles come from the street, in the order of their arrival."""
        for visit in visits:
            yield visit.arrive_ms - self._house.now_ms
            self._join(Stay(visit), entry=True)
            self.arrived += 1

    # At the lanes.

    def _join(self, stay: Stay, *, entry: bool) -> None:
        lanes = [lane for lane in self.lanes if lane.entry == entry]
        ahead = [lane for lane in lanes if lane.standing is not None and not lane.close]
        if ahead and self._chance(self._habits.tailgate_in if entry else self._habits.tailgate_out):
            self._dice.choice(ahead).close.append(stay)
            return
        lane = min(lanes, key=lambda lane: (len(lane.queue) + (lane.standing is not None), self._dice.random()))
        lane.queue.append(stay)
        self._next(lane)

    def _next(self, lane: Lane) -> None:
        if lane.queue and lane.standing is None and not lane.held_up:
            lane.standing = lane.queue.popleft()
            self._house.begin(self._through(lane, lane.standing))

    def _through(self, lane: Lane, stay: Stay) -> Course:
        """One vehicle from the arrival loop to the far side of the barrier, or back."""
        house, habits = self._house, self._habits
        yield self._between(500, 2000)
        arrived_ms = house.now_ms
        if lane.granted_ms is not None and arrived_ms - lane.granted_ms > LAPSE_MS:
            lane.granted_ms = None
        yield self._between(400, 1200)
        bleeds = self._chance(habits.bleed)
        if bleeds and self._chance(0.5):
            self._bleed(lane, stay)
            yield self._between(50, 600)
            bleeds = False
        if self._swap and not lane.entry:
            self._plant(stay)
        look = self._camera.look(self._swapped.get(stay.visit.number, stay.visit.car))
        self._see(lane, stay, look)
        if self._chance(habits.read_again):
            yield self._between(300, 1500)
            look = self._camera.again(stay.visit.car, look)
            self._see(lane, stay, look)
            stay.marks.add("read-again")
        if bleeds:
            yield self._between(50, 600)
            self._bleed(lane, stay)
        if self._chance(habits.turn_back_in if lane.entry else habits.turn_back_out):
            yield self._between(1500, 9000)
            return self._turn_back(lane, stay)
        yield self._between(1200, 3500)
        while lane.granted_ms is None or lane.passing:
            if house.now_ms - arrived_ms > PATIENCE_MS and not lane.passing:
                self.counts["not let through"] += 1
                return self._turn_back(lane, stay)
            yield 250
        self.waiting_longest_ms = max(self.waiting_longest_ms, house.now_ms - arrived_ms)
        if not lane.entry:
            self.exit_longest_ms = max(self.exit_longest_ms, house.now_ms - arrived_ms)
        yield from self._pass(lane, stay, look)

    def _pass(self, lane: Lane, stay: Stay, look: Look) -> Course:
        lane.granted_ms, lane.standing, lane.passing = None, None, True
        tail = lane.close.popleft() if lane.close else None
        lane.held_up = tail is not None
        self._next(lane)
        yield self._between(1200, 2500)
        late = self._chance(self._habits.read_after)
        if late and self._chance(0.5):
            self._see(lane, stay, self._camera.again(stay.visit.car, look), late=True)
            yield self._between(100, 500)
            late = False
        silent = tail is not None and self._chance(SILENT_SHARE)
        if silent and tail is not None:
            yield self._between(1200, 2000)
            self._crossed(lane, tail, house_ms=self._house.now_ms)
            tail.marks.add(f"tailgate-{'in' if lane.entry else 'out'}-silent")
        lane.passing = False
        self._passed(lane, stay)
        if late:
            yield self._between(200, 2500)
            self._see(lane, stay, self._camera.again(stay.visit.car, look), late=True)
        if tail is not None:
            if not silent:
                yield self._between(800, 2000)
                tail.marks.add(f"tailgate-{'in' if lane.entry else 'out'}")
                self._passed(lane, tail)
            stay.marks.add("tailgated")
            self.counts["tailgaters"] += 1
            lane.held_up = False
            self._next(lane)

    def _turn_back(self, lane: Lane, stay: Stay) -> None:
        """The vehicle leaves the arrival loop backwards: to the street, or to a bay for a while."""
        lane.standing = None
        lane.queue.extendleft(lane.close)
        lane.close.clear()
        source, _ = self._source(lane, stay)
        self._house.step(VehicleBackedOut(source, lane.name, behind=lane.passing))
        self.counts[f"turned back at an {'entry' if lane.entry else 'exit'}"] += 1
        self._next(lane)
        if not lane.entry:
            stay.marks.add("turn-back-out")
            stay.tried_ms.append((stay.at_exit_ms, self._house.now_ms))
            stay.at_exit_ms = 0
            self._house.begin(self._inside_for(stay, self._between(3 * MINUTE_MS, 60 * MINUTE_MS)))
        elif self._chance(0.5):
            stay.marks.add("turn-back-in")
            stay.read_ms = 0
            self._house.begin(self._again(stay))
        else:
            self.gone += 1

    def _again(self, stay: Stay) -> Course:
        yield self._between(30_000, 15 * MINUTE_MS)
        self._join(stay, entry=True)

    def _bleed(self, lane: Lane, stay: Stay) -> None:
        """The neighbour lane's reader sees this vehicle too."""
        place = self.lanes.index(lane)
        neighbours = [self.lanes[i] for i in (place - 1, place + 1) if 0 <= i < len(self.lanes)]
        other = self._dice.choice(neighbours)
        self.counts["read at the neighbour lane"] += 1
        stay.marks.add("bleed")
        if other.standing is not None:
            other.standing.marks.add("bled-on")
        self._read(other, stay, self._camera.look(stay.visit.car))

    def _see(self, lane: Lane, stay: Stay, look: Look, *, late: bool = False) -> None:
        """The lane's own reader sees the vehicle."""
        self.counts["reads"] += 1
        self.counts[f"read {look.how}"] += 1
        if late:
            self.counts["read after the passage"] += 1
            stay.marks.add("read-after")
            if lane.standing is not None:
                lane.standing.marks.add("read-over")
        elif look.how != "right":
            stay.marks.add(f"{look.how}-{'in' if lane.entry else 'out'}")
        elif look.confidence < 80:
            stay.marks.add(f"unsure-{'in' if lane.entry else 'out'}")
        at_ms = self._read(lane, stay, look)
        if lane.entry:
            stay.read_ms = stay.read_ms or at_ms
        elif not late:
            stay.at_exit_ms = stay.at_exit_ms or at_ms

    def _read(self, lane: Lane, stay: Stay, look: Look) -> int:
        source, at_ms = self._source(lane, stay)
        car = look.car
        plate = Plate(car.text, Colour(car.colour), Vehicle(car.vehicle), Energy(car.energy), look.confidence)
        self._house.step(PlateRead(source, lane.name, plate, behind=lane.passing))
        return at_ms

    def _passed(self, lane: Lane, stay: Stay) -> None:
        source, at_ms = self._source(lane, stay)
        self._crossed(lane, stay, house_ms=at_ms)
        self._house.step(VehiclePassed(source, lane.name))

    def _crossed(self, lane: Lane, stay: Stay, house_ms: int) -> None:
        if lane.entry:
            stay.entered_ms = house_ms
            stay.read_ms = stay.read_ms or house_ms
            self.stays[stay.visit.number] = stay
            self._inside += 1
            self.inside_most = max(self.inside_most, self._inside)
            self._house.begin(self._inside_for(stay, stay.visit.stay_ms))
        else:
            stay.left_ms = house_ms
            stay.at_exit_ms = stay.at_exit_ms or house_ms
            self._inside -= 1
            self.gone += 1

    def _plant(self, stay: Stay) -> None:
        """Let this vehicle and one that came long before it bear each other's plates from now on."""
        car = stay.visit.car
        for other in self.stays.values():
            alike = (other.visit.car.vehicle, other.visit.car.energy) == (car.vehicle, car.energy)
            if (
                alike
                and not other.left_ms
                and not other.at_exit_ms
                and stay.entered_ms - other.entered_ms > SWAP_APART_MS
            ):
                self._swapped = {stay.visit.number: other.visit.car, other.visit.number: car}
                self._swap = False
                return

    # Between the lanes.

    def _inside_for(self, stay: Stay, span_ms: int) -> Course:
        way_ms = min(self._between(30_000, 180_000), span_ms // 3)
        yield way_ms
        bay = self._free.pop(self._dice.randrange(len(self._free))) if self._free else ""
        if bay:
            self._feel(bay, True)
        yield max(1, span_ms - 2 * way_ms)
        if bay:
            self._feel(bay, False)
            self._free.append(bay)
        yield way_ms
        self._join(stay, entry=False)

    def _feel(self, bay: str, occupied: bool) -> None:
        uid = self._bay_uid[bay]
        self._seqs[uid] += 1
        self._house.step(BayChanged(Source(uid, 1, self._seqs[uid], self._between(10, 250)), bay, occupied))

    # Dice.

    def _source(self, lane: Lane, stay: Stay) -> tuple[Source, int]:
        """The next event of a lane's node, caused by this vehicle, and when it happened."""
        self._seqs[lane.uid] += 1
        source = Source(lane.uid, 1, self._seqs[lane.uid], self._between(10, 250))
        self.caused[lane.uid, source.seq] = stay.visit.number
        return source, self._house.now_ms - source.age_ms

    def _between(self, low: int, high: int) -> int:
        return self._dice.randrange(low, high)

    def _chance(self, share: float) -> bool:
        return self._dice.random() < share
