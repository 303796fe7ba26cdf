"""One gateway's picture: which message replaces which, and that no sender can fill the memory."""

from __future__ import annotations

import pytest

from gateway.console.seen import ALARMS_MAX, LANES_MAX, NOTICES_MAX, NUMBERS_MAX, TEXT_MAX, Seen, put
from gateway.forms import Reason
from gateway.messages import Alarm, Presence
from gateway.topics import Kind, Topic, parse_topic
from tests.console import told
from tests.console.told import CITY, T0_MS, Told

GW = "gw-1"
LOST, ONLINE, OFFLINE = Presence.LOST, Presence.ONLINE, Presence.OFFLINE


def seen_of(*messages: Told) -> Seen:
    seen = Seen()
    for topic, payload in messages:
        parsed = parse_topic(topic)
        assert isinstance(parsed, Topic)
        assert put(seen, parsed, payload, T0_MS) is None
    return seen


@pytest.mark.parametrize(
    ("first", "boot", "link", "then", "after"),
    [
        # known            then (boot, connection) word   stands
        (None,             (1, 1), (1, 1), LOST,          LOST),
        (ONLINE,           (2, 1), (2, 1), LOST,          LOST),
        (ONLINE,           (2, 1), (1, 9), LOST,          ONLINE),
        (ONLINE,           (2, 2), (2, 1), LOST,          ONLINE),
        (ONLINE,           (2, 1), (1, 1), ONLINE,        ONLINE),
        (LOST,             (9, 1), (1, 1), ONLINE,        ONLINE),
        (ONLINE,           (2, 1), (2, 1), OFFLINE,       OFFLINE),
    ],
)  # fmt: skip
def test_only_a_late_word_of_the_broker_is_stale(
    first: Presence | None, boot: tuple[int, int], link: tuple[int, int], then: Presence, after: Presence
) -> None:
    known = [told.state(GW, first, boot=boot[0], link=boot[1])] if first else []
    seen = seen_of(*known, told.state(GW, then, boot=link[0], link=link[1]))
    assert seen.state is not None
    assert seen.state.state is after


def test_an_empty_message_takes_back_what_was_said() -> None:
    everything = [
        told.state(GW), told.meta(GW, "west"), told.occupancy(GW, "west", occupied=3), told.lane(GW, "exit-1"),
        told.alarm(GW, "silent/12", "urgent"),
    ]  # fmt: skip
    full = seen_of(*everything)
    assert (len(full.lanes), list(full.alarms), full.lot) == (1, ["silent_12"], "west")
    gone = seen_of(*everything, *((topic, b"") for topic, _ in everything))
    assert (gone.state, gone.meta, gone.occupancy, gone.lanes, gone.alarms) == (None, None, None, {}, {})


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (Topic(CITY, GW, Kind.STATE),            b"{}",      Reason.FORM),
        (Topic(CITY, GW, Kind.STATE),            b"\xff",    Reason.NOT_JSON),
        (Topic(CITY, GW, Kind.NOTICE, "entry"),  b"",        Reason.NOT_JSON),
        (Topic(CITY, GW, Kind.RECORDS, GW),      b"{}",      Reason.TOPIC),
        (Topic(CITY, GW, Kind.RECEIPT, GW),      b"",        Reason.FORM),
        (Topic(CITY, GW, Kind.METRICS),          b"x" * 99_999, Reason.TOO_LONG),
    ],
)  # fmt: skip
def test_what_is_no_message_is_named(topic: Topic, payload: bytes, reason: Reason) -> None:
    assert put(Seen(), topic, payload, T0_MS) is reason


def test_no_sender_can_fill_the_memory() -> None:
    many = range(300)
    long = Alarm("fat", "info", "x" * 4_000, "y" * 4_000, T0_MS).to_json()
    seen = seen_of(
        *(told.alarm(GW, f"a-{n}", "info") for n in many),
        *(told.lane(GW, f"l-{n}") for n in many),
        *(told.notice(GW, "entry", at=f"l-{n}") for n in many),
        told.numbers(GW, **{f"n{n}": n for n in range(200)}),
        (told.topic(GW, Kind.ALARM, "a-0"), long),
    )
    assert (len(seen.alarms), len(seen.lanes), len(seen.notices)) == (ALARMS_MAX, LANES_MAX, NOTICES_MAX)
    assert seen.notices[-1][1].lane == "l-299"
    assert seen.numbers is not None
    assert len(seen.numbers.numbers) == NUMBERS_MAX
    assert (len(seen.alarms["a-0"].cause), len(seen.alarms["a-0"].remedy)) == (TEXT_MAX, TEXT_MAX)


def test_the_clock_is_told_by_what_is_never_retained() -> None:
    assert seen_of(told.occupancy(GW, "west", occupied=1, at_ms=5)).ahead_ms is None
    assert seen_of(told.notice(GW, "entry", at_ms=T0_MS + 900)).ahead_ms == 900
    assert seen_of(told.numbers(GW, at_ms=T0_MS - 900, backlog_records=1)).ahead_ms == -900


def test_money_is_what_exits_were_billed() -> None:
    seen = seen_of(
        told.notice(GW, "entry", at="entry-1"),
        told.notice(GW, "exit-lease", amount_minor=500),
        told.notice(GW, "exit-free"),
        told.notice(GW, "payment-arrived", amount_minor=500),
    )
    assert [row[1:] for row in seen.money.rows()] == [(500, 2)]
