"""The only reader of the machine's clocks.

Owns the boot id, the monotonic clock that goes on through suspend, and how good the wall clock is: the kernel's own word on
synchronisation decides, and a time before this release was made can't be right. Refuses to know what the times are for.
"""

from __future__ import annotations

import ctypes
import time
from pathlib import Path
from typing import Protocol

from gateway.core.moment import ClockQuality, Moment

RELEASED_MS = 1_790_000_000_000
"""2026-09-21 UTC: no wall clock of a box with this software can honestly be earlier."""

TIME_ERROR = 5
"""What ntp_gettime answers while the kernel's clock is not synchronised (ntp_gettime(3))."""

NTPTIMEVAL_BYTES = 128
"""Room for the C library's struct ntptimeval, whose size differs between machines; only the return value is used."""

QUALITY_KEPT_MS = 1000
"""How long one answer of the kernel is used; synchronisation doesn't come and go faster."""


class Clock(Protocol):
    """What the gateway needs of a clock: real monotonic ms for budgets, and a moment for what is written down."""

    def now_ms(self) -> int:
        """Monotonic milliseconds."""

    def moment(self) -> Moment:
        """Both clocks."""


class SystemClock:
    """The clocks of this machine."""

    def __init__(self) -> None:
        self._boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        self._libc = ctypes.CDLL(None)
        self._quality = ClockQuality.UNKNOWN
        self._quality_until_ms = 0

    def now_ms(self) -> int:
        """Monotonic milliseconds, for time-outs and budgets."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def now_us(self) -> int:
        """Monotonic microseconds, for measuring."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000

    def moment(self) -> Moment:
        """Both clocks, for what is written down."""
        mono_ms = self.now_ms()
        wall_ms = time.time_ns() // 1_000_000
        if mono_ms >= self._quality_until_ms:
            self._quality = self._judge(wall_ms)
            self._quality_until_ms = mono_ms + QUALITY_KEPT_MS
        return Moment(self._boot, mono_ms, wall_ms, self._quality)

    def _judge(self, wall_ms: int) -> ClockQuality:
        if wall_ms < RELEASED_MS:
            return ClockQuality.UNKNOWN
        state = self._libc.ntp_gettime(ctypes.create_string_buffer(NTPTIMEVAL_BYTES))
        return ClockQuality.INFORMATIVE if state in (TIME_ERROR, -1) else ClockQuality.SYNCHRONISED
