"""How a call, an answer and a push are written on the wire: form, JSON, dates, sealed by `cipher`.

Owns the outer forms. Rules: what comes in is read leniently where known peers differ (raw or escaped UTF-8, a request number
as number or text) and never raises; success is HTTP 200 together with resultCode 200 and nothing else. Knows no call's fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

from gateway.forms import Reason, Rejection
from gateway.sync.hangzhou.cipher import DataForm, Seal, Sealed, SealFault

HTTP_OK = 200
RESULT_OK = 200
ANSWER_BYTES_MAX = 262_144
"""A day's bills of a large lot; everything else is a line."""
PUSH_BYTES_MAX = 65_536
"""The longest known push takes 700 bytes."""
SLICE_BLOCKS = 16
"""Some milliseconds of a small processor: the barriers' budgets run on the same loop."""
REQUEST_TEXT_MAX = 64
"""Digits of a requestId: the known ones have six."""
CHINA = timezone(timedelta(hours=8))
"""The protocol's dates carry no zone; the country has one, without summer time."""

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform said to a call. `code` is its resultCode, or None where there was none; `body` the whole object."""

    status: int
    code: int | None
    message: str
    body: Fields

    @property
    def ok(self) -> bool:
        """The call was taken."""
        return self.status == HTTP_OK and self.code == RESULT_OK


@dataclass(frozen=True, slots=True)
class Push:
    """A message of the city whose signature held; `text` is the decrypted object as canonical JSON."""

    request: str
    fields: Fields
    text: str


def form_steps(
    access_id: str, seal: Seal, fields: Fields, data_form: DataForm, beside: Fields | None = None
) -> Iterator[bytes]:
    """Body of a POST: the fields sealed, percent-encoded; `beside`: form keys that stand outside the cipher.

    Yields b"" after each SLICE_BLOCKS of work, so that the caller's loop can turn, and the body at the end.
    """
    inner: Any = dict(fields) if data_form is DataForm.OBJECT else _json(fields)
    blocks: list[bytes] = []
    for block in seal.blocks(_json({"data": inner}).encode("utf-8")):
        blocks.append(block)
        if len(blocks) % SLICE_BLOCKS == 0:
            yield b""
    sealed = seal.signed(blocks)
    form = {"accessID": access_id, "sign": sealed.sign, "cipher": sealed.cipher, **(beside or {})}
    yield urlencode(form).encode("ascii")


def read_answer(status: int, body: bytes) -> Answer:
    """What a response says; one that is no JSON object has no code."""
    try:
        found = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return Answer(status, None, "no JSON object", {})
    code = found.get("resultCode")
    code = int(code) if isinstance(code, str) and code.isdecimal() and len(code) < 10 else code
    return Answer(status, code if type(code) is int else None, str(found.get("msg", ""))[:200], found)


def read_push(payload: bytes, seal: Seal) -> Push | Rejection:
    """The push in a message, or why it is none."""
    if len(payload) > PUSH_BYTES_MAX:
        return Rejection(Reason.TOO_LONG, f"{len(payload)} bytes")
    try:
        outer = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError) as fault:
        return Rejection(Reason.NOT_JSON, str(fault)[:200])
    if not isinstance(outer, dict):
        return Rejection(Reason.FORM, "not an object")
    request = _request(outer.get("requestId"))
    cipher, sign = outer.get("cipher"), outer.get("sign")
    if not request or not isinstance(cipher, str) or not isinstance(sign, str):
        return Rejection(Reason.FORM, "cipher, sign and requestId are wanted")
    fields = seal.open(Sealed(cipher, sign))
    if isinstance(fields, SealFault):
        reason = Reason.SIGNATURE if fields is SealFault.SIGNATURE else Reason.FORM
        return Rejection(reason, f"sealed wrongly: {fields}")
    return Push(request, fields, json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def date_text(wall_ms: int) -> str:
    """UTC ms as `yyyy-MM-dd HH:mm:ss` in China's time."""
    return f"{_local(wall_ms):%Y-%m-%d %H:%M:%S}"


def day_text(wall_ms: int) -> str:
    """UTC ms as `yyyy-MM-dd` in China's time."""
    return f"{_local(wall_ms):%Y-%m-%d}"


def stamp_text(wall_ms: int) -> str:
    """UTC ms as `yyyyMMddHHmmssSSS` in China's time, as it stands in a uid."""
    return f"{_local(wall_ms):%Y%m%d%H%M%S}{wall_ms % 1000:03d}"


def day_span_ms(day: str) -> tuple[int, int]:
    """First and last UTC ms of a day in China's time. Raises ValueError if the text is no day."""
    begin = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=CHINA)
    first = (begin - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
    return first, first + 24 * 3_600_000 - 1


def _local(wall_ms: int) -> datetime:
    return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=wall_ms)).astimezone(CHINA)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _request(value: object) -> str:
    if type(value) is int and value >= 0:
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= REQUEST_TEXT_MAX and value.isprintable() else ""
