"""Modbus RTU against published bytes; whatever a device sends, the answer is a value or a named rejection."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.link.drivers.modbus import (
    Inputs,
    Registers,
    Rejection,
    Written,
    crc16,
    decode_reply,
    pulse_coil,
    read_inputs,
    read_registers,
    reply_bytes,
    sealed,
    write_coil,
)

CASES = json.loads((Path(__file__).resolve().parents[3] / "seeds" / "wire" / "devices.json").read_text())["cases"]
DEVICES = {case["device"]: bytes.fromhex(case["hex"]) for case in CASES}
RELAY = DEVICES["relay board, coil 0 on"]
DISTANCE = DEVICES["SEN0492 distance, request"]
DISTANCE_REPLY = DEVICES["SEN0492 distance, reply: 1803 mm"]


def test_published_vectors():
    assert write_coil(1, 0, True) == RELAY
    assert decode_reply(RELAY, RELAY) == Written()
    assert read_registers(0x50, 0x34, 1) == DISTANCE
    assert decode_reply(DISTANCE, DISTANCE_REPLY) == Registers((1803,))
    assert sealed(DISTANCE_REPLY[:-2]) == DISTANCE_REPLY
    assert all(crc16(data) == 0 for data in (RELAY, DISTANCE, DISTANCE_REPLY))


def test_requests():
    assert write_coil(1, 0, False)[:6].hex() == "010500000000"
    assert pulse_coil(1, 2, 7)[:6].hex() == "010502020007"
    assert read_inputs(1, 0, 8)[:6].hex() == "010200000008"
    assert [reply_bytes(request) for request in (RELAY, DISTANCE, read_inputs(1, 0, 9))] == [8, 7, 7]
    for wrong in (lambda: pulse_coil(1, 0, 0), lambda: read_registers(1, 0, 126), lambda: read_inputs(1, 0, 0)):
        with pytest.raises(ValueError, match=r"\d"):
            wrong()


def test_inputs_are_read_bit_by_bit():
    reply = sealed(bytes.fromhex("010202 0502".replace(" ", "")))
    assert decode_reply(read_inputs(1, 0, 10), reply) == Inputs((True, False, True) + (False,) * 6 + (True,))


@pytest.mark.parametrize(
    ("request_bytes", "reply", "reason"),
    [
        (DISTANCE, b"", "short"),
        (DISTANCE, DISTANCE_REPLY[:-1], "short"),
        (DISTANCE, DISTANCE_REPLY + b"\0", "long"),
        (DISTANCE, DISTANCE_REPLY[:-1] + b"\0", "crc"),
        (DISTANCE, sealed(b"\x51" + DISTANCE_REPLY[1:-2]), "unit"),
        (DISTANCE, sealed(b"\x50\x04" + DISTANCE_REPLY[2:-2]), "function"),
        (DISTANCE, sealed(b"\x50\x83\x02"), "exception 2"),
        (DISTANCE, sealed(b"\x50\x03\x04" + DISTANCE_REPLY[3:-2]), "count"),
        (RELAY, write_coil(1, 1, True), "echo"),
    ],
)
def test_rejected(request_bytes, reply, reason):
    assert decode_reply(request_bytes, reply) == Rejection(reason)


@given(st.sampled_from((RELAY, DISTANCE, read_inputs(1, 0, 9))), st.binary(max_size=300), st.booleans())
def test_nothing_raises(request, data, with_good_crc):
    decode_reply(request, sealed(data) if with_good_crc else data)
