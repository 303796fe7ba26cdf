"""The week of a large lot, judged stay by stay: python -m tests.week --seed 1.

A simulated week of a 1,300-bay lot with misread plates, tailgaters, turn-backs and a dead link of six hours. Printed: settled
rightly, sent to review, written off, and whether anybody was debited for somebody else's stay. Exit 1 if a limit is broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.week.report import Report
from tests.week.street import BUSY, HABITS
from tests.week.traffic import DAY_MS
from tests.week.week import Week

BAR_COLUMNS = 30
EVERY_S = 0.5


class Progress:
    """A bar on standard error, twice a second, for a terminal."""

    def __init__(self) -> None:
        self.begun_s = time.monotonic()
        self._next_s = 0.0

    def show(self, done: int, total: int, lot_ms: int) -> None:
        """How many of the visits are over."""
        now_s = time.monotonic()
        if now_s < self._next_s or not sys.stderr.isatty():
            return
        self._next_s = now_s + EVERY_S
        filled = BAR_COLUMNS * done // total
        rate = done / max(EVERY_S, now_s - self.begun_s)
        bar = f"[{'#' * filled}{'.' * (BAR_COLUMNS - filled)}]"
        print(
            f"\r\x1b[2Kday {lot_ms // DAY_MS + 1} {bar} {done}/{total}, {rate:.0f} cars/s",
            end="",
            file=sys.stderr,
            flush=True,
        )

    def wipe(self) -> None:
        """Take the bar away."""
        if sys.stderr.isatty():
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Exit 0 if nobody was charged wrongly and the limits hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.week", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="a run is its seed and its size (default 1)")
    parser.add_argument("--days", type=int, default=7, help="days in which vehicles come (default 7)")
    parser.add_argument("--bays", type=int, default=1300, help="bays of the lot (default 1300)")
    parser.add_argument("--cars-per-day", type=int, default=5200, help="visits a day (default 5200, four a bay)")
    parser.add_argument(
        "--sure", action="store_true", help="readers as sure of their errors as of the rest: the worst case"
    )
    parser.add_argument(
        "--busy", action="store_true", help="drivers and readers do odd things about ten times as often"
    )
    parser.add_argument(
        "--plant", choices=["swap"], help="two plates change places at the exit: must end with exit code 1"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(argv)
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="lotgate-week-") as folder:
        week = Week(
            options.seed,
            Path(folder),
            days=options.days,
            bays=options.bays,
            cars_per_day=options.cars_per_day,
            sure=options.sure,
            swap=options.plant == "swap",
            habits=BUSY if options.busy else HABITS,
        )
        found = week.run(progress.show)
        spent_s = time.monotonic() - progress.begun_s
        report = Report(options.seed, week, found, week.ledger(), spent_s, time.process_time())
    progress.wipe()
    failures = report.failures()
    print(json.dumps(report.as_json(), ensure_ascii=False, indent=1) if options.json else report.text())
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
