"""A month of a large lot under faults, every invariant checked: python -m tests.month --seed 1.

1,300 bays, 10,000 visits a day, 30 days; the gateway is killed, loses power, finds its disk full, its clock and link fail, its
city lies. A line is printed for each day of the lot, with lot-days per minute. Exit 1 if an invariant does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

from tests.month.house import MONTHLY, FaultyHouse
from tests.week.verdict import Finding
from tests.week.week import DAY_MS, Week, priced

SHOWN_S = 1.0


class Log:
    """One line a day; on a terminal also how far the day is."""

    def __init__(self, days: int) -> None:
        self.begun_s = time.monotonic()
        self.day = 0
        self._days = days
        self._next_s = 0.0
        self.house: FaultyHouse | None = None

    def show(self, done: int, total: int, lot_ms: int) -> None:
        """Told of every step."""
        now_s = time.monotonic()
        if sys.stderr.isatty() and now_s >= self._next_s:
            self._next_s = now_s + SHOWN_S
            print(f"\r\x1b[2Kday {lot_ms / DAY_MS:.2f} of {self._days}, {done}/{total} cars", end="", file=sys.stderr)
        if lot_ms // DAY_MS > self.day:
            self.day = lot_ms // DAY_MS
            print(f"day {self.day}: {done} cars, {self.happened(lot_ms)}", flush=True)

    def happened(self, lot_ms: int) -> str:
        """What the gateway went through."""
        assert self.house is not None
        life, spent_s = self.house.life, time.monotonic() - self.begun_s
        rate = lot_ms / DAY_MS / max(spent_s, 0.001) * 60
        return (
            f"{self.house.audit().facts.n} records, {life.kills} kills, {life.power_cuts} power cuts, {life.failures} failed "
            f"steps, {life.ran_open} times open, {self.house.machine.steps} clock steps, {self.house.liar.told} lies; "
            f"{self.house.audit().runs} checks hold; {rate:.2f} lot-days per minute"
        )


def main(argv: list[str] | None = None) -> int:
    """Exit 0 if every invariant held and nobody was charged twice or wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.month", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="a run is its seed and its size (default 1)")
    parser.add_argument("--days", type=int, default=30, help="days in which vehicles come (default 30)")
    parser.add_argument("--bays", type=int, default=1300, help="bays of the lot (default 1300)")
    parser.add_argument("--cars-per-day", type=int, default=10_000, help="visits a day (default 10000)")
    parser.add_argument(
        "--misreads", action="store_true", help="readers err as in the week; what comes of it is counted"
    )
    parser.add_argument("--json", action="store_true", help="print the end as JSON")
    options = parser.parse_args(argv)
    log = Log(options.days)
    with tempfile.TemporaryDirectory(prefix="lotgate-month-") as folder:
        week = Week(
            options.seed,
            Path(folder),
            days=options.days,
            bays=options.bays,
            cars_per_day=options.cars_per_day,
            clear=not options.misreads,
            build=partial(FaultyHouse, faults=MONTHLY, price=priced),
        )
        house = week.house
        assert isinstance(house, FaultyHouse)
        log.house = house
        house.opens, house.longest_ms = week.street.open_unanswered, lambda: week.street.exit_longest_ms
        try:
            found = week.run(log.show)
            house.audit().hour()
        except AssertionError as error:
            print(f"FAILED at lot day {house.now_ms / DAY_MS:.3f}: {error}", file=sys.stderr)
            again = f"--seed {options.seed} --days {options.days} --bays {options.bays}"
            print(f"again: python -m tests.month {again} --cars-per-day {options.cars_per_day}", file=sys.stderr)
            return 1
        end = ended(found, log, week)
        house.audit().facts.close()
    print(json.dumps(end, ensure_ascii=False) if options.json else text(end))
    return 1 if found.forbidden and not options.misreads else 0


def ended(found: Finding, log: Log, week: Week) -> dict[str, object]:
    """The summary."""
    return {
        "seconds": round(time.monotonic() - log.begun_s),
        "cpu_seconds": round(time.process_time()),
        "lot_days": round(week.house.now_ms / DAY_MS, 1),
        "happened": log.happened(week.house.now_ms),
        "stays": found.stays,
        "classes": dict(found.classes),
        "forbidden": found.forbidden,
        "queue": dict(Counter(found.queue)),
        "shown": found.shown,
    }


def text(end: dict[str, object]) -> str:
    """The same for people."""
    return "\n".join(f"{name}: {value}" for name, value in end.items())


if __name__ == "__main__":
    sys.exit(main())
