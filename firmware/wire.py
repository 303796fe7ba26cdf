"""The bus frame and its messages: bytes to fields and back, one file for CPython and MicroPython.

Owns COBS, CRC, the frame's head, the layouts of all six messages and the derivation of keys. Rules: CRC before
meaning, bad input gives a named rejection and never an exception, every frame fits FRAME_BYTES_MAX. Refuses to know
sessions, time-outs and what an event means; AES comes in as an argument.
"""

import binascii
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class CipherLike(Protocol):
        """AES-128 as the wire needs it; key 16 bytes, iv 16 bytes, tag 16 bytes."""

        def cmac(self, key: bytes, data: bytes) -> bytes: ...
        def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes: ...


VERSION = 1
HELLO, HELLO_R, POLL, DATA, CMD, CMD_R = 1, 2, 3, 4, 5, 6
TYPE_NAMES = ("", "HELLO", "HELLO_R", "POLL", "DATA", "CMD", "CMD_R")
FROM_NODE = 0x80
ADDRESS_MAX = 127

HEAD_BYTES = 7
MAC_BYTES = 8
CRC_BYTES = 4
OVERHEAD_BYTES = HEAD_BYTES + MAC_BYTES + CRC_BYTES
FRAME_BYTES_MAX = 250  # below 254, so that COBS adds exactly one byte and never the special 0xFF block
RAW_BYTES_MAX = FRAME_BYTES_MAX + 1
PAYLOAD_BYTES_MAX = FRAME_BYTES_MAX - OVERHEAD_BYTES
DATA_HEAD_BYTES = 6
EVENTS_BYTES_MAX = PAYLOAD_BYTES_MAX - DATA_HEAD_BYTES

KIND_LANE, KIND_BAY = 1, 2

PASSED, BACKED_OUT, BARRIER, SELF_OPENED, HELP, FIRE, MAINS, BAY = 2, 3, 4, 5, 6, 7, 8, 9
PLATE, LOST, BAYS = 0x80, 0x81, 0x82
WITH_EXTRA = 0x80  # kinds from here on are followed by `value` extra bytes
EVENT_BYTES = 12
EARLY = 0x80  # bit of `port`: happened before the node's last restart
AGE_MS_MAX = 0xFFFFFFFF
BEHIND = 0x01  # port of PLATE: another vehicle is still passing ahead of the one that was read
PLATE_BYTES_MAX = 24  # utf-8; eight characters of three bytes
EXTRA_BYTES_MAX = 4 + PLATE_BYTES_MAX

OPEN, SHOW = 1, 2
DONE, EXPIRED, UNKNOWN, REFUSED = 0, 1, 2, 3
TEXT_BYTES_MAX = 60  # one display line; keeps a command below 90 bytes, 8 ms at 115200


class Frame:
    """One frame whose CRC was right; `payload` is as sent, `covered` is what the MAC `mac` must cover."""

    def __init__(self, covered: bytes, mac: bytes) -> None:
        kind, self.address, self.session, self.counter = struct.unpack("<BBBI", covered[:HEAD_BYTES])
        self.version: int = kind >> 4
        self.type: int = kind & 15
        self.covered = covered
        self.mac = mac


class Event:
    """One event as it travels: age in ms when the reply was made; `extra` is empty for kinds below WITH_EXTRA."""

    def __init__(self, seq: int, age_ms: int, kind: int, port: int, value: int, extra: bytes = b"") -> None:
        self.seq = seq
        self.age_ms = age_ms
        self.kind = kind
        self.port = port
        self.value = value
        self.extra = extra


class Splitter:
    """Cuts a byte stream at the zero bytes. Holds at most RAW_BYTES_MAX + 1 bytes: a piece that long is no frame."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take any chunk; returns the non-empty pieces that a zero byte has closed."""
        pieces = (self._tail + data).split(b"\0")
        self._tail = pieces.pop()[: RAW_BYTES_MAX + 1]
        return [piece for piece in pieces if piece]


