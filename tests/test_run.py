"""The running gateway under a fault: a stalled disk, a failed commit, no ledger at all. Real pty, node and SQLite."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firmware import wire
from firmware.cipher import Cipher
from firmware.lane import EXIT, LaneNode
from gateway import fallback
from gateway.city_line import Nameplate
from gateway.config import BrokerPart, BusPart, CityPart, Config, ConfigError, GatewayPart, LotPart
from gateway.core.events import PlateRead, Source
from gateway.core.exit import WithoutLease
from gateway.core.layout import LaneNode as LanePlace
from gateway.core.layout import LaneRole
from gateway.core.memory import Rules
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from gateway.engine import Engine, Identity
from gateway.fallback import run_open
from gateway.quote import shipped_tariff
from gateway.run import EXIT_FAILED, EXIT_TRY_LATER, Gateway, StepItem, open_checked, open_journal, run
from gateway.shell.clock import SystemClock
from gateway.shell.signer import Signer
from gateway.store.journal import DamagedError
from sim.aes import Aes
from sim.bus_port import BusPort
from sim.clock import real_ms
from sim.fram import Fram
from tests.lots import KEY

SITE_KEY = bytes(16)
UID = "00000000000000a2"
LIMIT_S = 8.0
SIGNER = Signer(KEY)


def make_node() -> LaneNode:
    cipher = Cipher(Aes)
    uid = bytes.fromhex(UID)
    key = wire.node_key(cipher, SITE_KEY, uid)
    return LaneNode(1, uid, key, cipher, memory=Fram(4096), role=EXIT, boot=1, nonce=lambda: bytes(range(8)))


def make_config(folder: Path, device: str) -> Config:
    (folder / "site.key").write_text(SITE_KEY.hex(), encoding="ascii")
    bus = BusPart("bus", device, 115200, folder / "site.key", (LanePlace(1, UID, "out", LaneRole.EXIT),))
    return Config(
        path=folder / "gateway.toml",
        gateway=GatewayPart("gw-1", folder / "data", folder / "key", folder / "statement"),
        lot=LotPart("lot-1", "plain-garage", WithoutLease.OPEN_ARREARS),
        city=CityPart("city", folder / "city.pub"),
        broker=BrokerPart("127.0.0.1", 1),
        buses=(bus,),
    )


def make_gateway(
    config: Config, statement: tuple[str, str] = ("", ""), *, signer: Signer = SIGNER
) -> tuple[Gateway, Engine]:
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
    public = KEY.public_key().public_bytes_raw()
    return Gateway(config, SystemClock(), engine, me, city_key=public, acked={}, capture=None), engine


class ExitLane:
    """The node on a pseudo-terminal, its timers running; `until` waits for a condition that a frame or a timer brings about."""

    def __init__(self) -> None:
        self.node = make_node()
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
            gateway, engine = make_gateway(make_config(tmp_path, lane.port.slave))
            running = asyncio.create_task(gateway.run(engine.start(SystemClock().moment())))
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
        engine.start(now)
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


def test_a_failed_commit_opens_first_and_then_ends_the_process(tmp_path: Path) -> None:
    async def story() -> int:
        async with ExitLane() as lane:
            node = lane.node
            gateway, engine = make_gateway(make_config(tmp_path, lane.port.slave))
            started = engine.start(SystemClock().moment())
            other = sqlite3.connect(tmp_path / "data" / "ledger.db")
            other.execute("CREATE TRIGGER broken BEFORE INSERT ON record BEGIN SELECT raise(ABORT, 'broken'); END")
            running = asyncio.create_task(gateway.run(started))
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
            gateway, engine = make_gateway(config)
            gateway_running = asyncio.create_task(gateway.run(engine.start(SystemClock().moment())))
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
    make_gateway(config, signer=signer)[1].start(SystemClock().moment())
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
    assert open_checked(config).head().n == 2


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
