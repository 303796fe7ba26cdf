"""The city as a process behind a real broker: it resumes after a kill, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.core.city_events import LeaseGranted, ReceiptArrived
from gateway.messages import Presence, State
from gateway.shell.mqtt import Arrived, Connected, Disconnected, Link
from gateway.sync.downlink import Downlink
from gateway.sync.uplink import Uplink
from gateway.topics import Kind, Topic, parse_topic, subscriptions
from sim.city_store import totals
from tests.brokers import Site
from tests.proxy import Proxy
from tests.records import CITY_KEY, GATEWAY_KEY, Chain, public

WAIT_S = 20
PLATE = "blue 浙A00001"


class Process:
    """The city's process."""

    def __init__(self, site, folder):
        login = site.login("city")
        broker = {"host": login.host, "port": login.port, "client_id": "city"}
        if login.ca is None:
            broker |= {"username": login.username, "password": login.password}
        else:
            broker |= {"ca": str(login.ca), "certificate": str(login.certificate), "key": str(login.key)}
        self.store = str(folder / "city-books.db")
        config = {
            "broker": broker,
            "city": "hz",
            "key": str(folder / "city-sign.pem"),
            "store": self.store,
            "chains": {"c-1": base64.b64encode(public(GATEWAY_KEY)).decode()},
            "agreements": {PLATE: {"cap_minor": 1000, "pays": True}},
        }
        (folder / "city-sign.pem").write_bytes(
            CITY_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        self.config = folder / "city.json"
        self.config.write_text(json.dumps(config))
        self.start()

    def start(self):
        command = [sys.executable, "-m", "sim.city_process", "--config", str(self.config)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr.readline() == "connected\n"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def asked(self):
        """The totals it prints when asked, after which it ends."""
        self.process.send_signal(signal.SIGUSR1)
        line = self.process.stdout.readline()
        self.process.terminate()
        assert self.process.wait(WAIT_S) == 0
        return json.loads(line)


class Gateway:
    """Uplink and downlink over a link, as the engine joins them."""

    def __init__(self, site, chain, port=0):
        login = site.login("gw-1")
        self.chain = chain
        self.leases = []
        self.receipted = 0
        self.uplink = Uplink("c-1", 1)
        self.uplink.start(len(chain.records), 0)
        self.downlink = Downlink("c-1", public(CITY_KEY))
        self.state = str(Topic("hz", "gw-1", Kind.STATE))
        self.link = Link(
            replace(login, port=port or login.port),
            keepalive_s=1,
            subscriptions=subscriptions("hz", "gw-1", "c-1"),
            state_topic=self.state,
            will=lambda n: State(Presence.LOST, 1, n, "0", 0).to_json(),
        )

    async def until_receipted(self, n):
        while self.receipted < n or not self.leases:
            self.pump()
            with contextlib.suppress(TimeoutError):
                self.take(await asyncio.wait_for(self.link.events.get(), 0.2))

    def now_ms(self):
        return int(asyncio.get_running_loop().time() * 1000)

    def pump(self):
        self.uplink.run(self.now_ms())
        while self.link.room and (wanted := self.uplink.wanted()):
            for body in self.uplink.batch(self.chain.read(wanted)[:10], room=self.link.room):
                assert self.link.publish(str(Topic("hz", "gw-1", Kind.RECORDS, "c-1")), body, 1, False)

    def take(self, event):
        if isinstance(event, Connected):
            self.uplink.connected(self.now_ms())
            self.link.publish(self.state, State(Presence.ONLINE, 1, event.connection, "0", 0).to_json(), 1, True)
        elif isinstance(event, Disconnected):
            self.uplink.disconnected()
        elif isinstance(event, Arrived):
            for found in self.downlink.receive(parse_topic(event.topic).kind, event.payload):
                if isinstance(found, ReceiptArrived):
                    self.receipted = max(self.receipted, found.n)
                    self.uplink.receipted(found.n, self.now_ms())
                elif isinstance(found, LeaseGranted):
                    self.leases.append(found.session)


@pytest.mark.parametrize(("kind", "outage"), [("iotcore", False), ("mosquitto", True)])
def test_records_go_up_and_leases_come_down(kind, outage, tmp_path):
    site = Site(kind, tmp_path)
    site.broker.start()
    city = Process(site, tmp_path)

    async def check():
        chain = Chain().fill(1)
        chain.add("entry", {"lane": "entry-1"}, PLATE)
        gateway = Gateway(site, chain.fill(300))
        gateway.link.start()
        await gateway.until_receipted(300)
        if outage:
            city.kill()
        chain.fill(600)
        gateway.uplink.committed(600)
        gateway.pump()
        if outage:
            city.start()
        await gateway.until_receipted(600)
        assert gateway.uplink.resends or not outage
        assert gateway.leases == ["1.2"]
        assert gateway.downlink.counts.rejected == {}
        await gateway.link.stop(State(Presence.OFFLINE, 1, 1, "0", 0).to_json())

    try:
        asyncio.run(asyncio.wait_for(check(), 60))
        figures = city.asked()
        assert figures == totals(city.store)
        assert (figures["records"], figures["leases"], figures["forks"], figures["rejected"]) == (600, 1, 0, 0)
    finally:
        city.kill()
        site.broker.stop()


def test_a_bad_line_loses_nothing(tmp_path):
    site = Site("mosquitto", tmp_path)
    site.broker.start()
    city = Process(site, tmp_path)

    async def check():
        chain = Chain().fill(1)
        chain.add("entry", {"lane": "entry-1"}, PLATE)
        proxy = Proxy(site.broker.port)
        async with proxy.open() as port:
            gateway = Gateway(site, chain.fill(2000), port)
            gateway.link.start()
            await gateway.until_receipted(500)
            proxy.cut()
            await gateway.until_receipted(1000)
            proxy.stall()
            gateway.pump()
            while gateway.link.room or gateway.link.events.qsize():
                gateway.take(await asyncio.wait_for(gateway.link.events.get(), WAIT_S))
                gateway.pump()
            proxy.cut()
            proxy.resume()
            await gateway.until_receipted(2000)
            await gateway.link.stop()

    try:
        asyncio.run(asyncio.wait_for(check(), 60))
        figures = city.asked()
        assert (figures["records"], figures["forks"], figures["rejected"]) == (2000, 0, 0)
    finally:
        city.kill()
        site.broker.stop()
