"""The whole system under one seed in one process: engine, buses, nodes, noise, city, uplink and clock, and no asyncio.

Owns virtual time and the faults: a noisy bus; the gateway killed, or its power cut, at any call that writes; a disk that is
full or fails to sync; clocks that drift, step and forget; a link that is down, loses, doubles, delays and repeats. Everything
else is the real thing: the node's firmware, the bus, the engine over a real SQLite file, real signatures, and the city's own
verifier. A run is its seed.
"""

from __future__ import annotations

import base64
import json
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firmware import wire
from firmware.bay import BayNode as BayFirmware
from firmware.cipher import Cipher
from firmware.lane import ENTRY, EXIT
from firmware.lane import LaneNode as LaneFirmware
from gateway.core.city_events import ReceiptArrived
from gateway.core.commands import OpenBarrier, ShowText
from gateway.core.events import BarrierSelfOpened, BusEvent, Event, NodeEvent, PlateRead, Woke
from gateway.core.exit import WithoutLease
from gateway.core.layout import BayNode, LaneNode, LaneRole
from gateway.core.layout import Lot as Layout
from gateway.core.memory import Rules
from gateway.core.moment import Moment
from gateway.core.platform_state import PlatformTerms
from gateway.engine import Engine, Identity, Outcome
from gateway.forms import Rejection
from gateway.link.bus import Bus
from gateway.quote import shipped_tariff
from gateway.shell.signer import Signer
from gateway.store.journal import Journal
from gateway.store.reader import Reader as LedgerReader
from gateway.store.reader import ReaderError
from gateway.sync.downlink import Downlink
from gateway.sync.uplink import Uplink
from sim.aes import Aes
from sim.bill import owed_minor
from sim.books import sessions
from sim.city import Agreement as CityAgreement
from sim.city import City, Outgoing
from sim.disk import Disk
from sim.drivers import Casting, Driver, Truth, plan, steady_by
from sim.fram import Fram
from sim.lane import Lane
from sim.lot import Lot
from sim.noise import Noise, Segment
from sim.reader import Reader
from sim.summary import Balance, balance
from tests.faults import QUIET, Faults
from tests.life import Life
from tests.machine import Machine
from tests.post import Post

SEEDS = Path(__file__).resolve().parent.parent / "seeds" / "tariffs"
CHAIN = "gw-world"
ROOT = f"park/v1/world/{CHAIN}"
BASE_MS = 1_793_577_600_000
SCALE = 200
MARGIN_MS = 150_000
TARIFF = "plain-garage"
REPLY_MS = 4
"""Virtual time of one exchange on the bus."""
TICK_MS = 1000
"""Pace of the city, of outages and of idle work."""
LIMIT_MS = 4_000_000
"""Virtual time after which a run that has not ended is a failure of its own."""


DOWN_MS = 8_000
"""Longest time without power."""
RETRY_MS = 10_000
"""How often a gateway that runs open tries its ledger (gateway/fallback.py)."""
LAST_WORDS_MS = 500
"""What a failed step leaves for the opening of the waiting exits (gateway/run.py)."""


class State(Enum):
    """What the gateway is doing: open means that it lets everybody through, since its ledger can't be written."""

    RUNNING = "running"
    OPEN = "open"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended: truth against the city's books, the city's counts, the gateway's own sum, and what happened."""

    balance: Balance
    city: dict[str, int]
    billed_minor: int
    records: int
    receipted: int
    kills: int
    node_restarts: int
    exits: int
    reviewed: int
    power_cuts: int
    failures: int
    ran_open: int
    clock_steps: int


