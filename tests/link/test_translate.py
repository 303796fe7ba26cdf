"""Node numbers in the core's words: every kind both as it should be and as it must not be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import wire
from gateway.core.commands import Voice
from gateway.core.events import (
    BarrierMoved,
    BarrierSelfOpened,
    BayChanged,
    BaysReported,
    EventsLost,
    FireAlarmChanged,
    HelpCalled,
    MainsChanged,
    PlateRead,
    Position,
    SelfOpening,
    Source,
    VehicleBackedOut,
    VehiclePassed,
)
from gateway.core.layout import BayNode, LaneNode, LaneRole
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from gateway.link.translate import VOICES, node_event, show_rest

LANE = LaneNode(1, "1e0f00000000c0a1", "exit-1", LaneRole.EXIT)
BAYS = BayNode(2, "ba7f00000000c0b2", ("b1", "b2"))
LANE_SOURCE = Source(LANE.uid, 7, 42, 12)
BAY_SOURCE = Source(BAYS.uid, 7, 42, 12)
PLATE = Plate("浙A12345", Colour.BLUE, Vehicle.SMALL, Energy.FUEL, 97)
RAW = b"\x61\x01\x00\x00" + "浙A12345".encode()

UNREADABLE = PlateRead(LANE_SOURCE, "exit-1", Plate("", Colour.UNKNOWN, Vehicle.SMALL, Energy.FUEL, 0))


def made(kind, value=0, extra=b"", port=0):
    return wire.Event(42, 12, kind, port, value, extra)


@pytest.mark.parametrize(
    ("node", "event", "meaning"),
    [
        (LANE, made(wire.PLATE, extra=RAW), PlateRead(LANE_SOURCE, "exit-1", PLATE)),
        (
            LANE,
            made(wire.PLATE, extra=b"\x61\x01\x00\x00" + "浙a·12345".encode()),
            PlateRead(LANE_SOURCE, "exit-1", PLATE),
        ),
        (LANE, made(wire.PLATE, extra=b"\x61\x00\x00\x00" + "_无_".encode()), UNREADABLE),
        (LANE, made(wire.PASSED), VehiclePassed(LANE_SOURCE, "exit-1")),
        (LANE, made(wire.BACKED_OUT), VehicleBackedOut(LANE_SOURCE, "exit-1")),
        (LANE, made(wire.BACKED_OUT, 1), VehicleBackedOut(LANE_SOURCE, "exit-1", behind=True)),
        (LANE, made(wire.BARRIER, 0), BarrierMoved(LANE_SOURCE, "exit-1", Position.CLOSED)),
        (LANE, made(wire.BARRIER, 3), BarrierMoved(LANE_SOURCE, "exit-1", Position.FAULT)),
        (LANE, made(wire.SELF_OPENED, 1), BarrierSelfOpened(LANE_SOURCE, "exit-1", SelfOpening.UNANSWERED)),
        (LANE, made(wire.SELF_OPENED, 3), BarrierSelfOpened(LANE_SOURCE, "exit-1", SelfOpening.MAINS)),
        (LANE, made(wire.HELP), HelpCalled(LANE_SOURCE, "exit-1")),
        (LANE, made(wire.FIRE, 1), FireAlarmChanged(LANE_SOURCE, "exit-1", True)),
        (LANE, made(wire.MAINS, 0), MainsChanged(LANE_SOURCE, "exit-1", False)),
        (LANE, made(wire.LOST, extra=wire.pack_lost(40, 42)), EventsLost(LANE_SOURCE, 40, 42)),
        (LANE, made(wire.PASSED, port=0x80), VehiclePassed(Source(LANE.uid, 7, 42, 12, early=True), "exit-1")),
        (BAYS, made(wire.BAY, 1, port=1), BayChanged(BAY_SOURCE, "b2", True)),
        (BAYS, made(wire.BAYS, extra=b"\x02\xff"), BaysReported(BAY_SOURCE, (("b1", False), ("b2", True)))),
        (BAYS, made(wire.LOST, extra=wire.pack_lost(42, 42)), EventsLost(BAY_SOURCE, 42, 42)),
        (LANE, made(wire.PLATE, extra=RAW[:3]), UNREADABLE),
        (LANE, made(wire.PLATE, extra=b"\x65" + RAW[1:]), UNREADABLE),
        (LANE, made(wire.PLATE, extra=b"\x61\x06" + RAW[2:]), UNREADABLE),
        (LANE, made(wire.PLATE, extra=b"\x61\x01\x02\x00A"), UNREADABLE),
        (LANE, made(wire.PLATE, extra=b"\x61\x01\x00\x02A"), UNREADABLE),
        (LANE, made(wire.PLATE, extra=b"\x61\x01\x00\x00\xff"), UNREADABLE),
        (LANE, made(wire.PLATE, extra=RAW + b"9" * 16), UNREADABLE),
        (LANE, made(wire.PLATE, extra=RAW + b"\n"), UNREADABLE),
        (LANE, made(wire.BARRIER, 4), None),
        (LANE, made(wire.BARRIER, -1), None),
        (LANE, made(wire.SELF_OPENED, 0), None),
        (LANE, made(wire.FIRE, 2), None),
        (LANE, made(wire.MAINS, -1), None),
        (LANE, made(1, 1), None),
        (LANE, made(wire.BAY, 1), None),
        (LANE, made(0xFF), None),
        (LANE, made(wire.LOST, extra=wire.pack_lost(40, 41)), None),
        (LANE, made(wire.LOST, extra=wire.pack_lost(43, 42)), None),
        (LANE, made(wire.LOST, extra=wire.pack_lost(0, 42)), None),
        (LANE, made(wire.LOST, extra=b"1234567"), None),
        (BAYS, made(wire.BAY, 1, port=2), None),
        (BAYS, made(wire.BAY, 2), None),
        (BAYS, made(wire.BAYS, extra=b"\x00"), None),
        (BAYS, made(wire.PASSED), None),
    ],
)
def test_event(node, event, meaning):
    assert node_event(node, 7, event) == meaning


@given(
    st.sampled_from((LANE, BAYS)),
    st.builds(
        wire.Event,
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 255),
        st.integers(0, 255),
        st.integers(-(2**15), 2**15 - 1),
        st.binary(max_size=40),
    ),
)
def test_nothing_raises(node, event):
    node_event(node, 7, event)


def test_shown_text_is_cut_at_a_character():
    rest = show_rest("浙" * 30, Voice.GO)
    assert (rest[0], rest[1:].decode()) == (VOICES.index(Voice.GO), "浙" * 20)
    assert show_rest("a" + "浙" * 30, Voice.GO)[1:].decode() == "a" + "浙" * 19
