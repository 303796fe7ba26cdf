"""Each live message as one line, for people and as JSON."""

from __future__ import annotations

import json

import pytest

from gateway.console.watch import filters, shown
from gateway.messages import Alarm, Notice, Occupancy, Presence, State

ROOT = "park/v1/city/gw-1"
ROWS = [
    (f"{ROOT}/state", State(Presence.LOST, 3, 1, "0.1.0", 5).to_json(), "lost (start 3, connection 1, release 0.1.0)"),
    (f"{ROOT}/lot/l1/occ", Occupancy(2, 1, 0, 3, 1, 5).to_json(), "lot l1: 1 inside; bays 2 free, 1 taken, 0 unknown"),
    (
        f"{ROOT}/evt/exit-lease",
        Notice("out", "1.3", "浙A***45", 905, 5).to_json(),
        "exit-lease out 浙A***45 session 1.3 9.05",
    ),
    (f"{ROOT}/evt/entry", Notice("in", "1.3", "浙A***45", 0, 5).to_json(), "entry in 浙A***45 session 1.3"),
    (
        f"{ROOT}/alarm/help_out",
        Alarm("help/out", "urgent", "Why.", "Do.", 5).to_json(),
        "alarm help/out [urgent] Why. Do.",
    ),
    (f"{ROOT}/alarm/help_out", b"", "alarm withdrawn: help_out"),
]


@pytest.mark.parametrize(("topic", "payload", "words"), ROWS)
def test_a_line_for_people_and_one_for_programs(topic: str, payload: bytes, words: str) -> None:
    assert shown(topic, payload, as_json=False) == f"gw-1  {words}"
    assert json.loads(shown(topic, payload, as_json=True))["gateway"] == "gw-1"


@pytest.mark.parametrize(
    ("topic", "payload", "told"),
    [
        (f"{ROOT}/state", b"{", "rejected on"),
        (f"{ROOT}/evt/entry", b'{"v": 2}', "rejected on"),
        (f"{ROOT}/state", b"\xff", "rejected on"),
        ("other/topic", b"", "foreign topic"),
        (f"{ROOT}/meta", b"{}", "foreign topic"),
        (f"{ROOT}/rec/gw-1", b"{}", "foreign topic"),
        ("", b"", "foreign topic"),
    ],
)
def test_what_is_no_message_is_shown_as_such(topic: str, payload: bytes, told: str) -> None:
    assert told in shown(topic, payload, as_json=False)
    assert json.loads(shown(topic, payload, as_json=True))


@pytest.mark.parametrize(
    ("topic", "payload", "words"),
    [
        (
            f"{ROOT}/alarm/x",
            Alarm("x", "urgent", "a\ngw-2  b", "c", 5).to_json(),
            "gw-1  alarm x [urgent] a\ufffdgw-2  b c",
        ),
        (f"{ROOT}/evt/entry", Notice("in", "1.3", "\x1b[2J", 0, 5).to_json(), "gw-1  entry in \ufffd[2J session 1.3"),
        ("a\r\u2028b", b"", "a\ufffd\ufffdb  foreign topic"),
    ],
)
def test_nobody_forges_a_line_or_drives_the_terminal(topic: str, payload: bytes, words: str) -> None:
    assert shown(topic, payload, as_json=False) == words
    assert "\n" not in shown(topic, payload, as_json=True)


def test_the_filters_reach_every_gateway_of_the_city_and_no_record() -> None:
    assert filters("city") == (
        "park/v1/city/+/state",
        "park/v1/city/+/lot/+/occ",
        "park/v1/city/+/evt/+",
        "park/v1/city/+/alarm/+",
    )
