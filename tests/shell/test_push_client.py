"""The subscriber over a real MQTT 3.1.1 broker: what was not acknowledged comes again, what was does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.shell.broker_client import Broker
from gateway.shell.push_client import HANDED_MAX, PushClient, Pushed, PushEvent, Subscribed, Unsubscribed
from sim.broker import EmbeddedBroker

WAIT_S = 20
TOPIC = "/hzcity/v2/fee/acc/1"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(tmp_path, username="acc", password="secret", version="v4")
    broker.start()
    yield broker
    broker.stop()


class Side:
    """A started subscriber and what it took."""

    def __init__(self, broker: EmbeddedBroker, password: str = "secret") -> None:
        self.taken: asyncio.Queue[PushEvent] = asyncio.Queue()
        login = Broker(broker.host, broker.port, "acc", "acc", password)
        self.client = PushClient(login, (TOPIC,), clean_session=False, take=self.taken.put_nowait)
        self.client.start()

    async def next(self) -> PushEvent:
        return await asyncio.wait_for(self.taken.get(), WAIT_S)


def publish(broker: EmbeddedBroker, *bodies: bytes) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, "platform", protocol=paho.MQTTv311)
    client.username_pw_set("acc", "secret")
    client.connect(broker.host, broker.port)
    client.loop_start()
    for body in bodies:
        client.publish(TOPIC, body, 1).wait_for_publish(WAIT_S)
    client.disconnect()
    client.loop_stop()


def test_what_is_not_acknowledged_comes_again(broker: EmbeddedBroker) -> None:
    async def check() -> None:
        first = Side(broker)
        assert await first.next() == Subscribed()
        await asyncio.to_thread(publish, broker, b"one", b"two")
        got = [await first.next(), await first.next()]
        assert [push.payload for push in got if isinstance(push, Pushed)] == [b"one", b"two"]
        assert isinstance(got[0], Pushed)
        first.client.ack(got[0])
        first.client.stop()
        while not isinstance(await first.next(), Unsubscribed):
            pass
        await asyncio.to_thread(publish, broker, b"three")
        second = Side(broker)
        assert await second.next() == Subscribed()
        again = [await second.next(), await second.next()]
        assert [push.payload for push in again if isinstance(push, Pushed)] == [b"two", b"three"]
        # An acknowledgement of another connection's message would be one of a stranger's.
        second.client.ack(Pushed(TOPIC, b"", 99, 1))
        second.client.stop()

    asyncio.run(check())


def test_acknowledgements_go_out_in_the_order_of_arrival(broker: EmbeddedBroker) -> None:
    async def check() -> None:
        first = Side(broker)
        assert await first.next() == Subscribed()
        await asyncio.to_thread(publish, broker, *(b"%d" % number for number in range(6)))
        got = [await first.next() for _ in range(6)]
        # This broker cuts a client that acknowledges out of order.
        for push in (*got[3:0:-1], got[0], got[5]):
            assert isinstance(push, Pushed)
            first.client.ack(push)
        await asyncio.to_thread(publish, broker, b"6")
        last = await first.next()
        assert isinstance(last, Pushed)
        assert last.payload == b"6"
        first.client.stop()
        second = Side(broker)
        assert await second.next() == Subscribed()
        again = [await second.next() for _ in range(3)]
        assert [push.payload for push in again if isinstance(push, Pushed)] == [b"4", b"5", b"6"]
        second.client.stop()

    asyncio.run(check())


def test_a_wrong_password_is_told(broker: EmbeddedBroker) -> None:
    async def check() -> None:
        side = Side(broker, password="wrong")
        assert isinstance(await side.next(), Unsubscribed)
        side.client.stop()

    asyncio.run(check())


def test_a_loop_that_stands_still_keeps_a_bounded_number(broker: EmbeddedBroker) -> None:
    async def check() -> None:
        side = Side(broker)
        assert await side.next() == Subscribed()
        # The loop does not turn while this hands over.
        for number in range(HANDED_MAX + 50):
            side.client._hand_over(Pushed(TOPIC, b"", 1, number))
        assert side.client.dropped == 50
        side.client.stop()

    asyncio.run(check())
