"""A garage's day from its counter: rows of (timestamp, free bays) become drivers who come and go as the counter shows.

Owns reading and writing such rows and the drivers made from them. Rules: a time with an offset is an instant, which the lot
sees in its own zone; one without is the lot's local time; only net flows are known, so a row's fall is that many arrivals
spread evenly since the row before, a rise that many departures. Knows neither files nor nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sim.drivers import DRAWS_MAX, MINUTE_MS, Car, Casting, Dice, Driver, Steady

HEADER = "timestamp,free"
ROWS_MAX = 20_000
"""A day by the second would pass it; a counter reports every minute at most."""
SPARE_PERCENT = 5
"""Bays beyond the largest free count: a garage is never quite empty."""
ENTER_EVERY_MS = 20_000
"""Cars that are inside at the first row enter before it at this distance."""
STAY_MIN_MS = 6 * MINUTE_MS
TRIES_MAX = 8
"""Two cars in three may leave at any time: so many tries fail only when hardly any may."""
LEAVE_EVERY_MS = 20_000
"""Cars still inside at the last row leave after it at this distance."""


@dataclass(frozen=True, slots=True)
class Row:
    """One reading of the counter: UTC ms and free bays."""

    at_ms: int
    free: int


def read(text: str, zone: str) -> tuple[Row, ...]:
    """The rows of a CSV text, in order of time. Raises ValueError that names the line and what is wrong with it."""
    lines = text.splitlines()
    if not lines or lines[0].strip().lower() != HEADER:
        raise ValueError(f"line 1: the header must be {HEADER!r}")
    if len(lines) > ROWS_MAX:
        raise ValueError(f"{len(lines)} lines; at most {ROWS_MAX} are read")
    rows = [_row(number, line, zone) for number, line in enumerate(lines[1:], 2) if line.strip()]
    for number, (before, after) in enumerate(pairwise(rows), 3):
        if after.at_ms <= before.at_ms:
            raise ValueError(f"line {number}: its time is not after the line before")
    if len(rows) < 2:
        raise ValueError("at least two rows are needed")
    return tuple(rows)


def write(rows: Sequence[Row], zone: str) -> str:
    """The CSV text of rows, with the zone's offset in each time."""
    epoch = datetime.fromtimestamp(0, ZoneInfo("UTC"))
    times = [(epoch + timedelta(milliseconds=row.at_ms)).astimezone(ZoneInfo(zone)) for row in rows]
    lines = [f"{time.isoformat(timespec='seconds')},{row.free}" for time, row in zip(times, rows, strict=True)]
    return "\n".join([HEADER, *lines]) + "\n"


def capacity(rows: Sequence[Row], bays: int | None = None) -> int:
    """Bays of the lot: as given, else the largest free count and 5 % more. ValueError if fewer than a row's free count."""
    largest = max(row.free for row in rows)
    total = bays if bays is not None else largest + -(-largest * SPARE_PERCENT // 100)
    if total < largest:
        raise ValueError(f"{total} bays, but a row counts {largest} free")
    return total


def counts(drivers: Sequence[Driver], bays: int, times_ms: Iterable[int]) -> tuple[Row, ...]:
    """What a counter over `bays` bays would have read at these times (UTC ms)."""
    return tuple(
        Row(at_ms, bays - sum(d.arrive_ms <= at_ms < d.arrive_ms + d.stay_ms for d in drivers)) for at_ms in times_ms
    )


def drivers(
    dice: Dice, rows: Sequence[Row], *, bays: int, casting: Casting, steady: Steady, limit: int | None = None
) -> tuple[Driver, ...]:
    """The visits behind the rows. With `limit`, only that many arrivals are kept, counted from the first.

    A departure takes a random car that may leave then; if none is found, it takes one at the next change that lets it.
    """
    arrivals, departures = _flows(rows, bays)
    if limit is not None:
        arrivals = arrivals[:limit]
    happenings = sorted([(at_ms, 0) for at_ms in arrivals] + [(at_ms, 1) for at_ms in departures])
    last_ms = rows[-1].at_ms
    inside: list[tuple[Car, int]] = []
    visits: list[Driver] = []
    owed_departures = 0
    for at_ms, leaves in happenings:
        if not leaves:
            inside.append((casting.car(), at_ms))
        owed_departures += leaves
        while owed_departures and (pick := _leaver(dice, inside, at_ms, steady)) is not None:
            car, arrived_ms = inside.pop(pick)
            visits.append(casting.driver(car, arrived_ms, at_ms - arrived_ms))
            owed_departures -= 1
    for place, (car, arrived_ms) in enumerate(inside, 1):
        leave_ms = _first_steady(
            car, arrived_ms, max(last_ms, arrived_ms + STAY_MIN_MS) + place * LEAVE_EVERY_MS, steady
        )
        visits.append(casting.driver(car, arrived_ms, leave_ms - arrived_ms))
    ordered = sorted(visits, key=lambda d: (d.arrive_ms, d.number))
    return tuple(replace(driver, number=number) for number, driver in enumerate(ordered, 1))


def _row(number: int, line: str, zone: str) -> Row:
    time, comma, free = line.strip().partition(",")
    try:
        at = datetime.fromisoformat(time)
    except ValueError:
        raise ValueError(f"line {number}: {time!r} is no ISO 8601 time") from None
    if not comma or not (free.isascii() and free.isdigit()):
        raise ValueError(f"line {number}: {free!r} is no count of free bays")
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(zone))
    return Row((at - datetime.fromtimestamp(0, ZoneInfo("UTC"))) // timedelta(milliseconds=1), int(free))


def _flows(rows: Sequence[Row], bays: int) -> tuple[list[int], list[int]]:
    """Times of arrivals and of departures, UTC ms."""
    inside = bays - rows[0].free
    arrivals = [rows[0].at_ms - place * ENTER_EVERY_MS for place in range(inside, 0, -1)]
    departures: list[int] = []
    for before, after in pairwise(rows):
        change = before.free - after.free
        every_ms = (after.at_ms - before.at_ms) / (abs(change) + 1)
        times = [before.at_ms + round(place * every_ms) for place in range(1, abs(change) + 1)]
        (arrivals if change > 0 else departures).extend(times)
    return arrivals, departures


def _leaver(dice: Dice, inside: Sequence[tuple[Car, int]], at_ms: int, steady: Steady) -> int | None:
    """Place in `inside` of a random car that may leave now, None if some tries find none: near a price step all must wait."""
    for _ in range(TRIES_MAX if inside else 0):
        place = dice.randrange(0, len(inside))
        car, arrived_ms = inside[place]
        if at_ms - arrived_ms >= STAY_MIN_MS and steady(car, arrived_ms, at_ms):
            return place
    return None


def _first_steady(car: Car, arrived_ms: int, from_ms: int, steady: Steady) -> int:
    for minute in range(DRAWS_MAX):
        if steady(car, arrived_ms, from_ms + minute * MINUTE_MS):
            return from_ms + minute * MINUTE_MS
    raise ValueError(f"no time after {from_ms} keeps the margin to every price step")
