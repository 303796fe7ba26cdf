"""What a failed sync leaves behind: a log that can be read and is not on the card.

Owns one step of a start: write the log's bytes over themselves and sync. After a sync that failed, Linux holds the pages for
clean and no later sync writes them; a commit that raised is then read back as done, goes up to the city, and is gone after a
power cut: the gateway would fork. Written again, the pages are dirty, and the sync says the truth. Knows no SQL.
"""

from __future__ import annotations

import os
from pathlib import Path

CHUNK_BYTES = 1 << 20


def write_log_again(path: Path) -> None:
    """Make the log of the database at `path` as durable as it looks, if there is one. Raises OSError if it can't be.

    Nobody else may be writing; readers see the same bytes all the while.
    """
    log = path.with_name(f"{path.name}-wal")
    if not log.exists():
        return
    with log.open("r+b", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            file.seek(-len(chunk), os.SEEK_CUR)
            file.write(chunk)
        os.fsync(file.fileno())
