"""The running gateway under a fault: a stalled disk, a failed commit, no ledger at all. Real pty, node and SQLite."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import queue
import signal
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firmware import wire
from firmware.cipher import Cipher
from firmware.lane import ENTRY, EXIT, LaneNode
from gateway import fallback
from gateway import run as running_gateway
from gateway.beginning import Begun, begin, open_checked, open_journal
from gateway.city_line import Nameplate
from gateway.config import BrokerPart, BusPart, CityPart, Config, ConfigError, GatewayPart, LotPart
from gateway.core.events import BarrierMoved, PlateRead, Position, Source
from gateway.core.exit import WithoutLease
from gateway.core.layout import LaneNode as LanePlace
from gateway.core.layout import LaneRole
from gateway.core.memory import Rules
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from gateway.engine import Engine, Identity
from gateway.fallback import DAMAGE, run_open
from gateway.lot_rules import load_rules
from gateway.orders import Verb
from gateway.quote import shipped_tariff
from gateway.run import EXIT_FAILED, EXIT_TRY_LATER, FAILED_STARTS_MAX, Gateway, StepItem, run
from gateway.shell.clock import SystemClock
from gateway.shell.mqtt import Arrived
from gateway.shell.signer import Signer
from gateway.shell.worker import CROWDED, FILLING
from gateway.store.journal import DamagedError
from gateway.store.starts import load
from gateway.topics import Kind, Topic
from sim.aes import Aes
from sim.bus_port import BusPort
from sim.clock import real_ms
from sim.fram import Fram
from tests.lots import KEY
from tests.operating import MANAGER

SITE_KEY = bytes(16)
UID = "00000000000000a2"
LIMIT_S = 8.0
SIGNER = Signer(KEY)
CITY = KEY.public_key().public_bytes_raw()


def make_node(role: int = EXIT) -> LaneNode:
    cipher = Cipher(Aes)
    uid = bytes.fromhex(UID)
    key = wire.node_key(cipher, SITE_KEY, uid)
    return LaneNode(1, uid, key, cipher, memory=Fram(4096), role=role, boot=1, nonce=lambda: bytes(range(8)))


def make_config(folder: Path, device: str, role: LaneRole = LaneRole.EXIT) -> Config:
    (folder / "site.key").write_text(SITE_KEY.hex(), encoding="ascii")
    bus = BusPart("bus", device, 115200, folder / "site.key", (LanePlace(1, UID, "out", role),))
    return Config(
        path=folder / "gateway.toml",
        gateway=GatewayPart("gw-1", folder / "data", folder / "key", folder / "statement"),
        lot=LotPart("lot-1", "plain-garage", WithoutLease.OPEN_ARREARS),
        city=CityPart("city", folder / "city.pub"),
        broker=BrokerPart("127.0.0.1", 1),
        buses=(bus,),
    )


def make_begun(config: Config, statement: tuple[str, str] = ("", ""), *, signer: Signer = SIGNER) -> Begun:
    """An engine that has written its start."""
    journal = open_journal(config)
    tariff = shipped_tariff("plain-garage")
    engine = Engine(
        identity=Identity("gw-1", "lot-1", "test"),
        lot=config.layout,
        rules=Rules(tariff, WithoutLease.OPEN_ARREARS, "CNY"),
        journal=journal,
        signer=signer,
        salt=lambda: "AAAAAAAAAAAAAAAAAAAAAA==",
    )
    me = Nameplate(journal.next_hello(), 1, Signer(KEY).key, tariff, "test", *statement)
    return Begun(engine, engine.start(SystemClock().moment()), me, journal.acked())


def make_gateway(config: Config, statement: tuple[str, str] = ("", "")) -> tuple[Gateway, Engine]:
    begun = make_begun(config, statement)
    return Gateway(config, SystemClock(), begun, city_key=CITY, capture=None), begun.engine


class ExitLane:
    """The node on a pseudo-terminal, its timers running; `until` waits for a condition that a frame or a timer brings about."""

    def __init__(self, role: int = EXIT) -> None:
        self.node = make_node(role)
        self._moved = asyncio.Event()
        self.port = BusPort([self.node], stamp=lambda ms: ms, fed=self._moved.set)

    async def __aenter__(self) -> ExitLane:
        self.port.open()
        self._tick()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._timer.cancel()
        self.port.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        """TimeoutError after LIMIT_S."""
        async with asyncio.timeout(LIMIT_S):
            while not holds():
                self._moved.clear()
                await self._moved.wait()

    def _tick(self) -> None:
        self.node.run(real_ms(), real_ms())
        self._moved.set()
        self._timer = asyncio.get_running_loop().call_later(0.02, self._tick)


def arrive(node: LaneNode) -> None:
    now_ms = real_ms()
    node.loop(0, True, now_ms, now_ms)
    node.plate("浙A12345", 1, 0, 0, 99, now_ms, now_ms)


def test_a_stalled_disk_holds_nobody_and_is_written_down(tmp_path: Path) -> None:
    async def story() -> list[str]:
        async with ExitLane() as lane:
            node = lane.node
            gateway, _ = make_gateway(make_config(tmp_path, lane.port.slave))
            running = asyncio.create_task(gateway.run())
            blocker = sqlite3.connect(tmp_path / "data" / "ledger.db", isolation_level=None)
            blocker.execute("BEGIN EXCLUSIVE")
            arrive(node)
            await lane.until(lambda: node.opened == 1)
            opened_by_itself = node.self_opened
            blocker.execute("ROLLBACK")
            await lane.until(lambda: node.pending == 0)
            gateway.stop()
            assert await running == 0
            assert opened_by_itself == 0
        return [row[0] for row in blocker.execute("SELECT json_extract(line, '$.type') FROM record ORDER BY n")]

    assert asyncio.run(story()) == ["genesis", "start", "exit", "outage"]


def test_two_reads_at_one_exit_have_a_budget_each(tmp_path: Path) -> None:
    async def story() -> list[list[tuple[str, int]]]:
        gateway, engine = make_gateway(make_config(tmp_path, "/dev/null"))
        gateway._loop = asyncio.get_running_loop()
        now = SystemClock().moment()
        source = Source(UID, 1, 1, 0)
        read = PlateRead(source, "out", Plate("浙A12345", Colour.BLUE, Vehicle.SMALL, Energy.FUEL, 99))
        # The worker is not running: both steps wait, as behind a disk that stalls.
        for seq in (1, 2):
            gateway._bus_events([replace(read, source=replace(source, seq=seq), behind=seq == 2)], now)
        found = [list(gateway._budgets)]
        first = StepItem((read,), now, (found[0][0],))
        gateway._lines.clear()
        gateway._done(first, replace(engine.step(first.events, now), commands=(), acked={}))
        found.append(list(gateway._budgets))
        for budget in gateway._budgets.values():
            budget.cancel()
        return found

    assert asyncio.run(story()) == [[("out", 1), ("out", 2)], [("out", 2)]]


def test_a_burst_of_commands_leaves_the_bus_its_room(tmp_path: Path) -> None:
    async def story() -> tuple[int, int, int, bool]:
        gateway, _ = make_gateway(make_config(tmp_path, "/dev/null"))
        gateway._loop = asyncio.get_running_loop()
        gateway._city._orders.start({MANAGER.key: MANAGER.operator.pub})
        now = SystemClock().moment()
        # The worker is not running: all that comes waits, as behind a disk that stalls.
        for n in range(1, 301):
            command = MANAGER.command(Verb.RECOUNT, {"inside": 3}, now.wall_ms, n=n, lot="lot-1")
            topic = str(Topic("city", "gw-1", Kind.COMMAND, Verb.RECOUNT))
            gateway._city._happened(Arrived(topic, MANAGER.signed(command).to_json()))
        taken = gateway._worker._queue.qsize()
        seqs = itertools.count(1)
        while not gateway._worker.filling:
            gateway._bus_events([BarrierMoved(Source(UID, 1, next(seqs), 0), "out", Position.OPEN)], now)
        held = gateway._worker._queue.qsize()
        # Every bus may have a reply outstanding when it is told to wait.
        for _ in range(8):
            gateway._bus_events([BarrierMoved(Source(UID, 1, next(seqs), 0), "out", Position.OPEN)], now)
        return taken, held, gateway._worker._queue.qsize(), gateway._stopped.is_set()

    assert asyncio.run(story()) == (CROWDED, FILLING, FILLING + 8, False)


def test_a_bus_that_was_stopped_stays_silent_when_a_commit_comes_back(tmp_path: Path) -> None:
    async def story() -> tuple[bool, int]:
        gateway, _ = make_gateway(make_config(tmp_path, "/dev/null"))
        (line,) = gateway._lines
        line.start()
        line.stop()
        gateway._follow(gateway._started)
        assert line._timer is not None
        return line._timer.cancelled(), gateway._exit_code

    assert asyncio.run(story()) == (True, 0)


def test_a_failed_commit_opens_first_and_then_ends_the_process(tmp_path: Path) -> None:
    async def story() -> int:
        async with ExitLane() as lane:
            node = lane.node
            gateway, _ = make_gateway(make_config(tmp_path, lane.port.slave))
            other = sqlite3.connect(tmp_path / "data" / "ledger.db")
            other.execute("CREATE TRIGGER broken BEFORE INSERT ON record BEGIN SELECT raise(ABORT, 'broken'); END")
            running = asyncio.create_task(gateway.run())
            arrive(node)
            await lane.until(lambda: node.opened == 1)
            assert node.pending > 0
            return await running

    assert asyncio.run(story()) == EXIT_FAILED


def test_a_ledger_that_can_not_be_opened_means_an_open_exit(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way", encoding="utf-8")

    async def story() -> None:
        async with ExitLane() as lane:
            node = lane.node
            config = make_config(tmp_path, lane.port.slave)
            with pytest.raises(OSError, match="File exists"):
                open_journal(config)
            running = asyncio.create_task(run_open(config, SystemClock(), "test", lambda: open_journal(config).close()))
            arrive(node)
            await lane.until(lambda: node.opened == 1)
            assert node.pending > 0
            running.cancel()

    asyncio.run(story())


def test_a_disk_that_answers_nothing_at_all_still_means_an_open_exit(tmp_path: Path) -> None:
    async def story() -> None:
        async with ExitLane() as lane:
            config = make_config(tmp_path, lane.port.slave)
            # Even to ask whether the ledger exists is an error here, as on a card that fails.
            broken = replace(config, gateway=replace(config.gateway, data=tmp_path / ("x" * 300)))
            with pytest.raises(OSError, match="File name too long"):
                open_journal(broken)
            running = asyncio.create_task(run_open(broken, SystemClock(), "test", lambda: open_journal(broken).close()))
            arrive(lane.node)
            await lane.until(lambda: lane.node.opened == 1 or running.done())
            assert not running.done()
            running.cancel()

    asyncio.run(story())


def test_running_open_ends_when_the_ledger_is_back_and_what_the_node_kept_is_booked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "RETRY_S", 0.05)
    (tmp_path / "data").write_text("in the way", encoding="utf-8")

    async def story() -> list[str]:
        async with ExitLane() as lane:
            node = lane.node
            config = make_config(tmp_path, lane.port.slave)
            running = asyncio.create_task(run_open(config, SystemClock(), "test", lambda: open_journal(config).close()))
            arrive(node)
            await lane.until(lambda: node.opened == 1)
            assert not running.done()
            (tmp_path / "data").unlink()
            await asyncio.wait_for(running, LIMIT_S)
            assert node.pending > 0
            gateway, _ = make_gateway(config)
            gateway_running = asyncio.create_task(gateway.run())
            await lane.until(lambda: node.pending == 0)
            gateway.stop()
            assert await gateway_running == 0
        ledger = sqlite3.connect(tmp_path / "data" / "ledger.db")
        return [row[0] for row in ledger.execute("SELECT json_extract(line, '$.type') FROM record ORDER BY n")]

    assert asyncio.run(story())[:3] == ["genesis", "start", "exit"]


def test_a_ledger_that_is_damaged_since_the_last_receipt_means_an_open_exit_until_it_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "RETRY_S", 0.05)
    config = make_config(tmp_path, "/dev/null")
    signer = Signer.create(config.gateway.key)
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    config.city.public_key.write_bytes(public)
    make_begun(config, signer=signer)
    open_checked(config).close()
    ledger = tmp_path / "data" / "ledger.db"
    whole = ledger.read_bytes()
    at = whole.rindex(b'"type":"start"')
    ledger.write_bytes(whole[:at] + b"?" + whole[at + 1 :])
    with pytest.raises(DamagedError, match=r"ledger\.db: record 2 is damaged: its line is not a record"):
        open_checked(config)
    told: list[str] = []

    class Restorer(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())
            if "running open" in told[-1]:
                ledger.write_bytes(whole)

    restorer = Restorer(logging.CRITICAL)
    logging.getLogger("gateway.fallback").addHandler(restorer)
    try:
        assert run(config, SystemClock()) == EXIT_TRY_LATER
    finally:
        logging.getLogger("gateway.fallback").removeHandler(restorer)
    assert len(told) == 1
    assert "record 2 is damaged" in told[0]
    assert [json.loads(r.line)["type"] for r in open_checked(config).records(3, 10)] == ["start"]


def runnable(tmp_path: Path, device: str = "/dev/null") -> Config:
    """A configuration of an entry, with all its files."""
    Signer.create(tmp_path / "key")
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "city.pub").write_bytes(public)
    return make_config(tmp_path, device, LaneRole.ENTRY)


class Driver(threading.Thread):
    """A vehicle at an entry whose node lives in a loop of its own, since `run` has the main thread's.

    `then` is called once the barrier rose, or did not for too long, so that `run` comes to its end.
    """

    def __init__(self, then: Callable[[ExitLane], Awaitable[None]]) -> None:
        super().__init__(daemon=True)
        self._then = then
        self.device: queue.Queue[str] = queue.Queue()
        self.let_in = False
        self.lane = ExitLane(ENTRY)
        self.start()

    def run(self) -> None:
        asyncio.run(self._story())

    async def _story(self) -> None:
        async with self.lane as lane:
            self.device.put(lane.port.slave)
            arrive(lane.node)
            try:
                await lane.until(lambda: lane.node.opened == 1)
                self.let_in = True
            finally:
                await self._then(lane)


def root_pages(ledger: Path) -> dict[str, list[int]]:
    """The root pages of each table and of its indexes."""
    connection = sqlite3.connect(ledger)
    found: dict[str, list[int]] = {}
    for table, page in connection.execute("SELECT tbl_name, rootpage FROM sqlite_schema WHERE rootpage > 0"):
        found.setdefault(table, []).append(page)
    connection.close()
    return found


def overwrite(ledger: Path, pages: list[int], whole: bytes = b"") -> None:
    """Damage these pages, or put them back as they were in the `whole` file."""
    with ledger.open("r+b") as file:
        for page in pages:
            start = (page - 1) * 4096
            file.seek(start)
            file.write(whole[start : start + 4096] or b"\xff" * 4096)


def test_whatever_page_is_damaged_the_start_either_goes_on_or_is_known_to_fail(tmp_path: Path) -> None:
    config = runnable(tmp_path)
    rules = load_rules(config, KEY.public_key().public_bytes_raw())
    begin(config, SystemClock(), rules).engine.close()
    ledger = config.gateway.data / "ledger.db"
    whole, pages = ledger.read_bytes(), root_pages(ledger)
    failed = set()
    for table, found in pages.items():
        overwrite(ledger, found)
        try:
            begin(config, SystemClock(), rules).engine.close()
        except DAMAGE:
            failed.add(table)
        for path in config.gateway.data.glob("ledger.db*"):
            path.unlink()
        ledger.write_bytes(whole)
    assert {"chain", "record", "session", "lane", "operator", "node"} <= failed


@pytest.mark.parametrize("table", ["chain", "session"])
def test_a_damaged_page_lets_a_vehicle_in_until_the_ledger_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setattr(fallback, "RETRY_S", 0.05)

    async def repair(_: ExitLane) -> None:
        overwrite(ledger, pages, whole)

    driver = Driver(repair)
    config = runnable(tmp_path, driver.device.get(timeout=LIMIT_S))
    rules = load_rules(config, KEY.public_key().public_bytes_raw())
    begin(config, SystemClock(), rules).engine.close()
    # A node takes no hello that is not newer, and the file beside the ledger alone may know the newest.
    driver.lane.node._log.see_epoch(1)
    ledger = config.gateway.data / "ledger.db"
    whole = ledger.read_bytes()
    pages = root_pages(ledger)[table]
    overwrite(ledger, pages)
    assert run(config, SystemClock()) == EXIT_TRY_LATER
    driver.join(LIMIT_S)
    assert driver.let_in
    assert driver.lane.node.pending > 0
    # The hello of the run without a ledger is behind it.
    assert open_journal(config).next_hello() > driver.lane.node._log.epoch


def test_starts_that_die_of_a_step_run_open_and_then_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback, "RETRY_S", 0.05)
    monkeypatch.setattr(running_gateway, "OPEN_S", 0.05)
    monkeypatch.setattr(running_gateway, "LAST_WORDS_S", 0.05)

    async def repair(lane: ExitLane) -> None:
        other.execute("DROP TRIGGER broken")
        with contextlib.suppress(TimeoutError):
            await lane.until(lambda: lane.node.pending == 0)
        signal.raise_signal(signal.SIGTERM)

    driver = Driver(repair)
    config = runnable(tmp_path, driver.device.get(timeout=LIMIT_S))
    rules = load_rules(config, KEY.public_key().public_bytes_raw())
    begin(config, SystemClock(), rules).engine.close()
    other = sqlite3.connect(config.gateway.data / "ledger.db", isolation_level=None, check_same_thread=False)
    other.execute("CREATE TRIGGER broken BEFORE INSERT ON lane BEGIN SELECT raise(ABORT, 'broken'); END")
    codes = [run(config, SystemClock()) for _ in range(FAILED_STARTS_MAX)]
    assert codes == [EXIT_FAILED] * FAILED_STARTS_MAX
    assert driver.lane.node.opened == 0
    assert load(config.gateway.data).failed == FAILED_STARTS_MAX
    assert run(config, SystemClock()) == 0
    driver.join(LIMIT_S)
    assert driver.let_in
    assert load(config.gateway.data).failed == 0


@pytest.mark.parametrize("named", ["password_file", "ca", "key"])
def test_a_broker_file_that_is_missing_is_the_configurations_fault(tmp_path: Path, named: str) -> None:
    config = make_config(tmp_path, "/dev/null")
    Signer.create(tmp_path / "key")
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "city.pub").write_bytes(public)
    missing: dict[str, Any] = {named: tmp_path / "nothing"}
    with pytest.raises(
        ConfigError, match=rf"broker\.{named} = '.*nothing': No such file or directory; put the file there"
    ):
        run(replace(config, broker=replace(config.broker, **missing)), SystemClock())
    # Found before anything was begun: no ledger was made for a gateway that can not run.
    assert not (tmp_path / "data").exists()
