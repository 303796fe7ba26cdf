"""A real bus and real nodes on a noisy segment in virtual time, with a journal that only remembers.

Owns what every test of the bus needs: the nodes and their restarts, the gateway and its restarts, and the truth of
what happened. An event counts once it is "committed": kept in `journal` in the order of delivery, which a restarted
bus takes up.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from firmware import wire
from firmware.bay import BayNode as BayFirmware
from firmware.cipher import Cipher
from firmware.lane import ENTRY, EXIT
from firmware.lane import LaneNode as LaneFirmware
from gateway.core import layout
from gateway.core.events import EventsLost, NodeJoined, NodeRefused, NodeWentSilent, PlateRead
from gateway.link.bus import Bus
from sim.aes import Aes
from sim.fram import Fram
from sim.noise import Noise, Segment

SITE_KEY = bytes(range(16))
EXIT_UID, ENTRY_UID, BAY_UID = "1e0f00000000c0a1", "1e0f00000000c0a2", "ba7f00000000c0b3"
NODES = (
    layout.LaneNode(1, EXIT_UID, "exit-1", layout.LaneRole.EXIT),
    layout.LaneNode(2, ENTRY_UID, "entry-1", layout.LaneRole.ENTRY),
    layout.BayNode(3, BAY_UID, ("b1", "b2", "b3", "b4")),
)
EXCHANGE_MS = 8
"""A frame each way at 115200 baud, and the node's turnaround."""
MEMORY_BYTES = 8192
NODE_AHEAD_MS = 2**32 - 1500
"""The nodes' clocks: far from the gateway's, and about to pass the 32 bits of the wire."""


@dataclass
class Faults:
    """Probabilities per chunk of the noise, and per turn of the restarts and of a held-back commit."""

    flip: float = 0.0
    drop: float = 0.0
    cut: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    gateway_restart: float = 0.0
    lane_restart: float = 0.0
    slow_commit: float = 0.0


@dataclass
class Rig:
    """`journal`: all committed node events by uid; `heard`: all bus events."""

    seed: int = 1
    faults: Faults = field(default_factory=Faults)
    nodes: tuple = NODES

    def __post_init__(self):
        self.dice = random.Random(self.seed)
        self.now_ms = 0
        self.epoch = 0
        self.boots = 0
        self.journal = {node.uid: [] for node in self.nodes}
        self.heard = []
        self.waiting = []
        self.acked = {}
        self.memories = {node.uid: Fram(MEMORY_BYTES) for node in self.nodes}
        self.devices = {}
        for node in self.nodes:
            self.restart_node(node.uid)
        faults = self.faults
        noises = [
            Noise(
                self.dice, flip=faults.flip, drop=faults.drop, cut=faults.cut, repeat=faults.repeat, delay=faults.delay
            )
            for _ in range(2)
        ]
        self.segment = Segment(lambda: tuple(self.devices.values()), down=noises[0], up=noises[1])
        self.restart_gateway()

    @property
    def node_ms(self):
        """What the nodes' clocks show."""
        return self.now_ms + NODE_AHEAD_MS

    @property
    def lane(self):
        return self.devices[EXIT_UID]

    @property
    def bay(self):
        return self.devices[BAY_UID]

    def nonce(self):
        return self.dice.randbytes(8)

    def restart_gateway(self):
        """A new process: only what was committed is known."""
        self.epoch += 1
        self.waiting = []
        self.bus = Bus("a", self.nodes, site_key=SITE_KEY, epoch=self.epoch, nonce=self.nonce, acked=dict(self.acked))

    def restart_node(self, uid):
        """Power off and on: a lane keeps its memory, a bay node nothing."""
        self.boots += 1
        node = next(node for node in self.nodes if node.uid == uid)
        self.devices[uid] = self.device(node, SITE_KEY)

    def device(self, node, site_key):
        cipher = Cipher(Aes)
        raw = bytes.fromhex(node.uid)
        key = wire.node_key(cipher, site_key, raw)
        if isinstance(node, layout.BayNode):
            ports = len(node.bays)
            return BayFirmware(node.address, raw, key, cipher, ports=ports, boot=self.boots, nonce=self.nonce)
        role = EXIT if node.role is layout.LaneRole.EXIT else ENTRY
        memory = self.memories[node.uid]
        return LaneFirmware(node.address, raw, key, cipher, memory=memory, role=role, boot=self.boots, nonce=self.nonce)

    def commit(self):
        """Everything delivered so far is in the journal, and the bus hears of it."""
        for event in self.waiting:
            source = event.source
            self.journal[source.uid].append(event)
            self.acked[source.uid] = (source.log, source.seq)
            self.bus.committed(source.uid, source.log, source.seq)
        self.waiting = []

    def take(self, events):
        for event in events:
            if isinstance(event, NodeJoined | NodeRefused | NodeWentSilent):
                self.heard.append(event)
            else:
                self.waiting.append(event)
        if not self.chance(self.faults.slow_commit):
            self.commit()

    def chance(self, probability):
        return probability > 0 and self.dice.random() < probability

    def turn(self):
        """One exchange, or time passes until the next one is wanted."""
        frame = self.bus.data_to_send(self.now_ms)
        if frame:
            reply = self.segment.exchange(frame, self.node_ms, self.node_ms)
            self.now_ms += EXCHANGE_MS
        else:
            reply = b""
            self.now_ms = max(self.now_ms + 1, min(self.bus.wake_ms(), self.now_ms + 50))
        self.take(self.bus.receive(reply, self.now_ms))
        for device in self.devices.values():
            device.run(self.node_ms, self.node_ms)
        if self.chance(self.faults.gateway_restart):
            self.restart_gateway()
        if self.chance(self.faults.lane_restart):
            self.restart_node(self.dice.choice((EXIT_UID, ENTRY_UID)))

    def run(self, ms):
        """Turns for so many ms of virtual time."""
        until_ms = self.now_ms + ms
        while self.now_ms < until_ms:
            self.turn()

    def settle(self):
        """On a quiet line, until no node holds anything back."""
        self.faults.gateway_restart = self.faults.lane_restart = self.faults.slow_commit = 0
        self.segment = Segment(lambda: tuple(self.devices.values()), down=Noise(self.dice), up=Noise(self.dice))
        until_ms = self.now_ms + 20_000
        self.turn()  # a node that has just been restarted has nothing to say before its first turn
        while any(device.pending for device in self.devices.values()):
            assert self.now_ms < until_ms, {uid: device.pending for uid, device in self.devices.items()}
            self.turn()
        self.commit()

    def plates(self, uid):
        return [event.plate.text for event in self.journal[uid] if isinstance(event, PlateRead)]

    def lost(self, uid):
        return [event for event in self.journal[uid] if isinstance(event, EventsLost)]

    def plate(self, uid, text):
        self.devices[uid].plate(text, 1, 0, 0, 95, self.node_ms, self.node_ms)
