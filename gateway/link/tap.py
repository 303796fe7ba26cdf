"""A listener on one bus: turns captured bytes of both directions back into events and commands.

Owns what a capture can tell to one who has the site key: it learns each session from its hello and reads on from there. Rules:
never sends, never raises on bad bytes, says why a frame could not be read. Of each frame it hears what the MAC covers only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from firmware import wire
from gateway.core.commands import OpenBarrier, ShowText
from gateway.core.events import NodeEvent
from gateway.core.layout import LaneNode, Node
from gateway.link.cipher import HostCipher
from gateway.link.translate import VOICES, node_event

LINE_CHARS_MAX = 16_384
"""A line of a capture; a read of the port brings at most 4 kB, 8192 digits."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One line of a capture: monotonic ns, bus, 'rx' (heard) or 'tx' (sent by the gateway), the bytes."""

    t_ns: int
    bus: str
    direction: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame: its head, and what it says. `problem` is '' or why it says nothing."""

    direction: str
    kind: str
    address: int
    session: int
    counter: int
    events: tuple[NodeEvent, ...] = ()
    command: OpenBarrier | ShowText | None = None
    detail: str = ""
    problem: str = ""


def read_chunk(line: str) -> Chunk | None:
    """One line of a capture, or None if it is none."""
    if len(line) > LINE_CHARS_MAX:
        return None
    try:
        found = json.loads(line)
        chunk = Chunk(found["t_ns"], found["bus"], found["dir"], bytes.fromhex(found["hex"]))
    except (ValueError, TypeError, KeyError):
        return None
    known = isinstance(chunk.t_ns, int) and isinstance(chunk.bus, str) and chunk.direction in ("rx", "tx")
    return chunk if known else None


class Sides:
    """Tells the two directions apart in what a listener hears on the wires, by the bit in the open part of each frame."""

    def __init__(self) -> None:
        self._splitter = wire.Splitter()

    def receive(self, data: bytes) -> list[tuple[str, bytes]]:
        """('rx' from a node or 'tx' from the gateway, its bytes with both zeros) of each piece that this chunk completes."""
        return [
            ("rx" if len(raw) > 2 and raw[2] & wire.FROM_NODE else "tx", b"\0" + raw + b"\0")
            for raw in self._splitter.feed(data)
        ]


class Tap:
    """Listens to one bus with these nodes."""

    def __init__(self, nodes: Sequence[Node], site_key: bytes) -> None:
        self._nodes = {node.address: node for node in nodes}
        self._site_key = site_key
        self._cipher = HostCipher()
        self._splitters = {"rx": wire.Splitter(), "tx": wire.Splitter()}
        self._sessions: dict[tuple[int, int], tuple[bytes, bytes, int]] = {}

    def receive(self, direction: str, data: bytes) -> list[Heard]:
        """The frames that this chunk of 'rx' or 'tx' bytes completes. At most 255 sessions per node are remembered."""
        return [self._heard(direction, raw) for raw in self._splitters[direction].feed(data)]

    def _heard(self, direction: str, raw: bytes) -> Heard:
        frame = wire.parse(raw)
        if isinstance(frame, str):
            return Heard(direction, "", 0, 0, 0, problem=frame)
        address = frame.address & wire.ADDRESS_MAX
        kind = wire.TYPE_NAMES[frame.type] if frame.type < len(wire.TYPE_NAMES) else ""
        node = self._nodes.get(address)
        if frame.version != wire.VERSION or not kind:
            problem = "version"
        elif node is None:
            problem = "address"
        else:
            return self._readable(Heard(direction, kind, address, frame.session, frame.counter), frame, node)
        return Heard(direction, kind, address, frame.session, frame.counter, problem=problem)

    def _readable(self, heard: Heard, frame: wire.Frame, node: Node) -> Heard:
        if frame.type in (wire.HELLO, wire.HELLO_R):
            return self._greeting(heard, frame, node)
        session = self._sessions.get((heard.address, frame.session))
        if session is None:
            return _with(heard, problem="session")
        mac, enc, log = session
        payload = wire.unseal(self._cipher, mac, enc, frame)
        if payload is None:
            return _with(heard, problem="mac")
        if frame.type == wire.DATA:
            return _data(heard, node, log, payload)
        if frame.type == wire.CMD:
            return _command(heard, node, payload)
        if frame.type == wire.POLL and (poll := wire.unpack_poll(payload)) is not None:
            return _with(heard, detail=f"log {poll[0]} ack {poll[1]} credit {poll[2]}")
        if frame.type == wire.CMD_R and (result := wire.unpack_result(payload)) is not None:
            return _with(heard, detail=f"command {result[0]} result {result[1]}")
        return _with(heard, problem="form")

    def _greeting(self, heard: Heard, frame: wire.Frame, node: Node) -> Heard:
        key = wire.node_key(self._cipher, self._site_key, bytes.fromhex(node.uid))
        payload = wire.unseal(self._cipher, key, b"", frame)
        if payload is None:
            return _with(heard, problem="mac")
        if frame.type == wire.HELLO:
            hello = wire.unpack_hello(payload)
            return _with(heard, problem="form") if hello is None else _with(heard, detail=f"epoch {hello[0]}")
        welcome = wire.unpack_welcome(payload)
        if welcome is None:
            return _with(heard, problem="form")
        keys = wire.session_keys(self._cipher, key, welcome.nonces, welcome.boot, heard.address, frame.session)
        self._sessions[heard.address, frame.session] = (*keys, welcome.log)
        return _with(
            heard, detail=f"uid {welcome.uid.hex()} boot {welcome.boot} log {welcome.log} build {welcome.build}"
        )


def _data(heard: Heard, node: Node, log: int, payload: bytes) -> Heard:
    data = wire.unpack_data(payload)
    if data is None:
        return _with(heard, problem="form")
    pending, status, uptime_ms, events = data
    known = [node_event(node, log, event) for event in events]
    problem = "unintelligible" if None in known else ""
    detail = f"pending {pending} status {status:#04x} uptime_ms {uptime_ms}"
    return _with(heard, events=tuple(event for event in known if event is not None), detail=detail, problem=problem)


def _command(heard: Heard, node: Node, payload: bytes) -> Heard:
    parts = wire.unpack_command(payload)
    if parts is None or not isinstance(node, LaneNode):
        return _with(heard, problem="form")
    number, op, _port, expires_ms, rest = parts
    detail = f"command {number} expires_ms {expires_ms}"
    if op == wire.OPEN:
        return _with(heard, command=OpenBarrier(node.lane), detail=detail)
    if op == wire.SHOW and rest and rest[0] < len(VOICES):
        text = rest[1:].decode(errors="replace")
        return _with(heard, command=ShowText(node.lane, text, VOICES[rest[0]]), detail=detail)
    return _with(heard, detail=detail, problem="unintelligible")


def _with(
    heard: Heard,
    *,
    events: tuple[NodeEvent, ...] = (),
    command: OpenBarrier | ShowText | None = None,
    detail: str = "",
    problem: str = "",
) -> Heard:
    head = (heard.direction, heard.kind, heard.address, heard.session, heard.counter)
    return Heard(*head, events=events, command=command, detail=detail, problem=problem)
