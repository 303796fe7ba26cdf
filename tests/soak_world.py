"""Explores new seeds of the whole system for a fixed time: python -m tests.soak_world --seconds 600 --seed 1.

Every run is a storm of all faults at once; the first seed that fails is printed with the one command that repeats it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.test_world import check
from tests.world import STORMY, World


def main(argv: list[str] | None = None) -> int:
    """Exit 0 if every seed held, 1 with the seed that did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak_world", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="time to spend (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="first seed; the others follow (default 1)")
    parser.add_argument("--cars", type=int, default=150, help="cars a seed (default 150)")
    parser.add_argument("--seeds", type=int, default=0, help="stop after so many seeds (default: only by time)")
    options = parser.parse_args(argv)
    begun_s = time.monotonic()
    seed, cars, kills, lot_ms = options.seed, 0, 0, 0
    while time.monotonic() - begun_s < options.seconds and not 0 < options.seeds <= seed - options.seed:
        with tempfile.TemporaryDirectory() as folder:
            world = World(seed, Path(folder), cars=options.cars, faults=STORMY)
            try:
                result = world.run()
                check(result, options.cars)
            except AssertionError as error:
                print(f"\nseed {seed} fails: {error}")
                print(f"again: python -m tests.soak_world --seed {seed} --seeds 1 --cars {options.cars}")
                return 1
        seed, cars, kills, lot_ms = seed + 1, cars + options.cars, kills + result.kills, lot_ms + world.stamp_ms
        spent_s = time.monotonic() - begun_s
        if sys.stderr.isatty():
            print(f"\r{spent_s:5.0f} of {options.seconds} s, seeds up to {seed - 1}", end="", file=sys.stderr)
    spent_s = time.monotonic() - begun_s
    print(
        f"{seed - options.seed} seeds from {options.seed} on: {cars} cars, {kills} kills, each billed once and rightly; "
        f"{lot_ms / 86_400_000:.1f} days of the lot in {spent_s:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
