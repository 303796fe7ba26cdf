"""What the demo shows while it runs: a panel on a terminal, now and then a line elsewhere.

Owns the wording and the pace. Rules: standard library and plain ANSI only; nothing here changes the course of anything; where
output goes to a file, a line at most once a second.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

PANEL_EVERY_MS = 250
LINE_EVERY_MS = 1_000
LINES_MAX = 120
"""Lines of a whole run in a file: a long run shows fewer of them."""
BAR_COLUMNS = 30
NOTES_MAX = 6


@dataclass(frozen=True, slots=True)
class View:
    """One look at the demo. Times in ms, `lot_time` as local text; money in minor units."""

    lot_time: str
    cars: int
    entered: int
    left: int
    outside: int
    billed_minor: int
    paid_minor: int
    records: int
    receipted: int
    broker_up: bool
    gateway_alive: bool
    unacknowledged: int

    @property
    def inside(self) -> int:
        """Cars in the lot."""
        return self.entered - self.left


class Display:
    """Shows views on a stream. `money` writes minor units; `expected_ms`: how long the run will take, about."""

    def __init__(self, stream: TextIO, money: Callable[[int], str], expected_ms: int) -> None:
        self._stream = stream
        self._money = money
        self._panel = stream.isatty()
        self._every_ms = PANEL_EVERY_MS if self._panel else max(LINE_EVERY_MS, expected_ms // LINES_MAX)
        self._due_ms = 0
        self._drawn_lines = 0
        self._notes: list[str] = []

    def show(self, view: View, now_ms: int) -> None:
        """Show the view if it is time for one."""
        if now_ms < self._due_ms:
            return
        self._due_ms = now_ms + self._every_ms
        if self._panel:
            self._repaint(self._panel_lines(view))
        else:
            self._print(line(view, self._money))

    def note(self, text: str) -> None:
        """Something that happened: stays in view."""
        if self._panel:
            self._notes = [*self._notes, text][-NOTES_MAX:]
        else:
            self._print(f"* {text}")

    def finish(self, text: str) -> None:
        """The last words, below everything."""
        self._drawn_lines = 0
        self._print(text)

    def _panel_lines(self, view: View) -> list[str]:
        money = self._money
        return [
            f"lotgate demo            lot time {view.lot_time}",
            f"  {bar(view.left, view.cars)}",
            f"  cars    in {view.entered:>5}   out {view.left:>5}   inside {view.inside:>5}   at the entry {view.outside:>3}",
            f"  money   billed {money(view.billed_minor):>14}   paid {money(view.paid_minor):>14}",
            f"  records signed {view.records:>6}   receipted {view.receipted:>6}   behind {view.records - view.receipted:>5}",
            f"  broker {_state(view.broker_up, 'up', 'AWAY')}   gateway {_state(view.gateway_alive, 'alive', 'KILLED')}"
            f"   events not acknowledged {view.unacknowledged}",
            *(f"  * {note}" for note in self._notes),
        ]

    def _repaint(self, lines: list[str]) -> None:
        columns = shutil.get_terminal_size().columns
        up = f"\x1b[{self._drawn_lines}F" if self._drawn_lines else ""
        body = "".join(f"\x1b[2K{text[: columns - 1]}\n" for text in lines)
        self._drawn_lines = len(lines)
        self._stream.write(f"{up}{body}\x1b[J")
        self._stream.flush()

    def _print(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


def bar(done: int, total: int) -> str:
    """A progress bar with its numbers."""
    filled = BAR_COLUMNS * done // total if total else BAR_COLUMNS
    return f"[{'#' * filled}{'.' * (BAR_COLUMNS - filled)}] {done}/{total} cars have left"


def line(view: View, money: Callable[[int], str]) -> str:
    """The view as one line."""
    return (
        f"{view.lot_time} {bar(view.left, view.cars)}, {view.inside} inside, billed {money(view.billed_minor)},"
        f" records {view.records}, receipted {view.receipted}, broker {_state(view.broker_up, 'up', 'AWAY')},"
        f" gateway {_state(view.gateway_alive, 'alive', 'KILLED')}"
    )


def _state(holds: bool, good: str, bad: str) -> str:
    return good if holds else bad
