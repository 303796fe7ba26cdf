"""JinJie lane display, protocol 1.08: text lines and speech over RS-485.

Owns the frame (address, 0x64, FFFF, command, length, data, CRC-16/Modbus), two commands and the reply. Text is GBK there; a
character that GBK lacks becomes a question mark. Knows no port and no wording.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gateway.link.drivers.modbus import Rejection, sealed

START = b"\x64\xff\xff"
SPEAK = 0x30
SHOW = 0x62
DATA_BYTES_MAX = 255
"""The length is one byte."""
SHOW_HEAD_BYTES = 19
MOVE_ON = 0x15
FONT = 3
RED, GREEN = b"\xff\x00\x00\x00", b"\x00\xff\x00\x00"
BLACK = b"\x00\x00\x00\x00"
SPEAK_NOW = 0x01


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of either direction."""

    address: int
    command: int
    data: bytes


def encode(frame: Frame) -> bytes:
    """Bytes to send. ValueError if the data does not fit."""
    if len(frame.data) > DATA_BYTES_MAX:
        raise ValueError(f"{len(frame.data)} bytes of data")
    return sealed(bytes((frame.address,)) + START + bytes((frame.command, len(frame.data))) + frame.data)


def decode(data: bytes) -> Frame | Rejection:
    """The frame, or why there is none: 'short', 'start', 'length' or 'crc'. Never raises."""
    if len(data) < 8:
        return Rejection("short")
    if data[1:4] != START:
        return Rejection("start")
    if len(data) != 8 + data[5]:
        return Rejection("length")
    if sealed(data[:-2]) != data:
        return Rejection("crc")
    return Frame(data[0], data[4], data[6:-2])


def accepted(request: Frame, reply: Frame) -> bool:
    """Does the reply say that the display did it?"""
    return (reply.address, reply.command, reply.data) == (request.address, request.command, b"\x00")


def show(address: int, line: int, text: str, *, stay_s: int, colour: bytes = RED) -> Frame:
    """Show a text on one line until the next one, moving on after `stay_s`. The length inside is little-endian."""
    raw = _gbk(text)[: DATA_BYTES_MAX - SHOW_HEAD_BYTES]
    moves = bytes((line, MOVE_ON, 1, 0, stay_s, MOVE_ON, 1, FONT, 0))
    return Frame(address, SHOW, moves + colour + BLACK + struct.pack("<H", len(raw)) + raw)


def speak(address: int, text: str) -> Frame:
    """Say a text after what is being said."""
    return Frame(address, SPEAK, bytes((SPEAK_NOW,)) + _gbk(text)[: DATA_BYTES_MAX - 1])


def _gbk(text: str) -> bytes:
    return text.encode("gbk", errors="replace")
