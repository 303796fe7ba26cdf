"""A small real history of the engine for the power-cut tests: python -m tests.crash_history FOLDER [--synchronous NORMAL].

Owns the script (what nodes and city say, at which time), the moments after which something was promised to the outside, and
what the ledger must say at each of them. As a command it runs the history on a folder and writes each promise to standard
output, or to the file `promises`, only after the engine's call returned. A run is its arguments.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.core.city_events import LeaseGranted, Origin, PaymentReported, ReceiptArrived
from gateway.core.events import BayChanged, Event, PlateRead, Source, VehiclePassed, Woke
from gateway.core.exit import WithoutLease
from gateway.core.memory import Rules
from gateway.engine import Engine, Identity, Outcome
from gateway.quote import shipped_tariff
from gateway.shell.signer import Signer
from gateway.store import journal as journal_module
from gateway.store import reserve as reserve_module
from gateway.store.journal import Journal
from tests.lots import CHAIN, HOUR_MS, KEY, LOT, START_MS, UIDS, at, plate

TARIFF = shipped_tariff("plain-garage")
CARS = 12
CHECKPOINT_COMMITS = 12
"""So few commits to a checkpoint that a short history has several, and writes its log again from the beginning."""
RESERVE_BYTES = 4096
CLOSED_AFTER = 40
"""Deeds before the history closes its ledger once and opens it again."""
BAYS = ("b1", "b2", "b3", "b4")


@dataclass(frozen=True, slots=True)
class Deed:
    """What nodes or city say at one time. Session: a plate; amount -1: the bill; receipt 0: of the head."""

    now_ms: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """What the ledger says after one step: `deed` steps are done, `content` is a digest of all rows, `money` the books."""

    deed: int
    content: str
    money: tuple[object, ...]
    head_n: int


def script(cars: int = CARS) -> tuple[Deed, ...]:
    """The whole history: two cars at a time come, one with a lease, stay for hours, leave, and the city tells of payments."""
    deeds: list[Deed] = []
    seqs = dict.fromkeys(UIDS, 0)
    now_ms, dn = 0, 0

    def source(node: str) -> Source:
        seqs[node] += 1
        return Source(UIDS[node], 7, seqs[node], 0)

    def origin() -> Origin:
        nonlocal dn
        dn += 1
        return Origin(dn, f"line {dn}", bytes(64))

    def add(*events: Event, after_ms: int = 1000) -> None:
        nonlocal now_ms
        now_ms += after_ms
        deeds.append(Deed(now_ms, events))

    for pair in range(0, cars, 2):
        plates = [plate(f"浙A{number:05}") for number in (pair, pair + 1)]
        add(PlateRead(source("in"), "in", plates[0]))
        add(VehiclePassed(source("in"), "in"), PlateRead(source("in"), "in", plates[1]))
        add(VehiclePassed(source("in"), "in"), BayChanged(source("bays"), BAYS[pair % 4], True))
        add(LeaseGranted(origin(), f"lease-{dn}", plates[0].text, 100_000, 2 * START_MS))
        add(Woke(), after_ms=(2 + pair) * HOUR_MS)
        add(PlateRead(source("out"), "out", plates[0]), PlateRead(source("out-2"), "out-2", plates[1]))
        add(VehiclePassed(source("out"), "out"), BayChanged(source("bays"), BAYS[pair % 4], False))
        add(VehiclePassed(source("out-2"), "out-2"), ReceiptArrived(1, 0, b"", "receipt", bytes(64)))
        add(PaymentReported(origin(), f"payment-{dn}", plates[0].text, -1, True))
        add(PaymentReported(origin(), f"payment-{dn}", plates[1].text, -1, pair % 4 == 0))
    return tuple(deeds)


class Gateway:
    """Journal and engine over one folder, as a start of the gateway makes them, in named steps."""

    def __init__(self, folder: Path, synchronous: str = "FULL") -> None:
        self.path = folder / "ledger.db"
        self._salts = 0
        self.journal = Journal(self.path, chain=CHAIN, instance="test")
        self.connection: sqlite3.Connection = self.journal._connection
        if synchronous != "FULL":
            self.connection.execute(f"PRAGMA synchronous = {synchronous}")

    def start(self, now_ms: int) -> Outcome:
        """Read the ledger, write the start record."""
        self.engine = Engine(
            identity=Identity(CHAIN, LOT.lot, "test"),
            lot=LOT,
            rules=Rules(TARIFF, WithoutLease.OPEN_ARREARS, "CNY"),
            journal=self.journal,
            signer=Signer(KEY),
            salt=self._salt,
        )
        return self.engine.start(at(now_ms))

    def do(self, deed: Deed, now_ms: int = 0) -> Outcome:
        """One engine step, then the quiet moment after it."""
        now = at(max(now_ms, deed.now_ms))
        outcome = self.engine.step([self._meant(event) for event in deed.events], now)
        self.engine.idle(now)
        return outcome

    def mark(self, deed: int) -> Mark:
        """What the ledger says now."""
        return Mark(deed, content(self.connection), money(self.connection), self.journal.head().n)

    def _meant(self, event: Event) -> Event:
        """The event with the session's id, the bill and the head's hash filled in, as the city knows them by now."""
        if isinstance(event, ReceiptArrived):
            n = self.journal.head().n
            told = self.journal.line_hash(n) or b""
            return replace(event, n=n, record_hash=told, line=json.dumps({"n": n, "hash": told.hex()}))
        if not isinstance(event, LeaseGranted | PaymentReported):
            return event
        found = self.connection.execute(
            "SELECT s.id, s.amount_minor FROM session s JOIN disclosure d ON d.n = s.plate_n"
            " WHERE d.plate = ? ORDER BY s.plate_n DESC LIMIT 1",
            (f"blue {event.session}",),
        ).fetchone()
        session, amount_minor = found or ("9.9", 0)
        if isinstance(event, PaymentReported):
            return replace(event, session=session, amount_minor=amount_minor)
        return replace(event, session=session)

    def _salt(self) -> str:
        self._salts += 1
        return f"{self._salts:022}=="


def perform(folder: Path, deeds: Sequence[Deed], synchronous: str = "FULL") -> Iterator[tuple[Gateway, int]]:
    """Run the history; yields after each step whose durability is promised by then, with the deeds done so far."""
    gateway = Gateway(folder, synchronous)
    yield gateway, 0
    gateway.journal.next_hello()
    yield gateway, 0
    gateway.start(0)
    yield gateway, 0
    for number, deed in enumerate(deeds, 1):
        gateway.do(deed)
        yield gateway, number
        if number == CLOSED_AFTER:
            gateway.engine.close()
            gateway = Gateway(folder, synchronous)
            yield gateway, number
            gateway.journal.next_hello()
            yield gateway, number
            gateway.start(deed.now_ms)
            yield gateway, number


def lines(connection: sqlite3.Connection) -> list[tuple[int, str, bytes]]:
    """Number, line and signature of every record."""
    return connection.execute("SELECT n, line, signature FROM record ORDER BY n").fetchall()


def content(connection: sqlite3.Connection) -> str:
    """Digest of every row of every table, apart from when the schema's steps were applied."""
    digest = hashlib.sha256()
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    for (name,) in names:
        if not name.startswith(("sqlite_", "_sqlite")):
            rows = sorted(map(repr, connection.execute(f"SELECT * FROM {name}")))
            digest.update(repr((name, rows)).encode())
    return digest.hexdigest()


