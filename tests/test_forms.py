"""The readers: what each takes and what it makes of it."""

from __future__ import annotations

import pytest

from gateway import forms
from gateway.forms import MONEY_MAX, VEHICLES_MAX, Reason, Rejection, parse, read_object, shape

#    reader                              value                    outcome (None: refused)
READERS = [
    (forms.text,                         "浙",                    "浙"),
    (forms.text,                         "x" * 4096,              "x" * 4096),
    (forms.text,                         "x" * 4097,              None),
    (forms.text,                         "\ud800",                None),
    (forms.text,                         1,                       None),
    (forms.count,                        0,                       0),
    (forms.count,                        2**53 - 1,               2**53 - 1),
    (forms.count,                        2**53,                   None),
    (forms.count,                        -1,                      None),
    (forms.count,                        True,                    None),
    (forms.money,                        MONEY_MAX,               MONEY_MAX),
    (forms.money,                        MONEY_MAX + 1,           None),
    (forms.money,                        -1,                      None),
    (forms.vehicles,                     VEHICLES_MAX,            VEHICLES_MAX),
    (forms.vehicles,                     VEHICLES_MAX + 1,        None),
    (forms.vehicles,                     True,                    None),
    (forms.version,                      1,                       1),
    (forms.version,                      True,                    None),
    (forms.word("a", "b"),               "b",                     "b"),
    (forms.word("a", "b"),               "c",                     None),
    (forms.word("a", "b"),               ["a"],                   None),
    (forms.signature,                    "A" * 86 + "==",         bytes(64)),
    (forms.signature,                    "A" * 85 + "B==",        None),
    (forms.signature,                    "AAAA",                  None),
    (forms.signature,                    "é" * 88,                None),
    (forms.hash_hex,                     "ab" * 32,               b"\xab" * 32),
    (forms.hash_hex,                     "AB" * 32,               None),
    (forms.hash_hex,                     " " + "ab" * 32,         None),
    (forms.hash_hex,                     "ab",                    None),
    (forms.table(forms.count),           {"a": 1},                {"a": 1}),
    (forms.table(forms.count),           {"a": "1"},              None),
    (forms.table(forms.count),           {str(i): i for i in range(257)}, None),
    (forms.listing(forms.count),         [1, 2],                  (1, 2)),
    (forms.listing(forms.count),         [1] * 101,               None),
    (forms.listing(forms.count),         "12",                    None),
    (forms.fields({"a": forms.count}),   {"a": 1},                {"a": 1}),
    (forms.fields({"a": forms.count}),   {"a": 1, "b": 2},        None),
    (forms.fields({"a": forms.count}),   {},                      None),
]  # fmt: skip


@pytest.mark.parametrize(("reader", "value", "outcome"), READERS, ids=range(len(READERS)))
def test_reader(reader, value, outcome):
    if outcome is None:
        with pytest.raises(ValueError, match=r".+"):
            reader(value)
    else:
        assert reader(value) == outcome


def test_the_rejection_names_the_field():
    assert shape({"a": "x"}, {"a": forms.count}) == Rejection(Reason.FORM, "a: not a whole number from 0 to 2^53-1")


def test_bytes_are_utf8_only():
    assert parse('{"a":1}'.encode("utf-16")).reason == Reason.NOT_JSON
    assert read_object('{"a":"浙"}'.encode(), {"a": forms.text}) == {"a": "浙"}
