"""The lane display against its maker's example."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.link.drivers.jinjie import DATA_BYTES_MAX, SHOW, SPEAK, Frame, accepted, decode, encode, show, speak
from gateway.link.drivers.modbus import Rejection, sealed

CASES = json.loads((Path(__file__).resolve().parents[3] / "seeds" / "wire" / "devices.json").read_text())["cases"]
DEVICES = {case["device"]: bytes.fromhex(case["hex"]) for case in CASES}
TEXT = DEVICES["JinJie display, text in window 0"]
DONE = DEVICES["JinJie display, done"]


def test_published_vectors():
    request = decode(TEXT)
    assert request == Frame(0, SHOW, TEXT[6:-2])
    assert encode(request) == TEXT
    reply = decode(DONE)
    assert reply == Frame(0, SHOW, b"\0")
    assert encode(reply) == DONE
    assert accepted(request, reply)


def test_show_makes_the_makers_example():
    assert encode(show(0, 0, "欢迎光临请入场停车", stay_s=2)) == TEXT


def test_text_is_gbk_and_bounded():
    assert speak(0, "一路平安").data == b"\x01" + "一路平安".encode("gbk")
    assert (speak(0, "😀").data, speak(0, "x").command) == (b"\x01?", SPEAK)
    assert len(show(0, 0, "9" * 400, stay_s=2).data) == DATA_BYTES_MAX
    assert len(speak(0, "9" * 400).data) == DATA_BYTES_MAX
    with pytest.raises(ValueError, match="256 bytes"):
        encode(Frame(0, SHOW, bytes(256)))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (DONE[:-2], "short"),
        (b"\x00\x65" + DONE[2:], "start"),
        (DONE + b"\x00", "length"),
        (DONE[:-1] + b"\x00", "crc"),
    ],
)
def test_rejected(data, reason):
    assert decode(data) == Rejection(reason)


@pytest.mark.parametrize("reply", [Frame(0, SHOW, b"\x01"), Frame(1, SHOW, b"\0"), Frame(0, SPEAK, b"\0")])
def test_not_accepted(reply):
    assert not accepted(Frame(0, SHOW, b""), reply)


@given(st.binary(max_size=300), st.booleans())
def test_nothing_raises(data, with_good_crc):
    decode(sealed(b"\x00\x64\xff\xff" + data) if with_good_crc else data)


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=DATA_BYTES_MAX))
def test_round_trip(address, command, data):
    assert decode(encode(Frame(address, command, data))) == Frame(address, command, data)
