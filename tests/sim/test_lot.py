"""The physical lot over real nodes and the real bus, in virtual time: the nodes feel every car as the truth has it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from firmware import wire
from firmware.bay import BayNode
from firmware.cipher import Cipher
from firmware.lane import LaneNode
from gateway.core import layout
from gateway.core.commands import OpenBarrier
from gateway.core.events import BarrierMoved, BarrierSelfOpened, BayChanged, PlateRead, VehiclePassed
from gateway.link.bus import Bus
from sim.aes import Aes
from sim.drivers import Car, Casting, Driver, Steady, Truth, plan
from sim.fram import Fram
from sim.lane import Lane
from sim.lot import GHOST_STAY_MS, OVERCHARGE_MS, Fault, Lot

SEED = 20_260_302
SCALE = 400
ORIGIN_MS = 1_772_413_200_000
MINUTE_MS = 60_000
SITE_KEY = bytes(range(16))
LANES = ("entry-1", "entry-2", "exit-1", "exit-2")
PORTS = 16


def away_from_half_hours(_car: Car, enter_ms: int, exit_ms: int) -> bool:
    """Five minutes from every multiple of 30 minutes of stay."""
    return 5 * MINUTE_MS <= (exit_ms - enter_ms) % (30 * MINUTE_MS) <= 25 * MINUTE_MS


def planned(cars: int, seed: int = SEED) -> tuple[Driver, ...]:
    dice = random.Random(seed)
    return plan(
        dice,
        cars=cars,
        from_ms=ORIGIN_MS,
        arrive_within_ms=cars * 30_000,
        leave_within_ms=cars * 30_000 + 120 * MINUTE_MS,
        steady=away_from_half_hours,
        casting=Casting(dice),
    )


def nonces(seed: int) -> Callable[[], bytes]:
    dice = random.Random(seed)
    return lambda: dice.randbytes(8)


@dataclass
class World:
    """Lot, nodes, bus and a gateway that opens for everybody, under one virtual clock."""

    drivers: Sequence[Driver]
    bay_nodes: int = 7
    faults: dict[int, Fault] = field(default_factory=dict)
    steady: Steady = away_from_half_hours
    deaf: Callable[[int], bool] = lambda _now_ms: False
    truth: Truth = field(default_factory=Truth)
    felt: list[tuple[int, object]] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        cipher, nonce = Cipher(Aes), nonces(1)
        keys = [wire.node_key(cipher, SITE_KEY, bytes(7) + bytes([a])) for a in range(len(LANES) + self.bay_nodes + 1)]
        self.lane_nodes = [
            LaneNode(a, bytes(7) + bytes([a]), keys[a], cipher, memory=Fram(8192), role=a > 2, boot=a, nonce=nonce)
            for a in range(1, 5)
        ]
        self.bays = [
            BayNode(a, bytes(7) + bytes([a]), keys[a], cipher, ports=PORTS, boot=a, nonce=nonce)
            for a in range(5, 5 + self.bay_nodes)
        ]
        lanes = [Lane(name, node) for name, node in zip(LANES, self.lane_nodes, strict=True)]
        self.lot = Lot(
            entries=lanes[:2],
            exits=lanes[2:],
            bays=[(node, port) for node in self.bays for port in range(PORTS)],
            drivers=self.drivers,
            truth=self.truth,
            steady=self.steady,
            origin_ms=ORIGIN_MS,
            faults=self.faults,
            reported=lambda lane: self.reports.append(lane.name),
        )
        roles = [layout.LaneRole.ENTRY] * 2 + [layout.LaneRole.EXIT] * 2
        nodes: list[layout.Node] = [
            layout.LaneNode(a, f"{a:016x}", name, role)
            for a, (name, role) in enumerate(zip(LANES, roles, strict=True), 1)
        ]
        nodes += [
            layout.BayNode(a, f"{a:016x}", tuple(f"b{a}-{p}" for p in range(PORTS)))
            for a in range(5, 5 + self.bay_nodes)
        ]
        self.bus = Bus("lot", nodes, site_key=SITE_KEY, epoch=1, nonce=nonces(2), acked={})

    def run(self, until_real_ms: int = 200_000) -> World:
        """Until every car has left and the nodes have told everything."""
        now_ms = 0
        nodes = [*self.lane_nodes, *self.bays]
        while now_ms < until_real_ms:
            stamp_ms = now_ms * SCALE
            self.lot.step(now_ms, stamp_ms)
            if not self.deaf(now_ms):
                self._exchange(now_ms, stamp_ms)
            if self.lot.done and not any(node.pending for node in nodes):
                return self
            wake_ms = self.lot.wake_ms(stamp_ms)
            lot_ms = now_ms + 50 if wake_ms is None else max(now_ms + 1, -(-wake_ms // SCALE))
            bus_ms = now_ms + 1 if self.deaf(now_ms) else max(now_ms + 1, self.bus.wake_ms())
            now_ms = min(lot_ms, bus_ms, now_ms + 50)
        raise AssertionError(f"seed {SEED}: {len(self.truth.stays)} entered, still not done after {until_real_ms} ms")

    def _exchange(self, now_ms: int, stamp_ms: int) -> None:
        events = self.bus.receive(b"", now_ms)
        while frame := self.bus.data_to_send(now_ms):
            for node in (*self.lane_nodes, *self.bays):
                events += self.bus.receive(node.receive(frame, now_ms, stamp_ms), now_ms)
            for event in events:
                source = getattr(event, "source", None)
                if source is not None:
                    self.felt.append((ORIGIN_MS + stamp_ms - source.age_ms, event))
                    self.bus.committed(source.uid, source.log, source.seq)
                if isinstance(event, PlateRead):
                    self.bus.command(OpenBarrier(event.lane), now_ms)
            events = []

    def of(self, kind: type, lane: str = "") -> Iterator[tuple[int, object]]:
        """Events of one kind, of lanes whose name begins so."""
        return ((at, e) for at, e in self.felt if isinstance(e, kind) and getattr(e, "lane", "").startswith(lane))


def test_two_hundred_cars_come_park_and_leave_as_the_nodes_feel_it() -> None:
    world = World(planned(200)).run()
    stays = list(world.truth.stays.values())
    assert len(stays) == 200
    assert all(0 < s.entered_ms < s.parked_ms < s.at_exit_ms < s.left_ms for s in stays)
    assert all(away_from_half_hours(s.car, s.entered_ms, s.at_exit_ms) for s in stays)

    exits = {(at, e.plate.identity) for at, e in world.of(PlateRead, "exit") if isinstance(e, PlateRead)}
    assert exits == {(s.at_exit_ms, s.car.identity) for s in stays}
    entries = Counter(e.plate.identity for _, e in world.of(PlateRead, "entry") if isinstance(e, PlateRead))
    assert entries == Counter(s.car.identity for s in stays)
    assert {at for at, _ in world.of(VehiclePassed, "entry")} == {s.entered_ms for s in stays}
    assert {at for at, _ in world.of(VehiclePassed, "exit")} == {s.left_ms for s in stays}
    assert len(world.reports) == 200

    bays = [e for _, e in world.of(BayChanged) if isinstance(e, BayChanged)]
    assert len(bays) == 400
    assert not any({e.bay: e.occupied for e in bays}.values())
    moves = Counter((e.lane, e.position) for _, e in world.of(BarrierMoved) if isinstance(e, BarrierMoved))
    assert {lane for lane, _ in moves} == set(LANES)


def test_a_full_lot_lets_nobody_in_until_somebody_left() -> None:
    truth = Truth()
    most = 0

    def counting(car: Car, enter_ms: int, exit_ms: int) -> bool:
        nonlocal most
        inside = sum(1 for s in truth.stays.values() if s.entered_ms <= exit_ms and not s.at_exit_ms)
        most = max(most, inside)
        return away_from_half_hours(car, enter_ms, exit_ms)

    World(planned(60), bay_nodes=1, truth=truth, steady=counting).run(400_000)
    assert len(truth.stays) == 60
    assert PORTS - 2 <= most <= PORTS + 4  # those who queue for an exit have given their bay back


def test_without_a_gateway_exits_open_and_entries_wait() -> None:
    world = World(planned(40), deaf=lambda now_ms: 9_000 <= now_ms < 14_000).run()
    stays = list(world.truth.stays.values())
    assert len(stays) == 40
    opened = [e for _, e in world.of(BarrierSelfOpened) if isinstance(e, BarrierSelfOpened)]
    assert opened
    assert all(e.lane.startswith("exit") for e in opened)
    silence = (ORIGIN_MS + 9_050 * SCALE, ORIGIN_MS + 14_000 * SCALE)
    assert not [s for s in stays if silence[0] < s.entered_ms < silence[1]]
    assert [s for s in stays if silence[0] < s.left_ms < silence[1]]


@pytest.mark.parametrize(
    ("fault", "entries", "exits", "truths"),
    [(Fault.LOSE, 9, 9, 10), (Fault.DOUBLE, 11, 11, 10), (Fault.OVERCHARGE, 10, 10, 10)],
)
def test_a_planted_fault_parts_the_truth_from_what_the_nodes_feel(
    fault: Fault, entries: int, exits: int, truths: int
) -> None:
    world = World(planned(10), faults={5: fault}).run()
    stays = world.truth.stays
    assert len(stays) == truths
    assert len(list(world.of(VehiclePassed, "entry"))) == entries
    shown = [(at, e.plate.identity) for at, e in world.of(PlateRead, "exit") if isinstance(e, PlateRead)]
    assert len(shown) == exits
    mine = [at for at, identity in shown if identity == stays[5].car.identity]
    if fault is Fault.LOSE:
        assert mine == []
    elif fault is Fault.DOUBLE:
        assert mine[0] == stays[5].at_exit_ms
        assert mine[1] > stays[5].left_ms + GHOST_STAY_MS
    else:
        assert mine[0] >= stays[5].at_exit_ms + OVERCHARGE_MS
    assert all(s.left_ms for s in stays.values())
