"""Operators end to end: a real gateway, a node, Mosquitto with its access list, and what a gateway may not say for another."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gateway.config import BrokerPart
from gateway.console.line import Line, LineError
from gateway.console.operator_key import STATEMENT_DOMAIN, is_signed
from gateway.console.profile import Access
from gateway.engine import Engine
from gateway.orders import REPLY_DOMAIN, Code, Command, Reply, Signed, Verb
from gateway.shell.clock import SystemClock
from gateway.shell.mqtt import Acked, Connected, Link
from gateway.topics import Kind, Topic
from tests.brokers import Site
from tests.lots import KEY
from tests.operating import ATTENDANT, MANAGER, STRANGER, Console, listed, signed_list
from tests.records import public
from tests.test_run import ExitLane, make_config, make_gateway

WAIT_S = 10.0
VERSIONS = count(1)
"""Of the city's list, which the broker keeps from test to test."""
OUT = {"lane": "out"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site("mosquitto", tmp_path_factory.mktemp("site"))
    found.broker.start()
    yield found
    found.broker.stop()


def access(site: Site, name: str) -> Access:
    login = site.login(name)
    return Access(login.host, login.port, ca=login.ca, certificate=login.certificate, key=login.key)


class Lot:
    """The running gateway, its lane, and the messages of city and consoles to it."""

    def __init__(self, site: Site, folder: Path, lane: ExitLane, engine: Engine) -> None:
        self.lane = lane
        self.ledger = folder / "data" / "ledger.db"
        self._site = site
        self._engine = engine

    async def list(self, *consoles: Console) -> None:
        """The city lists these operators, and the gateway has written it down."""
        version = next(VERSIONS)
        signed = signed_list(listed(*consoles, version=version), KEY)
        state = str(Topic("hz", "city", Kind.STATE))
        city = Link(self._site.login("city"), subscriptions=(), state_topic=state, will=lambda _n: b"lost")
        city.start()
        await heard(city, Connected)
        assert city.publish(str(Topic("hz", "gw-1", Kind.SETTING, "operators")), signed.to_json(), 1, True)
        await heard(city, Acked)
        await city.stop()
        await self.lane.until(lambda: self._engine.memory.roster.version == version)

    async def ask(self, command: Command, signed: Signed) -> Reply:
        """Send a command from the console; the reply, which must be under the record key."""
        return await asyncio.to_thread(self._ask, command, signed)

    def _ask(self, command: Command, signed: Signed) -> Reply:
        wanted = str(Topic("hz", "gw-1", Kind.REPLY, command.key))
        with Line(access(self._site, "console"), [(wanted, 1)]) as line:
            line.publish(str(Topic("hz", "gw-1", Kind.COMMAND, command.verb)), signed.to_json(), 60)
            arrived = line.next(WAIT_S)
        assert arrived is not None
        body = Signed.from_json(arrived[1])
        assert isinstance(body, Signed)
        assert is_signed(public(KEY), REPLY_DOMAIN, body.line, body.signature)
        reply = Reply.from_line(body.line)
        assert isinstance(reply, Reply)
        return reply

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Bodies of the records of one type."""
        with sqlite3.connect(self.ledger) as ledger:
            lines = [json.loads(row[0]) for row in ledger.execute("SELECT line FROM record ORDER BY n")]
        ledger.close()
        return [line["body"] | {"record": line["n"]} for line in lines if line["type"] == kind]


async def heard(link: Link, kind: type[Connected] | type[Acked]) -> None:
    """Wait for what a link says."""
    while not isinstance(await asyncio.wait_for(link.events.get(), WAIT_S), kind):
        pass


def statement() -> tuple[str, str]:
    """The city's word that the record key is the gateway's; here both are the same."""
    line = json.dumps({"chain": "gw-1", "pub": base64.b64encode(public(KEY)).decode()})
    return line, base64.b64encode(KEY.sign(STATEMENT_DOMAIN + line.encode())).decode()


@asynccontextmanager
async def operated(site: Site, folder: Path) -> AsyncIterator[Lot]:
    async with ExitLane() as lane:
        login = site.login("gw-1")
        broker = BrokerPart(login.host, login.port, ca=login.ca, certificate=login.certificate, key=login.key)
        config = make_config(folder, lane.port.slave)
        config = replace(config, broker=broker, city=replace(config.city, name="hz"))
        gateway, engine = make_gateway(config, statement())
        running = asyncio.create_task(gateway.run())
        lot = Lot(site, folder, lane, engine)
        await lot.list(ATTENDANT, MANAGER)
        yield lot
        gateway.stop()
        assert await running == 0


def now_ms() -> int:
    return SystemClock().moment().wall_ms


def fresh(console: Console, verb: Verb = Verb.BARRIER_OPEN, args: Any = OUT, **changed: Any) -> tuple[Command, Signed]:
    command = console.command(verb, args, changed.pop("at_ms", now_ms()), lot="lot-1", **changed)
    return command, console.signed(command)


async def without_the_role(_lot: Lot) -> tuple[Command, Signed]:
    return fresh(ATTENDANT, Verb.RECOUNT, {"inside": 5})


async def replayed(lot: Lot) -> tuple[Command, Signed]:
    await lot.ask(*fresh(MANAGER, Verb.RECOUNT, {"inside": 5}))
    return fresh(MANAGER, n=MANAGER.n)


async def expired(_lot: Lot) -> tuple[Command, Signed]:
    return fresh(MANAGER, at_ms=now_ms() - 60_000)


async def for_another_lot(_lot: Lot) -> tuple[Command, Signed]:
    command = replace(fresh(MANAGER)[0], lot="lot-2")
    return command, MANAGER.signed(command)


async def for_another_gateway(_lot: Lot) -> tuple[Command, Signed]:
    return fresh(MANAGER, gw="gw-2")


async def revoked(lot: Lot) -> tuple[Command, Signed]:
    await lot.list(ATTENDANT)
    return fresh(MANAGER)


async def unknown(_lot: Lot) -> tuple[Command, Signed]:
    return fresh(STRANGER)


async def forged(_lot: Lot) -> tuple[Command, Signed]:
    command, _ = fresh(MANAGER)
    return command, STRANGER.signed(command)


async def good(_lot: Lot) -> tuple[Command, Signed]:
    return fresh(ATTENDANT)


Case = Callable[[Lot], Any]


@pytest.mark.parametrize(
    ("case", "code", "opened", "recorded"),
    [
        # case                code                 opened  in the ledger as
        (without_the_role,    Code.FORBIDDEN,      0,      "command"),
        (replayed,            Code.REPLAYED,       0,      "command"),
        (expired,             Code.EXPIRED,        0,      "command"),
        (for_another_lot,     Code.WRONG_LOT,      0,      "command"),
        (for_another_gateway, Code.WRONG_GATEWAY,  0,      "command"),
        (revoked,             Code.REVOKED,        0,      "command"),
        (unknown,             Code.UNKNOWN_KEY,    0,      "alarm"),
        (forged,              Code.BAD_SIGNATURE,  0,      "alarm"),
        (good,                Code.DONE,           1,      "command"),
    ],
)  # fmt: skip
def test_a_command_is_obeyed_or_refused_by_name_and_recorded(
    site: Site, tmp_path: Path, case: Case, code: Code, opened: int, recorded: str
) -> None:
    async def story() -> None:
        async with operated(site, tmp_path) as lot:
            command, signed = await case(lot)
            reply = await lot.ask(command, signed)
            await lot.lane.until(lambda: lot.lane.node.opened == opened)
        assert (reply.code, reply.n, reply.key) == (code, command.n, command.key)
        body = lot.records(recorded)[-1]
        if recorded == "alarm":
            assert (reply.record, body["alarm"]) == (0, "operators/strangers")
        else:
            state = "done" if code is Code.DONE else "refused"
            assert (body["code"], body["n"], body["state"], body["record"]) == (code, command.n, state, reply.record)

    asyncio.run(story())


def test_the_same_command_twice_opens_once_and_is_answered_twice_the_same(site: Site, tmp_path: Path) -> None:
    async def story() -> None:
        async with operated(site, tmp_path) as lot:
            command, signed = fresh(ATTENDANT)
            first, again = await lot.ask(command, signed), await lot.ask(command, signed)
            await lot.ask(*fresh(MANAGER, Verb.RECOUNT, {"inside": 0}))
            await lot.lane.until(lambda: lot.lane.node.opened == 1)
        assert first == again
        assert [body["verb"] for body in lot.records("command")] == ["barrier-open", "recount"]

    asyncio.run(story())


REPLY = Topic("hz", "gw-1", Kind.REPLY, ATTENDANT.key)


@pytest.mark.parametrize(
    ("who", "topic", "allowed"),
    [
        ("gw-1",    REPLY,                                                   True),
        ("gw-2",    REPLY,                                                   False),
        ("console", REPLY,                                                   False),
        ("city",    REPLY,                                                   False),
        ("console", Topic("hz", "gw-1", Kind.COMMAND, "barrier-open"),       True),
        ("gw-1",    Topic("hz", "gw-1", Kind.COMMAND, "barrier-open"),       False),
        ("gw-2",    Topic("hz", "gw-1", Kind.COMMAND, "barrier-open"),       False),
        ("city",    Topic("hz", "gw-1", Kind.SETTING, "operators"),          True),
        ("console", Topic("hz", "gw-1", Kind.SETTING, "operators"),          False),
        ("gw-1",    Topic("hz", "gw-1", Kind.SETTING, "operators"),          False),
        ("gw-2",    Topic("hz", "gw-1", Kind.SETTING, "operators"),          False),
        ("console", Topic("hz", "gw-1", Kind.RECEIPT, "gw-1"),               False),
        ("console", Topic("hz", "gw-1", Kind.STATE),                         False),
    ],
)  # fmt: skip
def test_who_may_write_where(site: Site, who: str, topic: Topic, allowed: bool) -> None:
    with Line(access(site, who), []) as line:
        if allowed:
            line.publish(str(topic), b"x", 1)
            return
        with pytest.raises(LineError, match="message refused"):
            line.publish(str(topic), b"x", 1)


def test_a_gateway_hears_no_commands_to_another(site: Site) -> None:
    heard = Topic("hz", "gw-2", Kind.COMMAND, "barrier-open")
    with (
        Line(access(site, "gw-2"), [("park/v1/hz/+/cmd/+", 1), (str(heard), 1)]) as other,
        Line(access(site, "console"), []) as console,
    ):
        console.publish(str(Topic("hz", "gw-1", Kind.COMMAND, "barrier-open")), b"for gw-1", 60)
        console.publish(str(heard), b"for gw-2", 60)
        assert other.next(WAIT_S) == (str(heard), b"for gw-2")