class World:
    """One lot with its gateway and its city. `run` lets every car come and go, and waits until all is receipted."""

    platform: PlatformTerms | None = None

    def __init__(self, seed: int, folder: Path, *, cars: int, faults: Faults = QUIET, bays: int = 48) -> None:
        self.dice = random.Random(seed)
        self.faults = faults
        self.folder = folder
        self.now_ms = 1
        self.node_restarts = 0
        self.state = State.RUNNING
        self._online = True
        self._up_ms = 0
        self.disk = Disk(folder / "ledger.db", self.dice)
        self.machine = Machine(self.dice, BASE_MS, drift_ppm=faults.clock_drift_ppm)
        self.life = Life(self.dice, self.disk, self.machine, faults)
        self.post = Post(
            self.dice,
            lost=faults.message_lost,
            doubled=faults.message_doubled,
            late=faults.message_late,
            old=faults.message_old,
        )
        self.capture: list[str] = []
        """Lines as `lotgate run --capture` writes them."""
        self._tick_ms = 0
        self._boots = 1
        self.signer = Signer(Ed25519PrivateKey.from_private_bytes(self.dice.randbytes(32)))
        self._tariff = shipped_tariff(TARIFF)
        self._tariff_text = (SEEDS / f"{TARIFF}.toml").read_text(encoding="utf-8")
        drivers = self._drivers(cars)
        self._build(drivers, bays)
        self._found_city(drivers)
        self._segment = Segment(lambda: list(self.nodes.values()), down=self._noise(), up=self._noise())
        self._boot()

    def run(self) -> Result:
        """Until every car is gone and the city has every record; AssertionError if that takes too long."""
        while not self._finished():
            assert self.now_ms < LIMIT_MS, f"not finished: {self._missing()}"
            self._turn()
        ledger = self.journal.remembered()
        head = self.journal.head()
        booked = sessions(self.folder / "city.db")
        found = balance(list(self.truth.stays.values()), booked, self.owed)
        return Result(
            balance=found,
            city=self.city.totals(),
            billed_minor=ledger.billed_minor,
            records=head.n,
            receipted=self.city.head(CHAIN).n,
            kills=self.life.kills,
            node_restarts=self.node_restarts,
            exits=ledger.exits,
            reviewed=sum(session.outcome == "review" for session in booked),
            power_cuts=self.life.power_cuts,
            failures=self.life.failures,
            ran_open=self.life.ran_open,
            clock_steps=self.machine.steps,
        )

    def close(self) -> None:
        """Let go of the files; a world that failed may be closed too."""
        self._end_process()
        self.disk.unmount()

    @property
    def stamp_ms(self) -> int:
        """Lot time since the beginning."""
        return self.now_ms * SCALE

    def moment(self) -> Moment:
        """The gateway's clocks."""
        return self.machine.moment(self.stamp_ms)

    def owed(self, entry_ms: int, exit_ms: int, vehicle: str, energy: str) -> int:
        """The independent bill."""
        return owed_minor(self._tariff_text, entry_ms, exit_ms, vehicle, energy)

    # Construction.

    def _drivers(self, cars: int) -> tuple[Driver, ...]:
        hours_ms = 3_600_000
        return plan(
            self.dice,
            cars=cars,
            from_ms=BASE_MS + 600_000,
            arrive_within_ms=max(2 * hours_ms, cars * 60_000),
            leave_within_ms=max(2 * hours_ms, cars * 60_000) + 4 * hours_ms,
            steady=steady_by(self.owed, MARGIN_MS),
            casting=Casting(self.dice),
        )

    def _build(self, drivers: Sequence[Driver], bays: int) -> None:
        names = [f"b{number:03d}" for number in range(1, bays + 1)]
        groups = [tuple(names[i : i + 16]) for i in range(0, bays, 16)]
        lanes = [("entry-1", LaneRole.ENTRY), ("exit-1", LaneRole.EXIT), ("exit-2", LaneRole.EXIT)]
        self.layout_nodes: list[LaneNode | BayNode] = [
            LaneNode(address, f"{address:016x}", lane, role) for address, (lane, role) in enumerate(lanes, 1)
        ]
        self.layout_nodes += [BayNode(i + 10, f"{i + 10:016x}", group) for i, group in enumerate(groups)]
        self.layout = Layout("world", {"bus": tuple(self.layout_nodes)})
        self.site_key = self.dice.randbytes(16)
        self.memories = {node.uid: Fram(32_768) for node in self.layout_nodes if isinstance(node, LaneNode)}
        self.nodes = {node.uid: self._firmware(node) for node in self.layout_nodes}
        reader = Reader(self.dice, self.faults.misread)
        self.lanes = {node.lane: Lane(node.lane, self.nodes[node.uid], reader) for node in self._lane_places()}
        self.reader = reader
        bay_ports = [
            (self.nodes[node.uid], port)
            for node in self.layout_nodes
            if isinstance(node, BayNode)
            for port in range(len(node.bays))
        ]
        self.truth = Truth()
        self.lot = Lot(
            entries=[self.lanes["entry-1"]],
            exits=[self.lanes["exit-1"], self.lanes["exit-2"]],
            bays=bay_ports,
            drivers=drivers,
            truth=self.truth,
            steady=steady_by(self.owed, MARGIN_MS),
            origin_ms=BASE_MS,
        )

    def _lane_places(self) -> list[LaneNode]:
        return [node for node in self.layout_nodes if isinstance(node, LaneNode)]

    def _firmware(self, place: LaneNode | BayNode) -> LaneFirmware | BayFirmware:
        cipher = Cipher(Aes)
        uid = bytes.fromhex(place.uid)
        key = wire.node_key(cipher, self.site_key, uid)
        if isinstance(place, BayNode):
            return BayFirmware(
                place.address, uid, key, cipher, ports=len(place.bays), boot=self._boots, nonce=self._nonce
            )
        role = ENTRY if place.role is LaneRole.ENTRY else EXIT
        memory = self.memories[place.uid]
        return LaneFirmware(
            place.address, uid, key, cipher, memory=memory, role=role, boot=self._boots, nonce=self._nonce
        )

    def _nonce(self) -> bytes:
        return self.dice.randbytes(8)

    def _noise(self) -> Noise:
        faults = self.faults
        return Noise(self.dice, flip=faults.flip, drop=faults.drop, repeat=faults.repeat, delay=faults.delay)

    def _found_city(self, drivers: Sequence[Driver]) -> None:
        key = Ed25519PrivateKey.from_private_bytes(self.dice.randbytes(32))
        self.city_public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        agreements = {
            driver.car.identity: CityAgreement(driver.agreement.cap_minor, driver.agreement.pays)
            for driver in drivers
            if driver.agreement is not None
        }
        borne = {driver.car.identity for driver in drivers}
        ours = base64.b64decode(self.signer.public_base64)
        self.city = City(key, str(self.folder / "city.db"), {CHAIN: ours}, agreements, borne=borne)

    # The gateway, and its deaths.

    def _boot(self) -> None:
        """Start from the disk; what can't be written runs open."""
        self._up_ms = 0
        if self.life.works(self._begin):
            return
        self._end_process()
        if self.disk.full or not self.life.struck:
            self._run_open()
        else:
            self._lie_down()

    def _begin(self) -> None:
        self.journal = Journal(self.folder / "ledger.db", chain=CHAIN, instance="world")
        hello = self.journal.next_hello()
        self.bus = self._new_bus(hello, self.journal.acked())
        self.engine = Engine(
            identity=Identity(CHAIN, "world", "test"),
            lot=self.layout,
            rules=Rules(self._tariff, WithoutLease.OPEN_ARREARS, "CNY"),
            journal=self.journal,
            signer=self.signer,
            salt=lambda: base64.b64encode(self.dice.randbytes(16)).decode(),
            platform=self.platform,
        )
        started = self.engine.start(self.moment())
        self.uplink = Uplink(CHAIN, 1)
        self.uplink.start(started.head_n, started.receipted_n)
        self.downlink = Downlink(CHAIN, self.city_public)
        self.downlink.start(started.dn)
        self.state = State.RUNNING
        self._booted()
        self._follow(started, ())
        if self._online:
            self._connect()

    def _new_bus(self, hello: int, acked: dict[str, tuple[int, int]]) -> Bus:
        return Bus("bus", self.layout_nodes, site_key=self.site_key, epoch=hello, nonce=self._nonce, acked=acked)

    def _run_open(self) -> None:
        """As gateway/fallback.py does: nothing is written or acknowledged, and whoever is read is let through."""
        self.life.ran_open += 1
        self.state = State.OPEN
        try:
            reader = LedgerReader(self.folder / "ledger.db")
            hello = reader.hello() + 1
            reader.close()
        except (ReaderError, sqlite3.Error):
            hello = 0
        self.bus = self._new_bus(hello, {})
        self._up_ms = self.now_ms + RETRY_MS

    def _let_through(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, PlateRead | BarrierSelfOpened):
                self.bus.command(OpenBarrier(event.lane), self.now_ms)

    def _end_process(self) -> None:
        self._ending()
        self.life.end(self.journal._connection)
        self.post.cut()

    def _kill(self) -> None:
        self.life.kills += 1
        self._end_process()
        self._boot()

    def _died(self, events: Sequence[Event]) -> None:
        """A call that writes came back with an error, or never: the process has ended itself, or was ended."""
        if not self.life.struck:
            self.life.failures += 1
            self._last_words(events)
        self._end_process()
        if self.life.struck:
            self._lie_down()
        else:
            self._boot()

    def _lie_down(self) -> None:
        """Killed, or without power for a while."""
        if self.life.falls_dark(self.stamp_ms):
            self.state = State.DOWN
            self._up_ms = self.now_ms + self.dice.randrange(1, DOWN_MS)
        else:
            self._boot()

    def _last_words(self, events: Sequence[Event]) -> None:
        """The exits that wait for this step are opened before the process ends."""
        for event in events:
            if isinstance(event, PlateRead) and event.lane.startswith("exit"):
                self.bus.command(OpenBarrier(event.lane), self.now_ms)
        until_ms = self.now_ms + LAST_WORDS_MS
        while self.now_ms < until_ms and (frame := self.bus.data_to_send(self.now_ms)):
            self._exchange(frame)

    def _step(self, events: Sequence[Event]) -> None:
        if self.state is not State.RUNNING:
            return self._let_through(events)
        if self._chance(self.faults.kill_before_commit):
            return self._kill()
        outcomes: list[Outcome] = []
        if not self.life.works(lambda: outcomes.append(self.engine.step(events, self.moment()))):
            return self._died(events)
        if self._chance(self.faults.kill_after_commit):
            return self._kill()
        return self._follow(outcomes[0], events)

    def _follow(self, outcome: Outcome, events: Sequence[Event]) -> None:
        for uid, (log, seq) in outcome.acked.items():
            self.bus.committed(uid, log, seq)
        for command in outcome.commands:
            if isinstance(command, OpenBarrier | ShowText):
                self.bus.command(command, self.now_ms)
        assert not outcome.forked
        self.uplink.committed(outcome.head_n)
        for event in events:
            if isinstance(event, ReceiptArrived) and event.epoch == self.uplink.epoch:
                self.uplink.receipted(event.n, self.now_ms)
        self._committed()

    # For whoever looks on.

    def _booted(self) -> None:
        """The gateway has started from its ledger."""

    def _ending(self) -> None:
        """The gateway's process ends."""

    def _committed(self) -> None:
        """A step came back."""

    def _heard(self) -> None:
        """The nodes were spoken to."""

    def _published(self, body: bytes) -> None:
        """A message with records leaves the gateway."""

    # One turn of the world.

    def _turn(self) -> None:
        if self._up_ms and self.now_ms >= self._up_ms:
            if self.state is State.OPEN:
                self._end_process()
            self._boot()
        frame = self.bus.data_to_send(self.now_ms) if self.state is not State.DOWN else b""
        if frame:
            self._take(self._exchange(frame))
        elif self.state is not State.DOWN:
            self._take(b"")
        self._post()
        for node in self.nodes.values():
            node.run(self.now_ms, self.stamp_ms)
        self.lot.step(self.now_ms, self.stamp_ms)
        if self.now_ms >= self._tick_ms:
            self._tick()
        if not frame:
            self.now_ms = max(self.now_ms + 1, self._wake_ms())

    def _exchange(self, frame: bytes) -> bytes:
        heard = self._segment.exchange(frame, self.now_ms, self.stamp_ms)
        self._captured("tx", frame)
        self.now_ms += REPLY_MS
        self._captured("rx", heard)
        self._heard()
        return heard

    def _take(self, heard: bytes) -> None:
        events: list[NodeEvent | BusEvent] = self.bus.receive(heard, self.now_ms)
        if events:
            self._step(events)

    def _captured(self, direction: str, data: bytes) -> None:
        if data:
            chunk = {"t_ns": self.stamp_ms * 1_000_000, "bus": "bus", "dir": direction, "hex": data.hex()}
            self.capture.append(json.dumps(chunk))

    def _wake_ms(self) -> int:
        wake = [self._tick_ms]
        if self.state is not State.DOWN:
            wake.append(self.bus.wake_ms())
        lot = self.lot.wake_ms(self.stamp_ms)
        if lot is not None:
            wake.append(-(-lot // SCALE))
        arrives_ms = self.post.wake_ms()
        wake += [at_ms for at_ms in (arrives_ms, self._up_ms) if at_ms]
        wake += [node.wake_ms(self.now_ms) for node in self.nodes.values()]
        return min(wake)

    def _tick(self) -> None:
        self._tick_ms = self.now_ms + TICK_MS
        self.life.hurt(self.stamp_ms, online=self._online)
        if self._chance(self.faults.outage):
            self._online = not self._online
            if self._online and self.state is State.RUNNING:
                self._connect()
            elif not self._online:
                self.post.cut()
                if self.state is State.RUNNING:
                    self.uplink.disconnected()
        if self._linked:
            self.uplink.run(self.now_ms)
            self._deliver(self.city.wake(self.now_ms))
        self._carry()
        if self._chance(self.faults.node_restart):
            self._restart_node()
        if self.state is State.RUNNING:
            self._step((Woke(),))
        if self.state is State.RUNNING and not self.life.works(lambda: self.engine.idle(self.moment())):
            self._died(())

    def _restart_node(self) -> None:
        place = self.dice.choice(self._lane_places())
        self._boots += 1
        self.node_restarts += 1
        node = self._firmware(place)
        self.nodes[place.uid] = node
        self.lanes[place.lane].renew(node, self.now_ms, self.stamp_ms)

    # The link to the city.

    @property
    def _linked(self) -> bool:
        return self._online and self.state is State.RUNNING

    def _connect(self) -> None:
        self.uplink.connected(self.now_ms)
        self._deliver(self.city.receive(f"{ROOT}/state", b'{"state":"online"}', self.now_ms))

    def _post(self) -> None:
        self._carry()
        while self._linked and (wanted := self.uplink.wanted()) is not None:
            for body in self.uplink.batch(self.engine.records(*wanted)):
                self._published(body)
                self.post.send(f"{ROOT}/rec/{CHAIN}", body, self.now_ms, up=True)
            self.uplink.run(self.now_ms)
            self._carry()

    def _deliver(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            self.post.send(message.topic, message.payload, self.now_ms, up=False)

    def _carry(self) -> None:
        for letter in self.post.arrived(self.now_ms):
            if letter.up:
                self._deliver(self.city.receive(letter.topic, letter.payload, self.now_ms))
            elif self._linked:
                self._arrive(letter.topic, letter.payload)

    def _arrive(self, topic: str, payload: bytes) -> None:
        kind = topic.split("/")[4]
        events: list[Event] = []
        for found in self.downlink.receive(kind, payload):
            if isinstance(found, Rejection):
                self._rejected(found)
            else:
                events.append(found)
        if events:
            self._step(events)

    def _rejected(self, rejection: Rejection) -> None:
        raise AssertionError(rejection)

    def _chance(self, probability: float) -> bool:
        return probability > 0 and self.dice.random() < probability

    # The end.

    def _finished(self) -> bool:
        quiet = not any(node.pending for node in self.nodes.values())
        return self.state is State.RUNNING and self.lot.done and quiet and self._missing() == ""

    def _missing(self) -> str:
        head = self.journal.head().n
        city = self.city.head(CHAIN).n
        if city != head:
            return f"{head} records, {city} at the city"
        return "" if self.lot.done else "cars still inside"
