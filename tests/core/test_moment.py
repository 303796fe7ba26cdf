"""Durations and stays from two readings of the clocks."""

from __future__ import annotations

import pytest

from gateway.core.moment import CLOCK_STEP_MS, ClockQuality, Moment, elapsed_ms, is_measurable, stay_ms, step_ms

S, INFORMATIVE, U = ClockQuality.SYNCHRONISED, ClockQuality.INFORMATIVE, ClockQuality.UNKNOWN


def moment(boot: str, mono_ms: int, wall_ms: int, quality: ClockQuality = S) -> Moment:
    return Moment(boot, mono_ms, wall_ms, quality)


@pytest.mark.parametrize(
    ("begin", "end", "elapsed"),
    [
        # same boot: the monotonic clock decides, whatever the wall clock did
        (("a", 1000, 5000), ("a", 4000, 8000), 3000),
        (("a", 1000, 5000), ("a", 4000, 99_000), 3000),
        (("a", 1000, 5000), ("a", 4000, 1), 3000),
        (("a", 4000, 5000), ("a", 1000, 8000), 0),
        # another boot: the wall clock, never below nothing
        (("a", 900_000, 5000), ("b", 1000, 8000), 3000),
        (("a", 900_000, 5000), ("b", 1000, 4000), 0),
    ],
)
def test_elapsed(begin: tuple[str, int, int], end: tuple[str, int, int], elapsed: int) -> None:
    assert elapsed_ms(moment(*begin), moment(*end)) == elapsed


@pytest.mark.parametrize(
    ("entry_wall", "entry_quality", "exit_wall", "exit_quality", "stay"),
    [
        (10_000, S, 13_000, S, (10_000, 13_000)),
        (10_000, U, 93_000, S, (90_000, 93_000)),  # wrong at entry, set since: hung on the exit
        (10_000, S, 93_000, U, (10_000, 13_000)),  # right at entry, lost since: hung on the entry
        (10_000, U, 93_000, U, (90_000, 93_000)),
        (10_000, INFORMATIVE, 93_000, INFORMATIVE, (90_000, 93_000)),
    ],
)
def test_a_step_of_the_wall_clock_shifts_a_stay_and_never_stretches_it(
    entry_wall: int, entry_quality: ClockQuality, exit_wall: int, exit_quality: ClockQuality, stay: tuple[int, int]
) -> None:
    entered, exited = moment("a", 1000, entry_wall, entry_quality), moment("a", 4000, exit_wall, exit_quality)
    assert stay_ms(entered, exited) == stay


def test_earlier_moves_both_clocks() -> None:
    assert moment("a", 1000, 5000).earlier(300) == moment("a", 700, 4700)


@pytest.mark.parametrize(
    ("begin", "end", "known"),
    [
        (("a", U), ("a", U), True),
        (("a", S), ("b", S), True),
        (("a", INFORMATIVE), ("b", S), True),
        (("a", U), ("b", S), False),
        (("a", S), ("b", U), False),
    ],
)
def test_a_length_across_boots_needs_two_clocks_that_were_set(
    begin: tuple[str, ClockQuality], end: tuple[str, ClockQuality], known: bool
) -> None:
    assert is_measurable(moment(begin[0], 1, 1, begin[1]), moment(end[0], 2, 2, end[1])) is known


@pytest.mark.parametrize(
    ("before", "now", "step"),
    [
        # within a boot: what the monotonic clock says, give or take a drift; never back
        (("a", 1000, 50_000), ("a", 4000, 53_000),                  0),
        (("a", 1000, 50_000), ("a", 4000, 53_000 + CLOCK_STEP_MS - 1), 0),
        (("a", 1000, 50_000), ("a", 4000, 53_000 + CLOCK_STEP_MS),  CLOCK_STEP_MS),
        (("a", 1000, 50_000), ("a", 9000, 53_000),                  -5000),
        (("a", 1000, 50_000), ("a", 1001, 49_999),                  -2),
        # across boots the wall clock must only not go back
        (("a", 1000, 50_000), ("b", 10, 99_000),                    0),
        (("a", 1000, 50_000), ("b", 10, 49_000),                    -1000),
    ],
)  # fmt: skip
def test_a_step_of_the_wall_clock(before: tuple[str, int, int], now: tuple[str, int, int], step: int) -> None:
    assert step_ms(moment(*before), moment(*now)) == step