def cobs(data: bytes) -> bytes:
    """COBS without the 0xFF block: `data` holds at most FRAME_BYTES_MAX bytes; the result has no zero and one byte more."""
    return b"".join([bytes((len(run) + 1,)) + run for run in data.split(b"\0")])


def uncobs(raw: bytes) -> "bytes | None":
    """Undo `cobs`; None if `raw` is no such encoding."""
    runs = []
    at = 0
    while at < len(raw):
        code = raw[at]
        if code == 0 or code > len(raw) - at:
            return None
        runs.append(raw[at + 1 : at + code])
        at += code
    return b"\0".join(runs)


def seal(
    cipher: "CipherLike", mac_key: bytes, enc_key: bytes, head: "tuple[int, int, int, int]", payload: bytes
) -> bytes:
    """Frame ready to send, both zero bytes included.

    `head` is (type, address with direction bit, session, counter). An empty `enc_key` leaves the payload clear (hello only).
    ValueError if the payload does not fit: that is our fault, not the bus's.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise ValueError(f"payload of {len(payload)} bytes")
    start = struct.pack("<BBBI", VERSION << 4 | head[0], head[1], head[2], head[3])
    if enc_key:
        payload = cipher.ctr(enc_key, start + bytes(9), payload)
    covered = start + payload
    body = covered + cipher.cmac(mac_key, covered)[:MAC_BYTES]
    return b"\0" + cobs(body + struct.pack("<I", binascii.crc32(body))) + b"\0"


def parse(raw: bytes) -> "Frame | str":
    """Frame between two zero bytes, or why there is none: 'long', 'short', 'cobs', 'crc'. Its MAC is not yet checked."""
    if len(raw) > RAW_BYTES_MAX:
        return "long"
    if len(raw) <= OVERHEAD_BYTES:
        return "short"
    frame = uncobs(raw)
    if frame is None:
        return "cobs"
    body = frame[:-CRC_BYTES]
    if struct.pack("<I", binascii.crc32(body)) != frame[-CRC_BYTES:]:
        return "crc"
    return Frame(body[:-MAC_BYTES], body[-MAC_BYTES:])


def unseal(cipher: "CipherLike", mac_key: bytes, enc_key: bytes, frame: Frame) -> "bytes | None":
    """Clear payload of a frame, or None if its MAC is wrong. An empty `enc_key` means that the payload was sent clear."""
    wrong = 0
    for ours, theirs in zip(cipher.cmac(mac_key, frame.covered)[:MAC_BYTES], frame.mac):  # noqa: B905 - no such keyword there
        wrong |= ours ^ theirs
    if wrong:
        return None
    payload = frame.covered[HEAD_BYTES:]
    if enc_key:
        payload = cipher.ctr(enc_key, frame.covered[:HEAD_BYTES] + bytes(9), payload)
    return payload


def node_key(cipher: "CipherLike", site_key: bytes, uid: bytes) -> bytes:
    """A node's own 16-byte key, from the site key and its 8-byte uid."""
    return cipher.cmac(site_key, b"node" + uid)


def session_keys(
    cipher: "CipherLike", key: bytes, nonces: bytes, boot: int, address: int, session: int
) -> "tuple[bytes, bytes]":
    """(MAC key, encryption key) of a session; `nonces` is the gateway's 8 bytes, then the node's 8."""
    salt = nonces + struct.pack("<IBB", boot, address, session)
    return cipher.cmac(key, b"smac" + salt), cipher.cmac(key, b"senc" + salt)


def pack_hello(epoch: int, gateway_nonce: bytes) -> bytes:
    """Payload of HELLO; the nonce has 8 bytes."""
    return struct.pack("<I", epoch) + gateway_nonce


def unpack_hello(payload: bytes) -> "tuple[int, bytes] | None":
    """(epoch, gateway nonce), or None."""
    if len(payload) != 12:
        return None
    return struct.unpack("<I", payload[:4])[0], payload[4:]


