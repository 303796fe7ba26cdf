"""A contact that bounces: a level is believed once it has held.

Owns the waiting. Rules: the first level is believed at once, since a boot begins where it finds things; after that a new level
counts when every look for `hold_ms` has shown it. Refuses to know pins.
"""


class Contact:
    """One input. `level` is None until the first look."""

    def __init__(self, hold_ms: int) -> None:
        self.level: bool | None = None
        self._hold_ms = hold_ms
        self._since_ms = -1

    def feel(self, raw: bool, now_ms: int) -> bool:
        """Take one look; True if `level` changed by it."""
        if raw == self.level:
            self._since_ms = -1
            return False
        if self.level is not None:
            if self._since_ms < 0:
                self._since_ms = now_ms
            if now_ms - self._since_ms < self._hold_ms:
                return False
        self._since_ms = -1
        self.level = raw
        return True
