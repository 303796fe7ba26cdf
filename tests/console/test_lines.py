"""What the terminal writes."""

from __future__ import annotations

import pytest

from gateway.console import lines
from gateway.console.picture import Picture
from gateway.messages import Presence
from tests.console import told
from tests.console.told import CITY, T0_MS, Told

S, H, D = 1_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (-5,         "0s"),
        (0,          "0s"),
        (99_999,     "99s"),
        (100_000,    "1m"),
        (99 * 60 * S, "99m"),
        (100 * 60 * S, "1h"),
        (47 * H,     "47h"),
        (2 * D,      "2d"),
    ],
)  # fmt: skip
def test_a_duration(ms: int, text: str) -> None:
    assert lines.duration(ms) == text


@pytest.mark.parametrize(
    ("ahead_ms", "text"), [(None, "–"), (0, "good"), (-5_000, "good"), (41_000, "+41s"), (-120_000, "-2m")]
)
def test_a_clock(ahead_ms: int | None, text: str) -> None:
    assert lines.clock(ahead_ms) == text


@pytest.mark.parametrize(("minor", "text"), [(0, "0.00"), (5, "0.05"), (123_450, "1234.50")])
def test_an_amount(minor: int, text: str) -> None:
    assert lines.money(minor) == text


def test_text_of_others_gives_no_orders() -> None:
    assert lines.clean("west\x1b[2J\n浙A·***45") == "west\ufffd[2J\ufffd浙A·***45"


@pytest.mark.parametrize(
    ("text", "cells", "kept"),
    [("West Lake", 4, "West"), ("湖滨路", 4, "湖滨"), ("湖滨路", 5, "湖滨"), ("a湖", 9, "a湖")],
)
def test_a_text_is_cut_by_the_cells_that_it_takes(text: str, cells: int, kept: str) -> None:
    assert lines.cut(text, cells) == kept


def rows_of(*said: Told) -> dict[str, dict[str, object]]:
    picture = Picture(CITY)
    for topic, payload in said:
        picture.take(topic, payload, T0_MS)
    return {name: picture.row(name, T0_MS) for name in picture.gateways()}


def test_a_lot_of_which_little_is_known_is_full_of_dashes_not_zeros() -> None:
    (row,) = rows_of(told.meta("g", "west")).values()
    assert lines.lot_row(row, T0_MS, lines.LOT_COLUMNS) == ("west", "?", "", "–", "–", "–", "–", "–", "–", "–")


def test_a_lot_in_full() -> None:
    (row,) = rows_of(
        told.state("g"), told.occupancy("g", "west", occupied=50, at_ms=T0_MS - 7_000), told.alarm("g", "a", "urgent"),
        told.lane("g", "x", node="silent"), told.numbers("g", backlog_records=3),
        told.notice("g", "exit-lease", amount_minor=1250),
    ).values()  # fmt: skip
    expected = ("west", "online", "████░░░░", "50/100", "50", "1 urgent, 1 lane bad", "3", "12.50", "good", "7s")
    assert lines.lot_row(row, T0_MS, lines.LOT_COLUMNS) == expected
    assert lines.lot_row(row, T0_MS, ("Age", "Lot")) == ("7s", "west")


@pytest.mark.parametrize(
    ("sort", "sought", "names"),
    [
        ("worst",   "",     ["c", "a", "b"]),
        ("name",    "",     ["a", "b", "c"]),
        ("fullest", "",     ["b", "a", "c"]),
        ("worst",   "LOT B", ["b"]),
        ("worst",   "no",   []),
    ],
)  # fmt: skip
def test_the_order(sort: str, sought: str, names: list[str]) -> None:
    rows = rows_of(
        told.state("a"), told.occupancy("a", "lot a", occupied=20), told.state("b"), told.occupancy("b", "lot b", occupied=90),
        told.state("c", Presence.LOST), told.meta("c", "lot c"),
    )  # fmt: skip
    assert [row["gw"] for row in lines.ordered(rows, sort, sought)] == names


def test_lanes_notices_and_alarms() -> None:
    picture = Picture(CITY)
    for topic, payload in (
        told.meta("g", "west"),
        told.lane("g", "exit-1", barrier="open", at_ms=T0_MS - 4_000),
        told.notice("g", "exit-lease", amount_minor=500),
        told.alarm("g", "silent/12", "urgent", at_ms=T0_MS - 61_000),
    ):
        picture.take(topic, payload, T0_MS)
    lot = picture.lot("g", T0_MS)
    assert [lines.lane_row(lane, T0_MS) for lane in lot["lanes"]] == [
        ("entry-1", "entry", "unknown", "unknown", "–", "–", "–"),
        ("exit-1", "exit", "open", "joined", "4s", "exit-lease 浙A·***45", "0s"),
    ]
    assert lines.state_line(lot, T0_MS) == "? – · – inside · – free (–) · – waiting · clock good"
    assert lines.day_line(lot) == "5.00 CNY from 1 in the last hour"
    assert lines.notice_row(lot["notices"][0], T0_MS) == ("0s", "exit-lease", "exit-1", "浙A·***45", "5.00")
    assert lines.alarm_line(lot["alarms"][0], T0_MS) == "URGENT Node 12 does not answer. Check cable and power. (61s)"