def money(connection: sqlite3.Connection) -> tuple[object, ...]:
    """Who owes and paid what, by plate and without record numbers: the same however often the gateway started."""
    stays = connection.execute(
        "SELECT d.plate, s.state, s.amount_minor, s.paid_minor FROM session s JOIN disclosure d ON d.n = s.plate_n"
    ).fetchall()
    sums = connection.execute("SELECT account, sum(amount_minor), count(*) FROM posting GROUP BY account").fetchall()
    totals = connection.execute("SELECT entries, exits, billed_minor FROM chain").fetchone()
    return (*sorted(stays), *sorted(sums), totals)


@contextmanager
def in_the_small() -> Iterator[None]:
    """Within it a checkpoint comes early, and the reserve costs no time."""
    before = journal_module.CHECKPOINT_COMMITS, reserve_module.RESERVE_BYTES
    journal_module.CHECKPOINT_COMMITS, reserve_module.RESERVE_BYTES = CHECKPOINT_COMMITS, RESERVE_BYTES
    try:
        yield
    finally:
        journal_module.CHECKPOINT_COMMITS, reserve_module.RESERVE_BYTES = before


def main(argv: list[str] | None = None) -> int:
    """Run on a folder; each promise is one line: its number. With --ask, go on only when a byte came back."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_history", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--synchronous", default="FULL", choices=["FULL", "NORMAL"])
    parser.add_argument("--cars", type=int, default=CARS)
    parser.add_argument("--ask", action="store_true", help="wait for a byte on standard input after each promise")
    options = parser.parse_args(argv)
    gateways = (gateway for gateway, _ in perform(options.folder, script(options.cars), options.synchronous))
    with in_the_small():
        for number, current in enumerate(gateways, 1):
            last = current
            os.write(1, f"{number}\n".encode())
            if options.ask and not os.read(0, 1):
                return 1
        last.engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
