"""Spans of time: covered by shifts, taken out, shortened."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.core.entitlement import Permit, PermitKind, Shift
from gateway.core.shift import covered, shortened, without

HOUR_MS = 3_600_000


def ms(text: str, zone: str = "Asia/Shanghai") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000


def permit(*shifts: Shift, zone: str = "Asia/Shanghai", from_ms: int = 0, to_ms: int = 2**50) -> Permit:
    return Permit("p", (), 1, PermitKind.EMPLOYEE, zone, shifts, from_ms, to_ms)


WORK = Shift((1, 2, 3, 4, 5), 9 * 60, 18 * 60)
NIGHT = Shift((5,), 22 * 60, 6 * 60)
ALL_DAY = Shift((6,), 0, 0)


@pytest.mark.parametrize(
    ("shifts", "begin", "end", "spans"),
    [
        # 2026-01-09 is a Friday
        ((),            "2026-01-09T08:00", "2026-01-09T20:00", [("2026-01-09T08:00", "2026-01-09T20:00")]),
        ((WORK,),       "2026-01-09T08:00", "2026-01-09T20:00", [("2026-01-09T09:00", "2026-01-09T18:00")]),
        ((WORK,),       "2026-01-09T10:00", "2026-01-09T11:00", [("2026-01-09T10:00", "2026-01-09T11:00")]),
        ((WORK,),       "2026-01-10T08:00", "2026-01-11T20:00", []),
        ((NIGHT,),      "2026-01-10T01:00", "2026-01-10T07:00", [("2026-01-10T01:00", "2026-01-10T06:00")]),
        ((NIGHT,),      "2026-01-11T01:00", "2026-01-11T07:00", []),
        ((ALL_DAY,),    "2026-01-09T12:00", "2026-01-12T00:00", [("2026-01-10T00:00", "2026-01-11T00:00")]),
        ((WORK, NIGHT), "2026-01-08T20:00", "2026-01-10T20:00", [("2026-01-09T09:00", "2026-01-09T18:00"),
                                                                 ("2026-01-09T22:00", "2026-01-10T06:00")]),
        ((NIGHT, ALL_DAY), "2026-01-09T00:00", "2026-01-12T00:00", [("2026-01-09T22:00", "2026-01-11T00:00")]),
    ],
)  # fmt: skip
def test_what_a_permit_covers(shifts: tuple[Shift, ...], begin: str, end: str, spans: list[tuple[str, str]]) -> None:
    assert covered(permit(*shifts), ms(begin), ms(end)) == tuple((ms(a), ms(b)) for a, b in spans)


def test_a_permit_begins_and_ends() -> None:
    assert covered(permit(from_ms=10, to_ms=20), 5, 15) == ((10, 15),)
    assert covered(permit(from_ms=10, to_ms=20), 15, 25) == ((15, 20),)
    assert covered(permit(from_ms=10, to_ms=20), 20, 25) == ()


def test_a_shift_keeps_its_local_hours_when_the_clock_jumps() -> None:
    berlin, night = "Europe/Berlin", Shift((7,), 0, 4 * 60)
    begin, end = ms("2026-03-28T12:00", berlin), ms("2026-03-29T12:00", berlin)
    ((from_ms, to_ms),) = covered(permit(night, zone=berlin), begin, end)
    assert (from_ms, to_ms - from_ms) == (ms("2026-03-29T00:00", berlin), 3 * HOUR_MS)


@pytest.mark.parametrize(
    ("spans", "taken", "left"),
    [
        (((0, 10),),         (),                 ((0, 10),)),
        (((0, 10),),         ((3, 5),),          ((0, 3), (5, 10))),
        (((0, 10),),         ((0, 10),),         ()),
        (((0, 10),),         ((-5, 2), (9, 20)), ((2, 9),)),
        (((0, 4), (6, 10)),  ((3, 7),),          ((0, 3), (7, 10))),
        (((0, 4),),          ((4, 8),),          ((0, 4),)),
    ],
)  # fmt: skip
def test_spans_without_others(
    spans: tuple[tuple[int, int], ...], taken: tuple[tuple[int, int], ...], left: tuple[tuple[int, int], ...]
) -> None:
    assert without(spans, taken) == left


@pytest.mark.parametrize(
    ("spans", "length_ms", "left"),
    [
        (((0, 10),),        0,  ((0, 10),)),
        (((0, 10),),        4,  ((0, 6),)),
        (((0, 10),),        10, ()),
        (((0, 10),),        99, ()),
        (((0, 4), (6, 10)), 4,  ((0, 4),)),
        (((0, 4), (6, 10)), 5,  ((0, 3),)),
    ],
)  # fmt: skip
def test_spans_shortened_at_their_end(
    spans: tuple[tuple[int, int], ...], length_ms: int, left: tuple[tuple[int, int], ...]
) -> None:
    assert shortened(spans, length_ms) == left
