"""A barrier's two relays and two limit switches, and what may never happen with them.

Owns the interlock. Rules: raise and lower are never on together, and between them lies PAUSE_MS; the arm is lowered only while
the safety loop has been free for CLEAR_MS; a raise needs nothing; a motor that does not arrive within TRAVEL_MS is switched
off and told as a fault, and is tried again with the next wish. Obstacle stop and safety edge stay wired in the barrier itself.
"""

CLOSED, OPEN, MOVING, FAULT = 0, 1, 2, 3
PAUSE_MS = 100  # a relay lets go within 20 ms; the motor needs the rest
CLEAR_MS = 300  # between a long vehicle's axles a loop may lose it for a moment
TRAVEL_MS = 8000  # the slowest arms take 5 s


class Barrier:
    """Outputs are the attributes `raising` and `lowering`; `position` is 0 closed, 1 open, 2 moving, 3 fault."""

    def __init__(self) -> None:
        self.raising = False
        self.lowering = False
        self.position = MOVING
        self._wish = False
        self._begun = False
        self._clear_ms = -1
        self._off_ms = -PAUSE_MS
        self._on_ms = 0
        self._gave_up = False

    def run(self, up: bool, occupied: bool, at_top: bool, at_bottom: bool, now_ms: int) -> None:
        """One look: the wish, the safety loop's raw level, the two limit switches."""
        if occupied:
            self._clear_ms = -1
        elif self._clear_ms < 0:
            self._clear_ms = now_ms
        if up != self._wish or not self._begun:
            self._begun = True
            self._wish = up
            self._gave_up = False
        self._stop_what_must_not_be(up, occupied, at_top, at_bottom, now_ms)
        self._start_what_may(at_top, at_bottom, now_ms)
        if self._gave_up or (at_top and at_bottom):
            self.position = FAULT
        elif at_top:
            self.position = OPEN
        elif at_bottom:
            self.position = CLOSED
        else:
            self.position = MOVING

    def _stop_what_must_not_be(self, up: bool, occupied: bool, at_top: bool, at_bottom: bool, now_ms: int) -> None:
        late = now_ms - self._on_ms >= TRAVEL_MS
        if self.raising and (not up or at_top or late):
            self._gave_up = self._gave_up or (late and not at_top)
            self.raising = False
            self._off_ms = now_ms
        if self.lowering and (up or occupied or at_bottom or late):
            self._gave_up = self._gave_up or (late and not at_bottom)
            self.lowering = False
            self._off_ms = now_ms

    def _start_what_may(self, at_top: bool, at_bottom: bool, now_ms: int) -> None:
        if self._gave_up or self.raising or self.lowering or now_ms - self._off_ms < PAUSE_MS:
            return
        if self._wish and not at_top:
            self.raising = True
            self._on_ms = now_ms
        elif not self._wish and not at_bottom and self._clear_ms >= 0 and now_ms - self._clear_ms >= CLEAR_MS:
            self.lowering = True
            self._on_ms = now_ms
