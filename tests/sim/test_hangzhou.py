"""The stand-in's platform: what it takes once, what it refuses, what it repeats."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from sim.hangzhou import REPEAT_MS, Account, Platform
from sim.hangzhou_cipher import lock_private, sign, unlock_public
from tests.hangzhou_keys import NUMBERS, PUBLIC_NUMBERS

ENTRY = {"uid": "u1", "plateNo": "浙A1", "parkingCode": "P", "arriveTime": "2026-01-01 00:00:00", "plateColor": 1}
EXIT = {"uid": "u1", "plateNo": "浙A1", "parkingCode": "P"}
BILL = {**EXIT, "billID": "b1", "billTime": "2026-01-01 01:00:00", "shouldPay": 500}


def platform() -> Platform:
    return Platform(access="a", code="P", own=NUMBERS, lot=PUBLIC_NUMBERS, accounts={"浙A1": Account(900)})


def call(city: Platform, name: str, data: dict[str, Any], *, now_ms: int = 0, **form: str) -> int:
    cipher = lock_private(json.dumps({"data": data}).encode(), NUMBERS)
    body = urlencode({"accessID": "a", "cipher": cipher, "sign": sign(cipher, NUMBERS), **form}).encode()
    status, answer = city.post(f"/api/v2/cp/{name}", body, now_ms)
    assert status == 200
    return int(json.loads(answer)["resultCode"])


def pushed(city: Platform, now_ms: int) -> list[dict[str, Any]]:
    found = []
    for message in city.outgoing(now_ms):
        body = json.loads(message.payload)
        plain = unlock_public(body["cipher"], PUBLIC_NUMBERS)
        assert plain is not None
        found.append({"request": str(body["requestId"]), **json.loads(plain)})
    return found


def confirm(city: Platform, push: dict[str, Any], success: bool = True) -> int:
    params = {name: value for name, value in push.items() if name != "request"}
    return call(city, "confirm", {"requestId": push["request"], "success": success, "params": params})


@pytest.mark.parametrize(("change", "code"), [
    ({"accessID": "b"}, 400), ({"sign": "AAAA"}, 403), ({"cipher": ""}, 400), ({"cipher": "AAAA"}, 403),
])  # fmt: skip
def test_what_is_not_the_lots_is_not_understood(change: dict[str, str], code: int) -> None:
    city = platform()
    assert call(city, "uploadCarInData", ENTRY, **change) == code
    assert city.totals()["rejected"] == 1


def test_a_whole_stay() -> None:
    city = platform()
    assert call(city, "uploadCarInData", ENTRY) == 200
    (push,) = pushed(city, 0)
    assert push["moneyLimit"] == 900
    assert confirm(city, push) == 200
    assert call(city, "applyPayment", BILL) == 200
    assert call(city, "uploadCarOutData", EXIT) == 200
    (result,) = pushed(city, 0)
    assert (result["payStatus"], result["actualPay"]) == (1, 500)
    assert confirm(city, result) == 200
    assert call(city, "uploadPayRecord", {**BILL, "actualPay": 500}) == 200
    totals = city.totals()
    assert (totals["ended"], totals["paid"], totals["recorded"], totals["unconfirmed"]) == (1, 500, 1, 0)


@pytest.mark.parametrize(("name", "data", "code"), [
    ("uploadCarInData",  {**ENTRY, "uploadTime": "later"}, 200),
    ("uploadCarInData",  {**ENTRY, "plateNo": "浙A2"},      409),
    ("uploadCarOutData", {**EXIT, "uid": "u2"},            404),
    ("applyPayment",     BILL,                             409),
    ("uploadPayRecord",  {**BILL, "actualPay": 500},       409),
    ("uploadCarInData",  {**ENTRY, "parkingCode": "Q"},    404),
    ("refund",           EXIT,                             404),
])  # fmt: skip
def test_what_does_not_fit_is_refused_and_counted(name: str, data: dict[str, Any], code: int) -> None:
    city = platform()
    call(city, "uploadCarInData", ENTRY)
    # The authorization was not confirmed, so nothing may be debited on it.
    assert call(city, name, data) == code


def test_a_push_is_repeated_until_it_is_confirmed() -> None:
    city = platform()
    call(city, "uploadCarInData", ENTRY)
    assert [len(pushed(city, now_ms)) for now_ms in (0, 1, REPEAT_MS, REPEAT_MS + 1, 10 * REPEAT_MS)] == [1, 0, 1, 0, 1]
    city = platform()
    call(city, "uploadCarInData", ENTRY)
    (push,) = pushed(city, 0)
    assert confirm(city, push, success=False) == 200
    assert pushed(city, 100 * REPEAT_MS) == []
    assert city.visits["u1"].limit == 0


def test_doubled_pushes_also_come_under_another_request() -> None:
    city = platform()
    city.faults.doubled = True
    for number in range(3):
        call(city, "uploadCarInData", {**ENTRY, "uid": f"u{number}"})
    requests = [push["request"] for push in pushed(city, 0)]
    assert len(requests) == 7
    assert len(set(requests)) == 4
