"""Who comes to the lot in a week: vehicles, their plates and owners, and the visits they plan.

Owns the plates that exist and the day's profile. Rules: one generator draws everything; plates are as like one another as in
life: fleets differ in one character, regulars return, and a plate read wrongly is often the plate of somebody else in town.
Knows neither lanes nor readers nor the gateway.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sim.city import Agreement
from sim.drivers import DIGITS, LETTERS, PROVINCES, Car

DAY_MS = 86_400_000
MINUTE_MS = 60_000
CONFUSED = ("0DOQ", "1I", "2Z", "38B", "5S", "EFP", "HKMR", "VTY")
"""What enforcement vendors publish; written again here, apart from the gateway's list and the simulator's."""
# fmt: off
WEEKDAY = (2, 1, 1, 1, 1, 4, 14, 48, 72, 58, 52, 54, 50, 52, 54, 50, 52, 66, 72, 54, 34, 18, 9, 4)
WEEKEND = (3, 2, 1, 1, 1, 2, 6, 14, 34, 58, 76, 78, 64, 70, 76, 74, 66, 62, 60, 48, 32, 20, 10, 5)
# fmt: on
"""Arrivals by hour of the day, relative: an office and shopping lot; the busiest hour has 9 % of a day."""
POSSIBLE = re.compile(
    "[\u4e00-\u9fff][A-HJ-NP-Z](?:(?=(?:[0-9]*[A-HJ-NP-Z]){0,2}[0-9]*$)[A-HJ-NP-Z0-9]{5}|[DF][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[DF])"
)
"""What is given out: I and O never, in five characters at most two letters."""
REGULARS_PER_BAY = 1.2
REGULAR_SHARE = 0.30
"""Visits by vehicles that come again and again."""
FLEET_SHARE = 0.02
"""Vehicles whose plate differs in one character from another's that comes here too; half of these are lookalikes."""
REGISTERED_SHARE = 0.35
"""Share of possible plates of a Chinese city that some vehicle bears: some three million of some eight million."""
AGREED_SHARE = 0.75
PAYING_SHARE = 0.95
CAP_MINOR = 20_000
PLATELESS_SHARE = 0.0005


@dataclass(frozen=True, slots=True)
class Visit:
    """A planned visit; times in ms since the first midnight. `number` from 1 by arrival."""

    number: int
    car: Car
    arrive_ms: int
    stay_ms: int


