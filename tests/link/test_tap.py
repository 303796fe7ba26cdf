"""A listener reads a real conversation back, and says why where it cannot."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import wire
from gateway.core.commands import OpenBarrier, ShowText, Voice
from gateway.core.events import BaysReported, PlateRead
from gateway.link.tap import LINE_CHARS_MAX, Chunk, Sides, Tap, read_chunk
from tests.link.rig import EXIT_UID, NODES, SITE_KEY, Rig


def conversation():
    """(direction, bytes) of a short day, and the rig that had it."""
    rig = Rig()
    chunks = []
    carry = rig.segment.exchange

    def recorded(frame, now_ms, stamp_ms):
        chunks.append(("tx", frame))
        reply = carry(frame, now_ms, stamp_ms)
        chunks.append(("rx", reply))
        return reply

    rig.segment.exchange = recorded
    rig.run(100)
    rig.plate(EXIT_UID, "浙A12345")
    rig.run(100)
    rig.bus.command(ShowText("exit-1", "再见", Voice.GO), rig.now_ms)
    rig.bus.command(OpenBarrier("exit-1"), rig.now_ms)
    rig.run(100)
    return chunks, rig


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_reads_the_conversation_in_any_pieces(size):
    chunks, rig = conversation()
    tap = Tap(NODES, SITE_KEY)
    heard = []
    for direction, data in chunks:
        for at in range(0, len(data), size):
            heard += tap.receive(direction, data[at : at + size])
    assert not [one for one in heard if one.problem]
    events = [event for one in heard for event in one.events]
    assert next(event for event in events if isinstance(event, PlateRead)) == rig.journal[EXIT_UID][0]
    assert any(isinstance(event, BaysReported) for event in events)
    commands = [one.command for one in heard if one.command]
    assert commands == [OpenBarrier("exit-1"), ShowText("exit-1", "再见", Voice.GO)]
    assert {one.kind for one in heard} == set(wire.TYPE_NAMES[1:])
    assert any(one.detail.startswith("epoch 1") for one in heard)
    assert any(one.detail == "command 2 result 0" for one in heard)


def test_says_why_it_cannot_read():
    chunks, _ = conversation()
    hello = chunks[0][1]
    poll = next(data for direction, data in chunks if direction == "tx" and data[2] & 15 == wire.POLL)
    tap = Tap(NODES, SITE_KEY)
    assert [one.problem for one in tap.receive("tx", poll)] == ["session"]
    flipped = hello[:-2] + bytes([hello[-2] ^ 1 or 2]) + b"\0"
    assert [one.problem for one in tap.receive("tx", b"\x05\x05\0" + flipped)] == ["short", "crc"]
    assert [one.problem for one in Tap(NODES, bytes(16)).receive("tx", hello)] == ["mac"]
    others = [node for node in NODES if node.address != wire.parse(hello[1:-1]).address]
    assert [one.problem for one in Tap(others, SITE_KEY).receive("tx", hello)] == ["address"]


@given(st.binary(max_size=200))
def test_nothing_raises(data):
    Tap(NODES, SITE_KEY).receive("rx", data + b"\0")
    read_chunk(data.decode(errors="replace"))


def test_forged_frames_in_a_session():
    chunks, _ = conversation()
    tap = Tap(NODES, SITE_KEY)
    for direction, data in chunks:
        tap.receive(direction, data)
    dice = random.Random(1)
    hello = wire.parse(chunks[0][1][1:-1])
    head = (wire.POLL, hello.address, hello.session, 9)
    forged = wire.seal(Rig().bus._cipher, dice.randbytes(16), dice.randbytes(16), head, bytes(9))
    assert [one.problem for one in tap.receive("tx", forged)] == ["mac"]


GOOD = {"t_ns": 5, "bus": "a", "dir": "rx", "hex": "00ff"}


@pytest.mark.parametrize(
    ("line", "chunk"),
    [
        (json.dumps(GOOD), Chunk(5, "a", "rx", b"\x00\xff")),
        (json.dumps(GOOD | {"dir": "up"}), None),
        (json.dumps(GOOD | {"hex": "0"}), None),
        (json.dumps(GOOD | {"hex": 7}), None),
        (json.dumps(GOOD | {"t_ns": "5"}), None),
        (json.dumps(GOOD | {"bus": 1}), None),
        (json.dumps({"t_ns": 5}), None),
        ("[1]", None),
        ("{", None),
        ("", None),
        (json.dumps(GOOD | {"hex": "00" * LINE_CHARS_MAX}), None),
    ],
)
def test_lines_of_a_capture(line, chunk):
    assert read_chunk(line) == chunk


def test_a_listener_tells_the_sides_apart() -> None:
    rig = Rig()
    heard: list[tuple[str, bytes]] = []
    sides = Sides()
    for _ in range(20):
        frame = rig.bus.data_to_send(rig.now_ms)
        reply = rig.segment.exchange(frame, rig.node_ms, rig.node_ms) if frame else b""
        mixed = frame + reply
        for at in range(0, len(mixed), 7):
            heard += sides.receive(mixed[at : at + 7])
        rig.now_ms += 10
        rig.take(rig.bus.receive(reply, rig.now_ms))
    assert {direction for direction, _ in heard} == {"rx", "tx"}
    tap = Tap(NODES, SITE_KEY)
    read = [one for direction, piece in heard for one in tap.receive(direction, piece)]
    assert [one.problem for one in read] == [""] * len(read)
    assert {one.kind for one in read if one.direction == "tx"} <= {"HELLO", "POLL", "CMD"}
    assert {one.kind for one in read if one.direction == "rx"} <= {"HELLO_R", "DATA", "CMD_R"}
