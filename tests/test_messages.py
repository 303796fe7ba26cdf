"""Every message survives its own JSON, and no bytes from outside raise."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from gateway.forms import BODY_BYTES_MAX, Reason, Rejection
from gateway.messages import (
    Alarm,
    Down,
    LaneHealth,
    Meta,
    Metrics,
    Notice,
    Occupancy,
    Opening,
    Presence,
    Receipt,
    Records,
    SignedLine,
    State,
)

SIGNATURE = bytes(range(64))
SIGNED = SignedLine('{"plate":"浙A\\n"}', SIGNATURE)
MESSAGES = [
    State(Presence.ONLINE, boot=3, connection=2, version="0.1.0", at_ms=5),
    Meta(
        lot="lot-1",
        lanes={"entry-1": "entry"},
        bays=20,
        chain="c-1",
        epoch=1,
        next=9,
        receipted=8,
        key="00ff",
        currency="CNY",
        tariff="hangzhou",
        tariff_hash="ab",
        version="0.1.0",
    ),
    Occupancy(free=1, occupied=2, unknown=3, total=6, inside=2, at_ms=5),
    LaneHealth(barrier="closed", node="joined", at_ms=5),
    Notice(lane="exit-1", session="1.4", plate_masked="浙A**45", amount_minor=500, at_ms=5),
    Alarm(alarm="help/exit-1", severity="urgent", cause="Help button.", remedy="Call the lane.", since_ms=5),
    Metrics(numbers={"backlog_records": 0, "rss_bytes": 31_000_000}, at_ms=5),
    Records(epoch=1, first=7, signed=(SIGNED, SIGNED), key="00ff", disclose=(Opening(7, "blue 浙A12345", "AAAA"),)),
    Receipt(SIGNED),
    Down((SIGNED,)),
]
KINDS = [type(message) for message in MESSAGES]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_round_trip(message):
    body = message.to_json()
    assert type(message).from_json(body) == message
    assert json.loads(body)["v"] == 1


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_every_field_is_checked(message):
    body = json.loads(message.to_json())
    for name in body:
        for wrong in (None, 1.5, -1, True, 2**53, "x" * 5000, [[]], {"a": []}, "\ud800"):
            changed = json.dumps({**body, name: wrong}).encode()
            assert isinstance(type(message).from_json(changed), Rejection), (name, wrong)
        missing = json.dumps({key: value for key, value in body.items() if key != name}).encode()
        assert isinstance(type(message).from_json(missing), Rejection)
    assert isinstance(type(message).from_json(json.dumps({**body, "more": 1}).encode()), Rejection)


#    body                                                          outcome
BROKEN = [
    (b"",                                                          Reason.NOT_JSON),
    (b"\xff",                                                      Reason.NOT_JSON),
    ("{}".encode("utf-16"),                                        Reason.NOT_JSON),
    (b"[" * 20_000,                                                Reason.NOT_JSON),
    (b'{"v":1,"v":1}',                                             Reason.NOT_JSON),
    (b'{"v":NaN}',                                                 Reason.NOT_JSON),
    (b'{"v":1e3}',                                                 Reason.NOT_JSON),
    (b'{"v":' + b"9" * 5000 + b"}",                                Reason.NOT_JSON),
    (b" " * (BODY_BYTES_MAX + 1),                                  Reason.TOO_LONG),
    (b"[]",                                                        Reason.FORM),
    (b"{}",                                                        Reason.FORM),
]  # fmt: skip


@pytest.mark.parametrize(("body", "outcome"), BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("kind", KINDS)
def test_broken_bodies(kind, body, outcome):
    got = kind.from_json(body)
    assert isinstance(got, Rejection)
    assert got.reason == outcome


def test_lines_and_signatures_must_pair():
    body = json.loads(Down((SIGNED, SIGNED)).to_json())
    for changed in ({"lines": body["lines"][:1]}, {"lines": [], "sigs": []}, {"sigs": ["AA==", "AA=="]}):
        assert isinstance(Down.from_json(json.dumps(body | changed).encode()), Rejection)


def test_base64_has_one_spelling():
    body = json.loads(Receipt(SIGNED).to_json())
    last = body["sig"][:-3] + chr(ord(body["sig"][-3]) + 1) + "=="
    assert isinstance(Receipt.from_json(json.dumps(body | {"sig": last}).encode()), Rejection)


@seed(20260101)
@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["v", "lines", "sigs", "line", "sig"]) | st.text(), inner),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_nothing_raises(body):
    for kind in KINDS:
        kind.from_json(body)
