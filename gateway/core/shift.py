"""Spans of time, and which of them a permit covers by the clock on the wall.

Owns the arithmetic of spans: UTC ms, begin included, end not, in order and apart. Rules: a shift belongs to the local day on
which it begins and may run past midnight; where the clock jumps, local times are read as the zone's data says. Knows no prices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.core.entitlement import Permit, Shift

Span = tuple[int, int]

DAY_MIN = 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def covered(permit: Permit, from_ms: int, to_ms: int) -> tuple[Span, ...]:
    """The parts of a span that the permit covers."""
    begin_ms, end_ms = max(from_ms, permit.from_ms), min(to_ms, permit.to_ms)
    if begin_ms >= end_ms:
        return ()
    if not permit.shifts:
        return ((begin_ms, end_ms),)
    found = (
        (max(begin_ms, start_ms), min(end_ms, stop_ms))
        for start_ms, stop_ms in _shift_spans(permit.shifts, ZoneInfo(permit.zone), begin_ms, end_ms)
    )
    return _joined(span for span in found if span[0] < span[1])


def without(spans: Sequence[Span], taken: Iterable[Span]) -> tuple[Span, ...]:
    """What is left of spans when others are taken out of them."""
    left = list(spans)
    for from_ms, to_ms in taken:
        left = [
            part
            for span in left
            for part in ((span[0], min(span[1], from_ms)), (max(span[0], to_ms), span[1]))
            if part[0] < part[1]
        ]
    return tuple(left)


def shortened(spans: Sequence[Span], length_ms: int) -> tuple[Span, ...]:
    """Spans without their last `length_ms` together."""
    left = list(spans)
    while left and length_ms > 0:
        from_ms, to_ms = left.pop()
        cut_ms = min(length_ms, to_ms - from_ms)
        length_ms -= cut_ms
        if from_ms < to_ms - cut_ms:
            left.append((from_ms, to_ms - cut_ms))
    return tuple(left)


def _shift_spans(shifts: Sequence[Shift], zone: ZoneInfo, from_ms: int, to_ms: int) -> Iterable[Span]:
    """The shifts as spans, of every local day that can touch the time asked for."""
    day = (_EPOCH + from_ms * _MILLISECOND).astimezone(zone).date() - timedelta(days=1)
    last = (_EPOCH + to_ms * _MILLISECOND).astimezone(zone).date()
    while day <= last:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        for shift in shifts:
            if day.isoweekday() in shift.days:
                end_min = shift.to_min if shift.to_min > shift.from_min else shift.to_min + DAY_MIN
                yield _utc_ms(midnight, shift.from_min), _utc_ms(midnight, end_min)
        day += timedelta(days=1)


def _utc_ms(midnight: datetime, minutes: int) -> int:
    # Adding to a local time moves the clock's hands, not the time that passes: 08:00 stays 08:00 on the day the hour changes.
    return (midnight + timedelta(minutes=minutes) - _EPOCH) // _MILLISECOND


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for from_ms, to_ms in sorted(spans):
        if joined and from_ms <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], to_ms))
        else:
            joined.append((from_ms, to_ms))
    return tuple(joined)
