"""Pushes by topic and content, as the known senders differ."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.platform_events import AuthorizationPushed, FeeAsked, PaymentPushed
from gateway.core.platform_state import KeptPush, PushState
from gateway.forms import Reason, Rejection
from gateway.sync.hangzhou.pushes import Pushes
from gateway.sync.hangzhou.terms import Refusal
from tests.hangzhou_keys import VECTORS
from tests.platforms import ACCESS, CODE, push_of, terms

FEE = {"plateNo": "浙A12345", "plateColor": 5, "parkingCode": CODE}


@pytest.mark.parametrize(("topic", "found"), [
    (f"hzcity/v2/fee/{ACCESS}/{CODE}",          "event"),
    (f"/hzcity/v2/fee/{ACCESS}/{CODE}",         "event"),
    (f"/hzcity/fee/{ACCESS}/{CODE}",            "event"),
    (f"/hzcity/fee/{ACCESS}",                   "event"),
    (f"hzcity/v2/fee/{ACCESS}/OTHER",           "elsewhere"),
    (f"hzcity/v2/fee/another/{CODE}",           Reason.TOPIC),
    (f"hzcity/v3/fee/{ACCESS}/{CODE}",          Reason.TOPIC),
    (f"hzcity/v2/refund/{ACCESS}/{CODE}",       Reason.TOPIC),
])  # fmt: skip
def test_every_topic_form_is_taken_and_no_other(topic: str, found: object) -> None:
    pushes = Pushes(terms())
    event = pushes.receive(topic, push_of("fee", FEE, 1).payload)
    if isinstance(event, Rejection):
        assert (event.reason, pushes.rejected[event.reason]) == (found, 1)
    else:
        assert found == ("event" if isinstance(event, FeeAsked) else "elsewhere")
        assert pushes.elsewhere == (found == "elsewhere")


def test_the_lot_inside_the_signature_counts_not_that_of_the_topic() -> None:
    pushes = Pushes(terms())
    message = push_of("fee", {**FEE, "parkingCode": "OTHER"}, 1)
    assert pushes.receive(message.topic, message.payload) is None


@pytest.mark.parametrize(("name", "change", "fault"), [
    ("departurePayInfo", {"plateNo": ""},          "plateNo"),
    ("departurePayInfo", {"plateNo": "x" * 65},    "plateNo"),
    ("departurePayInfo", {"moneyLimit": -1},       "moneyLimit"),
    ("departurePayInfo", {"moneyLimit": 10**9 + 1},"moneyLimit"),
    ("departurePayInfo", {"noSense": None},        "noSense"),
    ("departurePayInfo", {"moneyLimit": 1.5},      "moneyLimit"),
    ("departurePayInfo", {"plateColor": "blue"},   "plateColor"),
    ("payResult",        {"billID": 5},            "billID"),
    ("payResult",        {"payStatus": "x"},       "payStatus"),
    ("payResult",        {"actualPay": -5},        "actualPay"),
])  # fmt: skip
def test_a_wrong_field_is_named(name: str, change: dict[str, Any], fault: str) -> None:
    right = {**FEE, "noSense": 1, "departurePay": 1, "moneyLimit": 5, **json.loads(VECTORS["V3"]["plain"])}
    pushes = Pushes(terms())
    assert not isinstance(pushes.receive(*astuple(push_of(name, right, 1))), Rejection)
    found = pushes.receive(*astuple(push_of(name, {**right, **change}, 1)))
    assert isinstance(found, Rejection)
    assert (found.reason, fault in found.detail) == (Reason.FORM, True)


def astuple(message: Any) -> tuple[str, bytes]:
    return message.topic, message.payload


def test_numbers_as_texts_are_read() -> None:
    content = {**FEE, "noSense": "1", "departurePay": "1", "moneyLimit": "500"}
    found = Pushes(terms()).receive(*astuple(push_of("departurePayInfo", content, 1)))
    assert isinstance(found, AuthorizationPushed)
    assert (found.allowed, found.cap_minor, found.colour) == (True, 500, "green")


def test_a_known_result_is_read_whole() -> None:
    found = Pushes(terms()).receive(*astuple(push_of("payResult", json.loads(VECTORS["V3"]["plain"]), 1)))
    assert isinstance(found, PaymentPushed)
    assert (found.bill, found.order, found.paid, found.amount_minor, found.discount_minor) == (
        "B100000", "P1", True, 1500, 0,
    )  # fmt: skip


@pytest.mark.parametrize(("status", "paid"), [(1, True), (2, False), (0, None), (3, None)])
def test_only_what_is_explained_is_a_status(status: int, paid: bool | None) -> None:
    content = {**json.loads(VECTORS["V3"]["plain"]), "payStatus": status}
    found = Pushes(terms()).receive(*astuple(push_of("payResult", content, 1)))
    assert isinstance(found, PaymentPushed)
    assert found.paid is paid


def test_the_same_content_has_one_digest_whatever_its_spelling() -> None:
    pushes = Pushes(terms())
    one = pushes.receive(*astuple(push_of("fee", FEE, 1)))
    two = pushes.receive(*astuple(push_of("fee", dict(reversed(FEE.items())), 2)))
    assert isinstance(one, FeeAsked)
    assert isinstance(two, FeeAsked)
    assert one.origin.digest == two.origin.digest
    assert pushes.again(KeptPush("1", one.origin.digest, "fee", one.origin.text, 0, PushState.WAITING)) == one


@pytest.mark.parametrize(("state", "refusal", "success"), [
    (PushState.OWED,    Refusal.SILENT,        True),
    (PushState.OWED,    Refusal.SUCCESS_FALSE, True),
    (PushState.REFUSED, Refusal.SUCCESS_FALSE, False),
    (PushState.REFUSED, Refusal.SILENT,        None),
])  # fmt: skip
def test_a_refusal_takes_the_form_that_was_agreed(state: PushState, refusal: Refusal, success: bool | None) -> None:
    kept = KeptPush("9", "0" * 64, "payResult", '{"a":1}', 0, state)
    found = Pushes(terms(refusal=refusal)).answer(kept)
    assert (found and found["success"]) == success
    assert found is None or (found["request"], found["params"]) == ("9", {"a": 1})
