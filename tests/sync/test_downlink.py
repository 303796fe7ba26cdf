"""What comes from the city: order, repeats, and every way to forge it."""

from __future__ import annotations

import json

import pytest

from gateway.core.city_events import LeaseGranted, Origin, PaymentReported, ReceiptArrived
from gateway.core.record import canonical
from gateway.forms import Reason, Rejection
from gateway.messages import Down, Receipt, SignedLine
from gateway.sync.downlink import Downlink
from gateway.sync.signature import DOWN_DOMAIN, RECEIPT_DOMAIN
from tests.records import CITY_KEY, OTHER_KEY, public

LEASE = {"session": "1.2", "lease": "l-1", "cap_minor": 5000, "expires_ms": 99}
PAYMENT = {"session": "1.2", "payment": "p-1", "amount_minor": 700, "status": "paid"}


def sign(line, domain=DOWN_DOMAIN, key=CITY_KEY):
    return SignedLine(line, key.sign(domain + line.encode()))


def down_line(dn, kind="lease", body=None, **more):
    content = {"v": 1, "chain": "c-1", "dn": dn, "type": kind, "at_ms": 5, "body": LEASE if body is None else body}
    return canonical(content | more)


def receipt_line(n=7, digest="ab" * 32, **more):
    return canonical({"v": 1, "chain": "c-1", "epoch": 1, "n": n, "hash": digest, "at_ms": 5} | more)


def downlink(dn=0):
    made = Downlink("c-1", public(CITY_KEY))
    made.start(dn)
    return made


def receive(link, *signed):
    return link.receive("dn", Down(signed).to_json())


def test_lease_and_payment():
    link = downlink()
    first, second = sign(down_line(1)), sign(down_line(2, "payment", PAYMENT))
    assert receive(link, first, second) == [
        LeaseGranted(Origin(1, first.line, first.signature, 5), "l-1", "1.2", 5000, 99),
        PaymentReported(Origin(2, second.line, second.signature, 5), "p-1", "1.2", 700, True),
    ]


def test_failed_payment():
    (event,) = receive(downlink(), sign(down_line(1, "payment", PAYMENT | {"status": "failed"})))
    assert event.paid is False


def test_receipt():
    signed = sign(receipt_line(), RECEIPT_DOMAIN)
    expected = ReceiptArrived(1, 7, bytes.fromhex("ab" * 32), signed.line, signed.signature)
    assert downlink().receive("ack", Receipt(signed).to_json()) == [expected]


def test_receipt_for_nothing():
    signed = sign(receipt_line(0, "00" * 32, epoch=0), RECEIPT_DOMAIN)
    (event,) = downlink().receive("ack", Receipt(signed).to_json())
    assert (event.n, event.record_hash) == (0, bytes(32))


def test_order():
    link = downlink(dn=2)
    lines = [sign(down_line(dn)) for dn in range(1, 7)]
    assert [event.origin.dn for event in receive(link, *lines[:3])] == [3]
    assert link.counts.repeats == 2
    assert receive(link, lines[4]) == []
    assert link.counts.gaps == 1
    assert [event.origin.dn for event in receive(link, *lines)] == [4, 5, 6]
    assert receive(link, *lines) == []


@pytest.mark.parametrize(
    ("signed", "outcome"),
    [
        (sign(down_line(1), key=OTHER_KEY), Reason.SIGNATURE),
        (sign(down_line(1), RECEIPT_DOMAIN), Reason.SIGNATURE),
        (SignedLine(down_line(1) + " ", sign(down_line(1)).signature), Reason.SIGNATURE),
        (SignedLine(down_line(1), sign(down_line(2)).signature), Reason.SIGNATURE),
        (sign(down_line(1) + " "), Reason.NOT_CANONICAL),
        (sign(json.dumps(json.loads(down_line(1)))), Reason.NOT_CANONICAL),
        (sign(down_line(1).replace('"l-1"', '"l\\u002d1"')), Reason.NOT_CANONICAL),
        (sign(down_line(1).replace("5000", "5000.0")), Reason.NOT_JSON),
        (sign(down_line(1).replace("5000", "null")), Reason.NOT_CANONICAL),
        (sign('{"a":1,"a":1}'), Reason.NOT_JSON),
        (sign("[1]"), Reason.FORM),
        (sign(down_line(1, v=2)), Reason.FORM),
        (sign(down_line(1, more=1)), Reason.FORM),
        (sign(down_line(1, chain="c-2")), Reason.CHAIN),
    ],
)
def test_forged_line(signed, outcome):
    link = downlink()
    got = receive(link, signed, sign(down_line(2)))
    assert [item.reason for item in got] == [outcome]
    assert link.counts.rejected == {outcome: 1}
    assert len(receive(link, sign(down_line(1)))) == 1


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (down_line(1, "coupon", {}), Reason.UNKNOWN_TYPE),
        (down_line(1, "lease", {**LEASE, "more": 1}), Reason.FORM),
        (down_line(1, "lease", {**LEASE, "cap_minor": -1}), Reason.FORM),
        (down_line(1, "payment", {**PAYMENT, "status": "perhaps"}), Reason.FORM),
        (down_line(1, "payment", []), Reason.FORM),
    ],
)
def test_signed_but_not_understood_does_not_block(line, outcome):
    first, event = receive(downlink(), sign(line), sign(down_line(2)))
    assert isinstance(first, Rejection)
    assert first.reason == outcome
    assert event.origin.dn == 2


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (receipt_line(chain="c-2"), Reason.CHAIN),
        (receipt_line(digest="AB" * 32), Reason.FORM),
        (receipt_line(digest="ab"), Reason.FORM),
        (receipt_line(n=-1), Reason.FORM),
    ],
)
def test_forged_receipt(line, outcome):
    (got,) = downlink().receive("ack", Receipt(sign(line, RECEIPT_DOMAIN)).to_json())
    assert got.reason == outcome


def test_a_numbered_line_is_no_receipt():
    (got,) = downlink().receive("ack", Receipt(sign(down_line(1))).to_json())
    assert got.reason == Reason.SIGNATURE


@pytest.mark.parametrize("kind", ["ack", "dn"])
@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff", b'{"v":1,"lines":[],"sigs":[]}'])
def test_broken_message(kind, payload):
    link = downlink()
    (got,) = link.receive(kind, payload)
    assert isinstance(got, Rejection)
    assert sum(link.counts.rejected.values()) == 1
