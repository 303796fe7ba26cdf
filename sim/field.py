"""What is bolted to the ground in the demo: nodes, buses and the lot around them, at one pace of lot time.

Owns the node objects and keeps them and the lot moving inside the event loop. Rules: nodes are the real firmware over the
host's FRAM and AES; lot time is read from one base, which may be replaced by a slower one. Knows neither gateway nor city.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence

from firmware import wire
from firmware.bay import BayNode
from firmware.cipher import Cipher
from firmware.lane import ENTRY, EXIT, LaneNode
from sim.aes import Aes
from sim.bus_port import BusPort, ExitWatch
from sim.clock import Base, real_ms
from sim.drivers import Driver, Steady, Truth
from sim.fram import Fram
from sim.lane import Lane
from sim.lot import Fault, Lot
from sim.site import Site

FRAM_BYTES = 32_768
STEP_MS = 10
"""Longest pause between two steps of the lot; nodes want theirs every 50 ms."""


class Field:
    """Nodes and buses of a site. `populate` puts a lot with drivers on it, `move` keeps it going."""

    def __init__(self, site: Site, base: Base) -> None:
        self.base = base
        cipher = Cipher(Aes)

        def identity(uid: str) -> tuple[bytes, bytes]:
            raw = bytes.fromhex(uid)
            return raw, wire.node_key(cipher, site.site_key, raw)

        def nonce() -> bytes:
            return os.urandom(8)

        self.lane_nodes: dict[str, LaneNode] = {}
        for spec in site.lanes:
            uid, key = identity(spec.uid)
            role = EXIT if spec.role == "exit" else ENTRY
            memory = Fram(FRAM_BYTES)
            self.lane_nodes[spec.name] = LaneNode(
                spec.address, uid, key, cipher, memory=memory, role=role, boot=1, nonce=nonce
            )
        self._roles = {spec.name: spec.role for spec in site.lanes}
        self.bays: list[tuple[BayNode, int]] = []
        self.bay_nodes: list[BayNode] = []
        bay_buses = []
        for bus in site.bay_buses:
            nodes = []
            for bays in bus:
                uid, key = identity(bays.uid)
                node = BayNode(bays.address, uid, key, cipher, ports=len(bays.bays), boot=1, nonce=nonce)
                nodes.append(node)
                self.bays += [(node, port) for port in range(len(bays.bays))]
            self.bay_nodes += nodes
            bay_buses.append(nodes)
        self.watches = {name: ExitWatch(self.lane_nodes[name]) for name, role in self._roles.items() if role == "exit"}
        places = {place: self.watches[s.name] for place, s in enumerate(site.lanes) if s.name in self.watches}
        lane_bus = BusPort(list(self.lane_nodes.values()), stamp=self.stamp_ms, fed=self.step, watches=places)
        others = [BusPort(nodes, stamp=self.stamp_ms, fed=self.step) for nodes in bay_buses]
        self.ports: Mapping[str, BusPort] = dict(zip(site.bus_names, [lane_bus, *others], strict=True))
        self.lane_bus = lane_bus
        self._lanes = [Lane(name, node) for name, node in self.lane_nodes.items()]
        self.lot: Lot | None = None

    def populate(
        self, drivers: Sequence[Driver], truth: Truth, steady: Steady, faults: Mapping[int, Fault] | None = None
    ) -> None:
        """Send these drivers to the lot; the lanes must be empty."""
        self.lot = Lot(
            entries=[lane for lane in self._lanes if self._roles[lane.name] == "entry"],
            exits=[lane for lane in self._lanes if self._roles[lane.name] == "exit"],
            bays=self.bays,
            drivers=drivers,
            truth=truth,
            steady=steady,
            origin_ms=self.base.wall_ms,
            faults=faults,
            reported=lambda lane: self.watches[lane.name].reported(),
        )

    def stamp_ms(self, at_real_ms: int) -> int:
        """Lot time since the base."""
        return self.base.stamp_ms(at_real_ms)

    def step(self) -> None:
        """Let everything happen that is due now."""
        if self.lot is not None:
            now_ms = real_ms()
            self.lot.step(now_ms, self.stamp_ms(now_ms))

    async def move(self) -> None:
        """Step for ever, as often as the lot wants."""
        for port in self.ports.values():
            port.open()
        while True:
            self.step()
            delay_ms = STEP_MS
            if self.lot is not None:
                now_ms = real_ms()
                wake_ms = self.lot.wake_ms(self.stamp_ms(now_ms))
                if wake_ms is not None:
                    delay_ms = min(STEP_MS, max(1, self.base.real_delay_ms(wake_ms, now_ms)))
            await asyncio.sleep(delay_ms / 1000)

    def drain(self) -> None:
        """Feed the nodes every byte that is already on the wires."""
        for port in self.ports.values():
            while port.pump():
                pass

    def gateway_gone(self) -> None:
        """The gateway was killed."""
        for port in self.ports.values():
            port.gateway_gone()

    @property
    def unacknowledged(self) -> int:
        """Lane events that no gateway has acknowledged."""
        return sum(node.pending for node in self.lane_nodes.values())

    @property
    def unacknowledged_all(self) -> int:
        """Events of all nodes that no gateway has acknowledged."""
        return self.unacknowledged + sum(node.pending for node in self.bay_nodes)

    @property
    def latencies_us(self) -> list[int]:
        """Exit reports to open commands, all exits."""
        return [us for watch in self.watches.values() for us in watch.latencies_us]
