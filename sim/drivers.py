"""The ground truth: who drives into the lot, how long each stays, what each agreed with the city, and what really happened.

Owns drivers and the truth about their stays; nothing the gateway says ever enters here. Rules: one generator, an argument,
draws everything, so a seed is the whole plan; no two plates can be taken for one another; no stay is planned near a price
step. Knows neither nodes nor tariffs: a bill comes in as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

T = TypeVar("T")

PROVINCES = "浙沪苏皖赣闽粤鲁京鄂"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "0123456789"
LOOKALIKES = ("0DQ", "1L", "2Z", "38B", "5S", "EFP", "HKMR", "VTY", "CG", "UW")
"""Characters that plate readers take for one another; each group counts as one character when plates are compared."""

DRAWS_MAX = 10_000
"""Tries for one plate or one stay. Far above need: a plan that fails to find one has margins no stay can keep."""

MINUTE_MS = 60_000


class Dice(Protocol):
    """The part of random.Random that a plan needs."""

    def random(self) -> float:
        """A number from 0 up to 1."""

    def randrange(self, start: int, stop: int) -> int:
        """An integer from start up to stop - 1."""

    def choice(self, seq: Sequence[T]) -> T:
        """One element."""

    def lognormvariate(self, mu: float, sigma: float) -> float:
        """A number whose logarithm is normal."""


@dataclass(frozen=True, slots=True)
class Car:
    """What a plate reader sees. Words as in the records: colour 'blue', vehicle 'small' or 'large', energy 'fuel' or 'ev'."""

    text: str
    colour: str
    vehicle: str
    energy: str

    @property
    def identity(self) -> str:
        """The key under which the city knows the car, e.g. 'blue 浙A12345'."""
        return f"{self.colour} {self.text}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A driver's agreement with the city: it pays up to `cap_minor` for a stay; `pays`: the account then has the money."""

    cap_minor: int
    pays: bool


@dataclass(frozen=True, slots=True)
class Driver:
    """One visit as planned: lot time in UTC ms; `stay_ms` counts from crossing the entry to the plate at the exit.

    `bay`: the bay that the driver heads for; `drive_ms`: from a lane to that bay, or back.
    """

    number: int
    car: Car
    arrive_ms: int
    stay_ms: int
    agreement: Agreement | None
    bay: int
    drive_ms: int


Owed = Callable[[int, int, str, str], int]
"""Bill in minor units from (entry UTC ms, exit UTC ms, vehicle, energy), computed apart from the gateway."""

Steady = Callable[[Car, int, int], bool]
"""Whether a car's stay from (entry UTC ms) to (exit UTC ms) is far enough from every price step."""


def steady_by(owed: Owed, margin_ms: int) -> Steady:
    """The rule that a clock error of up to `margin_ms` at either end of a stay must not change its bill.

    The longest and the shortest stay that such errors make must cost the same, and so must the two that are merely shifted.
    """
    shortest, later, earlier = (margin_ms, -margin_ms), (margin_ms, margin_ms), (-margin_ms, -margin_ms)

    def steady(car: Car, enter_ms: int, exit_ms: int) -> bool:
        if exit_ms - enter_ms <= 2 * margin_ms:
            return False
        bill = owed(enter_ms - margin_ms, exit_ms + margin_ms, car.vehicle, car.energy)
        shifts = (shortest, later, earlier)
        return all(owed(enter_ms + a, exit_ms + b, car.vehicle, car.energy) == bill for a, b in shifts)

    return steady


class Casting:
    """Draws cars and their drivers one after another. Raises ValueError when the plates run out."""

    def __init__(self, dice: Dice, *, agreed: float = 0.75, paying: float = 0.9, cap_minor: int = 20_000) -> None:
        """`agreed`: share of drivers with an agreement; `paying`: share of those whose payment goes through."""
        self._dice = dice
        self._agreed = agreed
        self._paying = paying
        self._cap_minor = cap_minor
        self._taken: set[str] = set()
        self._count = 0

    def car(self) -> Car:
        """A car whose plate differs from all drawn so far by more than one readable character."""
        for _ in range(DRAWS_MAX):
            car = self._draw()
            traces = _traces(car.text)
            if self._taken.isdisjoint(traces):
                self._taken |= traces
                return car
        raise ValueError(f"no plate left that differs enough from the {self._count} drawn so far")

    def driver(self, car: Car, arrive_ms: int, stay_ms: int) -> Driver:
        """The visit of a car: agreement, bay and way are drawn here."""
        dice = self._dice
        agreement = None
        if dice.random() < self._agreed:
            agreement = Agreement(cap_minor=self._cap_minor, pays=dice.random() < self._paying)
        self._count += 1
        return Driver(
            number=self._count,
            car=car,
            arrive_ms=arrive_ms,
            stay_ms=stay_ms,
            agreement=agreement,
            bay=dice.randrange(0, 1 << 16),
            drive_ms=dice.randrange(20_000, 60_000),
        )

    def _draw(self) -> Car:
        dice = self._dice
        head = (PROVINCES[0] if dice.random() < 0.8 else dice.choice(PROVINCES)) + dice.choice("ABCDFGHJK")
        kind = dice.random()
        if kind < 0.25:
            serial = dice.choice("DF") + dice.choice(LETTERS + DIGITS) + "".join(dice.choice(DIGITS) for _ in range(4))
            return Car(head + serial, "green", "small", "ev")
        if kind < 0.30:
            serial = "".join(dice.choice(DIGITS) for _ in range(5)) + dice.choice("DF")
            return Car(head + serial, "green", "large", "ev")
        letters = {dice.randrange(0, 5) for _ in range(dice.randrange(0, 3))}
        serial = "".join(dice.choice(LETTERS if i in letters else DIGITS) for i in range(5))
        return (
            Car(head + serial, "yellow", "large", "fuel")
            if kind < 0.36
            else Car(head + serial, "blue", "small", "fuel")
        )


