"""What other gateways' users lost, as scenarios for this one: a gateway, a bad line, a broker and the city.

Owns the pipeline (the real gateway over a real ledger, TCP through the proxy, a real broker, the city's own program) and the
scenarios of docs/PEERS.md that need it; each returns figures. test_peers runs them in the small, soak_peers at length.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.config import BrokerPart
from gateway.core.events import Source, VehiclePassed
from gateway.run import Gateway
from gateway.shell.clock import SystemClock
from gateway.shell.mqtt import Broker, Link
from sim.broker import EmbeddedBroker
from sim.city import City
from sim.city_desk import FrontDesks
from sim.city_process import CityProcess
from sim.city_store import totals
from tests.lots import KEY
from tests.proxy import Proxy
from tests.records import CITY_KEY, public
from tests.test_run import UID, ExitLane, arrive, make_begun, make_config, make_gateway

LIMIT_S = 90
LOOK_S = 0.02
THREADS_END_S = 10
PUBLISH, PUBACK = 3, 4
STEP_EVENTS = 100


class Tap:
    """Reads MQTT off a line: how many publishes with an acknowledgement to come were under way to the broker at once."""

    def __init__(self) -> None:
        self.most = 0
        self.connections = 0
        self.published = 0
        self._rest: dict[tuple[int, bool], bytes] = {}
        self._under_way: dict[int, int] = {}

    def seen(self, connection: int, up: bool, chunk: bytes) -> None:
        """Take the next bytes of one way of a connection."""
        self.connections = max(self.connections, connection)
        data = self._rest.get((connection, up), b"") + chunk
        while (size := _packet_bytes(data)) and len(data) >= size:
            self._packet(connection, up, data[0])
            data = data[size:]
        self._rest[connection, up] = data

    def _packet(self, connection: int, up: bool, first: int) -> None:
        kind, qos = first >> 4, first >> 1 & 3
        before = self._under_way.get(connection, 0)
        if up and kind == PUBLISH and qos:
            self._under_way[connection] = before + 1
            self.published += 1
            self.most = max(self.most, before + 1)
        elif not up and kind == PUBACK:
            self._under_way[connection] = before - 1


def _packet_bytes(data: bytes) -> int:
    """Length of the first packet with its head; 0 while the head is not there."""
    length = 0
    for at, byte in enumerate(data[1:5]):
        length |= (byte & 127) << 7 * at
        if not byte & 128:
            return 2 + at + length
    return 0


class Pipeline:
    """The running gateway and what is behind it. `proxy` is between gateway and broker; the city is beside the broker."""

    def __init__(self, folder: Path, broker: EmbeddedBroker, proxy: Proxy, tap: Tap) -> None:
        self.broker, self.proxy, self.tap = broker, proxy, tap
        self._folder = folder
        self._books = str(folder / "city.db")
        self._seq = 0

    async def run(self, port: int, backlog: int) -> None:
        """Start the gateway on this port of the broker's, with so many records in its ledger that nobody has had."""
        config = make_config(self._folder, str(self._folder / "no-adapter"))
        (self._folder / "password").write_text("secret", encoding="ascii")
        broker = BrokerPart("127.0.0.1", port, "lot", self._folder / "password")
        config = replace(config, broker=broker, city=replace(config.city, name="hz"))
        begun = make_begun(config)
        for at in range(0, backlog, STEP_EVENTS):
            passages = self._passages(min(STEP_EVENTS, backlog - at))
            begun = replace(begun, started=begun.engine.step(passages, SystemClock().moment()))
        self._gateway = Gateway(config, SystemClock(), begun, city_key=public(CITY_KEY), capture=None)
        self._ended = asyncio.create_task(self._gateway.run())

    async def stop(self) -> None:
        """End the gateway as SIGTERM does."""
        self._gateway.stop()
        assert await self._ended == 0

    def feed(self, count: int) -> None:
        """So many events reach the gateway; each makes a record."""
        assert self._gateway._submit(self._passages(count))

    def written(self) -> list[str]:
        """The ledger's lines."""
        with closing(sqlite3.connect(self._folder / "data" / "ledger.db")) as ledger:
            return [line for (line,) in ledger.execute("SELECT line FROM record ORDER BY n")]

    def at_city(self) -> int:
        """Records in the city's books."""
        return totals(self._books)["records"]

    def in_books(self) -> list[str]:
        """Their lines, by number."""
        with closing(sqlite3.connect(self._books)) as books:
            return [line for (line,) in books.execute("SELECT line FROM record ORDER BY n")]

    def forks(self) -> int:
        """Second versions of a record that the city saw."""
        return totals(self._books)["forks"]

    async def until(self, holds: Callable[[], bool]) -> None:
        """AssertionError after LIMIT_S, or when the gateway ends."""
        deadline_s = time.monotonic() + LIMIT_S
        while not holds():
            assert time.monotonic() < deadline_s, f"{len(self.written())} records, {self.at_city()} at the city"
            await self.spend(LOOK_S)

    async def spend(self, seconds: float) -> None:
        """Let time pass, with the gateway running."""
        ended, _ = await asyncio.wait((self._ended,), timeout=seconds)
        assert not ended, "the gateway ended by itself"

    async def arrived(self) -> None:
        """Wait until the city has every record, and compare line by line: none missing, none another, in order."""
        await self.until(lambda: self.at_city() == len(self.written()))
        assert self.in_books() == self.written()
        assert self.forks() == 0

    def _passages(self, count: int) -> tuple[VehiclePassed, ...]:
        first, self._seq = self._seq + 1, self._seq + count
        return tuple(VehiclePassed(Source(UID, 7, seq, 0), "out") for seq in range(first, self._seq + 1))


