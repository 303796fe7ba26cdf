"""A progress bar on a terminal, and nothing where output goes to a file."""

from __future__ import annotations

import sys
import time

COLUMNS = 40
EVERY_S = 0.2


class Progress:
    """`with Progress("cuts", 100, shown=True) as progress: ... progress.step()`."""

    def __init__(self, what: str, total: int, *, shown: bool = True) -> None:
        self._what = what
        self._total = total
        self._shown = shown and sys.stderr.isatty()
        self._done = 0
        self._drawn_s = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)

    def step(self, count: int = 1) -> None:
        """So many more are done."""
        self._done += count
        if not self._shown or (time.monotonic() - self._drawn_s < EVERY_S and self._done < self._total):
            return
        self._drawn_s = time.monotonic()
        filled = min(COLUMNS, COLUMNS * self._done // self._total)
        bar = "#" * filled + "." * (COLUMNS - filled)
        print(f"\r{self._what} [{bar}] {self._done}/{self._total}", end="", file=sys.stderr, flush=True)
