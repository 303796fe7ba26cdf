"""Uplink, downlink and city joined by a pipe that drops, repeats and reorders, while all three restart: each record once."""

from __future__ import annotations

import random

import pytest

from gateway.core.city_events import LeaseGranted, PaymentReported, ReceiptArrived
from gateway.core.record import record_hash
from gateway.forms import Rejection
from gateway.messages import Records, State
from gateway.sync.downlink import Downlink
from gateway.sync.uplink import LINES_MAX, WINDOW, Uplink
from sim.city import Agreement, City
from tests.records import CITY_KEY, GATEWAY_KEY, Chain, public

ROOT = "park/v1/hz/gw-1"
SEEDS = (1, 2, 3, 4)
PLATES = {"blue 浙A00001": Agreement(10_000, True), "blue 浙A00002": Agreement(10_000, False)}


class Gateway:
    """The durable part of a gateway (records, cursors) and the sync objects, which a restart makes anew."""

    def __init__(self, rng):
        self.rng = rng
        self.chain = Chain().fill(1)
        self.receipted = 0
        self.applied = []
        self.restart()

    def restart(self):
        self.uplink = Uplink(self.chain.chain, self.chain.epoch)
        self.uplink.start(len(self.chain.records), self.receipted)
        self.downlink = Downlink(self.chain.chain, public(CITY_KEY))
        self.downlink.start(self.chain.dn)

    def work(self):
        entry = self.chain.add("entry", {"lane": "entry-1"}, self.rng.choice(list(PLATES)))
        self.chain.add("heartbeat", {"entries": 1})
        body = {"session": f"1.{entry.n}", "amount_minor": self.rng.randrange(500), "outcome": "lease"}
        self.chain.add("exit", body)
        self.uplink.committed(len(self.chain.records))

    def take(self, kind, payload, now_ms):
        for event in self.downlink.receive(kind, payload):
            assert not isinstance(event, Rejection), event
            if isinstance(event, ReceiptArrived):
                if event.n:
                    assert event.record_hash == record_hash(self.chain.records[event.n - 1].line)
                self.receipted = max(self.receipted, event.n)
                self.uplink.receipted(event.n, now_ms)
            else:
                self.applied.append(event)
                self.chain.dn = event.origin.dn
                if isinstance(event, PaymentReported):
                    self.chain.add("paid" if event.paid else "arrears", {"session": event.session})
                    self.uplink.committed(len(self.chain.records))

    def send(self, now_ms):
        bodies = []
        self.uplink.run(now_ms)
        while wanted := self.uplink.wanted():
            bodies += self.uplink.batch(self.chain.read(wanted), room=self.rng.randint(1, WINDOW))
        for body in bodies:
            message = Records.from_json(body)
            assert len(message.signed) <= LINES_MAX
            for n, signed in enumerate(message.signed, message.first):
                stored = self.chain.records[n - 1]
                assert (signed.line, signed.signature) == (stored.line, stored.signature)
        return [(f"{ROOT}/rec/c-1", body) for body in bodies]


class World:
    """One seed's run. `faults` 0 is a sound pipe, 1 a bad one."""

    def __init__(self, seed, path):
        self.rng = random.Random(seed)
        self.path = path
        self.now_ms = 0
        self.gateway = Gateway(self.rng)
        self.up, self.down = [], []
        self.online = False
        self.heads = [0]
        self.open_city()

    def open_city(self):
        self.city = City(CITY_KEY, self.path, {"c-1": public(GATEWAY_KEY)}, PLATES)

    def run(self, steps, faults):
        for _ in range(steps):
            self.now_ms += self.rng.choice((5, 50, 500))
            if self.rng.random() < 0.02 * faults:
                self.upset()
            elif not self.online:
                self.connect()
            self.up += self.gateway.send(self.now_ms)
            self.down += self.city.wake(self.now_ms)
            for topic, payload in self.through(self.up, faults):
                self.down += self.city.receive(topic, payload, self.now_ms)
                assert self.city.head("c-1").n >= self.heads[-1]
                self.heads.append(self.city.head("c-1").n)
            for out in self.through(self.down, faults):
                kind = out.topic.removeprefix(ROOT + "/").split("/")[0]
                self.gateway.take(kind, out.payload, self.now_ms)

    def through(self, queue, faults):
        """Some of what is in the queue, in some order, some of it twice, some never."""
        ready, queue[:] = (queue[:], []) if self.rng.random() > 0.2 * faults else (queue[:1], queue[1:])
        if self.rng.random() < 0.2 * faults:
            self.rng.shuffle(ready)
        for item in ready:
            if self.rng.random() >= 0.1 * faults:
                yield item
            if self.rng.random() < 0.1 * faults:
                yield item

    def upset(self):
        what = self.rng.choice(("cut", "gateway", "city"))
        if what == "city":
            self.city.store.close()
            self.open_city()
        else:
            self.up, self.down, self.online = [], [], False
            self.gateway.uplink.disconnected()
            if what == "gateway":
                self.gateway.restart()

    def connect(self):
        self.online = True
        self.gateway.uplink.connected(self.now_ms)
        self.up.append((f"{ROOT}/state", State("online", 1, 1, "0", 0).to_json()))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_record_once_and_in_order(seed, tmp_path):
    print(f"seed {seed}")
    world = World(seed, str(tmp_path / "city.db"))
    for _ in range(400):
        world.gateway.work()
        if world.rng.random() < 0.3:
            world.run(1, faults=1)
    world.run(500, faults=1)
    world.run(150, faults=0)
    gateway, city = world.gateway, world.city
    count = len(gateway.chain.records)
    assert count > 1500
    assert gateway.uplink.backlog == 0
    assert gateway.receipted == city.head("c-1").n == count
    assert [city.store.line("c-1", r.n) for r in gateway.chain.records] == [r.line for r in gateway.chain.records]
    totals = city.totals()
    assert (totals["records"], totals["forks"], totals["rejected"]) == (count, 0, 0)
    assert totals["duplicates"] > 100, "the pipe was to repeat"
    assert totals["gaps"] > 0, "the pipe was to drop"
    assert [event.origin.dn for event in gateway.applied] == list(range(1, 801))
    leases = [event.session for event in gateway.applied if isinstance(event, LeaseGranted)]
    payments = [event.session for event in gateway.applied if isinstance(event, PaymentReported)]
    assert sorted(set(leases)) == sorted(leases)
    assert sorted(set(payments)) == sorted(payments) == sorted(leases)
    assert totals["paid_minor"] + totals["failed_minor"] == totals["owed_minor"]


def test_a_sound_pipe_repeats_nothing():
    world = World(9, ":memory:")
    for _ in range(100):
        world.gateway.work()
        world.run(1, faults=0)
    world.run(20, faults=0)
    assert world.gateway.uplink.resends == 0
    assert world.city.totals()["duplicates"] == world.city.totals()["gaps"] == 0
    assert world.gateway.downlink.counts.gaps == 0
