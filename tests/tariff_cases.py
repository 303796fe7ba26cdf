"""Tariffs and stays that several tests share: two made-up files for clock changes, and stays drawn near the steps."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff import Tariff, load_tariff
from gateway.quote import shipped_names
from tests.tariff_texts import NEW_YORK, ODD, shipped_text

MINUTE_MS = 60_000
NEAR_MS = (-1000, -999, -1, 0, 1, 999, 1000)


@dataclass(frozen=True)
class Ground:
    """A tariff with its text, and the UTC days from which stays begin."""

    text: str
    tariff: Tariff
    days_ms: tuple[int, ...]


@dataclass(frozen=True)
class Stay:
    entry_ms: int
    exit_ms: int
    vehicle: Vehicle
    energy: Energy


def grounds() -> list[Ground]:
    """Every shipped tariff in March, and the two made-up ones around both clock changes of New York."""
    plain = tuple(_day_ms(2026, 3, day) for day in range(2, 12))
    changes = tuple(
        _day_ms(2026, month, day) for month, days in ((3, (7, 8, 9)), (10, (31,)), (11, (1, 2))) for day in days
    )
    shipped = [Ground(shipped_text(name), load_tariff(shipped_text(name), name), plain) for name in shipped_names()]
    made_up = [Ground(text, load_tariff(text, name), changes) for name, text in (("new-york", NEW_YORK), ("odd", ODD))]
    return shipped + made_up


def stays(ground: Ground, count: int, draw: random.Random) -> Iterator[Stay]:
    """Stays of which half end, or begin, within one second of a possible step."""
    zone = ground.tariff.rules.zone
    for index in range(count):
        entry_ms = draw.choice(ground.days_ms) + draw.randrange(24 * 60) * MINUTE_MS
        minutes = _minutes(draw)
        match index % 4:
            case 0:
                exit_ms = entry_ms + (minutes // 15 * 15 + draw.choice((0, 1))) * MINUTE_MS + draw.choice(NEAR_MS)
                shift = draw.choice((0, 0, 30_500, 59_999))
                entry_ms, exit_ms = entry_ms + shift, exit_ms + shift
            case 1:
                hour = draw.choice((0, 1, 2, 3, 8, 20))
                local = datetime.fromtimestamp((entry_ms + minutes * MINUTE_MS) // 1000, zone)
                edge_ms = int(local.replace(hour=hour, minute=draw.choice((0, 0, 30)), second=0).timestamp()) * 1000
                exit_ms = edge_ms + draw.choice((0, 1)) * MINUTE_MS + draw.choice(NEAR_MS)
                entry_ms = min(entry_ms + draw.choice((0, 30_500)), exit_ms)
            case _:
                entry_ms += draw.randrange(MINUTE_MS)
                exit_ms = entry_ms + minutes * MINUTE_MS + draw.randrange(MINUTE_MS)
        yield Stay(entry_ms, max(entry_ms, exit_ms), draw.choice(list(Vehicle)), draw.choice(list(Energy)))


def local_ms(zone: ZoneInfo, text: str) -> int:
    """UTC ms of a local time such as 2026-03-02T09:00:30."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def _minutes(draw: random.Random) -> int:
    """Mostly hours, sometimes days."""
    return draw.choices((draw.randrange(150), draw.randrange(600), draw.randrange(4000)), (85, 12, 3))[0]


def _day_ms(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000
