"""Every disk state that a power cut may leave: python -m tests.crash_states --states 9000 --seed 1.

A real history of the engine over real SQLite runs under strace; its recorded calls are turned into states of the disk, and
each is opened by the real journal. synchronous=FULL must keep every promise in each; NORMAL, the control, must lose some.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.crash_disk import record, states
from tests.crash_history import in_the_small, script
from tests.crash_judge import Judge, Verdict
from tests.progress import Progress

MEMORY = Path("/dev/shm")
"""Where states are opened if there is such a place: no sync of theirs needs a disk."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Verdicts over the states, the first bad one in words, and how much was recorded."""

    verdicts: Counter[Verdict]
    first_bad: str
    calls: int
    promises: int

    @property
    def states(self) -> int:
        """States judged."""
        return self.verdicts.total()

    @property
    def bad(self) -> int:
        """States in which something promised did not hold."""
        return self.states - self.verdicts[Verdict.KEPT]


def explore(synchronous: str, wanted: int, seed: int, *, shown: bool = False) -> Outcome:
    """Record one history and judge up to `wanted` of its states."""
    deeds = script()
    with in_the_small(), tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as temporary:
        folder = Path(temporary)
        (folder / "recorded").mkdir()
        command = [sys.executable, "-m", "tests.crash_history", str(folder / "recorded"), "--synchronous", synchronous]
        calls = record(command, folder / "recorded", folder / "calls.log")
        judge = Judge(folder, deeds)
        promises = sum(call.kind == "promise" for call in calls)
        assert promises == len(judge.marks), (promises, len(judge.marks))
        verdicts: Counter[Verdict] = Counter()
        first_bad = ""
        with Progress(f"power cuts, {synchronous}", wanted, shown=shown) as progress:
            for state in states(calls, wanted, seed):
                verdict = judge.judge(state.files, state.promised)
                verdicts[verdict] += 1
                if verdict is not Verdict.KEPT and not first_bad:
                    first_bad = f"{verdict}: {state.choice} of the unsynced kept, cut after call {state.after_call}"
                progress.step()
    return Outcome(verdicts, first_bad, len(calls), promises)


def main(argv: list[str] | None = None) -> int:
    """Exit 0 if FULL kept everything and NORMAL did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_states", description=__doc__)
    parser.add_argument("--states", type=int, default=9000, help="states to judge under FULL (default 9000)")
    parser.add_argument("--control", type=int, default=1000, help="states to judge under NORMAL (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="draws the states (default 1)")
    options = parser.parse_args(argv)
    begun_s = time.monotonic()
    full = explore("FULL", options.states, options.seed, shown=True)
    control = explore("NORMAL", options.control, options.seed, shown=True)
    for name, found in (("FULL", full), ("NORMAL", control)):
        told = ", ".join(f"{found.verdicts[verdict]} {verdict}" for verdict in Verdict if found.verdicts[verdict])
        print(f"{name:<7} {found.states} states of {found.calls} calls and {found.promises} promises: {told}")
        if found.first_bad:
            print(f"        first: {found.first_bad}")
    print(f"seed {options.seed}, {time.monotonic() - begun_s:.0f} s")
    if full.bad or full.states < options.states or not control.bad:
        print("FAILED: FULL must keep everything in as many states as were asked for, and NORMAL must not")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
