"""Room kept for the hour when the card is full.

Owns one file of RESERVE_BYTES beside the ledger that holds nothing. Rules: it is given up when a write finds no room, so that
the next start can write again while somebody makes room; it is taken back by itself. Refuses to know what is written.
"""

from __future__ import annotations

import contextlib
import os
from enum import StrEnum
from pathlib import Path

RESERVE_BYTES = 8 * 1024 * 1024
"""A record costs about 17 kB of log and table until the next checkpoint: room for some hundred stays."""

LOW_BYTES = 64 * 1024 * 1024
"""Free room below which a person should look: days of a busy lot, so that nobody has to hurry."""

NEEDED_BYTES = 256 * 1024
"""A step and SQLite's shared index need less; an error with less room than this is for want of room."""


class Room(StrEnum):
    """How much room there is for the ledger."""

    PLENTY = "plenty"
    LOW = "low"
    NONE = "none"


class Reserve:
    """The reserve of the ledger in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "reserve"

    def hold(self) -> Room:
        """Take the reserve if it isn't held, and tell how much room there is beside it."""
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                # Where it is held already this asks for nothing.
                os.posix_fallocate(handle, 0, RESERVE_BYTES)
            finally:
                os.close(handle)
        except OSError:
            self.release()
            return Room.NONE
        return Room.LOW if self._free_bytes() < LOW_BYTES else Room.PLENTY

    def release_if_full(self) -> None:
        """Give the reserve up if there is no room left."""
        if self._free_bytes() < NEEDED_BYTES:
            self.release()

    def release(self) -> None:
        """Give the reserve up."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _free_bytes(self) -> int:
        try:
            found = os.statvfs(self.path.parent)
        except OSError:
            return 0
        return found.f_bavail * found.f_frsize
