"""Tariffs and stays that several tests share: shipped and made-up files, and stays drawn at the edges of real price steps."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.core.calendar import Calendar, read_calendar
from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff import Bill, Coupon, Discount, EarlierStay, Tariff, load_tariff
from gateway.core.tariff_plan import Text
from gateway.quote import shipped_names
from sim.bill import NOTHING, Before, Offer, owed_minor
from tests.tariff_texts import CALENDAR, MADE_UP, shipped_text, variant

MINUTE_MS = 60_000
NEAR_MS = (-1000, -999, -1, 0, 1, 999, 1000)
NEAR_ONE_IN = 4
"""How often a step is looked for; each one found gives as many stays as NEAR_MS has members."""
SEARCHED_MIN = 61
"""How far behind the drawn exit a price step is looked for."""
EARLIER_MAX = 3
CHINA = read_calendar(CALENDAR, "china-2026")


@dataclass(frozen=True)
class Ground:
    """A tariff with its text, the UTC days from which stays begin, and whether they come with earlier stays and coupons."""

    text: str
    tariff: Tariff
    days_ms: tuple[int, ...]
    laden: bool

    @property
    def calendar(self) -> Calendar | None:
        return CHINA if self.tariff.rules.needs_calendar else None


@dataclass(frozen=True)
class Stay:
    entry_ms: int
    exit_ms: int
    vehicle: Vehicle
    energy: Energy
    offer: Offer = NOTHING
    at_step: bool = False
    """Whether the exit lies within a second of a price step that was found."""


def shipped_grounds() -> list[Ground]:
    """Every shipped tariff, on working days and around both of Europe's clock changes."""
    days = _days((2026, 3, 2, 4), (2026, 3, 28, 29), (2026, 10, 24, 25))
    return [Ground(shipped_text(name), load_tariff(shipped_text(name), name), days, False) for name in shipped_names()]


def grounds(variants: int = 0, draw: random.Random | None = None) -> list[Ground]:
    """Every shipped and made-up tariff, and for each of the latter as many variants of its settings."""
    found = shipped_grounds()
    for name, text in MADE_UP.items():
        found.append(Ground(text, load_tariff(text, name), _edge_days(name), True))
        for number in range(variants):
            assert draw is not None
            varied = variant(text, draw)
            found.append(Ground(varied, load_tariff(varied, f"{name}-{number}"), _edge_days(name), True))
    return found


def stays(ground: Ground, count: int, draw: random.Random) -> Iterator[Stay]:
    """Stays of which half end within a second of a price step, as far as there is one; else they are anywhere."""
    made = 0
    while made < count:
        stay = _anywhere(ground, draw)
        group = [stay]
        if draw.randrange(NEAR_ONE_IN) == 0:
            step_ms = _step_after(ground, stay)
            if step_ms is not None:
                group = [_moved(stay, step_ms + near) for near in NEAR_MS]
        for one in group[: count - made]:
            made += 1
            yield one


def engine_bill(ground: Ground, stay: Stay) -> Bill:
    """The gateway's bill."""
    offer = stay.offer
    return ground.tariff.bill(
        stay.entry_ms,
        stay.exit_ms,
        stay.vehicle,
        stay.energy,
        calendar=ground.calendar,
        earlier=[EarlierStay(b.entry_ms, b.exit_ms, b.amount_minor) for b in offer.before],
        discounts=[Discount(percent, Text("折", "off")) for percent in offer.percents],
        coupons=[Coupon(minor, Text("券", f"coupon {index}")) for index, minor in enumerate(offer.coupons_minor)],
    )


def walked_minor(ground: Ground, stay: Stay) -> int:
    """What sim's slow walk says."""
    return owed_minor(ground.text, stay.entry_ms, stay.exit_ms, stay.vehicle, stay.energy, offer=stay.offer)


def local_ms(zone: ZoneInfo, text: str) -> int:
    """UTC ms of a local time such as 2026-03-02T09:00:30."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def _anywhere(ground: Ground, draw: random.Random) -> Stay:
    entry_ms = draw.choice(ground.days_ms) + draw.randrange(24 * 60) * MINUTE_MS
    entry_ms += draw.choice((0, 0, 30_500, 59_999, draw.randrange(MINUTE_MS)))
    minutes = draw.choices((draw.randrange(130), draw.randrange(600), draw.randrange(3500)), (89, 10, 1))[0]
    exit_ms = entry_ms + minutes * MINUTE_MS + draw.choice((0, draw.randrange(MINUTE_MS)))
    if draw.randrange(4) == 0:
        # On the hour by the wall clock, where bands and days begin.
        local = datetime.fromtimestamp(exit_ms // 1000, ground.tariff.rules.zone)
        sharp = local.replace(minute=draw.choice((0, 0, 10, 30, 40)), second=0)
        exit_ms = int(sharp.timestamp()) * 1000 + draw.choice(NEAR_MS)
    offer = _offer(entry_ms, draw) if ground.laden and draw.randrange(3) == 0 else NOTHING
    if ground.calendar is not None:
        offer = Offer(offer.before, CALENDAR, offer.percents, offer.coupons_minor)
    return Stay(entry_ms, max(entry_ms, exit_ms), draw.choice(list(Vehicle)), draw.choice(list(Energy)), offer)


def _offer(entry_ms: int, draw: random.Random) -> Offer:
    """Earlier stays of the plate that end before the entry, percentages and coupons."""
    before: list[Before] = []
    for _ in range(draw.randrange(EARLIER_MAX + 1)):
        end_ms = (before[-1].entry_ms if before else entry_ms) - draw.randrange(300) * MINUTE_MS
        begin_ms = end_ms - draw.randrange(400) * MINUTE_MS - draw.randrange(MINUTE_MS)
        before.append(Before(begin_ms, end_ms, draw.choice((0, 150, 700, 2500))))
    percents = draw.choice(((), (), (20,), (7, 50)))
    coupons = draw.choice(((), (), (500,), (90, 333)))
    return Offer(tuple(before), "", percents, coupons)


def _step_after(ground: Ground, stay: Stay) -> int | None:
    """The ms at which the price differs from the one just before, somewhere after the stay's exit."""
    low, high = stay.exit_ms, stay.exit_ms + SEARCHED_MIN * MINUTE_MS
    before = engine_bill(ground, stay).amount_minor
    if engine_bill(ground, _moved(stay, high)).amount_minor == before:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if engine_bill(ground, _moved(stay, middle)).amount_minor == before:
            low = middle
        else:
            high = middle
    return high


def _moved(stay: Stay, exit_ms: int) -> Stay:
    return Stay(stay.entry_ms, max(stay.entry_ms, exit_ms), stay.vehicle, stay.energy, stay.offer, at_step=True)


def _edge_days(name: str) -> tuple[int, ...]:
    if name == "year":
        return _days((2026, 2, 13, 14), (2026, 2, 23, 23), (2026, 3, 13, 15), (2026, 9, 30, 30), (2026, 12, 22, 22))
    return _days((2026, 3, 5, 8), (2026, 10, 31, 31), (2026, 11, 1, 1))


def _days(*spans: tuple[int, int, int, int]) -> tuple[int, ...]:
    """UTC ms of the days of spans given as year, month, first and last day."""
    return tuple(
        int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000
        for year, month, first, last in spans
        for day in range(first, last + 1)
    )
