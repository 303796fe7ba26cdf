"""A node's numbers in the words of the core, and commands in the node's numbers.

Owns the order in which plates, positions and voices are numbered on the wire: the order of the members in the core.
Answers None for an event that these words cannot say; the caller must not let it vanish. Knows neither frames nor
sessions.
"""

from __future__ import annotations

import struct

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
    NodeEvent,
    PlateRead,
    Position,
    SelfOpening,
    Source,
    VehicleBackedOut,
    VehiclePassed,
)
from gateway.core.layout import BayNode, LaneNode, Node
from gateway.core.plate import TEXT_BYTES_MAX, Colour, Energy, Plate, Vehicle
from gateway.core.plate_form import normalised

COLOURS = tuple(Colour)
VEHICLES = tuple(Vehicle)
ENERGIES = tuple(Energy)
POSITIONS = tuple(Position)
REASONS = tuple(SelfOpening)
VOICES = tuple(Voice)
NO_PLATE = Plate("", Colour.UNKNOWN, Vehicle.SMALL, Energy.FUEL, 0)


def source_of(uid: str, log: int, event: wire.Event) -> Source:
    """Identity of an event of this node and log."""
    return Source(uid, log, event.seq, event.age_ms, early=bool(event.port & wire.EARLY))


def node_event(node: Node, log: int, event: wire.Event) -> NodeEvent | None:
    """The event in the core's words, or None if this kind of node cannot have sent it so."""
    source = source_of(node.uid, log, event)
    if event.kind == wire.LOST:
        return _lost(source, event.extra)
    if isinstance(node, LaneNode):
        return _lane_event(node.lane, source, event)
    return _bay_event(node, source, event)


def show_rest(text: str, voice: Voice) -> bytes:
    """What follows the head of a SHOW command; text beyond what the display holds is cut at a character."""
    raw = text.encode()[: wire.TEXT_BYTES_MAX].decode(errors="ignore").encode()
    return bytes((VOICES.index(voice),)) + raw


def _lane_event(lane: str, source: Source, event: wire.Event) -> NodeEvent | None:
    value = event.value
    match event.kind:
        case wire.PLATE:
            return _plate_read(lane, source, event)
        case wire.PASSED:
            return VehiclePassed(source, lane)
        case wire.BACKED_OUT:
            return VehicleBackedOut(source, lane, behind=value == 1)
        case wire.BARRIER if 0 <= value < len(POSITIONS):
            return BarrierMoved(source, lane, POSITIONS[value])
        case wire.SELF_OPENED if 1 <= value <= len(REASONS):
            return BarrierSelfOpened(source, lane, REASONS[value - 1])
        case wire.HELP:
            return HelpCalled(source, lane)
        case wire.FIRE if value in (0, 1):
            return FireAlarmChanged(source, lane, bool(value))
        case wire.MAINS if value in (0, 1):
            return MainsChanged(source, lane, bool(value))
    return None


def _bay_event(node: BayNode, source: Source, event: wire.Event) -> NodeEvent | None:
    port = event.port & ~wire.EARLY
    if event.kind == wire.BAY and port < len(node.bays) and event.value in (0, 1):
        return BayChanged(source, node.bays[port], bool(event.value))
    if event.kind == wire.BAYS and len(event.extra) == 2:
        bits = int.from_bytes(event.extra, "little")
        return BaysReported(source, tuple((bay, bool(bits >> i & 1)) for i, bay in enumerate(node.bays)))
    return None


def _plate_read(lane: str, source: Source, event: wire.Event) -> PlateRead:
    # A vehicle stands there even if its plate makes no sense: it must be answered, so this is never given up as lost.
    return PlateRead(source, lane, _plate(event.extra) or NO_PLATE, bool(event.port & wire.BEHIND))


def _plate(extra: bytes) -> Plate | None:
    if not 4 <= len(extra) <= 4 + TEXT_BYTES_MAX:
        return None
    confidence, colour, vehicle, energy = extra[:4]
    if confidence > 100 or colour >= len(COLOURS) or vehicle >= len(VEHICLES) or energy >= len(ENERGIES):
        return None
    try:
        text = extra[4:].decode()
    except UnicodeDecodeError:
        return None
    if not text.isprintable():
        return None
    spelt = normalised(text)
    confidence = confidence if spelt else 0
    return Plate(spelt, COLOURS[colour], VEHICLES[vehicle], ENERGIES[energy], confidence)


def _lost(source: Source, extra: bytes) -> EventsLost | None:
    if len(extra) != 8:
        return None
    first, last = struct.unpack("<II", extra)
    return EventsLost(source, first, last) if 1 <= first <= last == source.seq else None
