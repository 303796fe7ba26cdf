"""The whole system under one seed in one process: engine, buses, nodes, noise, city, uplink and clock, and no asyncio.

Owns virtual time and the faults: bytes flipped, dropped, repeated and late on the bus; the gateway killed before and after a
commit; the city's link down, messages lost and doubled. Everything else is the real thing: the node's firmware, the bus, the
engine over a real SQLite file, real signatures, and the city's own verifier. A run is its seed.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
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
from gateway.core.events import BusEvent, Event, NodeEvent, Woke
from gateway.core.exit import WithoutLease
from gateway.core.layout import BayNode, LaneNode, LaneRole
from gateway.core.layout import Lot as Layout
from gateway.core.memory import Rules
from gateway.core.moment import ClockQuality, Moment
from gateway.core.platform_state import PlatformTerms
from gateway.engine import Engine, Identity, Outcome
from gateway.forms import Rejection
from gateway.link.bus import Bus
from gateway.quote import shipped_tariff
from gateway.shell.signer import Signer
from gateway.store.journal import Journal
from gateway.sync.downlink import Downlink
from gateway.sync.uplink import Uplink
from sim.aes import Aes
from sim.bill import owed_minor
from sim.books import sessions
from sim.city import Agreement as CityAgreement
from sim.city import City, Outgoing
from sim.drivers import Casting, Driver, Truth, plan, steady_by
from sim.fram import Fram
from sim.lane import Lane
from sim.lot import Lot
from sim.noise import Noise, Segment
from sim.reader import Reader
from sim.summary import Balance, balance

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


@dataclass(frozen=True, slots=True)
class Faults:
    """Named probabilities. Bus: per chunk. Kills: per step. Link: per message, `outage` per virtual second. Reads: each."""

    flip: float = 0.0
    drop: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    kill_before_commit: float = 0.0
    kill_after_commit: float = 0.0
    node_restart: float = 0.0
    message_lost: float = 0.0
    message_doubled: float = 0.0
    outage: float = 0.0
    misread: float = 0.0


QUIET = Faults()
STORMY = Faults(
    flip=0.01,
    drop=0.02,
    repeat=0.02,
    delay=0.02,
    kill_before_commit=0.01,
    kill_after_commit=0.01,
    node_restart=0.02,
    message_lost=0.05,
    message_doubled=0.05,
    outage=0.02,
)


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


class World:
    """One lot with its gateway and its city. `run` lets every car come and go, and waits until all is receipted."""

    platform: PlatformTerms | None = None

    def __init__(self, seed: int, folder: Path, *, cars: int, faults: Faults = QUIET, bays: int = 48) -> None:
        self.dice = random.Random(seed)
        self.faults = faults
        self.folder = folder
        self.now_ms = 1
        self.kills = 0
        self.node_restarts = 0
        self._online = True
        self._dead: list[Journal] = []
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
            kills=self.kills,
            node_restarts=self.node_restarts,
            exits=ledger.exits,
            reviewed=sum(session.outcome == "review" for session in booked),
        )

    @property
    def stamp_ms(self) -> int:
        """Lot time since the beginning."""
        return self.now_ms * SCALE

    def moment(self) -> Moment:
        """The gateway's clocks."""
        return Moment("world", self.stamp_ms, BASE_MS + self.stamp_ms, ClockQuality.SYNCHRONISED)

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
        self.journal = Journal(self.folder / "ledger.db", chain=CHAIN, instance="world")
        hello = self.journal.next_hello()
        self.bus = Bus(
            "bus",
            self.layout_nodes,
            site_key=self.site_key,
            epoch=hello,
            nonce=self._nonce,
            acked=self.journal.acked(),
        )
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
        self._follow(started, ())
        if self._online:
            self._connect()

    def _kill(self) -> None:
        """Memory is gone; what COMMIT returned for is on disk."""
        self.kills += 1
        # The connection of the dead is left open: closing it would tidy up as no SIGKILL does.
        self._dead.append(self.journal)
        self._boot()

    def _step(self, events: Sequence[Event]) -> None:
        if self._chance(self.faults.kill_before_commit):
            return self._kill()
        outcome = self.engine.step(events, self.moment())
        if self._chance(self.faults.kill_after_commit):
            return self._kill()
        return self._follow(outcome, events)

    def _follow(self, outcome: Outcome, events: Sequence[Event]) -> None:
        for uid, (log, seq) in outcome.acked.items():
            self.bus.committed(uid, log, seq)
        for command in outcome.commands:
            if isinstance(command, OpenBarrier | ShowText):
                self.bus.command(command, self.now_ms)
        assert not outcome.forked
        self.uplink.committed(outcome.head_n)
        for event in events:
            if isinstance(event, ReceiptArrived):
                self.uplink.receipted(event.n, self.now_ms)

    # One turn of the world.

    def _turn(self) -> None:
        frame = self.bus.data_to_send(self.now_ms)
        if frame:
            self._exchange(frame)
        else:
            events = self.bus.receive(b"", self.now_ms)
            if events:
                self._step(events)
        self._post()
        for node in self.nodes.values():
            node.run(self.now_ms, self.stamp_ms)
        self.lot.step(self.now_ms, self.stamp_ms)
        if self.now_ms >= self._tick_ms:
            self._tick()
        if not frame:
            self.now_ms = max(self.now_ms + 1, self._wake_ms())

    def _exchange(self, frame: bytes) -> None:
        heard = self._segment.exchange(frame, self.now_ms, self.stamp_ms)
        self._captured("tx", frame)
        self.now_ms += REPLY_MS
        self._captured("rx", heard)
        events: list[NodeEvent | BusEvent] = self.bus.receive(heard, self.now_ms)
        if events:
            self._step(events)

    def _captured(self, direction: str, data: bytes) -> None:
        if data:
            chunk = {"t_ns": self.stamp_ms * 1_000_000, "bus": "bus", "dir": direction, "hex": data.hex()}
            self.capture.append(json.dumps(chunk))

    def _wake_ms(self) -> int:
        wake = [self.bus.wake_ms(), self._tick_ms]
        lot = self.lot.wake_ms(self.stamp_ms)
        if lot is not None:
            wake.append(-(-lot // SCALE))
        wake += [node.wake_ms(self.now_ms) for node in self.nodes.values()]
        return min(wake)

    def _tick(self) -> None:
        self._tick_ms = self.now_ms + TICK_MS
        if self._chance(self.faults.outage):
            self._online = not self._online
            if self._online:
                self._connect()
            else:
                self.uplink.disconnected()
        if self._online:
            self.uplink.run(self.now_ms)
            self._deliver(self.city.wake(self.now_ms))
        if self._chance(self.faults.node_restart):
            self._restart_node()
        self._step((Woke(),))
        self.engine.idle(self.moment())

    def _restart_node(self) -> None:
        place = self.dice.choice(self._lane_places())
        self._boots += 1
        self.node_restarts += 1
        node = self._firmware(place)
        self.nodes[place.uid] = node
        self.lanes[place.lane].renew(node, self.now_ms, self.stamp_ms)

    # The link to the city.

    def _connect(self) -> None:
        self.uplink.connected(self.now_ms)
        self._deliver(self.city.receive(f"{ROOT}/state", b'{"state":"online"}', self.now_ms))

    def _post(self) -> None:
        while self._online and (wanted := self.uplink.wanted()) is not None:
            for body in self.uplink.batch(self.engine.records(*wanted)):
                for _ in range(self._copies()):
                    self._deliver(self.city.receive(f"{ROOT}/rec/{CHAIN}", body, self.now_ms))
            self.uplink.run(self.now_ms)

    def _deliver(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            for _ in range(self._copies()):
                self._arrive(message.topic, message.payload)

    def _arrive(self, topic: str, payload: bytes) -> None:
        kind = topic.split("/")[4]
        events: list[Event] = []
        for found in self.downlink.receive(kind, payload):
            assert not isinstance(found, Rejection), found
            events.append(found)
        if events:
            self._step(events)

    def _copies(self) -> int:
        if self._chance(self.faults.message_lost):
            return 0
        return 2 if self._chance(self.faults.message_doubled) else 1

    def _chance(self, probability: float) -> bool:
        return probability > 0 and self.dice.random() < probability

    # The end.

    def _finished(self) -> bool:
        quiet = not any(node.pending for node in self.nodes.values())
        return self.lot.done and quiet and self._missing() == ""

    def _missing(self) -> str:
        head = self.journal.head().n
        city = self.city.head(CHAIN).n
        if city != head:
            return f"{head} records, {city} at the city"
        return "" if self.lot.done else "cars still inside"
