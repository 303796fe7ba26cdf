"""A made-up city for pictures and tests of the page: fourteen lots in all states that a lot can be in, and six hours of one.

Everything is told in the bytes of real messages. Rules: no chance; the times are given.
"""

from __future__ import annotations

from math import sin

from gateway.console.board import Board
from gateway.messages import Presence
from tests.console import told
from tests.console.told import Told

MINUTE_MS = 60_000
BUSY = "gw-west"
NAMES = (
    "West Lake Garage", "湖滨路停车场", "Hospital P1", "Hospital P2", "城站广场", "Museum", "Stadium North", "Stadium South",
    "武林广场地下停车场", "Opera", "Station East", "Canal Street", "Market Hall", "Tea Museum",
)  # fmt: skip


def gateways() -> list[str]:
    """The ids, the busy one first."""
    return [BUSY, *(f"gw-{n:02d}" for n in range(1, len(NAMES)))]


def morning(board: Board, clock: list[int], until_ms: int) -> None:
    """Six hours of the busy lot, told to a board whose clock is `clock[0]`; ends at `until_ms`."""
    for minute in range(360, 0, -1):
        clock[0] = until_ms - minute * MINUTE_MS
        # Full before noon, with a wave of twenty minutes on it.
        inside = 52 + round(40 * sin((360 - minute) / 95 - 1) + 4 * sin(minute / 3))
        board.hear(*told.occupancy(BUSY, NAMES[0], occupied=inside, at_ms=clock[0]))
        if minute % 4 == 0:
            board.hear(*told.notice(BUSY, "exit-lease", amount_minor=500 + minute % 7 * 250, at_ms=clock[0]))
        if minute % 5 == 0:
            board.hear(*told.notice(BUSY, "entry", at="entry-1", at_ms=clock[0]))
    clock[0] = until_ms


def noon(now_ms: int) -> list[Told]:
    """What all the gateways say at one time."""
    said: list[Told] = []
    for at, (gateway, lot) in enumerate(zip(gateways(), NAMES, strict=True)):
        heard_ms = now_ms - at * 7_000
        said += [
            told.state(gateway, at_ms=now_ms - 3 * 3_600_000),
            told.meta(gateway, lot),
            told.occupancy(gateway, lot, occupied=(67 + at * 31) % 101, at_ms=heard_ms),
            told.lane(gateway, "entry-1", at_ms=heard_ms),
            told.lane(gateway, "exit-1", barrier="open" if at % 3 == 0 else "closed", at_ms=heard_ms),
            told.numbers(
                gateway, at_ms=now_ms, backlog_records=at * 3 if at % 4 == 0 else 0, rss_bytes=61_000_000 + at,
                disk_free_bytes=9_300_000_000, cpu_temperature_celsius=51,
            ),
        ]  # fmt: skip
    return [
        *said,
        told.state("gw-03", Presence.LOST, at_ms=now_ms - 95_000),
        told.state("gw-06", Presence.OFFLINE, at_ms=now_ms - 7_200_000),
        told.alarm(BUSY, "silent/12", "urgent", at_ms=now_ms - 184_000),
        told.alarm(BUSY, "tariff/calendar", "warning", at_ms=now_ms - 3 * 86_400_000),
        told.alarm("gw-02", "attendant/exit-1", "warning", at_ms=now_ms - 45_000),
        told.lane("gw-05", "exit-1", barrier="fault", node="silent", at_ms=now_ms - 600_000),
        told.numbers("gw-08", at_ms=now_ms + 41_000, backlog_records=0),
        told.notice(BUSY, "exit-arrears", amount_minor=3_550, at_ms=now_ms - 9_000),
        told.notice(BUSY, "entry", at="entry-1", at_ms=now_ms),
    ]
