"""Bills whose proofs the city's stand-in issued, for the checks in both languages."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sim.city_tree import _base45, head, packed, path

CITY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
CHAIN, PLATE, SALT = "gw-1", "blue 浙A12345", base64.b64encode(b"0123456789abcdef").decode()
COMMITMENT = hashlib.sha256(b"lotgate-plate-v1\n0123456789abcdef" + PLATE.encode()).hexdigest()
LINES = [{"text_zh": "首小时", "text_en": "first hour", "units": 2, "unit_minor": 500, "amount_minor": 1000}]


def dump(content: object) -> str:
    """Canonical JSON."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def leaves(count: int) -> list[bytes]:
    """Hashes of other drivers' records."""
    return [hashlib.sha256(bytes((0, i % 256, i // 256))).digest() for i in range(count)]


@dataclass
class Bill:
    """A bill's proof; every part can be made wrongly on purpose. `n` and `size`: the record and the tree."""

    n: int = 6
    size: int = 11
    body: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)
    opened: tuple[str, str] | None = (PLATE, SALT)
    key: Ed25519PrivateKey = CITY

    def line(self) -> str:
        """The record's line."""
        body = {"session": "1.2", "currency": "CNY", "lines": LINES, "amount_minor": 1000, "outcome": "lease"}
        around = {"v": 1, "chain": CHAIN, "epoch": 1, "n": self.n, "prev": "ab" * 32, "key": "0" * 16, "dn": 0}
        clock = {"boot": "b1", "mono": 1000, "wall": 1772413200000, "clock": "S"}
        return dump(around | clock | {"type": "exit", "body": body | {"plate": COMMITMENT} | self.body} | self.record)

    def text(self) -> str:
        """The text of the QR code."""
        line, tree = self.line(), leaves(self.size)
        tree[self.n - 1] = hashlib.sha256(b"\x00" + line.encode()).digest()
        signed = head(self.key, CHAIN, tree, 1772413300000)
        return packed(signed, self.key, line, path(tree, self.n - 1), self.opened)

    def changed(self, old: str, new: str) -> str:
        """The text with something replaced inside, and packed again."""
        inside = unpacked(self.text())
        if old not in inside:
            raise ValueError(f"{old!r} is not in the text")
        return repacked(inside.replace(old, new, 1))


def unpacked(text: str) -> str:
    """What stands inside the packing."""
    signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
    raw = bytearray()
    body = text.removeprefix("LOTGATE1:").removesuffix(".")
    for at in range(0, len(body), 3):
        part = body[at : at + 3]
        raw += sum(signs.index(sign) * 45**place for place, sign in enumerate(part)).to_bytes(len(part) - 1, "big")
    return zlib.decompress(raw).decode()


def repacked(inside: str | bytes) -> str:
    """The packing around any text."""
    raw = inside.encode() if isinstance(inside, str) else inside
    return f"LOTGATE1:{_base45(zlib.compress(raw, 9))}."


GOOD = Bill().text()
INSIDE = unpacked(GOOD)
ROWS = INSIDE.splitlines(keepends=True)

# fmt: off
BAD = [
    # what                           the text                                                                  line
    ("nothing",                      "",                                                                       0),
    ("another text",                 "https://example.com/",                                                   0),
    ("cut",                          GOOD[:-9],                                                                0),
    ("cut inside",                   GOOD[:-9] + ".",                                                          0),
    ("a sign of no alphabet",        GOOD.replace("LOTGATE1:", "LOTGATE1:~~~"),                                0),
    ("beyond two bytes",             "LOTGATE1::::.",                                                          0),
    ("one sign left over",           "LOTGATE1:A.",                                                            0),
    ("longer than a QR code",        "LOTGATE1:" + "0" * 4296 + ".",                                           0),
    ("packed to a thousandth",       repacked(" " * 1_000_000),                                                0),
    ("bytes after the packing",      f"LOTGATE1:{_base45(zlib.compress(INSIDE.encode()) + b'xx')}.",           0),
    ("no last LF",                   repacked(INSIDE[:-1]),                                                    0),
    ("one line",                     repacked(ROWS[0]),                                                        0),
    ("four lines",                   repacked(INSIDE + ROWS[2]),                                               0),
    ("not UTF-8",                    repacked(INSIDE.encode().replace("首".encode(), b"\xff", 1)),             2),
    ("lines swapped",                repacked(ROWS[1] + ROWS[0] + ROWS[2]),                                    1),
    ("a field too few",              repacked(ROWS[0] + ROWS[1].replace("\t\n", "\n") + ROWS[2]),              2),
    ("another city's head",          Bill(key=STRANGER).text(),                                                1),
    ("a head's size changed",        Bill().changed('"size":11', '"size":12'),                                 1),
    ("a head's time changed",        Bill().changed("1772413300000", "1772413300001"),                         1),
    ("a head's chain changed",       Bill().changed('"chain":"gw-1"', '"chain":"gw-2"'),                       1),
    ("amount lowered",               Bill().changed('"amount_minor":1000,"text_en"', '"amount_minor":1,"text_en"'), 2),
    ("another number",               Bill().changed('"n":6', '"n":5'),                                         2),
    ("number beyond the tree",       Bill(record={"n": 12}).text(),                                            2),
    ("number zero",                  Bill(record={"n": 0}).text(),                                             2),
    ("a hash of the path changed",   repacked(ROWS[0] + ROWS[1].rsplit("\t", 2)[0][:-9] + "AAAAAAAA=\t\n"),    2),
    ("a path too short",             Bill(size=1, n=1).changed('3200000}\t', '3200000}\tAAAA'),             2),
    ("another chain's record",       Bill(record={"chain": "gw-2"}).text(),                                    2),
    ("not an exit",                  Bill(record={"type": "entry"}).text(),                                    2),
    ("a member too many",            Bill(record={"x": 1}).text(),                                             2),
    ("a fraction",                   Bill(body={"x": 1.5}).text(),                                             2),
    ("half a surrogate pair",        Bill().changed('"lease"', '"\\ud800"'),                                   2),
    ("deeper than eight",            Bill(body={"x": [[[[[[[1]]]]]]]}).text(),                                 2),
    ("lines that make another sum",  Bill(body={"amount_minor": 1001}).text(),                                 2),
    ("a line that does not multiply", Bill(body={"lines": [LINES[0] | {"units": 3}]}).text(),                  2),
    ("a line that is none",          Bill(body={"lines": [7]}).text(),                                         2),
    ("an amount that is text",       Bill(body={"amount_minor": "1000"}).text(),                               2),
    ("another plate",                Bill(opened=("blue 浙A12346", SALT)).text(),                              3),
    ("another salt",                 Bill(opened=(PLATE, SALT.replace("M", "N", 1))).text(),                   3),
    ("a salt too short",             Bill(opened=(PLATE, "AAAA")).text(),                                      3),
    ("a salt spelled otherwise",     Bill(opened=(PLATE, SALT.replace("Zg==", "Zh=="))).text(),                3),
    ("no commitment to open",        Bill(body={"plate": 7}).text(),                                           3),
]
# fmt: on
"""Attacks on a bill's text, and the line that both checkers must name."""
