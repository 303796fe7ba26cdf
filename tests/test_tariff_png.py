"""The picture as dots: a PNG that any reader takes, with the line where the drawing has it."""

from __future__ import annotations

import struct
import zlib

from gateway.tariff_plot import HEIGHT, WIDTH, Curve, Drawing, Label, drawing
from gateway.tariff_png import BLUE, DARK, GLYPH_HIGH, GLYPHS, WHITE, plot_png


def dots(data: bytes) -> list[bytes]:
    """The rows of a PNG of one byte a dot, every chunk checked."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, dict[bytes, bytes]()
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(kind + body),)
        chunks[kind] = body
        at += 12 + length
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    raw = zlib.decompress(chunks[b"IDAT"])
    assert len(raw) == (WIDTH + 1) * HEIGHT
    return [raw[row * (WIDTH + 1) + 1 : (row + 1) * (WIDTH + 1)] for row in range(HEIGHT)]


def test_every_corner_of_the_price_is_on_the_picture() -> None:
    picture = drawing(Curve("Title", "what", "CNY", (0, 100, 100, 250, 250)))
    rows = dots(plot_png(picture))
    assert all(rows[y][x] == BLUE for x, y in picture.steps)


def test_a_character_is_drawn_and_an_unknown_one_is_left_blank() -> None:
    rows = dots(plot_png(Drawing((), (), (Label(10, 20, "1中", "start", 12),), ())))
    wanted = [row.bit_count() for row in bytes.fromhex(GLYPHS["1"])]
    assert [row[10:15].count(DARK) for row in rows[13:20]] == wanted
    assert all(set(row[16:]) == {WHITE} for row in rows)


def test_every_glyph_has_its_rows() -> None:
    assert {len(bytes.fromhex(rows)) for rows in GLYPHS.values()} == {GLYPH_HIGH}
