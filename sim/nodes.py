"""The demo's nodes inside its own process: the firmware's node files over the host's FRAM and AES, each bus on its port.

Owns the node objects and the stopwatches of the exits. One of two kinds of nodes that a field can stand on; the other is boards
(sim/boards.py). Knows neither lot nor gateway.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from firmware import wire
from firmware.bay import BayNode
from firmware.cipher import Cipher
from firmware.lane import ENTRY, EXIT, LaneNode
from sim.aes import Aes
from sim.bus_port import BusPort, ExitWatch
from sim.fram import Fram
from sim.site import Site

FRAM_BYTES = 32_768


class HostNodes:
    """`stamp(real ms)` gives lot time, `fed` is called after nodes heard bytes."""

    def __init__(self, site: Site, stamp: Callable[[int], int], fed: Callable[[], None]) -> None:
        cipher = Cipher(Aes)

        def identity(uid: str) -> tuple[bytes, bytes]:
            raw = bytes.fromhex(uid)
            return raw, wire.node_key(cipher, site.site_key, raw)

        def nonce() -> bytes:
            return os.urandom(8)

        self.lanes: dict[str, LaneNode] = {}
        for spec in site.lanes:
            uid, key = identity(spec.uid)
            role = EXIT if spec.role == "exit" else ENTRY
            self.lanes[spec.name] = LaneNode(
                spec.address, uid, key, cipher, memory=Fram(FRAM_BYTES), role=role, boot=1, nonce=nonce
            )
        self.bays: list[tuple[BayNode, int]] = []
        self._bay_nodes: list[BayNode] = []
        bay_buses = []
        for bus in site.bay_buses:
            nodes = []
            for bays in bus:
                uid, key = identity(bays.uid)
                node = BayNode(bays.address, uid, key, cipher, ports=len(bays.bays), boot=1, nonce=nonce)
                nodes.append(node)
                self.bays += [(node, port) for port in range(len(bays.bays))]
            self._bay_nodes += nodes
            bay_buses.append(nodes)
        self._watches = {s.name: ExitWatch(self.lanes[s.name]) for s in site.lanes if s.role == "exit"}
        places = {place: self._watches[s.name] for place, s in enumerate(site.lanes) if s.name in self._watches}
        self.lane_bus = BusPort(list(self.lanes.values()), stamp=stamp, fed=fed, watches=places)
        others = [BusPort(nodes, stamp=stamp, fed=fed) for nodes in bay_buses]
        self.ports: Mapping[str, BusPort] = dict(zip(site.bus_names, [self.lane_bus, *others], strict=True))

    def start(self, _base_ms: int, _scale: int) -> None:
        """Nothing to switch on."""

    def stop(self) -> None:
        """Nothing to switch off."""

    def ready(self, _lane: str) -> bool:
        """A call has had its effect when it returns."""
        return True

    def reported(self, lane: str) -> None:
        """A plate was shown at this exit."""
        self._watches[lane].reported()

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
        return sum(node.pending for node in self.lanes.values())

    @property
    def unacknowledged_bays(self) -> int:
        """The same of the bay nodes."""
        return sum(node.pending for node in self._bay_nodes)

    @property
    def latencies_us(self) -> list[int]:
        """Exit reports to open commands, all exits."""
        return [us for watch in self._watches.values() for us in watch.latencies_us]
