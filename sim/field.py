"""What is bolted to the ground in the demo: nodes, buses and the lot around them, at one pace of lot time.

Owns the moving of the lot inside the event loop. Rules: nodes are the real firmware, in this process or each as a board of its
own; lot time is read from one base, which may be replaced by a slower one. Knows neither gateway nor city.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sim.boards import BoardNodes
from sim.bus_port import BusPort
from sim.clock import Base, real_ms
from sim.drivers import Driver, Steady, Truth
from sim.hub import Hub
from sim.lane import Lane
from sim.lot import Fault, Lot
from sim.nodes import HostNodes
from sim.site import Site

STEP_MS = 10
"""Longest pause between two steps of the lot; nodes want theirs every 50 ms."""
BOARD_MOVE_MS = 60
"""Real ms that each part of a vehicle's way through a lane takes at least where boards feel it with contacts that bounce."""
NODES = ("host", "board")


class Field:
    """Nodes and buses of a site, `kind` of NODES. `populate` puts a lot with drivers on it, `move` keeps it going."""

    def __init__(self, site: Site, base: Base, kind: str = "host") -> None:
        self.base = base
        self.nodes: HostNodes | BoardNodes
        self.nodes = BoardNodes(site) if kind == "board" else HostNodes(site, self.stamp_ms, self.step)
        self.lane_bus = self.nodes.lane_bus
        self.ports: Mapping[str, BusPort | Hub] = self.nodes.ports
        self._roles = {spec.name: spec.role for spec in site.lanes}
        move_ms = BOARD_MOVE_MS * base.scale if kind == "board" else 0
        self._lanes = [Lane(name, node, move_ms=move_ms) for name, node in self.nodes.lanes.items()]
        self.lot: Lot | None = None

    def populate(
        self, drivers: Sequence[Driver], truth: Truth, steady: Steady, faults: Mapping[int, Fault] | None = None
    ) -> None:
        """Send these drivers to the lot; the lanes must be empty."""
        self.lot = Lot(
            entries=[lane for lane in self._lanes if self._roles[lane.name] == "entry"],
            exits=[lane for lane in self._lanes if self._roles[lane.name] == "exit"],
            bays=self.nodes.bays,
            drivers=drivers,
            truth=truth,
            steady=steady,
            origin_ms=self.base.wall_ms,
            faults=faults,
            reported=lambda lane: self.nodes.reported(lane.name),
        )

    def stamp_ms(self, at_real_ms: int) -> int:
        """Lot time since the base."""
        return self.base.stamp_ms(at_real_ms)

    def step(self) -> None:
        """Let everything happen that is due now."""
        if self.lot is not None and all(self.nodes.ready(lane.name) for lane in self._lanes):
            now_ms = real_ms()
            self.lot.step(now_ms, self.stamp_ms(now_ms))

    async def move(self) -> None:
        """Step for ever, as often as the lot wants."""
        for port in self.ports.values():
            port.open()
        self.nodes.start(self.base.real_ms, self.base.scale)
        while True:
            self.step()
            delay_ms = STEP_MS
            if self.lot is not None:
                now_ms = real_ms()
                wake_ms = self.lot.wake_ms(self.stamp_ms(now_ms))
                if wake_ms is not None:
                    delay_ms = min(STEP_MS, max(1, self.base.real_delay_ms(wake_ms, now_ms)))
            await asyncio.sleep(delay_ms / 1000)

    def stop(self) -> None:
        """Switch the nodes off."""
        self.nodes.stop()

    def drain(self) -> None:
        """Let every byte arrive that is already on the wires."""
        self.nodes.drain()

    def gateway_gone(self) -> None:
        """The gateway was killed."""
        self.nodes.gateway_gone()

    @property
    def unacknowledged(self) -> int:
        """Lane events that no gateway has acknowledged."""
        return self.nodes.unacknowledged

    @property
    def unacknowledged_all(self) -> int:
        """Events of all nodes that no gateway has acknowledged."""
        return self.nodes.unacknowledged + self.nodes.unacknowledged_bays

    @property
    def latencies_us(self) -> list[int]:
        """Exit reports to opened barriers, all exits."""
        return self.nodes.latencies_us
