"""Explores new seeds of the checked world for a fixed time: python -m tests.soak_world --seconds 600 --seed 1.

Every run is a small busy lot under all faults at once, with all invariants checked after each step. The first seed that fails
is printed with the one command that repeats it, and joins seeds/worlds.txt, which the tests run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.checked_world import BAYS, CARS, CheckedWorld

KEPT = Path(__file__).resolve().parent.parent / "seeds" / "worlds.txt"
DAY_MS = 86_400_000
BAR_COLUMNS = 30
FAULTS = ("kills", "power_cuts", "failures", "ran_open", "clock_steps", "node_restarts")


@dataclass(slots=True)
class Tally:
    """What all seeds so far came to."""

    first: int
    seeds: int = 0
    lot_ms: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, world: CheckedWorld) -> None:
        """Run one world to its verdict; AssertionError if anything does not hold."""
        result = world.run()
        self.counts["in review"] += world.verdict()
        self.counts.update({name: getattr(result, name) for name in FAULTS})
        self.counts.update({"cars": result.balance.cars, "records": result.records, "checks": world.checks})
        self.counts.update({"lies": world.liar.told, "commands": len(world.commander.said)})
        self.seeds += 1
        self.lot_ms += world.stamp_ms

    def as_json(self, spent_s: float) -> dict[str, object]:
        """The summary for --json."""
        days = self.lot_ms / DAY_MS
        return {
            "first": self.first,
            "last": self.first + self.seeds - 1,
            "seeds": self.seeds,
            "seconds": round(spent_s, 1),
            "lot_days": round(days, 2),
            "lot_days_per_minute": round(days / max(spent_s, 0.001) * 60, 2),
            **self.counts,
        }

    def text(self, spent_s: float) -> str:
        """The summary for people."""
        found = self.as_json(spent_s)
        head = f"seeds {found.pop('first')}..{found.pop('last')} hold: {found.pop('seeds')} in {found.pop('seconds')} s"
        rate = f"{found.pop('lot_days')} days of the lot, {found.pop('lot_days_per_minute')} lot-days per minute"
        rest = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.items())
        return f"{head}\n{rate}\n{rest}"


def run_seed(seed: int, tally: Tally) -> None:
    """One world in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="lotgate-world-") as folder:
        world = CheckedWorld(seed, Path(folder))
        try:
            tally.add(world)
        finally:
            world.close()


def kept_seeds() -> list[int]:
    """The seeds in seeds/worlds.txt."""
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    return [int(line.partition(":")[0]) for line in lines if line and not line.startswith("#")]


def keep(seed: int, told: str) -> None:
    """Add a seed that failed."""
    if seed not in kept_seeds():
        with KEPT.open("a", encoding="utf-8") as file:
            file.write(f"{seed}: {told.splitlines()[0]:.100}\n")


def progress(spent_s: float, seconds: int, tally: Tally) -> None:
    """A bar on standard error, for a terminal."""
    if sys.stderr.isatty():
        filled = min(BAR_COLUMNS, int(BAR_COLUMNS * spent_s / max(1, seconds)))
        bar = f"[{'#' * filled}{'.' * (BAR_COLUMNS - filled)}]"
        print(f"\r\x1b[2K{bar} {spent_s:.0f}/{seconds} s, {tally.seeds} seeds", end="", file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Exit 0 if every seed held, 1 with the seed that did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak_world", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="time to spend (default 60)")
    # New seeds each time; which ones stands in the summary.
    parser.add_argument("--seed", type=int, default=int(time.time()), help="first seed (default: the time in seconds)")
    parser.add_argument("--seeds", type=int, default=0, help="stop after so many seeds (default: only by time)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    options = parser.parse_args(argv)
    begun_s = time.monotonic()
    tally, failed = Tally(options.seed), 0
    while time.monotonic() - begun_s < options.seconds and not 0 < options.seeds <= tally.seeds:
        seed = options.seed + tally.seeds
        try:
            run_seed(seed, tally)
        except (AssertionError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            failed = seed
            keep(seed, str(error) or repr(error))
            print(
                f"\nseed {seed} fails: {str(error) or repr(error)}\nagain: python -m tests.soak_world --seed {seed} --seeds 1",
                file=sys.stderr,
            )
            break
        progress(time.monotonic() - begun_s, options.seconds, tally)
    spent_s = time.monotonic() - begun_s
    if sys.stderr.isatty():
        print("\r\x1b[2K", end="", file=sys.stderr)
    if options.json:
        print(json.dumps(tally.as_json(spent_s) | {"failed": failed}))
    elif tally.seeds:
        print(f"a lot of {BAYS} bays and {CARS} cars a seed, all faults at once\n{tally.text(spent_s)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
