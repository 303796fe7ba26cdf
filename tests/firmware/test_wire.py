"""Byte vectors of the wire: each whole, byte by byte and amid junk; nothing that comes in raises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import wire
from firmware.cipher import Cipher
from sim.aes import Aes

FOLDER = Path(__file__).resolve().parents[2] / "seeds" / "wire"
FRAMES = json.loads((FOLDER / "frames.json").read_text(encoding="utf-8"))["frames"]
REJECTED = json.loads((FOLDER / "rejected.json").read_text(encoding="utf-8"))
JUNK = (b"", b"\x00", b"\x55" * 300, b"\x00\x00\x07\x01\x02\x00", bytes(range(256)))


def named(vectors):
    return [pytest.param(vector, id=vector["name"]) for vector in vectors]


def read(vector, raw):
    """The payload if `raw` is this vector's frame and authentic, else the reason."""
    frame = wire.parse(raw)
    if isinstance(frame, str):
        return frame
    keys = bytes.fromhex(vector["mac_key"]), bytes.fromhex(vector["enc_key"])
    return wire.unseal(Cipher(Aes), *keys, frame)


@pytest.mark.parametrize("vector", named(FRAMES))
@pytest.mark.parametrize("junk", JUNK)
def test_frame_whole_by_bytes_and_amid_junk(vector, junk):
    data = bytes.fromhex(vector["hex"])
    payload = bytes.fromhex(vector["payload"])
    stream = junk + data + junk
    whole = wire.Splitter().feed(stream)
    splitter = wire.Splitter()
    pieces = [piece for byte in stream for piece in splitter.feed(bytes([byte]))]
    for found in (whole, pieces):
        assert [read(vector, raw) for raw in found].count(payload) == 1


@pytest.mark.parametrize("vector", named(FRAMES))
def test_head_lies_open_behind_the_first_block_code(vector):
    raw = bytes.fromhex(vector["hex"])[1:-1]
    assert raw[1] == wire.VERSION << 4 | wire.TYPE_NAMES.index(vector["type"])
    assert raw[2] == vector["address"]
    assert len(raw) <= wire.RAW_BYTES_MAX


@pytest.mark.parametrize("case", named(REJECTED["cases"]))
def test_rejected(case):
    frame = wire.parse(bytes.fromhex(case["hex"]))
    keys = bytes.fromhex(REJECTED["mac_key"]), bytes.fromhex(REJECTED["enc_key"])
    if isinstance(frame, str):
        reason = frame
    elif frame.version != wire.VERSION:
        reason = "version"
    else:
        reason = "mac" if wire.unseal(Cipher(Aes), *keys, frame) is None else ""
    assert reason == case["reason"]


@given(st.binary(max_size=wire.FRAME_BYTES_MAX))
def test_cobs_round_trip(data):
    sent = wire.cobs(data)
    assert 0 not in sent
    assert len(sent) == len(data) + 1
    assert wire.uncobs(sent) == data


@given(st.lists(st.sampled_from(FRAMES), min_size=1, max_size=4), st.data())
def test_any_chopping_gives_the_same_frames(vectors, data):
    stream = b"".join(bytes.fromhex(vector["hex"]) for vector in vectors)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    splitter = wire.Splitter()
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += splitter.feed(stream[begin:end])
    assert found == [bytes.fromhex(vector["hex"])[1:-1] for vector in vectors]


@given(st.sampled_from(FRAMES), st.data())
def test_no_flipped_bit_gets_through(vector, data):
    stream = bytearray.fromhex(vector["hex"])
    stream[data.draw(st.integers(0, len(stream) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    payload = bytes.fromhex(vector["payload"])
    readings = [read(vector, raw) for raw in wire.Splitter().feed(bytes(stream))]
    # A zero byte lost between two frames still leaves the frame whole: only the closing one is needed.
    assert payload not in readings or bytes(stream[1:]) == bytes.fromhex(vector["hex"])[1:]


@given(st.binary(max_size=400))
def test_nothing_raises(data):
    frame = wire.parse(data)
    assert isinstance(frame, wire.Frame) or frame in ("long", "short", "cobs", "crc")
    for unpack in (
        wire.unpack_hello,
        wire.unpack_welcome,
        wire.unpack_poll,
        wire.unpack_data,
        wire.unpack_command,
        wire.unpack_result,
    ):
        unpack(data)


@given(
    st.lists(
        st.builds(
            wire.Event,
            st.integers(0, 2**32 - 1),
            st.integers(0, 2**32 - 1),
            st.sampled_from((wire.PASSED, wire.BAY, wire.PLATE, wire.LOST)),
            st.integers(0, 255),
            st.integers(-(2**15), 2**15 - 1),
            st.binary(max_size=wire.EXTRA_BYTES_MAX),
        ),
        max_size=20,
    )
)
def test_events_round_trip(events):
    for event in events:
        if event.kind < wire.WITH_EXTRA:
            event.extra = b""
        else:
            event.value = len(event.extra)
    packed = wire.pack_data(3, 4, 2**32 + 5, b"".join(wire.pack_event(event) for event in events))
    pending, status, uptime_ms, found = wire.unpack_data(packed)
    assert (pending, status, uptime_ms) == (3, 4, 5)
    assert [vars(event) for event in found] == [vars(event) for event in events]


def test_bounds():
    splitter = wire.Splitter()
    for _ in range(1000):
        assert splitter.feed(b"\x55" * 100) == []
    (piece,) = splitter.feed(b"\x00")
    assert wire.parse(piece) == "long"
    longest = wire.seal(Cipher(Aes), bytes(16), bytes(16), (wire.DATA, 0x81, 1, 1), bytes(wire.PAYLOAD_BYTES_MAX))
    assert len(longest) == wire.RAW_BYTES_MAX + 2
    with pytest.raises(ValueError, match="payload of 232 bytes"):
        wire.seal(Cipher(Aes), bytes(16), b"", (wire.DATA, 0x81, 1, 1), bytes(wire.PAYLOAD_BYTES_MAX + 1))
