"""The demo's nodes as boards: each node is a process of the real MicroPython that runs the board's program over its pins.

Owns the boards of a site and their buses. The other kind of nodes that a field can stand on is sim/nodes.py. Rules: a
lane's car waits until its board has looked at what changed, so that a slow machine slows the lot and loses no contact.
"""

from __future__ import annotations

from collections.abc import Mapping

from firmware import wire
from firmware.cipher import Cipher
from sim.aes import Aes
from sim.board import FLOOR_MM, BayBoard, LaneBoard
from sim.hub import Hub
from sim.site import Site

SAMPLE_MS = 5
"""Lot time is so fast that a car parks for less than the usual second of looks at a bay."""


class BoardNodes:
    """The boards of `site`, switched on by `start`; their folders lie in the site's."""

    def __init__(self, site: Site) -> None:
        cipher = Cipher(Aes)

        def settings(uid: str, address: int, **more: object) -> dict[str, object]:
            key = wire.node_key(cipher, site.site_key, bytes.fromhex(uid)).hex()
            return {"uid": uid, "address": address, "key": key, **more}

        folder = site.folder / "boards"
        self.lanes = {
            spec.name: LaneBoard(folder / spec.name, settings(spec.uid, spec.address, board="lane", role=spec.role))
            for spec in site.lanes
        }
        self.bays: list[tuple[BayBoard, int]] = []
        self._bay_boards: list[BayBoard] = []
        self.lane_bus = Hub(list(self.lanes.values()))
        hubs = [self.lane_bus]
        for bus in site.bay_buses:
            boards = []
            for bays in bus:
                found = settings(bays.uid, bays.address, board="bays", ports=len(bays.bays), floor_mm=FLOOR_MM)
                board = BayBoard(folder / bays.uid, found)
                boards.append(board)
                self.bays += [(board, port) for port in range(len(bays.bays))]
            self._bay_boards += boards
            hubs.append(Hub(boards))
        self.ports: Mapping[str, Hub] = dict(zip(site.bus_names, hubs, strict=True))

    def start(self, base_ms: int, scale: int) -> None:
        """Switch all on; lot time was 0 at `base_ms` and goes `scale` times as fast."""
        for board in (*self.lanes.values(), *self._bay_boards):
            board.power_on((base_ms, scale, SAMPLE_MS))

    def stop(self) -> None:
        """Switch all off."""
        for board in (*self.lanes.values(), *self._bay_boards):
            board.power_off()

    def ready(self, lane: str) -> bool:
        """The board has looked at its pins since they changed."""
        return self.lanes[lane].settled

    def reported(self, lane: str) -> None:
        """A plate was shown at this exit."""
        self.lanes[lane].reported()

    def drain(self) -> None:
        """Let everything that is on the wires arrive."""
        for hub in self.ports.values():
            hub.drain()

    def gateway_gone(self) -> None:
        """The gateway was killed."""
        for hub in self.ports.values():
            hub.gateway_gone()
        for board in self.lanes.values():
            board.abandon()

    @property
    def unacknowledged(self) -> int:
        """Lane events that no gateway has acknowledged."""
        return sum(board.pending for board in self.lanes.values())

    @property
    def unacknowledged_bays(self) -> int:
        """The same of the bay boards."""
        return sum(board.pending for board in self._bay_boards)

    @property
    def latencies_us(self) -> list[int]:
        """From a plate shown to an exit's camera to its arm driven up."""
        return [us for board in self.lanes.values() for us in board.latencies_us]
