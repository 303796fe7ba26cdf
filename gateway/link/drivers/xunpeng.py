"""Xunpeng sign of free spaces: three digits in a colour, RS-485 at 9600 8N1.

Owns the seven bytes (start, colour, count low and high, 01, sum, 0A). The sign answers with the same bytes but another start.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

TO_SIGN = 0x3A
FROM_SIGN = 0x2A
SHOW = 0x01
END = 0x0A
FRAME_BYTES = 7
COUNT_MAX = 999
"""Three digits."""


class SignColour(IntEnum):
    """Colour of the digits, numbered as on the wire."""

    GREEN = 0
    YELLOW = 1
    RED = 2


@dataclass(frozen=True, slots=True)
class SignText:
    """What a sign is told, or, with `reply`, says that it shows."""

    free: int
    colour: SignColour
    reply: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """No usable frame: 'length', 'start', 'end', 'sum', 'code', 'colour' or 'count'."""

    reason: str


def encode(text: SignText) -> bytes:
    """The seven bytes. ValueError for a count that three digits cannot show."""
    if not 0 <= text.free <= COUNT_MAX:
        raise ValueError(f"{text.free} free spaces")
    start = FROM_SIGN if text.reply else TO_SIGN
    body = bytes((start, text.colour)) + text.free.to_bytes(2, "little") + bytes((SHOW,))
    return body + bytes((sum(body) & 0xFF, END))


def decode(data: bytes) -> SignText | Rejection:
    """The frame's meaning. Never raises."""
    if len(data) != FRAME_BYTES:
        return Rejection("length")
    if data[0] not in (TO_SIGN, FROM_SIGN):
        return Rejection("start")
    if data[6] != END:
        return Rejection("end")
    if sum(data[:5]) & 0xFF != data[5]:
        return Rejection("sum")
    if data[4] != SHOW:
        return Rejection("code")
    if data[1] > SignColour.RED:
        return Rejection("colour")
    free = int.from_bytes(data[2:4], "little")
    if free > COUNT_MAX:
        return Rejection("count")
    return SignText(free, SignColour(data[1]), reply=data[0] == FROM_SIGN)
