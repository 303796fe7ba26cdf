"""The bay node: one event per change, a snapshot at each beginning and after each loss."""

from __future__ import annotations

import pytest

from firmware import wire
from firmware.bay import IDLE_MS, BayNode
from firmware.cipher import Cipher
from firmware.log import RAM_EVENTS_MAX
from sim.aes import Aes


def made(ports=16, boot=5):
    return BayNode(2, bytes(8), bytes(16), Cipher(Aes), ports=ports, boot=boot, nonce=lambda: bytes(8))


def told(node):
    log = node._log
    entries = [log.read(seq) for seq in range(log.oldest(), log.last + 1)]
    return [(entry.kind, entry.port, entry.extra.hex() or entry.value) for entry in entries]


# before the start  | after it            | told
@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        ([],            [],                   [(wire.BAYS, 0, "0000")]),
        ([(0, True)],   [],                   [(wire.BAYS, 0, "0100")]),
        ([(15, True)],  [(15, True)],         [(wire.BAYS, 0, "0080")]),
        ([],            [(3, True)],          [(wire.BAYS, 0, "0000"), (wire.BAY, 3, 1)]),
        ([(3, True)],   [(3, False)],         [(wire.BAYS, 0, "0800"), (wire.BAY, 3, 0)]),
        ([],            [(1, True)] * 3,      [(wire.BAYS, 0, "0000"), (wire.BAY, 1, 1)]),
    ],
)  # fmt: skip
def test_changes(before, after, events):
    node = made()
    for port, occupied in before:
        node.bay(port, occupied, 0, 0)
    node.run(0, 0)
    for port, occupied in after:
        node.bay(port, occupied, 10, 10)
    assert told(node) == events
    assert node.pending == len(events)


def test_overflow_ends_in_a_snapshot_of_now():
    node = made()
    node.run(0, 0)
    for change in range(RAM_EVENTS_MAX):
        node.bay(change % 16, change // 16 % 2 == 0, 0, 0)
    entries = told(node)
    assert len(entries) == RAM_EVENTS_MAX // 2 + 1
    assert entries[-1] == (wire.BAYS, 0, "0000")


def test_limits():
    with pytest.raises(ValueError, match="ports"):
        made(ports=17)
    with pytest.raises(IndexError):
        made(ports=4).bay(4, True, 0, 0)
    with pytest.raises(IndexError):
        made(ports=4).bay(-1, True, 0, 0)
    assert made().wake_ms(7) == 7 + IDLE_MS
