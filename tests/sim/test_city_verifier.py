"""The city's reading of a line, against the published vectors and every edit of a good line."""

from __future__ import annotations

import json

import pytest

from gateway.core.record import canonical, record_hash, signed_bytes
from sim.city_verifier import ChainKey, Fault, leaf_hash, load, opens, read_line, write
from tests.records import GATEWAY_KEY, GENESIS, OTHER_KEY, Chain, public

KEY = ChainKey(public(GATEWAY_KEY))


def record():
    chain = Chain().fill(1)
    return chain.add("entry", {"lane": '入口\n\x01\x7f"\\', "at": 5, "ok": True, "lines": [{"a": 1}]}, "blue 浙A12345")


def read(line, signature=None, chain="c-1", key=KEY):
    return read_line(line, GATEWAY_KEY.sign(signed_bytes(line)) if signature is None else signature, chain, key)


def test_good_line():
    good = record()
    line = read(good.line, good.signature)
    assert (line.n, line.epoch, line.type) == (2, 1, "entry")
    assert line.leaf == record_hash(good.line).hex() == leaf_hash(good.line)
    assert opens(line, good.disclosure.plate, good.disclosure.salt)


def edited(**changes):
    return canonical(json.loads(record().line) | changes)


#    line, signed anew unless the signature is given              outcome
LINES = [
    (record().line + " ", None,                                   Fault.NOT_CANONICAL),
    (record().line.replace(":", ": "), None,                      Fault.NOT_CANONICAL),
    (record().line.replace("入", "\\u5165"), None,                Fault.NOT_CANONICAL),
    (record().line.replace('"at":5', '"at":05'), None,            Fault.FORM),
    (record().line.replace('"at":5', '"at":5.0'), None,           Fault.FORM),
    (record().line.replace('"at":5', '"at":-0'), None,            Fault.NOT_CANONICAL),
    (record().line.replace('"at":5', '"at":null'), None,          Fault.NOT_CANONICAL),
    (record().line.replace('"at":5', '"at":5,"at":5'), None,      Fault.FORM),
    (record().line.replace('"at":5', '"at":9007199254740993'), None, Fault.NOT_CANONICAL),
    (json.dumps(json.loads(record().line)), None,                 Fault.NOT_CANONICAL),
    ("\ufeff" + record().line, None,                              Fault.FORM),
    ("[]", None,                                                  Fault.FORM),
    ("", None,                                                    Fault.FORM),
    ("\ud800", bytes(64),                                         Fault.FORM),
    ("x" * 5000, None,                                            Fault.FORM),
    (edited(v=2), None,                                           Fault.FORM),
    (edited(v=True), None,                                        Fault.FORM),
    (edited(n=0), None,                                           Fault.FORM),
    (edited(n="2"), None,                                         Fault.FORM),
    (edited(prev="AB" * 32), None,                                Fault.FORM),
    (edited(clock="X"), None,                                     Fault.FORM),
    (edited(more=1), None,                                        Fault.FORM),
    (edited(body=[]), None,                                       Fault.FORM),
    (edited(chain="c-2"), None,                                   Fault.CHAIN),
    (edited(key="0" * 16), None,                                  Fault.KEY),
    (record().line.replace('"at":5', '"at":6'), record().signature, Fault.SIGNATURE),
    (record().line, bytes(64),                                    Fault.SIGNATURE),
    (record().line, OTHER_KEY.sign(signed_bytes(record().line)),  Fault.SIGNATURE),
    (record().line, GATEWAY_KEY.sign(record().line.encode()),     Fault.SIGNATURE),
]  # fmt: skip


@pytest.mark.parametrize(("line", "signature", "outcome"), LINES, ids=range(len(LINES)))
def test_bad_line(line, signature, outcome):
    assert read(line, signature) is outcome


@pytest.mark.parametrize(
    ("plate", "salt"),
    [
        ("blue 浙A12346", None),
        ("", None),
        ("\ud800", None),
        (None, "AAAA"),
        (None, "not base64"),
        (None, "AAAAAAAAAAAAAAAAAAAAAA=="),
    ],
)
def test_a_commitment_opens_for_one_plate_and_salt(plate, salt):
    good = record()
    line = read(good.line)
    assert not opens(
        line, good.disclosure.plate if plate is None else plate, good.disclosure.salt if salt is None else salt
    )


def test_a_body_without_a_plate_opens_for_nothing():
    chain = Chain()
    line = read(chain.add("genesis", GENESIS).line)
    assert not opens(line, "blue 浙A12345", "AAAAAAAAAAAAAAAAAAAAAA==")


@pytest.mark.parametrize(
    "value", [{}, [], {"b": [1, -2, True, False], "a": {"z": "", "y": "\b\f\n\r\t\x1f\x7f\u2028浙😀"}}]
)
def test_two_spellings_agree(value):
    assert write(value) == canonical(value)
    assert load(write(value)) == value


@pytest.mark.parametrize("value", [None, 1.0, 2**53, [None], {"a": 1.5}, {"ü": 1}, json.loads("[" * 20 + "]" * 20)])
def test_no_spelling(value):
    assert write(value) == ""
