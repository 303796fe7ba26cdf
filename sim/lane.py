"""One physical lane: two loops, a plate reader, a barrier with its travel time, and the car that moves between them.

Owns the way of a single car through a lane and the barrier's position. Rules: the car moves only under an open barrier; the
barrier obeys the node's output alone and its contacts are reported back. Knows neither queue nor bays. `now_ms` is real time,
for the node's timers; `stamp_ms` is lot time.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from sim.drivers import Car, Driver
from sim.reader import CONFIDENCE, Reader

ARRIVAL, SAFETY = 0, 1
CLOSED, OPEN, MOVING = 0, 1, 2
COLOURS = ("unknown", "blue", "yellow", "white", "black", "green")
VEHICLES = ("small", "large")
ENERGIES = ("fuel", "ev")

READ_MS = 600
"""From a car on the arrival loop to its plate read."""
TRAVEL_MS = 1_200
"""A barrier's way from one end to the other."""
PULL_MS = 1_500
"""From the open barrier to the car on the safety loop."""
PASS_MS = 2_000
"""From there until the safety loop is clear."""
GAP_MS = 1_000
"""Between two cars in one lane."""


class LaneDevice(Protocol):
    """What a lane needs of its node (firmware/node.py)."""

    @property
    def raised(self) -> bool:
        """The node drives its barrier up."""

    def loop(self, which: int, occupied: bool, now_ms: int, stamp_ms: int) -> None:
        """A loop changed."""

    def plate(
        self, text: str, colour: int, vehicle: int, energy: int, confidence: int, now_ms: int, stamp_ms: int
    ) -> None:
        """The reader read a plate."""

    def position(self, value: int, now_ms: int, stamp_ms: int) -> None:
        """The barrier's contacts changed."""

    def run(self, now_ms: int, stamp_ms: int) -> None:
        """Timers."""


class Phase(Enum):
    """Where the lane's car is."""

    EMPTY = "empty"
    ARRIVED = "arrived"
    WAITING = "waiting"
    PULLING = "pulling"
    PASSING = "passing"
    GONE = "gone"


AFTER: dict[Phase, tuple[Phase, int]] = {
    Phase.ARRIVED: (Phase.WAITING, 0),
    Phase.WAITING: (Phase.PULLING, PULL_MS),
    Phase.PULLING: (Phase.PASSING, PASS_MS),
    Phase.PASSING: (Phase.GONE, GAP_MS),
    Phase.GONE: (Phase.EMPTY, 0),
}
"""What follows a phase, and how long that takes at least."""


class Lane:
    """A lane with its node; at most one car between the loops."""

    def __init__(self, name: str, node: LaneDevice, reader: Reader | None = None, *, move_ms: int = 0) -> None:
        """`name`: the gateway's word for the lane; `reader`: what stands at its side, one that never errs if none is given;
        `move_ms`: what each part of the way takes at least."""
        self.name = name
        self._reader = reader
        self._move_ms = move_ms
        self.node = node
        self.driver: Driver | None = None
        self.position = CLOSED
        self.phase = Phase.EMPTY
        self._due_ms = 0
        self._rising = False
        self._travel_due_ms = 0

    @property
    def free(self) -> bool:
        """No car in the lane, and the gap behind the last one kept."""
        return self.phase is Phase.EMPTY

    def take(self, driver: Driver, now_ms: int, stamp_ms: int) -> None:
        """A car rolls onto the arrival loop of the free lane."""
        assert self.free, f"{self.name} still holds a car"
        self.driver = driver
        self.phase = Phase.ARRIVED
        self._due_ms = stamp_ms + max(READ_MS, self._move_ms)
        self.node.loop(ARRIVAL, True, now_ms, stamp_ms)

    def step(self, now_ms: int, stamp_ms: int) -> Phase | None:
        """Advance barrier and car; returns the phase that the car entered, or None. WAITING: plate shown. GONE: it passed."""
        self.node.run(now_ms, stamp_ms)
        self._drive_barrier(now_ms, stamp_ms)
        driver = self.driver
        if driver is None or stamp_ms < self._due_ms or (self.phase is Phase.WAITING and not self._may_go):
            return None
        if self.phase is Phase.PULLING and not self._may_go:
            self.phase = Phase.WAITING
            return None
        self.phase, duration_ms = AFTER[self.phase]
        self._due_ms = stamp_ms + (max(duration_ms, self._move_ms) if duration_ms else 0)
        if self.phase is Phase.WAITING:
            seen = driver.car if self._reader is None else self._reader.read(driver.car)
            _show(self.node, seen, now_ms, stamp_ms)
        elif self.phase is Phase.PASSING:
            self.node.loop(SAFETY, True, now_ms, stamp_ms)
            self.node.loop(ARRIVAL, False, now_ms, stamp_ms)
        elif self.phase is Phase.GONE:
            self.node.loop(SAFETY, False, now_ms, stamp_ms)
        elif self.phase is Phase.EMPTY:
            self.driver = None
        return self.phase

    def renew(self, node: LaneDevice, now_ms: int, stamp_ms: int) -> None:
        """The node restarted: loops and barrier are as they were, and it feels them anew."""
        self.node = node
        node.position(self.position, now_ms, stamp_ms)
        if self.phase in (Phase.ARRIVED, Phase.WAITING, Phase.PULLING):
            node.loop(ARRIVAL, True, now_ms, stamp_ms)
        elif self.phase is Phase.PASSING:
            node.loop(SAFETY, True, now_ms, stamp_ms)

    def wake_ms(self, stamp_ms: int) -> int | None:
        """Lot time of the next thing sure to happen, or None: a car at a closed barrier waits for its node."""
        due = []
        if self.node.raised != self._rising:
            due.append(stamp_ms)
        if self.position == MOVING:
            due.append(self._travel_due_ms)
        if self.driver is not None and (self.phase is not Phase.WAITING or self._may_go):
            due.append(self._due_ms)
        return min(due, default=None)

    @property
    def _may_go(self) -> bool:
        return self.node.raised and self.position == OPEN

    def _drive_barrier(self, now_ms: int, stamp_ms: int) -> None:
        if self.node.raised != self._rising:
            self._rising = self.node.raised
            self._travel_due_ms = stamp_ms + max(TRAVEL_MS, self._move_ms)
            self._report(MOVING, now_ms, stamp_ms)
        elif self.position == MOVING and stamp_ms >= self._travel_due_ms:
            self._report(OPEN if self._rising else CLOSED, now_ms, stamp_ms)

    def _report(self, position: int, now_ms: int, stamp_ms: int) -> None:
        if position != self.position:
            self.position = position
            self.node.position(position, now_ms, stamp_ms)


def _show(node: LaneDevice, car: Car, now_ms: int, stamp_ms: int) -> None:
    colour, vehicle, energy = COLOURS.index(car.colour), VEHICLES.index(car.vehicle), ENERGIES.index(car.energy)
    node.plate(car.text, colour, vehicle, energy, CONFIDENCE, now_ms, stamp_ms)