class Town(Mapping[str, Agreement]):
    """Every plate that somebody owns, and what its owner agreed with the city: the lot's guests, and all others in town.

    A stranger's plate is drawn from its own hash, so that a misread plate belongs to somebody as often as in life.
    """

    def __init__(self, seed: int, guests: Mapping[str, Car]) -> None:
        self._seed = seed
        self.guests = guests

    def owned(self, identity: str) -> bool:
        """Whether a vehicle bears this plate."""
        if identity in self.guests:
            return True
        possible = POSSIBLE.fullmatch(identity.partition(" ")[2]) is not None
        return possible and self._share(identity, "registered") < REGISTERED_SHARE

    def __getitem__(self, identity: str) -> Agreement:
        if not self.owned(identity) or self._share(identity, "agreed") >= AGREED_SHARE:
            raise KeyError(identity)
        return Agreement(CAP_MINOR, self._share(identity, "pays") < PAYING_SHARE)

    def __iter__(self) -> Iterator[str]:
        return iter(self.guests)

    def __len__(self) -> int:
        return len(self.guests)

    def _share(self, identity: str, what: str) -> float:
        digest = hashlib.sha256(f"{self._seed} {what} {identity}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / (1 << 48)


class Register:
    """The plates that vehicles of the town bear."""

    def __init__(self, town: Town) -> None:
        self._town = town

    def __contains__(self, identity: object) -> bool:
        return isinstance(identity, str) and self._town.owned(identity)


class Traffic:
    """A week's visits. `guests` holds every car that comes, by its plate's identity."""

    def __init__(self, dice: random.Random, *, days: int, bays: int, cars_per_day: int) -> None:
        self._dice = dice
        self.guests: dict[str, Car] = {}
        self._drawn: list[Car] = []
        regulars = [self._new_car() for _ in range(max(1, int(min(bays, cars_per_day) * REGULARS_PER_BAY)))]
        self._away_ms = {car.identity: 0 for car in regulars}
        planned = [self._visit(day, regulars) for day in range(days) for _ in range(cars_per_day)]
        planned.sort(key=lambda visit: visit[0])
        self.visits = tuple(
            Visit(n, car, at, stay) for n, (at, car, stay) in enumerate(self._once(planned, regulars), 1)
        )

    def _once(self, planned: list[tuple[int, int, bool]], regulars: list[Car]) -> Iterator[tuple[int, Car, int]]:
        """Give each planned visit its car; a regular that is here cannot come."""
        for arrive_ms, stay_ms, regular in planned:
            car = self._dice.choice(regulars) if regular else self._new_car()
            if regular and self._away_ms[car.identity] > arrive_ms:
                car = self._new_car()
            if regular:
                # An hour between: a queue at a lane may hold it longer than planned.
                self._away_ms[car.identity] = arrive_ms + stay_ms + 60 * MINUTE_MS
            yield arrive_ms, car, stay_ms

    def _visit(self, day: int, regulars: list[Car]) -> tuple[int, int, bool]:
        """(arrival, stay, by a regular)."""
        dice = self._dice
        weights = WEEKEND if day % 7 >= 5 else WEEKDAY
        arrive_ms = day * DAY_MS + dice.choices(range(24), weights)[0] * 60 * MINUTE_MS + dice.randrange(60 * MINUTE_MS)
        hour = arrive_ms % DAY_MS // (60 * MINUTE_MS)
        kind = dice.random()
        if weights is WEEKDAY and 6 <= hour < 10 and kind < 0.35:
            minutes = dice.gauss(540, 50)
        elif kind > 0.985:
            minutes = dice.uniform(14 * 60, 40 * 60)
        elif kind > 0.75:
            minutes = dice.lognormvariate(2.8, 0.6)
        else:
            minutes = dice.lognormvariate(4.45, 0.65)
        stay_ms = int(min(max(minutes, 4), 60 * 60) * MINUTE_MS)
        return arrive_ms, stay_ms, bool(regulars) and dice.random() < REGULAR_SHARE

    def _new_car(self) -> Car:
        while True:
            car = self._draw()
            if car.text == "" or car.identity not in self.guests:
                if car.identity not in self.guests:
                    self._drawn.append(car)
                self.guests[car.identity] = car
                return car

    def _draw(self) -> Car:
        dice = self._dice
        if dice.random() < PLATELESS_SHARE:
            return Car("", "unknown", "small", "fuel")
        if self.guests and dice.random() < FLEET_SHARE:
            like = dice.choice(self._drawn[-2000:])
            if like.text:
                return Car(self._sister(like.text), like.colour, like.vehicle, like.energy)
        place = dice.random()
        head = PROVINCES[0] + ("A" if place < 0.75 else dice.choice("BCDEFGHJKL"))
        if place > 0.88:
            head = dice.choice(PROVINCES[1:]) + dice.choice("ABCDEFGHJK")
        kind = dice.random()
        if kind < 0.25:
            return Car(f"{head}{dice.choice('DF')}{self._serial(1, 0)}{self._serial(0, 4)}", "green", "small", "ev")
        if kind < 0.27:
            return Car(f"{head}{self._serial(0, 5)}{dice.choice('DF')}", "green", "large", "ev")
        letters = {dice.randrange(5) for _ in range(dice.choice((0, 1, 1, 2, 2)))}
        serial = "".join(dice.choice(LETTERS if i in letters else DIGITS) for i in range(5))
        large = kind < 0.31
        return Car(head + serial, "yellow" if large else "blue", "large" if large else "small", "fuel")

    def _serial(self, mixed: int, digits: int) -> str:
        dice = self._dice
        return "".join(
            [dice.choice(LETTERS + DIGITS) for _ in range(mixed)] + [dice.choice(DIGITS) for _ in range(digits)]
        )

    def _sister(self, text: str) -> str:
        """A plate that differs in one character of its serial."""
        place = self._dice.randrange(2, len(text))
        group = next((g for g in CONFUSED if text[place] in g), "")
        others = group if group and self._dice.random() < 0.5 else (DIGITS if text[place] in DIGITS else LETTERS)
        return text[:place] + self._dice.choice(others.replace(text[place], "")) + text[place + 1 :]
