"""The camera's line: plates in any pieces, and every wrong line refused."""

from __future__ import annotations

import random

import pytest

from firmware.camera import LINE_BYTES_MAX, Reader, plate_line, text_line

PLATE = ("浙A12345", 1, 0, 0, 97)


def sealed(body: bytes) -> bytes:
    import binascii

    return b"$" + body + b"*%08X\r\n" % binascii.crc32(body)


def test_the_lines_bytes() -> None:
    assert plate_line(*PLATE) == b"$P,97,1,0,0,e6b599413132333435*830B5F1C\r\n"
    assert text_line("一路平安", 1) == b"$T,1,e4b880e8b7afe5b9b3e5ae89*3588B485\r\n"


@pytest.mark.parametrize("cut", [1, 2, 7, 41, 500])
def test_plates_come_in_any_pieces(cut: int) -> None:
    data = b"noise\r\n" + plate_line(*PLATE) + plate_line("", 0, 0, 0, 0)
    reader = Reader()
    found = [plate for i in range(0, len(data), cut) for plate in reader.feed(data[i : i + cut])]
    assert found == [PLATE, ("", 0, 0, 0, 0)]
    assert reader.rejected == 1


# fmt: off
WRONG = [
    ("checksum",      plate_line(*PLATE).replace(b"97", b"98")),
    ("no start",      plate_line(*PLATE)[1:]),
    ("a display's",   text_line("A", 0)),
    ("a field short", sealed(b"P,97,1,0,61")),
    ("not a number",  sealed(b"P,x,1,0,0,61")),
    ("no hex",        sealed(b"P,97,1,0,0,6")),
    ("no UTF-8",      sealed(b"P,97,1,0,0,ff")),
    ("too sure",      sealed(b"P,101,1,0,0,61")),
    ("no colour",     sealed(b"P,97,256,0,0,61")),
    ("too long",      sealed(b"P,97,1,0,0," + b"61" * 25)),
    ("endless",       b"$" + b"1" * 1000 + b"\n"),
]
# fmt: on


@pytest.mark.parametrize("line", [case[1] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_line_is_counted_and_the_next_one_read(line: bytes) -> None:
    reader = Reader()
    assert reader.feed(line) == []
    assert reader.rejected == 1
    assert reader.feed(plate_line(*PLATE)) == [PLATE]


def test_noise_neither_raises_nor_grows() -> None:
    dice = random.Random(5)
    reader = Reader()
    for _ in range(500):
        reader.feed(dice.randbytes(dice.randrange(300)).replace(b"\n", b"\t"))
        assert len(reader._tail) <= LINE_BYTES_MAX + 1
