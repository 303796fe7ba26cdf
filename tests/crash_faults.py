"""A disk that answers with an error: python -m tests.crash_faults --points 120 --seed 1.

The history runs under strace, which lets the k-th write or sync on the ledger's files fail with EIO or ENOSPC. The engine must
say so and stop (no error may be swallowed, not even of a checkpoint), and the next start must find every promise kept, whether
the step that failed is on the disk or not: a COMMIT that raised is ambiguous. Owns the points and what must hold at each.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.crash_history import in_the_small, script
from tests.crash_judge import Judge, Verdict
from tests.crash_states import MEMORY
from tests.progress import Progress
from tests.strace import strace_program

CALLS = {"pwrite64": 1373, "fdatasync": 104, "ftruncate": 8}
"""Call -> how many of them the history makes at most."""
ERRORS = ("EIO", "ENOSPC")


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one fault. `hit`: it took place; `stopped`: the history ended with the error; `after`: the next start."""

    hit: bool
    stopped: bool
    after: Verdict
    reserve: bool

    @property
    def bad(self) -> bool:
        """The error was swallowed, or a promise was not kept."""
        return self.after is not Verdict.KEPT or self.hit is not self.stopped


LEDGER = ("", "-wal", "-journal")
"""Ends of the names of the ledger's files."""


def fault(judge: Judge, folder: Path, call: str, error: str, k: int, ends: tuple[str, ...] = LEDGER) -> Found:
    """Let the k-th call fail in a new history in `folder`, and start again."""
    ledger = folder / "ledger"
    ledger.mkdir(parents=True)
    files = [word for end in ends for word in ("-P", f"{ledger / 'ledger.db'}{end}")]
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={k}"]
    history = [sys.executable, "-m", "tests.crash_history", str(ledger)]
    command = [strace_program(), "-qq", "-E", "LD_LIBRARY_PATH", "-o", str(folder / "log"), *inject, *files, *history]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    hit = "(INJECTED)" in (folder / "log").read_text(encoding="utf-8")
    reserve = (ledger / "reserve").exists()
    verdict = judge.judge_folder(ledger, len(done.stdout.splitlines()))
    return Found(hit, done.returncode == 1 and "sqlite3." in done.stderr, verdict, reserve)


def points(dice: random.Random) -> Iterator[tuple[str, str, int]]:
    """Calls, errors and counts for ever, the calls in turn."""
    while True:
        for call, most in CALLS.items():
            yield call, dice.choice(ERRORS), dice.randint(1, most)


def main(argv: list[str] | None = None) -> int:
    """Exit 0 if no error was swallowed and every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_faults", description=__doc__)
    parser.add_argument("--points", type=int, default=120, help="faults, one a history (default 120)")
    parser.add_argument("--seed", type=int, default=1, help="draws them (default 1)")
    options = parser.parse_args(argv)
    begun_s = time.monotonic()
    told: Counter[str] = Counter()
    wrong = []
    with in_the_small(), tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as temporary:
        judge = Judge(Path(temporary), script())
        where = points(random.Random(options.seed))
        with Progress("faults", options.points) as progress:
            for number in range(options.points):
                call, error, k = next(where)
                found = fault(judge, Path(temporary) / f"fault-{number}", call, error, k)
                told[f"{call} {error}" if found.hit else "past the end"] += 1
                if found.bad:
                    wrong.append(f"{call} {error} at {k}: {found}")
                progress.step()
    print(f"{options.points} faults: " + ", ".join(f"{count} {what}" for what, count in sorted(told.items())))
    print(f"seed {options.seed}, {time.monotonic() - begun_s:.0f} s")
    for line in wrong:
        print(f"FAILED: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
