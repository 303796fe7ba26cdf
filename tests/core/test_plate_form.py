"""The forms of plates, row by row, and the one spelling of each."""

from __future__ import annotations

import pytest

from gateway.core.plate_form import PROVINCES, Form, form_of, is_readable, normalised


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("浙A12345",    "ordinary"),
        ("浙AC8K21",    "ordinary"),
        ("浙A1234O",    "generic"),         # O is never given out
        ("浙I12345",    "ordinary"),        # an office's letter may be one that serials lack
        ("浙A1234",     "generic"),
        ("浙AD12345",   "new-energy"),      # small: the letter leads
        ("浙AF1A345",   "generic"),         # behind it only one place may hold a letter, and that is the second
        ("浙AFA1345",   "new-energy"),
        ("浙A12345D",   "new-energy"),      # large: the letter ends it
        ("浙AK12345",   "new-energy"),
        ("浙AL12345",   "generic"),
        ("浙A1234挂",   "trailer"),
        ("浙A1234学",   "driving-school"),
        ("浙A1234警",   "police"),
        ("粤Z1234港",   "hong-kong"),
        ("粤Z1234澳",   "macao"),
        ("浙Z1234港",   "generic"),         # only Guangdong gives these
        ("沪A0023领",   "consulate"),
        ("使224578",    "embassy"),
        ("224578使",    "embassy"),
        ("浙AX123应急", "emergency"),
        ("WJ浙1234X",   "armed-police"),
        ("WJ12345",     "armed-police"),
        ("VA12345",     "military"),
        ("浙A临1234",   "temporary"),
        ("浙A12345临",  "temporary"),
        ("无A7K3",      "virtual"),
        ("临20331",     "virtual"),
        ("",            "none"),
        ("无牌车",      "none"),
        ("_无_",        "none"),
        ("AB123C",      "generic"),
        ("M-AB 123",    "generic"),
    ],
)  # fmt: skip
def test_form_of(text: str, form: str) -> None:
    assert form_of(text) is Form(form)


@pytest.mark.parametrize(
    ("read", "spelt"),
    [
        ("浙A·12345",  "浙A12345"),
        ("浙a12345 ",  "浙A12345"),
        ("m-ab 123",   "MAB123"),
        ("浙AO1I2Q",   "浙A0112Q"),         # no O and no I behind the office's letter
        ("浙OOO345",   "浙O00345"),
        ("无OI23",     "无OI23"),           # a ticket's number is exact
        ("_无_",       ""),
        ("无牌",       ""),
        ("无A7K3",     "无A7K3"),
        ("",           ""),
    ],
)  # fmt: skip
def test_normalised(read: str, spelt: str) -> None:
    assert normalised(read) == spelt
    assert normalised(spelt) == spelt


def test_every_province_has_plates() -> None:
    assert len(PROVINCES) == len(set(PROVINCES)) == 31
    assert {form_of(f"{province}B2C3D4") for province in PROVINCES} == {Form.ORDINARY}


@pytest.mark.parametrize(("text", "readable"), [("浙A12345", True), ("AB123", True), ("无A7K3", False), ("", False)])
def test_a_ticket_is_not_misread(text: str, readable: bool) -> None:
    assert is_readable(text) is readable
