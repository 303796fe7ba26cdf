"""When the ledger can't be read or written: run open.

Owns the rule that no car is held because of our fault: every vehicle that is read is let through, nothing is acknowledged, so
the nodes keep their events for the ledger that comes back. Ends by itself when the ledger can be opened again; the supervisor
then starts the gateway anew.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from gateway.bus_line import BusLine
from gateway.config import Config
from gateway.core.commands import OpenBarrier
from gateway.core.events import BarrierSelfOpened, BusEvent, NodeEvent, PlateRead
from gateway.core.layout import LaneNode
from gateway.core.moment import Moment
from gateway.shell.clock import Clock
from gateway.store import starts
from gateway.store.reader import Reader, ReaderError

log = logging.getLogger(__name__)

RETRY_S = 10.0
"""How often the ledger is tried again: soon enough for a freed disk, seldom enough to spare a dying one."""

DAMAGE = (sqlite3.Error, OSError, ValueError, LookupError, TypeError)
"""What a beginning raises if its disk is at fault: SQLite finds out, or what is read is not what was once written."""


async def run_open(
    config: Config, clock: Clock, reason: str, try_ledger: Callable[[], None], first_try_s: float = 0.0
) -> None:
    """Let every vehicle through until `try_ledger` raises no DAMAGE, but no shorter than `first_try_s`.

    Raises what else `try_ledger` does: a person must put it right.
    """
    log.critical("the ledger is of no use (%s): running open, nothing is charged", reason)
    hello = _next_hello(config)
    lines: list[BusLine] = []
    lanes: dict[str, BusLine] = {}

    def let_through(events: list[NodeEvent | BusEvent], _now: Moment) -> None:
        for event in events:
            if isinstance(event, PlateRead | BarrierSelfOpened):
                lanes[event.lane].command(OpenBarrier(event.lane))

    for part in config.buses:
        line = BusLine(
            part,
            hello=hello,
            nonce=lambda: secrets.token_bytes(8),
            acked={},
            clock=clock,
            on_events=let_through,
            hold=lambda: False,
            capture=None,
        )
        lines.append(line)
        lanes |= {node.lane: line for node in part.nodes if isinstance(node, LaneNode)}
    for line in lines:
        line.start()
    pause_s = max(first_try_s, RETRY_S)
    while True:
        await asyncio.sleep(pause_s)
        pause_s = RETRY_S
        try:
            try_ledger()
        except DAMAGE as error:
            log.error("the ledger is still of no use: %s", error)
            continue
        break
    for line in lines:
        line.stop()


def _next_hello(config: Config) -> int:
    """A number above every hello before, by the ledger or by the file beside it, and kept there for the next start.

    Without either, nodes that saw a higher number refuse the hello: exits open by themselves after two seconds, entries don't.
    """
    kept = starts.load(config.gateway.data)
    hello = kept.hello
    try:
        reader = Reader(config.gateway.data / "ledger.db")
        hello = max(hello, reader.hello())
        reader.close()
    except (ReaderError, sqlite3.Error, TypeError):
        log.warning("the ledger does not tell the number of the last hello")
    if hello:
        hello += 1
        starts.keep(config.gateway.data, replace(kept, hello=hello))
    return hello
