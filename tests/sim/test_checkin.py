"""One check-in over desk, broker, city and gateway, each a process of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sim.checkin import LIMIT_S, line


def test_a_check_in_is_in_force_before_the_guest_has_the_key(tmp_path: Path) -> None:
    async def measure() -> float:
        async with line(tmp_path) as checkins:
            return await asyncio.to_thread(checkins.measure)

    assert asyncio.run(measure()) < LIMIT_S * 1000
