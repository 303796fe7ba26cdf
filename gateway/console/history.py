"""What a lot was like in the last hours: one row a minute in which something was heard, in a ring of fixed size.

Owns the rings of occupancy and of money. Rules: the newest value of a minute stands for it, amounts of a minute are added up;
whoever draws it holds a value until the next row. A history begins when the console starts: topics keep only the last value.
"""

from __future__ import annotations

from array import array

MINUTE_MS = 60_000
ROWS_MAX = 720
"""Twelve hours of a lot where something happens each minute; 1,000 lots then cost 18 MB."""
VALUE_MAX = 2**32 - 1
"""What one cell holds; a larger value, which no lot has in one minute, is shown as this."""


class Ring:
    """Rows of a minute and `columns` whole numbers; the oldest row makes room."""

    def __init__(self, columns: int) -> None:
        self._width = columns + 1
        self._cells = array("I")

    def put(self, now_ms: int, *values: int) -> None:
        """This minute's values; a later call in the same minute replaces them."""
        row = self._row(now_ms)
        self._cells[row + 1 : row + self._width] = array("I", [_cell(value) for value in values])

    def add(self, now_ms: int, *values: int) -> None:
        """Add to this minute's values."""
        row = self._row(now_ms)
        for at, value in enumerate(values, row + 1):
            self._cells[at] = _cell(self._cells[at] + value)

    def rows(self) -> list[tuple[int, ...]]:
        """Oldest first: the minute's begin in UTC ms, then the values."""
        cells, width = self._cells, self._width
        return [(cells[at] * MINUTE_MS, *cells[at + 1 : at + width]) for at in range(0, len(cells), width)]

    def since(self, begin_ms: int) -> tuple[int, ...]:
        """The sum of each column over the rows from this time on."""
        cells, width = self._cells, self._width
        at = len(cells)
        while at > 0 and cells[at - width] * MINUTE_MS >= begin_ms:
            at -= width
        return tuple(sum(cells[at + column :: width]) for column in range(1, width))

    def _row(self, now_ms: int) -> int:
        """Where the row of this minute begins. A clock that went back writes on in the newest row."""
        minute = _cell(now_ms // MINUTE_MS)
        if not self._cells or self._cells[-self._width] < minute:
            self._cells.extend([minute, *([0] * (self._width - 1))])
            if len(self._cells) > ROWS_MAX * self._width:
                del self._cells[: self._width]
        return len(self._cells) - self._width


def _cell(value: int) -> int:
    return max(0, min(value, VALUE_MAX))
