"""The network thread's side: Nagle off, no deadlock between publish and acknowledgement, silence after the cut."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gateway.shell.broker_client import Broker, BrokerClient, Connected, Disconnected, Settled, Terms
from tests.brokers import Site

WAIT_S = 20


@pytest.fixture(scope="module", params=["iotcore", "mosquitto"])
def site(request, tmp_path_factory):
    site = Site(request.param, tmp_path_factory.mktemp("site"))
    site.broker.start()
    yield site
    site.broker.stop()


async def started(site):
    """A connected client, and the queue of what it hands over."""
    taken = asyncio.Queue()
    terms = Terms(site.login("gw-1"), (), "park/v1/hz/gw-1/state", lambda _: b"lost", 15)
    client = BrokerClient(terms, 0, asyncio.get_running_loop(), lambda _, event: taken.put_nowait(event))
    client.connect()
    assert isinstance(await asyncio.wait_for(taken.get(), WAIT_S), Connected)
    return client, taken


def test_nagle_is_off(site):
    async def check():
        client, _ = await started(site)
        assert client._client.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        client.cut()

    asyncio.run(check())


def test_publish_while_acknowledgements_come(site):
    async def check():
        client, taken = await started(site)
        sent, settled = set(), set()
        while len(settled) < 2000:
            while len(sent) - len(settled) < 20:
                sent.add(client.publish("park/v1/hz/gw-1/rec/c-1", b"x", 1, False))
            event = await asyncio.wait_for(taken.get(), WAIT_S)
            assert event == Settled(event.mid, "")
            settled.add(event.mid)
        assert settled <= sent
        assert 0 not in sent
        client.cut()

    asyncio.run(check())


def test_a_cut_client_ends_its_thread(site):
    async def check():
        client, taken = await started(site)
        thread = client._client._thread
        client.cut()
        assert isinstance(await asyncio.wait_for(taken.get(), WAIT_S), Disconnected)
        await asyncio.to_thread(thread.join, WAIT_S)
        assert not thread.is_alive()
        assert client.publish("park/v1/hz/gw-1/rec/c-1", b"x", 1, False) == 0

    asyncio.run(check())


def test_a_cut_that_comes_while_paho_begins_to_connect_ends_its_thread():
    async def check():
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            login = Broker("127.0.0.1", closed.getsockname()[1], "gw-1")
            terms = Terms(login, (), "park/v1/hz/gw-1/state", lambda _: b"lost", 15)
            client = BrokerClient(terms, 0, asyncio.get_running_loop(), lambda *_: None)
            # The order in which paho sees them: its own beginning takes the disconnect back.
            client.cut()
            client.connect()
            thread = client._client._thread
            if thread is not None:
                await asyncio.to_thread(thread.join, WAIT_S)
                assert not thread.is_alive()

    asyncio.run(check())


def test_a_foreign_authority_is_not_trusted(tmp_path):
    ours, theirs = Site("mosquitto", tmp_path / "ours"), Site("mosquitto", tmp_path / "theirs")
    ours.broker.start()

    async def check():
        taken = asyncio.Queue()
        login = theirs.login("gw-1")
        login = Broker(login.host, ours.broker.port, "gw-1", ca=login.ca, certificate=login.certificate, key=login.key)
        terms = Terms(login, (), "park/v1/hz/gw-1/state", lambda _: b"lost", 15)
        client = BrokerClient(terms, 0, asyncio.get_running_loop(), lambda _, event: taken.put_nowait(event))
        failed = asyncio.Event()
        loop = asyncio.get_running_loop()
        client._client.on_connect_fail = lambda *_: loop.call_soon_threadsafe(failed.set)
        client.connect()
        await asyncio.wait_for(failed.wait(), WAIT_S)
        assert taken.empty()
        client.cut()

    asyncio.run(check())
    ours.broker.stop()
