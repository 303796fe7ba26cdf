"""The line over a real broker and a real port: a push is acknowledged after its commit and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.core.events import Event
from gateway.core.platform_events import FeeAsked
from gateway.core.platform_state import Asked, Work
from gateway.engine import Outcome
from gateway.hangzhou_line import HangzhouLine
from gateway.shell.clock import SystemClock
from sim.broker import EmbeddedBroker
from sim.hangzhou import Message
from tests.platforms import push_of
from tests.test_hangzhou_config import STAND_IN, part_of

WAIT_S = 20
FEE = {"plateNo": "浙A12345", "plateColor": 1, "parkingCode": "P1"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(tmp_path, username="acc", password="s3", version="v4")
    broker.start()
    yield broker
    broker.stop()


class Side:
    """A started line, and what it wanted entered and read."""

    def __init__(self, folder: Path, broker: EmbeddedBroker, http_port: int = 1) -> None:
        text = STAND_IN.replace(":8080", f":{http_port}")
        text = text.replace("mqtt_client_id", f"mqtt_port = {broker.port}\nmqtt_client_id")
        part = part_of(folder, text)
        self.entered: asyncio.Queue[tuple[Event, ...]] = asyncio.Queue()
        self.line = HangzhouLine(
            part, part.terms(), part.secret(), clock=SystemClock(), submit=self._submit, read=self._read
        )
        self.line.start(())
        self.task = asyncio.create_task(self.line.serve())
        self.reads = 0

    def _submit(self, events: tuple[Event, ...]) -> bool:
        self.entered.put_nowait(events)
        return True

    def _read(self, _asked: Asked) -> bool:
        self.reads += 1
        asyncio.get_running_loop().call_soon(self.line.given, Work((0, ""), 0, 2, 0))
        return True

    async def pushed(self) -> tuple[Event, ...]:
        return await asyncio.wait_for(self.entered.get(), WAIT_S)

    async def stop(self) -> None:
        self.task.cancel()
        self.line.stop()
        await asyncio.gather(self.task, return_exceptions=True)


def publish(broker: EmbeddedBroker, *messages: Message) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, "platform", protocol=paho.MQTTv311)
    client.username_pw_set("acc", "s3")
    client.connect(broker.host, broker.port)
    client.loop_start()
    for message in messages:
        topic = message.topic.replace("acc-1", "acc").replace("TEST0001", "P1")
        client.publish(topic, message.payload, 1).wait_for_publish(WAIT_S)
    client.disconnect()
    client.loop_stop()


def test_a_push_is_acknowledged_after_its_commit_and_not_before(tmp_path: Path, broker: EmbeddedBroker) -> None:
    async def check() -> None:
        outcome = Outcome((), {}, 1, 0, 0, False)
        first = Side(tmp_path, broker)
        await asyncio.wait_for(_subscribed(first), WAIT_S)
        await asyncio.to_thread(publish, broker, push_of("fee", FEE, 1))
        (event,) = await first.pushed()
        assert isinstance(event, FeeAsked)
        # Entered and not committed: the gateway dies here.
        await first.stop()
        second = Side(tmp_path, broker)
        again = await second.pushed()
        assert again == (event,)
        second.line.took(outcome, again)
        await asyncio.to_thread(publish, broker, push_of("fee", FEE, 2))
        (next_one,) = await second.pushed()
        second.line.took(outcome, (next_one,))
        await second.stop()
        third = Side(tmp_path, broker)
        await asyncio.wait_for(_subscribed(third), WAIT_S)
        await asyncio.to_thread(publish, broker, push_of("fee", FEE, 3))
        (last,) = await third.pushed()
        assert isinstance(last, FeeAsked)
        assert last.origin.request == "3"
        await third.stop()

    asyncio.run(check())


def test_calls_go_out_once_there_is_nothing_of_the_ledger(tmp_path: Path, broker: EmbeddedBroker) -> None:
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            paths.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"resultCode":200,"data":[]}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()

    async def check() -> None:
        side = Side(tmp_path, broker, server.server_port)
        async with asyncio.timeout(WAIT_S):
            while len(paths) < 2:
                await asyncio.to_thread(lambda: None)
        await side.stop()

    asyncio.run(check())
    server.shutdown()
    assert paths[:2] == ["/api/v2/tcjg/uploadHeartbeat", "/api/v2/cp/uploadParkingState"]


async def _subscribed(side: Side) -> None:
    """Until the broker has the line's session: what is published after that is kept for it."""
    while not side.line.subscriptions:
        await asyncio.to_thread(lambda: None)
