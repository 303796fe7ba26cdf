"""Whether another process has the ledger open.

Owns the one question. SQLite keeps a shared lock on a ledger in WAL mode from the first read to the close (sqlite3's os_unix.c:
510 bytes from 2^30 + 2 on), so whoever could lock these bytes alone is alone. Changes nothing.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

SHARED_FIRST = 0x40000002
SHARED_SIZE = 510


def in_use(path: Path) -> bool:
    """True if another process has this file open as a database; of one's own process it says nothing. Raises OSError."""
    # Closing a file drops every lock that this process has on it, so this is asked before the ledger is opened.
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