def plan(
    dice: Dice,
    *,
    cars: int,
    from_ms: int,
    arrive_within_ms: int,
    leave_within_ms: int,
    steady: Steady,
    casting: Casting,
) -> tuple[Driver, ...]:
    """`cars` visits that arrive evenly from `from_ms` (UTC) on and mean to be out `leave_within_ms` after it, by arrival.

    Raises ValueError if a stay that keeps the margin cannot be found.
    """
    drivers = []
    for arrive_ms in sorted(from_ms + dice.randrange(0, arrive_within_ms) for _ in range(cars)):
        car = casting.car()
        longest_ms = from_ms + leave_within_ms - arrive_ms
        drivers.append(casting.driver(car, arrive_ms, _stay_ms(dice, car, arrive_ms, longest_ms, steady)))
    return tuple(drivers)


@dataclass(slots=True)
class Stay:
    """What really happened to one car, lot time in UTC ms; 0 = not yet.

    `entered_ms`: crossed the entry; `at_exit_ms`: showed its plate at the exit; `left_ms`: crossed the exit.
    """

    number: int
    car: Car
    agreement: Agreement | None
    entered_ms: int = 0
    parked_ms: int = 0
    at_exit_ms: int = 0
    left_ms: int = 0


@dataclass(slots=True)
class Truth:
    """All stays that began, in the order of entry."""

    stays: dict[int, Stay] = field(default_factory=dict)

    def entered(self, driver: Driver, at_ms: int) -> None:
        """The car crossed the entry."""
        self.stays[driver.number] = Stay(driver.number, driver.car, driver.agreement, entered_ms=at_ms)

    def parked(self, driver: Driver, at_ms: int) -> None:
        """The car stands in its bay."""
        self.stays[driver.number].parked_ms = at_ms

    def at_exit(self, driver: Driver, at_ms: int) -> None:
        """The car's plate was shown at an exit; the first time counts."""
        stay = self.stays[driver.number]
        stay.at_exit_ms = stay.at_exit_ms or at_ms

    def left(self, driver: Driver, at_ms: int) -> None:
        """The car crossed the exit."""
        self.stays[driver.number].left_ms = at_ms

    def rows(self) -> list[dict[str, object]]:
        """The stays as JSON objects."""
        return [
            {
                "number": s.number,
                "plate": s.car.identity,
                "vehicle": s.car.vehicle,
                "energy": s.car.energy,
                "cap_minor": s.agreement.cap_minor if s.agreement else 0,
                "pays": s.agreement.pays if s.agreement else False,
                "entered_ms": s.entered_ms,
                "parked_ms": s.parked_ms,
                "at_exit_ms": s.at_exit_ms,
                "left_ms": s.left_ms,
            }
            for s in self.stays.values()
        ]


def _stay_ms(dice: Dice, car: Car, arrive_ms: int, longest_ms: int, steady: Steady) -> int:
    """A stay of some minutes to hours, median 45 minutes, that keeps the margin."""
    for _ in range(DRAWS_MAX):
        stay_ms = int(dice.lognormvariate(3.8, 0.7) * MINUTE_MS)
        if 3 * MINUTE_MS <= stay_ms <= longest_ms and steady(car, arrive_ms, arrive_ms + stay_ms):
            return stay_ms
    raise ValueError(f"no stay of at most {longest_ms} ms keeps the margin to every price step")


def _traces(text: str) -> set[str]:
    """Plates that share a trace are within one misread, missing or extra character of each other."""
    plain = "".join(next((group[0] for group in LOOKALIKES if c in group), c) for c in text)
    return {plain} | {plain[:i] + plain[i + 1 :] for i in range(len(plain))}
