"""Forms, answers and pushes on the wire, as the known peers differ."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

import pytest

from gateway.forms import Reason, Rejection
from gateway.sync.hangzhou.cipher import DataForm
from gateway.sync.hangzhou.envelope import (
    Push,
    date_text,
    day_span_ms,
    day_text,
    form_steps,
    read_answer,
    read_push,
    stamp_text,
)
from sim.hangzhou_cipher import lock_private, sign, unlock_public
from tests.hangzhou_keys import NUMBERS, PUBLIC_NUMBERS, VECTORS, seal

WALL_MS = 1_767_294_245_678


def whole(*arguments: Any) -> bytes:
    return b"".join(form_steps(*arguments))


def test_a_photo_is_made_in_slices_so_that_the_loop_can_turn() -> None:
    steps = list(form_steps("acc", seal(), {"file": "A" * 117 * 40}, DataForm.OBJECT))
    assert (steps[:-1], len(steps)) == ([b"", b""], 3)


def test_the_form_is_the_known_one() -> None:
    fields = json.loads(VECTORS["V1"]["plain"])["data"]
    body = whole("acc", seal(), fields, DataForm.OBJECT)
    form = parse_qs(body.decode(), strict_parsing=True)
    assert form == {"accessID": ["acc"], "sign": [VECTORS["V1"]["sign_md5"]], "cipher": [VECTORS["V1"]["cipher"]]}
    # Base64 holds plus and slash: raw they would arrive as a blank.
    assert not set(b"+/") & set(body)
    assert b" " not in unquote_to_bytes(body)


def test_data_may_be_a_text_and_a_photo_may_stand_beside() -> None:
    body = whole("acc", seal(), {"a": 1}, DataForm.STRING, {"file": "AA+/"})
    form = parse_qs(body.decode())
    assert unlock_public(form["cipher"][0], PUBLIC_NUMBERS) == b'{"data":"{\\"a\\":1}"}'
    assert form["file"] == ["AA+/"]


@pytest.mark.parametrize(("status", "body", "code", "ok"), [
    (200, b'{"resultCode":200,"msg":"ok"}',   200,  True),
    (200, b'{"resultCode":"200"}',            200,  True),
    (200, b'{"resultCode":500,"msg":"no"}',   500,  False),
    (500, b'{"resultCode":200}',              200,  False),
    (500, b'{"msg":"broken"}',                None, False),
    (200, b'{"msg":"ok"}',                    None, False),
    (200, b'{"resultCode":true}',             None, False),
    (200, b'{"resultCode":200.0}',            None, False),
    (200, b"<html>",                          None, False),
    (200, b"[200]",                           None, False),
    (200, b"\xff",                            None, False),
    (200, b"",                                None, False),
])  # fmt: skip
def test_only_both_codes_are_success(status: int, body: bytes, code: int | None, ok: bool) -> None:
    answer = read_answer(status, body)
    assert (answer.code, answer.ok) == (code, ok)


def push_bytes(plain: str, request: object = 123456) -> bytes:
    cipher = lock_private(plain.encode(), NUMBERS)
    return json.dumps(
        {"cipher": cipher, "sign": sign(cipher, NUMBERS), "requestId": request, "timestamp": "2026-01-02 03:04:05"}
    ).encode()


@pytest.mark.parametrize("request_id", [123456, "123456"])
@pytest.mark.parametrize("plain", ['{"plateNo":"浙A12345"}', '{"plateNo":"\\u6d59A12345"}'])
def test_a_push_is_read_in_both_spellings(request_id: object, plain: str) -> None:
    push = read_push(push_bytes(plain, request_id), seal())
    assert push == Push("123456", {"plateNo": "浙A12345"}, '{"plateNo":"浙A12345"}')


def test_the_known_push_is_read() -> None:
    v3 = VECTORS["V3"]
    outer = {"cipher": v3["cipher"], "sign": v3["sign_md5"], "requestId": 7, "timestamp": ""}
    push = read_push(json.dumps(outer).encode(), seal())
    assert isinstance(push, Push)
    assert push.fields == json.loads(v3["plain"])


@pytest.mark.parametrize(("payload", "reason"), [
    (b"\xff",                                                   Reason.NOT_JSON),
    (b"{",                                                      Reason.NOT_JSON),
    (b"[" * 60_000,                                             Reason.NOT_JSON),
    (b"[]",                                                     Reason.FORM),
    (b'{"cipher":"","sign":""}',                                Reason.FORM),
    (b'{"cipher":"","sign":"","requestId":-1}',                 Reason.FORM),
    (b'{"cipher":"","sign":"","requestId":""}',                 Reason.FORM),
    (b'{"cipher":"","sign":"","requestId":"a\\nb"}',            Reason.FORM),
    (b'{"cipher":"","sign":"AAAA","requestId":1}',              Reason.SIGNATURE),
    (b"x" * 2_000_000,                                          Reason.TOO_LONG),
])  # fmt: skip
def test_a_wrong_push_is_named(payload: bytes, reason: Reason) -> None:
    found = read_push(payload, seal())
    assert isinstance(found, Rejection)
    assert found.reason is reason


def test_dates_are_local_to_china() -> None:
    assert date_text(WALL_MS) == "2026-01-02 03:04:05"
    assert day_text(WALL_MS) == "2026-01-02"
    assert stamp_text(WALL_MS) == "20260102030405678"
    first, last = day_span_ms("2026-01-02")
    assert (date_text(first), date_text(last)) == ("2026-01-02 00:00:00", "2026-01-02 23:59:59")
