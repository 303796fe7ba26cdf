"""The gateway's computer in the world: its boots and its clocks, which drift, step and are lost.

Owns the two clocks that the gateway reads. Rules: the monotonic clock of a boot only runs; the wall clock claims to be
synchronised only while it is within DRIFT_MAX_MS of the truth; one that was put wrong or forgot the time says that it is
unknown. Knows no gateway.
"""

from __future__ import annotations

import random

from gateway.core.moment import ClockQuality, Moment

DRIFT_MAX_MS = 2_000
"""Less than what the gateway calls a step, and than what drivers keep to a price step."""
STEP_MS = (10 * 60_000, 30 * 3_600_000)
LOST_MS = -40 * 86_400_000
"""A clock without a battery begins at some time long past."""


class Machine:
    """Clocks over lot time. `base_ms`: UTC ms of stamp 0; `name`: prefix of the boots' ids."""

    def __init__(self, dice: random.Random, base_ms: int, *, drift_ppm: int = 0) -> None:
        self._dice = dice
        self._base_ms = base_ms
        self._drift_ppm = drift_ppm
        self._set_ms = 0
        self._wrong_ms = 0
        self._booted_ms = 0
        self.boots = 1
        self.steps = 0

    @property
    def known(self) -> bool:
        """Whether the wall clock is right."""
        return self._wrong_ms == 0

    def moment(self, stamp_ms: int) -> Moment:
        """Both clocks at this lot time."""
        drift_ms = (stamp_ms - self._set_ms) * self._drift_ppm // 1_000_000
        drift_ms = max(-DRIFT_MAX_MS, min(DRIFT_MAX_MS, drift_ms))
        quality = ClockQuality.SYNCHRONISED if self.known else ClockQuality.UNKNOWN
        wall_ms = self._base_ms + stamp_ms + drift_ms + self._wrong_ms
        return Moment(f"boot-{self.boots}", stamp_ms - self._booted_ms, wall_ms, quality)

    def reboot(self, stamp_ms: int, *, forgets: bool) -> None:
        """The power was away; `forgets`: so long, or with so bad a battery, that the time is lost."""
        self.boots += 1
        self._booted_ms = stamp_ms
        if forgets:
            self._wrong_ms = LOST_MS

    def step(self) -> None:
        """Somebody puts the clock ahead or back, by minutes to more than a day."""
        self._wrong_ms = self._dice.choice((-1, 1)) * self._dice.randrange(*STEP_MS)
        self.steps += 1

    def set_right(self, stamp_ms: int) -> None:
        """The network says what time it is."""
        self._wrong_ms, self._set_ms = 0, stamp_ms
