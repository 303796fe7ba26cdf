"""A bouncing contact: what is believed, and when."""

from __future__ import annotations

import pytest

from firmware.contact import Contact

# Raw levels seen each 5 ms, and the levels believed after each look.
# fmt: off
LOOKS = [
    ("first is believed",      "1",          "1"),
    ("a change must hold",     "0111111",    "0000011"),
    ("a bounce starts anew",   "0110111111", "0000000011"),
    ("back before it held",    "000110000",  "000000000"),
    ("both ways",              "1000000111111", "1111100000011"),
]
# fmt: on


@pytest.mark.parametrize(("raw", "believed"), [case[1:] for case in LOOKS], ids=[case[0] for case in LOOKS])
def test_looks(raw: str, believed: str) -> None:
    contact = Contact(20)
    seen = ""
    for i, level in enumerate(raw):
        before = contact.level
        changed = contact.feel(level == "1", i * 5)
        assert changed == (contact.level != before)
        seen += str(int(contact.level is True))
    assert seen == believed
