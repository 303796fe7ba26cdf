"""A ledger given up, and the one that takes its place in the next epoch.

Owns the exchange of the files. Rules: at every moment there is one whole ledger under the name, the old one or the new one,
never none, since a gateway that found none would begin the chain anew; the old one is kept beside it under its head's name.
What the nodes were told (hellos, acknowledgements) goes over, money and stays do not. Refuses to judge permits.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from gateway.store.journal import DamagedError, Head, Journal, LedgerError, Permit

NOTHING = Head(0, 0, "0" * 64, "", 0, 0, None)
"""Stands for the head of a ledger that is not there, or whose last record can't be read."""


def replace_ledger(path: Path, permit: Permit, *, instance: str) -> tuple[Head, Path | None]:
    """Put an empty ledger of the permit's epoch in the place of the one at `path`; that one's head, and where it lies now.

    The gateway must not run. Raises LedgerError, SchemaError or OSError; the old ledger is then still in place.
    """
    try:
        return _replace(path, permit, instance)
    except sqlite3.Error as error:
        remedy = f"if the disk is sound, move {path.name} elsewhere and give the command again"
        raise LedgerError(f"{path}: can't be set aside ({error}); {remedy}") from None


def _replace(path: Path, permit: Permit, instance: str) -> tuple[Head, Path | None]:
    head, acked, hello, kept = NOTHING, {}, 0, None
    if path.exists():
        old = Journal(path, chain=permit.chain, instance=instance)
        acked, hello = old.acked(), old.next_hello()
        with contextlib.suppress(DamagedError):
            head = old.head()
        old.close()
        if path.with_name(f"{path.name}-wal").exists():
            # The last one to close takes this file away. It would be read as a part of whatever ledger lies beside it.
            raise LedgerError(f"{path}: somebody still reads it; end that (an export?), then give the command again")
    fresh = path.with_name("restoring.db")
    for leftover in path.parent.glob(f"{fresh.name}*"):
        leftover.unlink()
    new = Journal(fresh, chain=permit.chain, instance=instance)
    # Nodes take only hellos newer than all before: without an old ledger, the permit's second is newer than any count.
    new.begin_epoch(permit, head, hello=max(hello, permit.at_ms // 1000), acked=acked)
    new.close()
    if path.exists():
        kept = path.with_name(f"abandoned-{head.epoch}.{head.n}-{head.prev[:8]}.db")
        if not kept.exists():
            os.link(path, kept)
    os.replace(fresh, path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return head, kept
