"""When the ledger can't be written: run open.

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

from gateway.bus_line import BusLine
from gateway.config import Config
from gateway.core.commands import OpenBarrier
from gateway.core.events import BarrierSelfOpened, BusEvent, NodeEvent, PlateRead
from gateway.core.layout import LaneNode
from gateway.core.moment import Moment
from gateway.shell.clock import Clock
from gateway.store.reader import Reader, ReaderError

log = logging.getLogger(__name__)

RETRY_S = 10.0
"""How often the ledger is tried again: soon enough for a freed disk, seldom enough to spare a dying one."""


async def run_open(config: Config, clock: Clock, reason: str, try_ledger: Callable[[], None]) -> None:
    """Let every vehicle through until `try_ledger` no longer raises sqlite3.Error or OSError."""
    log.critical("the ledger can't be written (%s): running open, nothing is charged", reason)
    lines: list[BusLine] = []
    lanes: dict[str, BusLine] = {}

    def let_through(events: list[NodeEvent | BusEvent], _now: Moment) -> None:
        for event in events:
            if isinstance(event, PlateRead | BarrierSelfOpened):
                lanes[event.lane].command(OpenBarrier(event.lane))

    for part in config.buses:
        line = BusLine(
            part,
            hello=_next_hello(config),
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
    while True:
        await asyncio.sleep(RETRY_S)
        try:
            try_ledger()
        except (sqlite3.Error, OSError):
            continue
        break
    for line in lines:
        line.stop()


def _next_hello(config: Config) -> int:
    """The next start's number, if the ledger can at least be read.

    Without it nodes that saw a higher number refuse the hello and open by themselves after two seconds: slower, never shut.
    """
    try:
        reader = Reader(config.gateway.data / "ledger.db")
        hello = reader.hello() + 1
        reader.close()
    except (ReaderError, sqlite3.Error):
        return 0
    return hello
