"""What a start must know although the ledger may be unable to tell: the newest hello, and how many starts in a row failed.

Owns one small file beside the ledger, replaced whole. Rules: a disk that fails raises nothing here, since whoever asks must
open barriers all the same; then nothing is known. Refuses to know what is done with the numbers.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

NAME = "starts"


@dataclass(frozen=True, slots=True)
class Starts:
    """`hello`: the highest number that a node was ever greeted with; `failed`: starts in a row that died without a commit."""

    hello: int = 0
    failed: int = 0


def load(folder: Path) -> Starts:
    """What the folder's file says; nothing if there is none, or if it can't be read."""
    try:
        hello, failed = (int(word) for word in (folder / NAME).read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return Starts()
    return Starts(max(0, hello), max(0, failed))


def keep(folder: Path, starts: Starts) -> None:
    """Replace the file; a disk that refuses is only told to the log."""
    path = folder / NAME
    new = path.with_name(f"{NAME}.new")
    try:
        with new.open("w", encoding="ascii") as file:
            file.write(f"{starts.hello} {starts.failed}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError as error:
        log.error("%s can't be written: %s", path, error)
