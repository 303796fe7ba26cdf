"""Modbus RTU for bought devices: barrier relays, contact inputs, distance sensors.

Owns requests and replies of functions 02, 03 and 05 and the checksum. Rules: a reply is read against its request,
since RTU has no delimiter; bad bytes give a named rejection. Knows no port, no timing and no device's meaning. These
devices cannot sign: they belong on a bus of their own.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

READ_INPUTS = 0x02
READ_REGISTERS = 0x03
WRITE_COIL = 0x05
EXCEPTION = 0x80
COIL_ON = 0xFF00
PULSE_AT = 0x0200
"""Relay boards of the Waveshare family: a coil's number plus this, with the time in tenths of a second as the value."""
PULSE_TENTHS_MAX = 0x7FFF
REGISTERS_MAX = 125
INPUTS_MAX = 2000
"""Both maxima are those of the Modbus application protocol, sections 6.2 and 6.3."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Levels of the inputs asked for, in order."""

    levels: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Registers:
    """Unsigned 16-bit values of the registers asked for, in order."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """The device did what the write request said."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """No usable reply: 'short', 'long', 'crc', 'unit', 'function', 'exception <code>', 'count' or 'echo'."""

    reason: str


Reply = Inputs | Registers | Written | Rejection


def crc16(data: bytes) -> int:
    """CRC-16/Modbus; on the wire its low byte comes first."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def read_inputs(unit: int, first: int, count: int) -> bytes:
    """Request for `count` discrete inputs."""
    return _read(unit, READ_INPUTS, first, count, INPUTS_MAX)


def read_registers(unit: int, first: int, count: int) -> bytes:
    """Request for `count` holding registers."""
    return _read(unit, READ_REGISTERS, first, count, REGISTERS_MAX)


def write_coil(unit: int, coil: int, on: bool) -> bytes:
    """Request to switch one relay."""
    return sealed(struct.pack(">BBHH", unit, WRITE_COIL, coil, COIL_ON if on else 0))


def pulse_coil(unit: int, coil: int, tenths: int) -> bytes:
    """Request to close one relay for `tenths` of a second, as a barrier's open input wants it. ValueError out of range."""
    if not 1 <= tenths <= PULSE_TENTHS_MAX:
        raise ValueError(f"pulse of {tenths} tenths of a second")
    return sealed(struct.pack(">BBHH", unit, WRITE_COIL, PULSE_AT + coil, tenths))


def sealed(body: bytes) -> bytes:
    """The body with its checksum."""
    return body + struct.pack("<H", crc16(body))


def reply_bytes(request: bytes) -> int:
    """How many bytes a good reply to this request has."""
    if request[1] == READ_REGISTERS:
        return 5 + 2 * _count(request)
    if request[1] == READ_INPUTS:
        return 5 + (_count(request) + 7) // 8
    return 8


def decode_reply(request: bytes, data: bytes) -> Reply:
    """What `data` says in answer to `request`, one of ours. Never raises on any data."""
    if len(data) < 5:
        return Rejection("short")
    is_exception = data[1] == request[1] | EXCEPTION
    expected = 5 if is_exception else reply_bytes(request)
    if len(data) != expected:
        return Rejection("short" if len(data) < expected else "long")
    if struct.pack("<H", crc16(data[:-2])) != data[-2:]:
        return Rejection("crc")
    if data[0] != request[0]:
        return Rejection("unit")
    if is_exception:
        return Rejection(f"exception {data[2]}")
    if data[1] != request[1]:
        return Rejection("function")
    if request[1] == WRITE_COIL:
        return Written() if data == request else Rejection("echo")
    if data[2] != expected - 5:
        return Rejection("count")
    if request[1] == READ_REGISTERS:
        return Registers(struct.unpack(f">{_count(request)}H", data[3:-2]))
    return Inputs(tuple(bool(data[3 + i // 8] >> i % 8 & 1) for i in range(_count(request))))


def _read(unit: int, function: int, first: int, count: int, count_max: int) -> bytes:
    if not 1 <= count <= count_max:
        raise ValueError(f"{count} values in one request")
    return sealed(struct.pack(">BBHH", unit, function, first, count))


def _count(request: bytes) -> int:
    return int.from_bytes(request[4:6], "big")


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


CRC_TABLE = _crc_table()
