"""The sign of free spaces against its maker's example."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.link.drivers.xunpeng import Rejection, SignColour, SignText, decode, encode

CASES = json.loads((Path(__file__).resolve().parents[3] / "seeds" / "wire" / "devices.json").read_text())["cases"]
DEVICES = {case["device"]: bytes.fromhex(case["hex"]) for case in CASES}
ASK = DEVICES["Xunpeng sign, green 888"]


@pytest.mark.parametrize(
    ("device", "meaning"),
    [
        ("Xunpeng sign, green 888", SignText(888, SignColour.GREEN)),
        ("Xunpeng sign, shows green 888", SignText(888, SignColour.GREEN, reply=True)),
    ],
)
def test_published_vectors(device, meaning):
    assert encode(meaning) == DEVICES[device]
    assert decode(DEVICES[device]) == meaning


def changed(at, value, *, add=0):
    data = bytearray(ASK)
    data[at] = value
    data[5] = (data[5] + add) & 0xFF
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ASK[:-1], "length"),
        (changed(0, 0x3B, add=1), "start"),
        (changed(6, 0x0B), "end"),
        (changed(5, 0xB7), "sum"),
        (changed(4, 2, add=1), "code"),
        (changed(1, 3, add=3), "colour"),
        (changed(3, 4, add=1), "count"),
    ],
)
def test_rejected(data, reason):
    assert decode(data) == Rejection(reason)


@given(st.binary(max_size=9))
def test_nothing_raises(data):
    decode(data)


@given(st.integers(0, 999), st.sampled_from(SignColour), st.booleans())
def test_round_trip(free, colour, reply):
    assert decode(encode(SignText(free, colour, reply))) == SignText(free, colour, reply)


def test_more_than_three_digits():
    with pytest.raises(ValueError, match="1000"):
        encode(SignText(1000, SignColour.RED))