class Welcome:
    """What a node says of itself in HELLO_R."""

    def __init__(
        self, *, nonces: bytes, uid: bytes, boot: int, log: int, kind: int, ports: int, version: int, build: int
    ) -> None:
        self.nonces = nonces
        self.uid = uid
        self.boot = boot
        self.log = log
        self.kind = kind
        self.ports = ports
        self.version = version
        self.build = build


def pack_welcome(welcome: Welcome) -> bytes:
    """Payload of HELLO_R."""
    numbers = (welcome.boot, welcome.log, welcome.kind, welcome.ports, welcome.version, welcome.build)
    return welcome.nonces + welcome.uid + struct.pack("<IIBBBH", *numbers)


def unpack_welcome(payload: bytes) -> "Welcome | None":
    """What the node says, or None."""
    if len(payload) != 37:
        return None
    boot, log, kind, ports, version, build = struct.unpack("<IIBBBH", payload[24:])
    return Welcome(
        nonces=payload[:16],
        uid=payload[16:24],
        boot=boot,
        log=log,
        kind=kind,
        ports=ports,
        version=version,
        build=build,
    )


def pack_poll(log: int, ack: int, credit: int) -> bytes:
    """Payload of POLL."""
    return struct.pack("<IIB", log, ack, credit)


def unpack_poll(payload: bytes) -> "tuple[int, int, int] | None":
    """(log, ack, credit), or None."""
    if len(payload) != 9:
        return None
    log, ack, credit = struct.unpack("<IIB", payload)
    return log, ack, credit


def pack_data(pending: int, status: int, uptime_ms: int, events: bytes) -> bytes:
    """Payload of DATA; `events` are packed already, a `pending` above 255 is told as 255."""
    return struct.pack("<BBI", min(pending, 255), status, uptime_ms & 0xFFFFFFFF) + events


def pack_event(event: Event) -> bytes:
    """One event's bytes."""
    value = len(event.extra) if event.kind >= WITH_EXTRA else event.value
    return struct.pack("<IIBBh", event.seq, event.age_ms, event.kind, event.port, value) + event.extra


def unpack_data(payload: bytes) -> "tuple[int, int, int, list[Event]] | None":
    """(pending, status, uptime_ms, events); None if any byte is left over or missing."""
    if len(payload) < DATA_HEAD_BYTES:
        return None
    pending, status, uptime_ms = struct.unpack("<BBI", payload[:DATA_HEAD_BYTES])
    events = []
    at = DATA_HEAD_BYTES
    while at < len(payload):
        if len(payload) - at < EVENT_BYTES:
            return None
        seq, age_ms, kind, port, value = struct.unpack("<IIBBh", payload[at : at + EVENT_BYTES])
        at += EVENT_BYTES
        extra = b""
        if kind >= WITH_EXTRA:
            if not 0 <= value <= len(payload) - at:
                return None
            extra = payload[at : at + value]
            at += value
        events.append(Event(seq, age_ms, kind, port, value, extra))
    return pending, status, uptime_ms, events


def pack_lost(first: int, last: int) -> bytes:
    """Extra bytes of a LOST event."""
    return struct.pack("<II", first, last)


def pack_command(number: int, op: int, port: int, expires_ms: int, rest: bytes) -> bytes:
    """Payload of CMD; `rest` belongs to the op."""
    return struct.pack("<HBBI", number, op, port, expires_ms & 0xFFFFFFFF) + rest


def unpack_command(payload: bytes) -> "tuple[int, int, int, int, bytes] | None":
    """(id, op, port, expires_ms, rest), or None."""
    if len(payload) < 8:
        return None
    number, op, port, expires_ms = struct.unpack("<HBBI", payload[:8])
    return number, op, port, expires_ms, payload[8:]


def pack_result(number: int, result: int) -> bytes:
    """Payload of CMD_R."""
    return struct.pack("<HB", number, result)


def unpack_result(payload: bytes) -> "tuple[int, int] | None":
    """(id, result), or None."""
    if len(payload) != 3:
        return None
    number, result = struct.unpack("<HB", payload)
    return number, result
