"""How long a hotel's check-in takes until the guest's parking is in force at the gateway: python -m bench.checkin -n 200.

From the desk's signed message over the broker to the city, as a numbered line to the gateway, into its ledger, and its signed
record back at the city, which then tells the desk. One process each for broker, city and gateway, at 1:1 time.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from sim.checkin import line


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.checkin", description="Measure check-ins.")
    parser.add_argument("-n", type=int, default=200, help="check-ins to measure (default 200)")

    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lotgate-checkin-") as folder:
        took_ms = sorted(asyncio.run(_measure(asked.n, Path(folder))))
    print(f"{len(took_ms)} check-ins over the embedded broker, ms until in force at the gateway:")
    print(f"p50 {_share(took_ms, 50):.1f}   p99 {_share(took_ms, 99):.1f}   max {took_ms[-1]:.1f}")
    return 0


async def _measure(count: int, folder: Path) -> list[float]:
    async with line(folder) as checkins:
        # The first one also waits until city and gateway have met.
        await asyncio.to_thread(checkins.measure)
        return [await asyncio.to_thread(checkins.measure) for _ in range(count)]


def _share(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


if __name__ == "__main__":
    sys.exit(main())
