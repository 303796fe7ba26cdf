"""The machine's clocks: the same that the kernel shows elsewhere, never backwards, and honest about their quality."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

from gateway.core.moment import ClockQuality
from gateway.shell.clock import RELEASED_MS, TIME_ERROR, SystemClock


def test_monotonic_is_the_time_since_the_boot_with_suspend() -> None:
    before_ms = int(Path("/proc/uptime").read_text(encoding="ascii").split()[0].replace(".", "")) * 10
    now_ms = SystemClock().now_ms()
    assert before_ms <= now_ms <= time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def test_both_clocks_of_a_moment_are_read_together() -> None:
    clock = SystemClock()
    lower = clock.now_ms(), time.time_ns() // 1_000_000
    moment = clock.moment()
    upper = clock.now_ms(), time.time_ns() // 1_000_000
    assert lower[0] <= moment.mono_ms <= upper[0]
    assert lower[1] <= moment.wall_ms <= upper[1]


def test_moments_never_go_back_and_share_the_boot() -> None:
    clock = SystemClock()
    moments = [clock.moment() for _ in range(1000)]
    assert moments == sorted(moments, key=lambda moment: moment.mono_ms)
    assert {moment.boot for moment in moments} == {SystemClock().moment().boot}
    assert Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii") == f"{moments[0].boot}\n"


def test_quality_is_what_the_kernel_says() -> None:
    # adjtimex answers the same question through another door; modes 0 changes nothing.
    answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    said = ClockQuality.INFORMATIVE if answer in (TIME_ERROR, -1) else ClockQuality.SYNCHRONISED
    assert SystemClock().moment().quality is said


def test_a_wall_clock_of_before_the_release_is_not_believed() -> None:
    clock = SystemClock()
    assert clock._judge(RELEASED_MS - 1) is ClockQuality.UNKNOWN
    assert clock._judge(RELEASED_MS) in (ClockQuality.SYNCHRONISED, ClockQuality.INFORMATIVE)
