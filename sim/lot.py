"""The physical lot: lanes, bays, and the way of every car from the street to its bay and back.

Owns who is where; drives real node objects through their sensor inputs. Rules: what happens is stamped with lot time and
written into the truth at that very step; nothing is read from the gateway. Two clocks come in: `now_ms` real, for the nodes'
timers, and `stamp_ms`, lot time since `origin_ms`. A planted fault happens here, outside the product, for the final check.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from heapq import heappop, heappush
from typing import Protocol

from sim.drivers import Driver, Steady, Truth
from sim.lane import Lane, Phase

RECHECK_MS = 15_000
"""How often a driver who may not leave yet looks at the clock again."""
LOOKS_MAX = 3
"""Drivers who look at each check: a bill takes milliseconds to compute, and the nodes must not wait for a long queue."""
OVERCHARGE_MS = 62 * 60_000
"""How long a planted fault keeps a driver who, by the truth, stood at the exit: more than a price step."""
GHOST_GAP_MS = 5 * 60_000
GHOST_STAY_MS = 28 * 60_000
"""A planted double stay begins so long after the true one and lasts past the free time of the demo's tariffs."""


class BayDevice(Protocol):
    """What the lot needs of a bay node."""

    def bay(self, port: int, occupied: bool, now_ms: int, stamp_ms: int) -> None:
        """A bay changed."""


class Fault(Enum):
    """A fault outside the product that befalls one driver."""

    LOSE = "lose"
    DOUBLE = "double"
    OVERCHARGE = "overcharge"


