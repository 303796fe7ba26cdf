"""The bus manual says what the files do: its examples are vectors, its tables and numbers those of the code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firmware import lane, log, wire
from gateway.core.plate import Colour, Energy, Vehicle
from gateway.link import bus, session

ROOT = Path(__file__).resolve().parents[2]
MANUAL = (ROOT / "firmware" / "PROTOCOL.md").read_text(encoding="utf-8")
FRAMES = {v["name"]: v for v in json.loads((ROOT / "seeds/wire/frames.json").read_text(encoding="utf-8"))["frames"]}


@pytest.mark.parametrize("name", ["poll that acknowledges 41", "plate read"])
@pytest.mark.parametrize("part", ["hex", "payload"])
def test_example(name, part):
    assert bytes.fromhex(FRAMES[name][part]).hex(" ") in MANUAL


def test_kinds_and_types():
    for kind in ("PASSED", "BACKED_OUT", "BARRIER", "SELF_OPENED", "HELP", "FIRE", "MAINS", "BAY"):
        assert f"\n| {getattr(wire, kind)} | {kind} |" in MANUAL
    for kind in ("PLATE", "LOST", "BAYS"):
        assert f"\n| {getattr(wire, kind):#04x} | {kind} |" in MANUAL
    for number, name in enumerate(wire.TYPE_NAMES[1:], 1):
        assert f"\n| {number} | {name} |" in MANUAL


def test_numbers():
    assert f"reply time-out | {bus.REPLY_MS} ms" in MANUAL
    assert f"{bus.LANE_EVERY_MS} ms, {bus.BAY_EVERY_MS} ms at most" in MANUAL
    assert f"events per reply | {session.CREDIT_MAX}" in MANUAL
    assert wire.EVENTS_BYTES_MAX // wire.EVENT_BYTES == session.CREDIT_MAX
    assert f"frame | {wire.FRAME_BYTES_MAX} bytes" in MANUAL
    assert f"payload 0..{wire.PAYLOAD_BYTES_MAX}" in MANUAL
    assert f"bay log | {log.RAM_EVENTS_MAX} events" in MANUAL
    assert f"command life | {bus.COMMAND_MS // 1000} s" in MANUAL
    assert f"for at most {lane.LAPSE_MS // 1000} s" in MANUAL
    assert f"within {lane.UNANSWERED_MS // 1000} s" in MANUAL
    idle = len(FRAMES["poll that acknowledges 41"]["hex"]) // 2, len(FRAMES["idle lane"]["hex"]) // 2
    assert "An idle exchange is {} and {} bytes, {:.1f} ms".format(*idle, sum(idle) * 10 / 115.2) in MANUAL
    slots = (32768 - log.SLOTS_AT) // log.SLOT_BYTES
    assert f"{slots} in the usual 32 kB FRAM" in MANUAL


def test_plate_words_are_numbered_as_in_the_core():
    words = [list(Colour), list(Vehicle), ["fuel", "electric"]]
    assert [str(energy) for energy in Energy] == ["fuel", "ev"]
    for names in words:
        assert ", ".join(f"{number} {name}" for number, name in enumerate(names)) in MANUAL
