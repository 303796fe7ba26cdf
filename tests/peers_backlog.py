"""A ledger with a large backlog, and what a start with it costs: python -m tests.peers_backlog FOLDER.

Owns the making of such a ledger, without the engine that would take minutes, and the figures of one start in a process of its
own: seconds until the first body could go up, and the most memory that was in use.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gateway.core.record import Draft, key_id, record_hash, record_line, signed_bytes
from gateway.shell.signer import Signer
from gateway.sync.uplink import Uplink
from tests.lots import CHAIN, KEY, SmallLot, at
from tests.records import public

Row = tuple[int, int, str, bytes, str]


def make(folder: Path, records: int) -> None:
    """A ledger that ends with so many signed heartbeats; nobody has had any record of it."""
    lot = SmallLot(folder)
    head = lot.journal.head()
    lot.engine.close()
    with closing(sqlite3.connect(lot.path)) as connection:
        connection.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?)", _heartbeats(head.n, head.prev, records))
        connection.commit()


def _heartbeats(n: int, prev: str, count: int) -> Iterator[Row]:
    key = key_id(public(KEY))
    for number in range(n + 1, n + count + 1):
        draft = Draft("heartbeat", {"entries": number})
        line = record_line(draft, chain=CHAIN, epoch=1, n=number, prev=prev, key=key, dn=0, now=at(number))
        prev = record_hash(line).hex()
        yield number, 1, line, KEY.sign(signed_bytes(line)), key


def start(folder: Path) -> tuple[int, float]:
    """Start as the gateway does, up to the first body for the city; records that wait, and seconds."""
    begun_s = time.monotonic()
    lot = SmallLot(folder)
    lot.journal.check(Signer(KEY).made)
    head_n = lot.journal.head().n
    uplink = Uplink(CHAIN, 1)
    uplink.start(head_n, lot.journal.head().receipted)
    uplink.connected(0)
    wanted = uplink.wanted()
    assert wanted is not None
    assert uplink.batch(lot.engine.records(*wanted))
    return uplink.backlog, time.monotonic() - begun_s


if __name__ == "__main__":
    waiting, spent_s = start(Path(sys.argv[1]))
    most_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"waiting": waiting, "start_s": spent_s, "most_bytes": most_bytes}))
