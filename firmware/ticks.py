"""The board's clock as one number that never wraps."""

import time


class Ticks:
    """Milliseconds since this object was made. Look at least once in three days: the board's own counter wraps after six."""

    def __init__(self) -> None:
        self._last = time.ticks_ms()
        self._ms = 0

    def now_ms(self) -> int:
        """Milliseconds."""
        ticks = time.ticks_ms()
        self._ms += time.ticks_diff(ticks, self._last)
        self._last = ticks
        return self._ms
