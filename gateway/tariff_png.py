"""The picture of a price as PNG, dot by dot, for those who can't look at an SVG.

Owns the file format and a small typeface. Rule: every line of the picture is level or upright, so a dot is set or not.
Characters that the typeface lacks are left blank. Knows nothing of tariffs.
"""

from __future__ import annotations

import struct
import zlib

from gateway.tariff_plot import HEIGHT, WIDTH, Drawing, Label

WHITE, GREY, DARK, BLUE = 0, 1, 2, 3
PALETTE = bytes((255, 255, 255, 228, 228, 228, 51, 51, 51, 27, 108, 168))
GLYPH_WIDE, GLYPH_HIGH = 5, 7
DOT = 2
"""Dots of the picture to one dot of a title's character; other labels are half as big."""

GLYPHS = {
    "0": "0e11131519110e", "1": "040c040404040e", "2": "0e11010204081f", "3": "1f02040201110e", "4": "02060a121f0202",
    "5": "1f101e0101110e", "6": "0608101e11110e", "7": "1f010204080808", "8": "0e11110e11110e", "9": "0e11110f01020c",
    "A": "0e11111f111111", "B": "1e11111e11111e", "C": "0e11101010110e", "D": "1c12111111121c", "E": "1f10101e10101f",
    "F": "1f10101e101010", "G": "0e11101711110f", "H": "1111111f111111", "I": "0e04040404040e", "J": "0702020202120c",
    "K": "11121418141211", "L": "1010101010101f", "M": "111b1515111111", "N": "11111915131111", "O": "0e11111111110e",
    "P": "1e11111e101010", "Q": "0e11111115120d", "R": "1e11111e141211", "S": "0f10100e01011e", "T": "1f040404040404",
    "U": "1111111111110e", "V": "11111111110a04", "W": "11111115151b11", "X": "11110a040a1111", "Y": "11110a04040404",
    "Z": "1f01020408101f", ".": "00000000000c0c", ",": "000000000c0408", ":": "000c0c000c0c00", "-": "0000001f000000",
    "/": "00010204081000", "+": "0004041f040400", "(": "02040808080402", ")": "08040202020408",
}  # fmt: skip
"""Capital letters, digits and marks: seven rows of five dots each, a row two hexadecimal digits."""


def plot_png(picture: Drawing) -> bytes:
    """The picture as a PNG file."""
    dots = [bytearray(WIDTH) for _ in range(HEIGHT)]
    for line in picture.grid:
        _stroke(dots, line, GREY)
    for line in picture.axes:
        _stroke(dots, line, DARK)
    for (x1, y1), (x2, y2) in zip(picture.steps, picture.steps[1:], strict=False):
        # A corner that rounding has made slanted is drawn level first, then upright.
        for dx in (0, 1):
            _stroke(dots, (x1, y1 + dx, x2 + 1, y1 + dx), BLUE)
            _stroke(dots, (x2 + dx, y1, x2 + dx, y2), BLUE)
    for label in picture.labels:
        _write(dots, label)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in dots), 9)
    chunks = ((b"IHDR", header), (b"PLTE", PALETTE), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _stroke(dots: list[bytearray], line: tuple[int, int, int, int], colour: int) -> None:
    x1, y1, x2, y2 = line
    for y in range(min(y1, y2), max(y1, y2) + 1):
        for x in range(min(x1, x2), max(x1, x2) + 1):
            if 0 <= y < HEIGHT and 0 <= x < WIDTH:
                dots[y][x] = colour


def _write(dots: list[bytearray], label: Label) -> None:
    scale = DOT if label.size >= 18 else 1
    advance = (GLYPH_WIDE + 1) * scale
    wide = advance * len(label.text)
    x = label.x - {"start": 0, "middle": wide // 2, "end": wide}[label.anchor]
    y = label.y - GLYPH_HIGH * scale
    for character in label.text.upper():
        rows = bytes.fromhex(GLYPHS.get(character, "00" * GLYPH_HIGH))
        for down, row in enumerate(rows):
            for right in range(GLYPH_WIDE):
                if row >> (GLYPH_WIDE - 1 - right) & 1:
                    corner = x + right * scale, y + down * scale
                    _stroke(dots, (*corner, corner[0] + scale - 1, corner[1] + scale - 1), DARK)
        x += advance
