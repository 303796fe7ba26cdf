"""The fold of retained messages into lots, worst first, and the table that people read."""

from __future__ import annotations

from gateway.console.lots import Lots, filters, table
from gateway.messages import Alarm, Meta, Occupancy, Presence, State
from tests.test_messages import MESSAGES

META = next(message for message in MESSAGES if isinstance(message, Meta))
ROOT = "park/v1/hz"


def told() -> Lots:
    found = Lots()
    for gateway, presence in (("gw-2", Presence.ONLINE), ("gw-1", Presence.LOST)):
        found.take(f"{ROOT}/{gateway}/state", State(presence, 1, 1, "0.1.0", 5).to_json())
    found.take(f"{ROOT}/gw-2/meta", META.to_json())
    found.take(f"{ROOT}/gw-2/lot/lot-1/occ", Occupancy(3, 4, 0, 7, 5, 1).to_json())
    for name, severity, since_ms in (("a", "warning", 1), ("b", "urgent", 9), ("c", "urgent", 2)):
        found.take(f"{ROOT}/gw-2/alarm/{name}", Alarm(name, severity, "cause", "remedy", since_ms).to_json())
    return found


def test_rows_worst_first() -> None:
    rows = told().rows()
    assert [(row["gateway"], row["state"], row["inside"], row["alarms"]) for row in rows] == [
        ("gw-1", "lost", "", 0),
        ("gw-2", "online", 5, 3),
    ]
    assert told().names() == {"gw-1": [], "gw-2": ["entry-1"]}


def test_alarms_urgent_first_and_withdrawn_by_an_empty_body() -> None:
    found = told()
    assert [one["alarm"] for one in found.alarms()] == ["c", "b", "a"]
    found.take(f"{ROOT}/gw-2/alarm/c", b"")
    assert [one["alarm"] for one in found.alarms()] == ["b", "a"]


def test_what_is_no_message_changes_nothing() -> None:
    found = told()
    before = found.rows()
    for topic in (f"{ROOT}/gw-2/state", f"{ROOT}/gw-2/meta", "nonsense", f"{ROOT}/gw-2/lot/lot-1/occ"):
        found.take(topic, b"{}")
    assert found.rows() == before
    assert found.find("gw-9") is None


def test_a_table_is_aligned_and_gives_no_orders_to_the_terminal() -> None:
    text = table([{"a": "\x1b[2Jx", "b_c": 1}, {"a": "long name", "b_c": 22}], ("a", "b_c"))
    assert text == "a          b c\n\ufffd[2Jx      1\nlong name  22"


def test_filters() -> None:
    assert filters("hz", "gw-1") == tuple(f"{ROOT}/gw-1/{rest}" for rest in ("state", "meta", "lot/+/occ", "alarm/+"))
