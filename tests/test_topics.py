"""Topics are built and read back by the same table."""

from __future__ import annotations

import pytest

from gateway.forms import Rejection
from gateway.topics import RULES, Kind, Topic, parse_topic, subscriptions

#    kind            name           text
TOPICS = [
    (Kind.STATE,     "",            "park/v1/hz/gw-1/state"),
    (Kind.META,      "",            "park/v1/hz/gw-1/meta"),
    (Kind.OCCUPANCY, "lot-1",       "park/v1/hz/gw-1/lot/lot-1/occ"),
    (Kind.LANE,      "exit-1",      "park/v1/hz/gw-1/lane/exit-1"),
    (Kind.NOTICE,    "left",        "park/v1/hz/gw-1/evt/left"),
    (Kind.RECORDS,   "c-1",         "park/v1/hz/gw-1/rec/c-1"),
    (Kind.RECEIPT,   "c-1",         "park/v1/hz/gw-1/ack/c-1"),
    (Kind.DOWN,      "c-1",         "park/v1/hz/gw-1/dn/c-1"),
    (Kind.ALARM,     "help_exit-1", "park/v1/hz/gw-1/alarm/help_exit-1"),
    (Kind.METRICS,   "",            "park/v1/hz/gw-1/met"),
    (Kind.COMMAND,   "recount",     "park/v1/hz/gw-1/cmd/recount"),
    (Kind.SETTING,   "operators",   "park/v1/hz/gw-1/cfg/operators"),
    (Kind.REPLY,     "00ff",        "park/v1/hz/_op/00ff/rsp/gw-1"),
]  # fmt: skip


def test_table_is_complete():
    assert [kind for kind, _, _ in TOPICS] == list(Kind) == list(RULES)


@pytest.mark.parametrize(("kind", "name", "text"), TOPICS)
def test_both_ways(kind, name, text):
    topic = Topic("hz", "gw-1", kind, name)
    assert str(topic) == text
    assert parse_topic(text) == topic


def test_slash_in_alarm_id():
    assert str(Topic("hz", "gw-1", Kind.ALARM, "help/exit-1")).endswith("/alarm/help_exit-1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "park/v1",
        "park/v1/hz/gw-1",
        "park/v2/hz/gw-1/state",
        "park/v1/hz/gw-1/state/more",
        "park/v1/hz/gw-1/rec",
        "park/v1/hz/gw-1/rec/",
        "park/v1/hz//state",
        "park/v1/hz/gw-1/occ/lot-1",
        "park/v1/hz/gw-1/lot/lot-1",
        "park/v1/hz/gw-1/lot/lot-1/state",
        "park/v1/hz/gw-1/rec/+",
        "park/v1/hz/gw-1/rec/" + "x" * 65,
        "park/v1/hz/gw-1/unheard",
        "park/v1/hz/gw-1/rsp/00ff",
        "park/v1/hz/_op/00ff/rsp",
        "park/v1/hz/_op/00ff/cmd/gw-1",
        "park/v1/hz/_op/00ff/rsp/_gw",
        "park/v1/hz/_op/state",
        "park/v1/hz/gw-1/rec/\ud800",
    ],
)
def test_rejected(text):
    assert isinstance(parse_topic(text), Rejection)


@pytest.mark.parametrize(
    ("kind", "name"), [(Kind.STATE, "x"), (Kind.RECORDS, ""), (Kind.RECORDS, "#"), (Kind.LANE, "a\n")]
)
def test_our_own_mistake_raises(kind, name):
    with pytest.raises(ValueError, match="topic"):
        Topic("hz", "gw-1", kind, name)


def test_gateway_listens_to_what_comes_down():
    root = "park/v1/hz/gw-1"
    assert subscriptions("hz", "gw-1", "c-1") == (f"{root}/ack/c-1", f"{root}/dn/c-1", f"{root}/cmd/+", f"{root}/cfg/+")
    assert {wanted.split("/")[4] for wanted in subscriptions("hz", "gw-1", "c-1")} == {
        k for k, r in RULES.items() if r.down
    }
