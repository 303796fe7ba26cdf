"""The tester's end of a bus against real nodes: who is there, how often not, and that looking takes nothing away."""

from __future__ import annotations

import random

import pytest

from firmware import wire
from firmware.cipher import Cipher
from gateway.core import layout
from gateway.link.probe import HELLO_TRIES_MAX, REPLY_US, Probe
from sim.aes import Aes
from sim.noise import Noise, Segment
from tests.link.rig import BAY_UID, ENTRY_UID, EXIT_UID, NODES, SITE_KEY, Rig

TRIP_US = 5100


def probe(rig: Rig, nodes=NODES, *, epoch: int = 9, rounds: int = 5, key: bytes = SITE_KEY, segment=None) -> Probe:
    """Run one to its end over the rig's nodes."""
    found = Probe(nodes, site_key=key, epoch=epoch, nonce=rig.nonce, rounds=rounds)
    segment = segment or rig.segment
    now_us = 1_000_000
    while not found.done:
        frame = found.data_to_send(now_us)
        reply = segment.exchange(frame, rig.node_ms, rig.node_ms) if frame else b""
        now_us += TRIP_US if reply else REPLY_US
        found.receive(reply, now_us)
        rig.now_ms += 10
    assert found.data_to_send(now_us) == b""
    return found


def test_everybody_is_there_and_keeps_every_event() -> None:
    rig = Rig()
    rig.plate(EXIT_UID, "A")
    found = probe(rig)
    assert [(one.node.uid, one.state, one.asked, len(one.trips_us)) for one in found.found] == [
        (uid, "present", 5, 5) for uid in (EXIT_UID, ENTRY_UID, BAY_UID)
    ]
    assert set(found.found[0].trips_us) == {TRIP_US}
    assert (found.found[0].pending, found.found[2].pending) == (1, 1)
    assert (found.strangers, dict(found.rejected)) == (set(), {})
    rig.epoch = 10
    rig.restart_gateway()
    rig.settle()
    assert rig.plates(EXIT_UID) == ["A"]


def test_who_is_not_there_is_silent() -> None:
    rig = Rig()
    del rig.devices[ENTRY_UID]
    found = probe(rig)
    assert [one.state for one in found.found] == ["present", "silent", "present"]
    assert found.found[1].asked == 0


def test_an_old_hello_is_answered_by_nobody() -> None:
    rig = Rig()
    rig.epoch = 20
    rig.restart_gateway()
    rig.run(500)
    assert [one.state for one in probe(rig, epoch=20).found] == ["silent"] * 3
    assert [one.state for one in probe(rig, epoch=21).found] == ["present"] * 3


@pytest.mark.parametrize(
    ("node", "told"),
    [
        (layout.BayNode(1, EXIT_UID, ("b1",)),          "wrong kind"),
        (layout.BayNode(3, BAY_UID, ("b1",) * 16),      "wrong ports"),
        (layout.LaneNode(7, EXIT_UID, "x", layout.LaneRole.EXIT), "silent"),
    ],
)  # fmt: skip
def test_who_is_another_is_named(node: layout.Node, told: str) -> None:
    (one,) = probe(Rig(), (node,)).found
    assert one.state == told


def test_a_bad_line_shows_in_numbers() -> None:
    rig = Rig(3)
    dice = random.Random(3)
    noises = [Noise(dice, drop=0.1), Noise(dice, flip=0.2)]
    segment = Segment(lambda: tuple(rig.devices.values()), down=noises[0], up=noises[1])
    for one in probe(rig, rounds=200, segment=segment).found:
        lost = 1 - len(one.trips_us) / one.asked
        assert 0.18 < lost < 0.38
        assert 0.1 < one.spoilt / one.asked < 0.3


class Forger:
    """Answers for address 2 with a key that it does not have, and for address 99 that nobody asked."""

    def __init__(self) -> None:
        self.cipher = Cipher(Aes)

    def receive(self, data: bytes, _now_ms: int, _stamp_ms: int) -> bytes:
        frame = wire.parse(data[1:-1])
        if isinstance(frame, str) or frame.address != 2:
            return wire.seal(self.cipher, bytes(16), b"", (wire.DATA, 99 | wire.FROM_NODE, 1, 1), b"x")
        welcome = wire.Welcome(
            nonces=frame.covered[11:19] + bytes(8),
            uid=bytes.fromhex(ENTRY_UID),
            boot=1,
            log=1,
            kind=wire.KIND_LANE,
            ports=2,
            version=wire.VERSION,
            build=1,
        )
        head = (wire.HELLO_R, 2 | wire.FROM_NODE, frame.session, frame.counter)
        return wire.seal(self.cipher, bytes(16), b"", head, wire.pack_welcome(welcome))


def test_a_forger_and_a_stranger_are_named() -> None:
    rig = Rig()
    del rig.devices[ENTRY_UID]
    rig.devices["forger"] = Forger()
    found = probe(rig)
    assert [one.state for one in found.found] == ["present", "wrong key", "present"]
    assert found.strangers == {99}


def test_a_silent_bus_ends() -> None:
    rig = Rig()
    rig.devices = {}
    assert [one.state for one in probe(rig).found] == ["silent"] * 3
    assert rig.now_ms == (3 * HELLO_TRIES_MAX + 1) * 10