@asynccontextmanager
async def pipeline(folder: Path, *, backlog: int = 0) -> AsyncIterator[Pipeline]:
    """A pipeline while the context lasts."""
    broker = EmbeddedBroker(folder, username="lot", password="secret")
    broker.start()
    city = _CityThread(folder, broker)
    tap = Tap()
    proxy = Proxy(broker.port, tap.seen)
    try:
        async with proxy.open() as port:
            found = Pipeline(folder, broker, proxy, tap)
            await found.run(port, backlog)
            yield found
            await found.stop()
    finally:
        await asyncio.to_thread(city.end)
        broker.stop()


class _CityThread:
    """The city's program in a thread of its own: its books belong to one thread."""

    def __init__(self, folder: Path, broker: EmbeddedBroker) -> None:
        login = {"host": broker.host, "port": broker.port, "client_id": "city", "username": "lot", "password": "secret"}
        self._config = {"city": "hz", "broker": login, "chains": {"gw-1": ""}}
        self._books = str(folder / "city.db")
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(LIMIT_S)

    def end(self) -> None:
        """Stop it and wait."""
        self._process.end()
        self._thread.join(LIMIT_S)

    def _run(self) -> None:
        city = City(CITY_KEY, self._books, {"gw-1": public(KEY)}, {})
        self._process = CityProcess(city, FrontDesks(city, {}), self._config)
        self._ready.set()
        self._process.run()


@dataclass(frozen=True, slots=True)
class Figures:
    """Records that the gateway had accepted, connections that they went over, and how long the city took to have the last."""

    records: int
    connections: int
    recovered_s: float
    most_under_way: int

    @property
    def per_s(self) -> float:
        """Records a second from the line's return on."""
        return self.records / self.recovered_s


async def silent_link(folder: Path, *, silent_s: float, burst: int) -> Figures:
    """R1: nothing passes either way for a while, then the connection is reset; events go on all the time."""
    async with pipeline(folder) as line:
        line.feed(burst)
        await line.arrived()
        line.proxy.stall()
        for _ in range(10):
            line.feed(burst)
            await line.spend(silent_s / 10)
        line.proxy.cut()
        line.proxy.resume()
        back_s = time.monotonic()
        line.feed(burst)
        await line.arrived()
        return Figures(len(line.written()), line.tap.connections, time.monotonic() - back_s, line.tap.most)


