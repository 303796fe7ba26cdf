"""The outer form of a message: what is read from a good one, and that nothing is from any other."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sim.city_message import LINES, MESSAGE_BYTES, Message, read_message

SIGNATURE = bytes(range(64))
SIG = base64.b64encode(SIGNATURE).decode()
GOOD: dict[str, Any] = {
    "v": 1,
    "epoch": 2,
    "first": 7,
    "key": "k",
    "lines": ["{}", "{}"],
    "sigs": [SIG, SIG],
    "disclose": [{"n": 8, "plate": "blue 浙A12345", "salt": "AA=="}],
}


def test_a_message_is_read() -> None:
    found = read_message(json.dumps(GOOD).encode())
    assert found == Message(2, 7, (("{}", SIGNATURE), ("{}", SIGNATURE)), {8: ("blue 浙A12345", "AA==")})


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"epoch": True},
        {"first": "7"},
        {"lines": []},
        {"lines": [], "sigs": []},
        {"lines": ["{}", 7]},
        {"lines": ["{}"] * (LINES + 1), "sigs": [SIG] * (LINES + 1)},
        {"sigs": [SIG, "AA=="]},
        {"sigs": [SIG, "?"]},
        {"disclose": [{"n": "8", "plate": "p", "salt": "s"}]},
        {"disclose": [{"n": 8, "plate": 7, "salt": "s"}]},
        {"disclose": [{"n": 8}]},
        {"key": "k" * MESSAGE_BYTES},
    ],
)  # fmt: skip
def test_any_other_form_is_no_message(change: dict[str, Any]) -> None:
    assert read_message(json.dumps(GOOD | change).encode()) is None


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b"{}", b"[" * 60_000])
def test_junk_is_no_message(payload: bytes) -> None:
    assert read_message(payload) is None
