"""The picture of a city: worst first, what changed since, times on the console's clock."""

from __future__ import annotations

import json

import pytest

from gateway.console.picture import GATEWAYS_MAX, GOOD, INFO, TROUBLE, URGENT, WARNING, Picture, filters
from gateway.forms import Reason
from gateway.messages import Presence
from gateway.topics import ROOT
from tests.console import told
from tests.console.told import CITY, T0_MS, Told


def picture_of(*messages: Told) -> Picture:
    picture = Picture(CITY)
    for topic, payload in messages:
        picture.take(topic, payload, T0_MS)
    return picture


@pytest.mark.parametrize(
    ("messages", "bad"),
    [
        ([],                                                     GOOD),
        ([told.alarm("g", "a", "info")],                         INFO),
        ([told.alarm("g", "a", "warning")],                      WARNING),
        ([told.numbers("g", backlog_records=500)],               GOOD),
        ([told.numbers("g", backlog_records=501)],               WARNING),
        ([told.numbers("g", at_ms=T0_MS - 5_000)],               GOOD),
        ([told.numbers("g", at_ms=T0_MS + 5_001)],               WARNING),
        ([told.lane("g", "x", barrier="open")],                  GOOD),
        ([told.lane("g", "x", barrier="fault")],                 TROUBLE),
        ([told.lane("g", "x", node="silent")],                   TROUBLE),
        ([told.state("g", Presence.OFFLINE)],                    TROUBLE),
        ([told.state("g", Presence.LOST)],                       URGENT),
        ([told.alarm("g", "a", "urgent")],                       URGENT),
    ],
)  # fmt: skip
def test_how_bad_a_lot_is(messages: list[Told], bad: int) -> None:
    assert picture_of(told.state("g"), *messages).row("g", T0_MS)["bad"] == bad


def test_a_gateway_without_a_state_is_in_trouble() -> None:
    assert picture_of(told.meta("g", "west")).row("g", T0_MS)["bad"] == TROUBLE


def test_the_worst_lot_stands_first_then_by_name() -> None:
    picture = picture_of(
        told.state("g1"), told.meta("g1", "zoo"),
        told.state("g2"), told.meta("g2", "bridge"),
        told.state("g3"), told.meta("g3", "west"), told.alarm("g3", "a", "warning"),
        told.state("g4", Presence.LOST),
    )  # fmt: skip
    assert picture.gateways() == ["g4", "g3", "g2", "g1"]
    assert [row["gw"] for row in picture.as_json(T0_MS)["lots"]] == ["g4", "g3", "g2", "g1"]


def test_what_changed_since() -> None:
    picture = picture_of(told.state("g1"), told.state("g2"))
    before = picture.revision
    assert picture.changed(0) == ["g1", "g2"]
    assert picture.changed(before) == []
    picture.take(*told.occupancy("g2", "west", occupied=4), T0_MS)
    assert picture.changed(before) == ["g2"]


def test_one_lot_with_all_that_is_known() -> None:
    late = T0_MS - 60_000
    picture = picture_of(
        told.state("g", at_ms=late), told.meta("g", "west"), told.occupancy("g", "west", occupied=40, at_ms=late),
        told.lane("g", "exit-1", barrier="open", at_ms=late), told.alarm("g", "silent/7", "urgent", at_ms=late),
        told.alarm("g", "b", "info", at_ms=late), told.numbers("g", at_ms=late, backlog_records=3, rss_bytes=9),
        told.notice("g", "exit-lease", amount_minor=1250, at_ms=late),
    )  # fmt: skip
    lot = picture.lot("g", T0_MS)
    assert {name: lot[name] for name in ("lot", "free", "occupied", "total", "inside", "currency", "tariff")} == {
        "lot": "west", "free": 60, "occupied": 40, "total": 100, "inside": 40, "currency": "CNY", "tariff": "hangzhou-2014",
    }  # fmt: skip
    # The clock is a minute behind, so nothing of this is a minute old.
    assert lot["ahead_ms"] == -60_000
    assert {lot["state_ms"], lot["occ_ms"], lot["numbers_ms"], lot["alarms"][0]["since_ms"]} == {T0_MS}
    assert [(lane["lane"], lane["role"], lane["barrier"], lane["node"]) for lane in lot["lanes"]] == [
        ("entry-1", "entry", "unknown", "unknown"),
        ("exit-1", "exit", "open", "joined"),
    ]
    assert lot["lanes"][1]["last"] == lot["notices"][0]
    assert lot["notices"][0]["amount_minor"] == 1250
    assert [(alarm["id"], alarm["severity"]) for alarm in lot["alarms"]] == [("silent_7", "urgent"), ("b", "info")]
    assert (lot["hour_minor"], lot["hour_cars"], lot["backlog"]) == (1250, 1, 3)
    assert [row[1:] for row in lot["places"]] == [(40, 40, 60)]
    assert json.loads(json.dumps(lot)) is not None


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("somebody/else",              b"{}",   Reason.TOPIC),
        (f"{ROOT}/other/g/state",      b"{}",   Reason.TOPIC),
        (f"{ROOT}/{CITY}/g/state",     b"{",    Reason.NOT_JSON),
        (f"{ROOT}/{CITY}/g/rec/g",     b"{}",   Reason.TOPIC),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_counted(topic: str, payload: bytes, reason: Reason) -> None:
    picture = picture_of((topic, payload))
    assert picture.rejected == {reason: 1}
    assert picture.revision == 0


def test_no_more_gateways_than_there_is_room_for() -> None:
    picture = picture_of(*(told.state(f"g{n}") for n in range(GATEWAYS_MAX + 3)), told.state("g0", Presence.LOST))
    assert len(picture.gateways()) == GATEWAYS_MAX
    assert picture.rejected == {Reason.TOPIC: 3}
    assert picture.row("g0", T0_MS)["state"] == "lost"


def test_each_topic_of_a_picture_is_subscribed_to() -> None:
    assert set(filters(CITY)) == {
        f"{ROOT}/{CITY}/+/{part}" for part in ("state", "meta", "lot/+/occ", "met", "lane/+", "evt/+", "alarm/+")
    }


def test_what_was_taken_back_while_the_console_was_away_is_gone() -> None:
    picture = picture_of(told.state("g"), told.alarm("g", "a", "urgent"), told.lane("g", "x", node="silent"))
    before = picture.revision
    picture.reconnected()
    assert picture.changed(before) == ["g"]
    assert picture.row("g", T0_MS)["bad"] == GOOD
