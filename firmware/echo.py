"""Is a bay taken, by an ultrasonic sensor above it: one distance after another, integers only.

Owns the filter, the floor's distance and the decision. Rules: the median of the last WINDOW echoes decides; a car is what
stands CAR_MM above the floor, and is gone when less than GONE_MM is left; the floor is learnt slowly while the bay is free and
never further than DRIFT_MM from where it was measured; looks without an echo decide nothing. Refuses to know pins and ports.
"""

WINDOW = 5
CAR_MM = 500
GONE_MM = 300
DRIFT_MM = 200
LEARN_SHIFT = 6  # a sixty-fourth of the difference each look


class Echo:
    """One bay. `floor_mm` is what was measured at commissioning; `occupied` is None until WINDOW echoes have come."""

    def __init__(self, floor_mm: int) -> None:
        self.occupied: bool | None = None
        self._nominal_mm = floor_mm
        self._floor = floor_mm << LEARN_SHIFT
        self._looks: list[int] = []

    def look(self, distance_mm: int) -> bool:
        """Take one distance, -1 for no echo; True if `occupied` changed by it."""
        if distance_mm < 0:
            return False
        self._looks = self._looks[1 - WINDOW :]
        self._looks.append(distance_mm)
        if len(self._looks) < WINDOW:
            return False
        middle_mm = sorted(self._looks)[WINDOW // 2]
        above_mm = (self._floor >> LEARN_SHIFT) - middle_mm
        before = self.occupied
        if before:
            self.occupied = above_mm >= GONE_MM
        else:
            self.occupied = above_mm >= CAR_MM
            if not self.occupied:
                self._learn(middle_mm)
        return self.occupied != before

    def _learn(self, middle_mm: int) -> None:
        floor = self._floor + middle_mm - (self._floor >> LEARN_SHIFT)
        lowest, highest = self._nominal_mm - DRIFT_MM << LEARN_SHIFT, self._nominal_mm + DRIFT_MM << LEARN_SHIFT
        self._floor = min(max(floor, lowest), highest)
