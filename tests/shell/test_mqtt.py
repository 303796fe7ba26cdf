"""The link against real brokers: what it says of connections, refusals, cuts and silence."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import pytest

from gateway.shell.mqtt import EVENTS_MAX, LOSSY_MAX, WINDOW, Acked, Arrived, Connected, Disconnected, Link, Refused
from tests.brokers import Site
from tests.proxy import Proxy

ROOT = "park/v1/hz/gw-1"
WAIT_S = 20


@pytest.fixture(scope="module", params=["iotcore", "mosquitto"])
def any_site(request, tmp_path_factory):
    site = Site(request.param, tmp_path_factory.mktemp("site"))
    site.broker.start()
    yield site
    site.broker.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site("mosquitto", tmp_path_factory.mktemp("site"))
    site.broker.start()
    yield site
    site.broker.stop()


def make(site, name="gw-1", subscriptions=(f"{ROOT}/dn/c-1",), *, port=0, will=lambda n: f"lost {n}".encode(), **more):
    login = site.login(name)
    login = replace(login, port=port or login.port)
    return Link(login, subscriptions=subscriptions, state_topic=f"park/v1/hz/{name}/state", will=will, **more)


async def until(link, kind):
    """The next event of a kind; others before it are passed over."""
    while True:
        event = await asyncio.wait_for(link.events.get(), WAIT_S)
        if isinstance(event, kind):
            return event


@contextlib.asynccontextmanager
async def running(*links):
    for link in links:
        link.start()
    try:
        for link in links:
            await until(link, Connected)
        yield
    finally:
        for link in links:
            await link.stop()


def test_publish_and_arrive(any_site):
    async def check():
        city = make(any_site, "city", [f"{ROOT}/rec/c-1"])
        gateway = make(any_site)
        async with running(city, gateway):
            mid = gateway.publish(f"{ROOT}/rec/c-1", b"records", 1, False)
            assert await until(gateway, Acked) == Acked(mid)
            assert await until(city, Arrived) == Arrived(f"{ROOT}/rec/c-1", b"records")
            city.publish(f"{ROOT}/dn/c-1", b"\x00\xff", 1, False)
            assert await until(gateway, Arrived) == Arrived(f"{ROOT}/dn/c-1", b"\x00\xff")

    asyncio.run(check())


def test_broker_killed_and_started_again(any_site):
    async def check():
        link = make(any_site)
        link.start()
        assert (await until(link, Connected)).connection == 1
        any_site.broker.kill()
        await until(link, Disconnected)
        assert link.publish(f"{ROOT}/rec/c-1", b"x", 1, False) is False
        assert link.room == 0
        any_site.broker.start()
        assert (await until(link, Connected)).connection >= 2
        assert link.room == WINDOW
        assert link.publish(f"{ROOT}/rec/c-1", b"x", 1, False)
        await until(link, Acked)
        await link.stop()

    asyncio.run(check())


def test_window(any_site):
    async def check():
        link = make(any_site)
        async with running(link):
            any_site.broker.freeze()
            try:
                mids = [link.publish(f"{ROOT}/rec/c-1", b"x", 1, False) for _ in range(WINDOW + 2)]
                assert all(mids[:WINDOW])
                assert mids[WINDOW:] == [False, False]
                assert link.room == 0
            finally:
                any_site.broker.thaw()
            acked = {(await until(link, Acked)).mid for _ in range(WINDOW)}
            assert acked == set(mids[:WINDOW])
            assert link.room == WINDOW

    asyncio.run(check())


def test_live_view_has_a_window_of_its_own(any_site):
    async def check():
        link = make(any_site)
        async with running(link):
            assert all(link.publish(f"{ROOT}/evt/left", b"x", 0, False) for _ in range(LOSSY_MAX))
            assert link.publish(f"{ROOT}/evt/left", b"x", 0, False) is False
            link.publish(f"{ROOT}/rec/c-1", b"x", 1, False)
            await until(link, Acked)
            assert link.publish(f"{ROOT}/evt/left", b"x", 0, False)

    asyncio.run(check())


def test_refused_publish_and_subscription_are_reported(site):
    async def check():
        link = make(site)
        async with running(link):
            foreign = "park/v1/hz/gw-2/rec/c-1"
            assert link.publish(foreign, b"x", 1, False)
            refused = await until(link, Refused)
            assert (refused.topic, refused.reason) == (foreign, "Not authorized")
            assert link.counts.refused == 1
            assert link.room == WINDOW

    asyncio.run(check())


def test_foreign_branches_stay_silent(site):
    async def check():
        listener = make(site, "gw-2", ["park/v1/#", f"{ROOT}/rec/+", "park/v1/hz/gw-2/dn/c-2"])
        city, gateway = make(site, "city", []), make(site)
        async with running(listener, city, gateway):
            gateway.publish(f"{ROOT}/rec/c-1", b"secret", 1, False)
            gateway.publish(f"{ROOT}/dn/c-1", b"forged", 1, False)
            await until(gateway, Acked)
            assert (await until(gateway, Refused)).topic == f"{ROOT}/dn/c-1"
            city.publish("park/v1/hz/gw-2/dn/c-2", b"own", 1, False)
            assert await until(listener, Arrived) == Arrived("park/v1/hz/gw-2/dn/c-2", b"own")

    asyncio.run(check())


def test_no_certificate_no_connection(site):
    async def check():
        login = replace(site.login("gw-1"), certificate=None, key=None)
        link = Link(login, subscriptions=(), state_topic=f"{ROOT}/state", will=lambda _: b"")
        link.start()
        event = await asyncio.wait_for(link.events.get(), WAIT_S)
        assert isinstance(event, Disconnected)
        await link.stop()

    asyncio.run(check())


def test_wrong_password_is_reported(tmp_path):
    site = Site("iotcore", tmp_path)
    site.broker.start()

    async def check():
        login = replace(site.login("gw-1"), password="guess")
        link = Link(login, subscriptions=(), state_topic=f"{ROOT}/state", will=lambda _: b"")
        link.start()
        event = await asyncio.wait_for(link.events.get(), WAIT_S)
        assert isinstance(event, Refused | Disconnected)
        assert link.room == 0
        await link.stop()

    asyncio.run(check())
    site.broker.stop()


def test_farewell_is_retained_and_no_will_follows(any_site):
    async def check():
        gateway = make(any_site)
        gateway.start()
        await until(gateway, Connected)
        await gateway.stop(b"offline")
        city = make(any_site, "city", [f"{ROOT}/state"])
        async with running(city):
            assert await until(city, Arrived) == Arrived(f"{ROOT}/state", b"offline")

    asyncio.run(check())


def test_will_names_the_connection(site, monkeypatch):
    monkeypatch.setattr("gateway.shell.broker_client.WILL_DELAY_S", 0)

    async def check():
        proxy = Proxy(site.broker.port)
        async with proxy.open() as port:
            city, gateway = make(site, "city", [f"{ROOT}/state"]), make(site, port=port)
            async with running(city, gateway):
                proxy.cut()
                while (await until(city, Arrived)).payload != b"lost 1":
                    pass

    asyncio.run(check())


def test_a_cut_loses_the_window_and_reports_it(any_site):
    async def check():
        proxy = Proxy(any_site.broker.port)
        async with proxy.open() as port:
            link = make(any_site, port=port)
            async with running(link):
                proxy.stall()
                while link.publish(f"{ROOT}/rec/c-1", b"x", 1, False):
                    pass
                proxy.cut()
                await until(link, Disconnected)
                proxy.resume()
                await until(link, Connected)
                assert link.room == WINDOW
                mid = link.publish(f"{ROOT}/rec/c-1", b"x", 1, False)
                assert await until(link, Acked) == Acked(mid)
                assert link.room == WINDOW

    asyncio.run(check())


def test_a_deaf_link_is_rebuilt(any_site):
    async def check():
        proxy = Proxy(any_site.broker.port)
        async with proxy.open() as port:
            link = make(any_site, port=port, keepalive_s=600, deaf_s=1)
            async with running(link):
                proxy.stall()
                assert (await until(link, Disconnected)).reason == "deaf"
                proxy.resume()
                assert (await until(link, Connected)).connection >= 2
                assert link.counts.rebuilt >= 1

    asyncio.run(check())


def test_a_client_whose_thread_has_died_is_replaced(site, monkeypatch):
    async def check():
        link = make(site, deaf_s=1)
        monkeypatch.setattr("paho.mqtt.client.Client._thread_main", lambda _client: None)
        link.start()
        monkeypatch.undo()
        assert (await until(link, Connected)).connection == 1
        assert link.counts.rebuilt == 1
        await link.stop()

    asyncio.run(check())


def test_a_callback_that_raises_does_not_end_the_link(site):
    def will(connection):
        if connection == 1:
            raise RuntimeError("on purpose")
        return b"lost"

    async def check():
        proxy = Proxy(site.broker.port)
        async with proxy.open() as port:
            link = make(site, port=port, will=will)
            async with running(link):
                proxy.cut()
                assert (await until(link, Connected)).connection == 2

    asyncio.run(check())


def test_pings_keep_a_quiet_link_alive(site):
    async def check():
        proxy = Proxy(site.broker.port)
        async with proxy.open() as port:
            link = make(site, port=port, keepalive_s=1, deaf_s=3)
            async with running(link):
                while not proxy.answers.empty():
                    proxy.answers.get_nowait()
                for _ in range(4):
                    await asyncio.wait_for(proxy.answers.get(), WAIT_S)
                assert link.counts.rebuilt == 0
                assert link.events.empty()

    asyncio.run(check())


def test_a_flood_drops_messages_but_no_change_of_connection(site):
    async def check():
        proxy = Proxy(site.broker.port)
        async with proxy.open() as port:
            link, city = make(site, port=port), make(site, "city", [])
            async with running(link, city):
                while link.counts.dropped == 0:
                    while city.publish(f"{ROOT}/dn/c-1", b"x", 1, False):
                        pass
                    await until(city, Acked)
                assert link.events.full()
                proxy.cut()
                while link.room:
                    city.publish(f"{ROOT}/dn/c-1", b"x", 1, False)
                    await until(city, Acked)
                kinds = [type(link.events.get_nowait()) for _ in range(link.events.qsize())]
                assert kinds == [Arrived] * (EVENTS_MAX - 1) + [Disconnected]
                await until(link, Connected)

    asyncio.run(check())


def test_no_broker_at_all(tmp_path):
    site = Site("iotcore", tmp_path)

    async def check():
        link = make(site)
        link.start()
        assert link.publish(f"{ROOT}/rec/c-1", b"x", 1, False) is False
        await link.stop(b"offline")

    asyncio.run(check())