class Lot:
    """All lanes and bays and the cars on them; `step` lets everything happen that is due."""

    def __init__(
        self,
        *,
        entries: Sequence[Lane],
        exits: Sequence[Lane],
        bays: Sequence[tuple[BayDevice, int]],
        drivers: Sequence[Driver],
        truth: Truth,
        steady: Steady,
        origin_ms: int,
        faults: Mapping[int, Fault] | None = None,
        reported: Callable[[Lane], None] | None = None,
    ) -> None:
        """`bays`: node and port of each; `origin_ms`: UTC ms of stamp 0; `faults`: by the number of the driver they befall;
        `reported`: told of each plate shown at an exit."""
        self.entries = tuple(entries)
        self.exits = tuple(exits)
        self.truth = truth
        self._bays = list(bays)
        self._steady = steady
        self._origin_ms = origin_ms
        self._faults = dict(faults or {})
        self._reported = reported
        self._untold = Truth()
        self._ghosts: set[int] = set()
        self._coming = deque(sorted(drivers, key=lambda d: (d.arrive_ms, d.number)))
        self._outside: deque[Driver] = deque()
        self._bay: dict[int, int] = {}
        self._taken: set[int] = set()
        self._leaving: deque[Driver] = deque()
        self._check_ms = 0
        self._agenda: list[tuple[int, int, str, Driver]] = []
        self._happenings: dict[str, Callable[[Driver, int, int], None]] = {
            "park": self._park,
            "unpark": self._unpark,
            "queue": self._queue,
            "appear": self._appear,
        }

    @property
    def done(self) -> bool:
        """Every car has left and every lane is empty."""
        waiting = self._coming or self._outside or self._agenda or self._leaving
        return not waiting and all(lane.free for lane in self.entries + self.exits)

    @property
    def outside(self) -> int:
        """Cars that queue at the entries."""
        return len(self._outside)

    @property
    def leaving(self) -> int:
        """Cars that wait for a free exit, or for a price step to pass."""
        return len(self._leaving)

    def step(self, now_ms: int, stamp_ms: int) -> None:
        """Advance everything due at this lot time; call it when `wake_ms` says and whenever a lane node was fed bytes."""
        while self._coming and self._coming[0].arrive_ms - self._origin_ms <= stamp_ms:
            self._outside.append(self._coming.popleft())
        while self._agenda and self._agenda[0][0] <= stamp_ms:
            _, _, what, driver = heappop(self._agenda)
            self._happenings[what](driver, now_ms, stamp_ms)
        for lane in self.entries:
            inbound = lane.driver
            if lane.step(now_ms, stamp_ms) is Phase.GONE and inbound is not None:
                self._crossed_entry(inbound, stamp_ms)
            if lane.free:
                self._let_in(lane, now_ms, stamp_ms)
        for lane in self.exits:
            outbound = lane.driver
            phase = lane.step(now_ms, stamp_ms)
            if phase is Phase.WAITING and outbound is not None:
                self._account(outbound).at_exit(outbound, self._origin_ms + stamp_ms)
                if self._reported is not None:
                    self._reported(lane)
            elif phase is Phase.GONE and outbound is not None:
                self._crossed_exit(outbound, stamp_ms)
            if lane.free and self._leaving and stamp_ms >= self._check_ms:
                self._call_up(lane, now_ms, stamp_ms)

    def wake_ms(self, stamp_ms: int) -> int | None:
        """Lot time at which `step` is wanted next, None if only the nodes can bring news."""
        due = [d for lane in self.entries + self.exits if (d := lane.wake_ms(stamp_ms)) is not None]
        if self._coming:
            due.append(self._coming[0].arrive_ms - self._origin_ms)
        if self._agenda:
            due.append(self._agenda[0][0])
        if self._leaving and any(lane.free for lane in self.exits):
            due.append(self._check_ms)
        return max(stamp_ms, min(due)) if due else None

    def _account(self, driver: Driver) -> Truth:
        """The truth, or for a ghost an account that nobody reads."""
        return self._untold if driver.number in self._ghosts else self.truth

    def _later(self, at_ms: int, what: str, driver: Driver) -> None:
        heappush(self._agenda, (at_ms, driver.number, what, driver))

    def _let_in(self, lane: Lane, now_ms: int, stamp_ms: int) -> None:
        """The next car takes the free lane, if the lot has a bay for it."""
        if not self._outside or len(self._taken) == len(self._bays):
            return
        driver = self._outside.popleft()
        bay = driver.bay % len(self._bays)
        while bay in self._taken:
            bay = (bay + 1) % len(self._bays)
        self._bay[driver.number] = bay
        self._taken.add(bay)
        if self._faults.get(driver.number) is Fault.LOSE:
            self._crossed_entry(driver, stamp_ms)
        else:
            lane.take(driver, now_ms, stamp_ms)

    def _crossed_entry(self, driver: Driver, stamp_ms: int) -> None:
        self._account(driver).entered(driver, self._origin_ms + stamp_ms)
        self._later(stamp_ms + driver.drive_ms, "park", driver)
        self._later(stamp_ms + max(driver.stay_ms - driver.drive_ms, driver.drive_ms + 1), "unpark", driver)

    def _park(self, driver: Driver, now_ms: int, stamp_ms: int) -> None:
        self._account(driver).parked(driver, self._origin_ms + stamp_ms)
        self._feel(driver, True, now_ms, stamp_ms)

    def _unpark(self, driver: Driver, now_ms: int, stamp_ms: int) -> None:
        self._feel(driver, False, now_ms, stamp_ms)
        self._later(stamp_ms + driver.drive_ms, "queue", driver)

    def _feel(self, driver: Driver, occupied: bool, now_ms: int, stamp_ms: int) -> None:
        if self._faults.get(driver.number) is not Fault.LOSE:
            node, port = self._bays[self._bay[driver.number]]
            node.bay(port, occupied, now_ms, stamp_ms)

    def _queue(self, driver: Driver, _now_ms: int, stamp_ms: int) -> None:
        fault = self._faults.get(driver.number)
        if fault is Fault.OVERCHARGE:
            del self._faults[driver.number]
            self.truth.at_exit(driver, self._origin_ms + stamp_ms)
            self._later(stamp_ms + OVERCHARGE_MS, "queue", driver)
            return
        self._taken.discard(self._bay.pop(driver.number))
        if fault is Fault.LOSE:
            self.truth.at_exit(driver, self._origin_ms + stamp_ms)
            self.truth.left(driver, self._origin_ms + stamp_ms)
            return
        self._leaving.append(driver)
        self._check_ms = stamp_ms

    def _appear(self, driver: Driver, _now_ms: int, _stamp_ms: int) -> None:
        self._outside.append(driver)

    def _call_up(self, lane: Lane, now_ms: int, stamp_ms: int) -> None:
        """A driver in the queue whose bill no clock error can change takes the free exit; who looks in vain goes to its end."""
        for _ in range(min(LOOKS_MAX, len(self._leaving))):
            driver = self._leaving.popleft()
            stay = self._account(driver).stays[driver.number]
            if self._steady(driver.car, stay.entered_ms, self._origin_ms + stamp_ms):
                lane.take(driver, now_ms, stamp_ms)
                return
            self._leaving.append(driver)
        self._check_ms = stamp_ms + RECHECK_MS

    def _crossed_exit(self, driver: Driver, stamp_ms: int) -> None:
        self._account(driver).left(driver, self._origin_ms + stamp_ms)
        if self._faults.pop(driver.number, None) is Fault.DOUBLE:
            ghost = replace(driver, number=-driver.number, stay_ms=GHOST_STAY_MS)
            self._ghosts.add(ghost.number)
            self._later(stamp_ms + GHOST_GAP_MS, "appear", ghost)
