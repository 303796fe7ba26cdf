"""One reading of the gateway's clocks, passed down as an argument.

Owns the pair of times that every event and record carries and the rule that turns two of them into a stay: within one
boot of the machine the monotonic clock decides, across boots the wall clock. Knows no clock: `shell/clock` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

CLOCK_STEP_MS = 5_000
"""More than a clock that is being set straight drifts from one hourly record to the next (500 in a million)."""


class ClockQuality(StrEnum):
    """How far the wall clock can be believed (after OCMF's clock status)."""

    SYNCHRONISED = "S"
    INFORMATIVE = "I"
    UNKNOWN = "U"


@dataclass(frozen=True, slots=True)
class Moment:
    """A reading of both clocks: monotonic ms of one boot, and UTC wall ms with its quality."""

    boot: str
    mono_ms: int
    wall_ms: int
    quality: ClockQuality

    def earlier(self, age_ms: int) -> Moment:
        """The moment `age_ms` before this one, by the same clocks."""
        return replace(self, mono_ms=self.mono_ms - age_ms, wall_ms=self.wall_ms - age_ms)


def elapsed_ms(begin: Moment, end: Moment) -> int:
    """Milliseconds from begin to end, never negative: monotonic within a boot, wall clock across boots."""
    if begin.boot == end.boot:
        return max(0, end.mono_ms - begin.mono_ms)
    return max(0, end.wall_ms - begin.wall_ms)


def step_ms(before: Moment, now: Moment) -> int:
    """By how much the wall clock was put ahead (negative: back) since `before`; 0 while it only ran.

    Within a boot the monotonic clock says what it should show, give or take CLOCK_STEP_MS; across boots it must not go back.
    """
    moved_ms = now.wall_ms - before.wall_ms
    if before.boot != now.boot:
        return min(0, moved_ms)
    off_ms = moved_ms - (now.mono_ms - before.mono_ms)
    return off_ms if moved_ms < 0 or abs(off_ms) >= CLOCK_STEP_MS else 0


def is_measurable(begin: Moment, end: Moment) -> bool:
    """Whether the time between two moments is known: within one boot always, across boots only by two clocks that were set."""
    return begin.boot == end.boot or ClockQuality.UNKNOWN not in (begin.quality, end.quality)


def ends_before(begin: Moment, end: Moment) -> bool:
    """Whether an end comes before its beginning: then one of the two is not known, or they are not of one stay."""
    if begin.boot == end.boot:
        return end.mono_ms < begin.mono_ms
    return end.wall_ms < begin.wall_ms


def stay_ms(entered: Moment, exited: Moment) -> tuple[int, int]:
    """UTC ms of a stay's begin and end, as it is priced: the length by `elapsed_ms`, hung on the better of both wall clocks.

    The exit's wall clock is preferred unless only the entry's was synchronised, so that a clock that was wrong at entry
    and set since shifts the stay but never stretches it. Only for a stay that `is_measurable`.
    """
    length_ms = elapsed_ms(entered, exited)
    entry_is_better = entered.quality is ClockQuality.SYNCHRONISED and exited.quality is not ClockQuality.SYNCHRONISED
    begin_ms = entered.wall_ms if entry_is_better else exited.wall_ms - length_ms
    return begin_ms, begin_ms + length_ms
