"""Lot time for the demo: real time times one factor, the same in every process that was given the same base.

Owns the conversion and nothing else. Only the demo makes one; the product has no such switch. Rules: lot time and node ticks
scale, bus time-outs and budgets read the real clock; the base is data, so a killed gateway goes on in the same lot time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

M = TypeVar("M")

BOOT = "demo-boot"
"""One boot for all processes: the machine's monotonic clock is the same in each."""


def real_ms() -> int:
    """The machine's monotonic clock in ms."""
    return time.monotonic_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Base:
    """Real monotonic ms at which lot time was `wall_ms` (UTC), and lot milliseconds per real one."""

    real_ms: int
    wall_ms: int
    scale: int

    def stamp_ms(self, at_real_ms: int) -> int:
        """Lot time since the base."""
        return (at_real_ms - self.real_ms) * self.scale

    def real_delay_ms(self, stamp_ms: int, at_real_ms: int) -> int:
        """Real ms from `at_real_ms` until lot time reaches `stamp_ms`, rounded up; 0 if it has passed."""
        return max(0, -(-(stamp_ms - self.stamp_ms(at_real_ms)) // self.scale))

    def text(self) -> str:
        """For a command line; `from_text` reads it."""
        return f"{self.real_ms}:{self.wall_ms}:{self.scale}"

    @classmethod
    def from_text(cls, text: str) -> Base:
        """The base that `text` came from. ValueError if it is none."""
        real, wall, scale = (int(part) for part in text.split(":"))
        return cls(real, wall, scale)


class ScaledClock(Generic[M]):
    """Stands in for the gateway's clock. `moment(boot, mono_ms, wall_ms)` builds the gateway's own type."""

    def __init__(self, base: Base, moment: Callable[[str, int, int], M]) -> None:
        self._base = base
        self._moment = moment

    def now_ms(self) -> int:
        """Real monotonic ms."""
        return real_ms()

    def moment(self) -> M:
        """The lot's time now."""
        stamp_ms = self._base.stamp_ms(real_ms())
        return self._moment(BOOT, stamp_ms, self._base.wall_ms + stamp_ms)
