"""The live view: absolute and retained for what is true, lossy for what merely happened."""

from __future__ import annotations

import pytest

from gateway.core.commands import ClearAlarm, PublishNotice, PublishOccupancy, RaiseAlarm, Severity
from gateway.core.events import (
    BarrierMoved,
    Event,
    NodeJoined,
    NodeRefused,
    NodeWentSilent,
    Position,
    Source,
)
from gateway.messages import Alarm, LaneHealth, Notice, Occupancy
from gateway.sync.live import ALARMS_MAX, NOTICES_MAX, Live
from gateway.topics import Kind

ROOM = 10_000


def live() -> Live:
    return Live(city="city", gateway="gw-1", lot="lot-1", lanes={"a1": "in", "b2": "out"}, at_ms=500)


def alarm(name: str) -> RaiseAlarm:
    return RaiseAlarm(name, Severity.URGENT, "Cause.", "Remedy.")


def notice(session: str) -> PublishNotice:
    return PublishNotice("entry", "in", session, "浙A***45", 0)


def test_only_the_newest_occupancy_is_told() -> None:
    view = live()
    view.take(PublishOccupancy(free=3, occupied=1, unknown=0, inside=1), 1000)
    view.take(PublishOccupancy(free=2, occupied=2, unknown=0, inside=2), 2000)
    (only,) = view.next(ROOM)
    assert str(only.topic) == "park/v1/city/gw-1/lot/lot-1/occ"
    assert Occupancy.from_json(only.body) == Occupancy(2, 2, 0, 4, 2, 2000)
    assert view.next(ROOM) == []


def test_an_alarm_keeps_its_first_time_and_is_withdrawn_by_an_empty_body() -> None:
    view = live()
    view.take(alarm("help/out"), 1000)
    view.take(alarm("help/out"), 5000)
    (raised,) = view.next(ROOM)
    assert Alarm.from_json(raised.body) == Alarm("help/out", "urgent", "Cause.", "Remedy.", 1000)
    assert (str(raised.topic), raised.topic.rule.retain) == ("park/v1/city/gw-1/alarm/help_out", True)
    view.take(ClearAlarm("help/out"), 6000)
    assert [out.body for out in view.next(ROOM)] == [b""]
    view.take(ClearAlarm("help/out"), 7000)
    assert view.next(ROOM) == []


def test_what_an_earlier_process_left_at_the_broker_is_withdrawn_once() -> None:
    held: dict[str, bytes] = {}

    def published(view: Live) -> list[tuple[str, bytes]]:
        told = [(str(out.topic), out.body) for out in view.next(ROOM) if out.topic.kind is Kind.ALARM]
        held.update(told)
        return told

    first = live()
    first.take(alarm("silent/a1"), 1000)
    assert len(published(first)) == 1
    second = live()
    second.take(ClearAlarm("silent/a1"), 2000)
    second.reconnected()
    assert published(second) == [("park/v1/city/gw-1/alarm/silent_a1", b"")]
    assert set(held.values()) == {b""}
    second.take(ClearAlarm("silent/a1"), 3000)
    assert published(second) == []
    second.take(alarm("silent/a1"), 4000)
    second.take(ClearAlarm("silent/a1"), 5000)
    assert [body for _, body in published(second)] == [b""]


def test_a_new_connection_hears_what_is_true_and_no_old_notice() -> None:
    view = live()
    view.take(alarm("help/out"), 1000)
    view.take(PublishOccupancy(free=1, occupied=0, unknown=0, inside=0), 1000)
    view.next(ROOM)
    view.take(notice("1.3"), 2000)
    view.reconnected()
    assert sorted(out.topic.kind for out in view.next(ROOM)) == ["alarm", "lane", "lane", "occ"]


def test_little_room_delays_what_is_retained_and_loses_nothing_of_it() -> None:
    view = live()
    for name in ("a", "b", "c"):
        view.take(alarm(name), 1000)
    view.take(notice("1.3"), 2000)
    told = [out.topic.name for room in (1, 0, -1, 2) for out in view.next(room)]
    assert told == ["a", "entry", "b", "c"]


def test_everything_has_a_limit() -> None:
    view = live()
    for number in range(2 * NOTICES_MAX):
        view.take(notice(str(number)), 1000)
    sessions = [body.session for out in view.next(0) if isinstance(body := Notice.from_json(out.body), Notice)]
    assert sessions == [str(number) for number in range(NOTICES_MAX, 2 * NOTICES_MAX)]
    for number in range(ALARMS_MAX + 1):
        view.take(alarm(f"a{number}"), 1000)
    view.reconnected()
    bodies = {out.topic.name: out.body for out in view.next(ROOM) if out.topic.kind is Kind.ALARM}
    assert bodies["a0"] == b""
    assert sum(body != b"" for body in bodies.values()) == ALARMS_MAX


SOURCE = Source("b2", 1, 7, 0)
JOINED = NodeJoined("b2", 1, 1)


@pytest.mark.parametrize(
    ("events", "lane", "health"),
    [
        ([],                                                        None,  None),
        ([NodeJoined("c3", 1, 1)],                                  None,  None),
        ([NodeRefused(3, "key")],                                   None,  None),
        ([JOINED],                                                  "out", ("unknown", "joined")),
        ([JOINED, BarrierMoved(SOURCE, "out", Position.OPEN)],      "out", ("open", "joined")),
        ([BarrierMoved(SOURCE, "out", Position.FAULT)],             "out", ("fault", "silent")),
        ([JOINED, BarrierMoved(SOURCE, "out", Position.OPEN), NodeWentSilent("b2")], "out", ("unknown", "silent")),
    ],
)  # fmt: skip
def test_a_lane_shows_its_barrier_and_its_node(
    events: list[Event], lane: str | None, health: tuple[str, str] | None
) -> None:
    view = live()
    view.saw(events, 3000)
    told = view.next_lanes(ROOM)
    if health is None:
        assert told == []
        return
    (only,) = told
    assert (only.topic.name, only.topic.rule.retain) == (lane, True)
    assert LaneHealth.from_json(only.body) == LaneHealth(*health, 3000)
    assert view.next(ROOM) == []


def test_a_lane_without_room_is_told_with_the_rest() -> None:
    view = live()
    view.saw([JOINED], 3000)
    assert view.next_lanes(-1) == []
    assert [out.topic.kind for out in view.next(ROOM)] == ["lane"]
