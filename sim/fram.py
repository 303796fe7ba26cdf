"""The lane node's ferroelectric memory: bytes that outlive the node, in memory or in a file.

Owns nothing but the bytes and the moment at which power fails: `cut_after` counts down the bytes still written before it does.
"""

from __future__ import annotations

from pathlib import Path


class PowerCut(Exception):
    """Power failed in the middle of a write: whoever ran on this supply is gone."""


class Fram:
    """`size` bytes, zero when new. With a path every write goes to the file at once and a new Fram reads it back."""

    def __init__(self, size: int, path: Path | None = None) -> None:
        self.size = size
        self.cut_after: int | None = None
        self.written = 0
        self._path = path
        self._bytes = bytearray(size)
        if path is not None and path.exists():
            stored = path.read_bytes()
            if len(stored) != size:
                raise ValueError(f"{path} has {len(stored)} bytes, not {size}")
            self._bytes[:] = stored

    def read(self, offset: int, count: int) -> bytes:
        """`count` bytes from `offset`. ValueError outside the memory."""
        self._check(offset, count)
        return bytes(self._bytes[offset : offset + count])

    def write(self, offset: int, data: bytes) -> None:
        """Write byte after byte; raises PowerCut once `cut_after` bytes are spent. ValueError outside the memory."""
        self._check(offset, len(data))
        kept = len(data) if self.cut_after is None else min(len(data), self.cut_after)
        self._bytes[offset : offset + kept] = data[:kept]
        self.written += kept
        if self._path is not None:
            self._path.write_bytes(self._bytes)
        if self.cut_after is not None:
            self.cut_after -= kept
            if kept < len(data):
                raise PowerCut

    def _check(self, offset: int, count: int) -> None:
        if offset < 0 or count < 0 or offset + count > self.size:
            raise ValueError(f"{count} bytes at {offset} are outside {self.size}")
