"""Lot time: one base, one factor, the same in every process."""

from __future__ import annotations

import pytest

from sim.clock import BOOT, Base, ScaledClock, real_ms


def test_lot_time_is_real_time_times_the_scale() -> None:
    base = Base(real_ms=1_000, wall_ms=5_000_000, scale=200)
    assert [base.stamp_ms(t) for t in (1_000, 1_001, 2_000)] == [0, 200, 200_000]


@pytest.mark.parametrize(("stamp_ms", "delay_ms"), [(0, 0), (-5, 0), (1, 1), (200, 1), (201, 2), (2_000, 10)])
def test_the_real_delay_is_rounded_up(stamp_ms: int, delay_ms: int) -> None:
    assert Base(real_ms=1_000, wall_ms=0, scale=200).real_delay_ms(stamp_ms, 1_000) == delay_ms


def test_a_base_goes_over_a_command_line() -> None:
    base = Base(real_ms=123, wall_ms=456, scale=7)
    assert Base.from_text(base.text()) == base


def test_both_clocks_go_on_together_after_a_restart() -> None:
    base = Base(real_ms=real_ms() - 10, wall_ms=1_000_000, scale=1_000)
    first = ScaledClock(base, lambda boot, mono, wall: (boot, mono, wall)).moment()
    second = ScaledClock(Base.from_text(base.text()), lambda boot, mono, wall: (boot, mono, wall)).moment()
    assert first[0] == second[0] == BOOT
    assert 10_000 <= first[1] <= second[1]
    assert first[2] - first[1] == second[2] - second[1] == 1_000_000