async def refused_link(folder: Path, *, refused_s: float, burst: int) -> Figures:
    """R2: the broker is killed and its port refuses for a while; events go on all the time."""
    async with pipeline(folder) as line:
        line.feed(burst)
        await line.arrived()
        line.broker.kill()
        for _ in range(10):
            line.feed(burst)
            await line.spend(refused_s / 10)
        await asyncio.to_thread(line.broker.start)
        back_s = time.monotonic()
        line.feed(burst)
        await line.arrived()
        return Figures(len(line.written()), line.tap.connections, time.monotonic() - back_s, line.tap.most)


async def cut_again_and_again(folder: Path, *, backlog: int, every_s: float, cuts: int) -> Figures:
    """R3: a backlog, and a link that is cut again and again while it empties."""
    async with pipeline(folder, backlog=backlog) as line:
        begun_s = time.monotonic()
        for number in range(1, cuts + 1):
            await line.until(lambda number=number: line.tap.connections >= number)  # type: ignore[misc]
            await line.spend(every_s)
            line.proxy.cut()
        await line.arrived()
        return Figures(len(line.written()), line.tap.connections, time.monotonic() - begun_s, line.tap.most)


async def drained(folder: Path, *, backlog: int) -> Figures:
    """R12: a backlog over a sound link."""
    async with pipeline(folder, backlog=backlog) as line:
        begun_s = time.monotonic()
        await line.until(lambda: line.at_city() >= backlog)
        spent_s = time.monotonic() - begun_s
        await line.arrived()
        return Figures(len(line.written()), line.tap.connections, spent_s, line.tap.most)


@dataclass(frozen=True, slots=True)
class Signalled:
    """Events that a node made, those that the ledger has in the end, and those acknowledged before the ledger had them."""

    events: int
    booked: int
    acknowledged_early: int


async def signalled(folder: Path, number: signal.Signals, *, rounds: int, seed: int) -> Signalled:
    """R5: the gateway's process gets a signal at a drawn moment of its work, ends, and starts again, over and over."""
    dice = random.Random(seed)
    early = 0
    async with ExitLane() as lane:
        config = make_config(folder, lane.port.slave)
        ledger = folder / "data" / "ledger.db"
        for _ in range(rounds):
            gateway, _ = make_gateway(config)
            ended = asyncio.create_task(gateway.run())
            arrive(lane.node)
            await lane.until(lambda: lane.node.opened > 0 or lane.node.pending == 0)
            arrive(lane.node)
            asyncio.get_running_loop().call_later(dice.random() / 10, os.kill, os.getpid(), number)
            assert await ended == 0
            early += max(0, lane.node._log.acked - _acknowledged(ledger))
        gateway, _ = make_gateway(config)
        ended = asyncio.create_task(gateway.run())
        await lane.until(lambda: lane.node.pending == 0)
        gateway.stop()
        assert await ended == 0
        return Signalled(lane.node._log.last, _acknowledged(ledger), early)


def _acknowledged(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger)) as connection:
        found = connection.execute("SELECT seq FROM node WHERE uid = ?", (UID,)).fetchone()
    return int(found[0]) if found else 0


async def failed_connects(count: int) -> tuple[int, int, int]:
    """R14: so many connects to a closed port, then a hundred clients thrown away; growth in bytes, connects, threads left."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        link = Link(
            Broker("127.0.0.1", closed.getsockname()[1], "gw-1"),
            subscriptions=("a",),
            state_topic="b",
            will=lambda _connection: b"lost",
        )
        threads = threading.active_count()
        link.start()
        await _connects(link, count // 10)
        before_bytes = resident_bytes()
        await _connects(link, count)
        for _ in range(100):
            link._rebuild()
            await _look()
        grown_bytes = resident_bytes() - before_bytes
        connects = link._client.connection
        await link.stop()
    deadline_s = time.monotonic() + THREADS_END_S
    while threading.active_count() > threads and time.monotonic() < deadline_s:
        await _look()
    return grown_bytes, connects, max(0, threading.active_count() - threads)


async def _connects(link: Link, count: int) -> None:
    while link._client.connection < count:
        await _look()


async def _look() -> None:
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(LOOK_S, passed.set)
    await passed.wait()


def resident_bytes() -> int:
    """Memory of this process that is in use now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
