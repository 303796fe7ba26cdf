"""A table of a tariff file: exact types, and refusals that say where."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum

import pytest

from gateway.core.tariff_table import Table, TariffError

KEYS = {"top": ("n", "t", "d", "rows", "below"), "row": ("n",)}


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"


def table(**content: object) -> Table:
    return Table("a.toml", "", content, KEYS, kind="top")


def test_values_of_the_right_type_are_read() -> None:
    read = table(n=3, t="left", d=date(2026, 1, 1), rows=[{"n": 1}, {"n": 2}], below={"x": {"n": 4}})
    assert read.integer("n", 1, 3) == 3
    assert read.choice("t", Side) is Side.LEFT
    assert read.value("d", date, "a date") == date(2026, 1, 1)
    assert [row.integer("n", 0, 9) for row in read.tables("rows", "row")] == [1, 2]
    assert read.named("below", "row")["x"].integer("n", 0, 9) == 4


@pytest.mark.parametrize(
    ("content", "read", "key"),
    [
        ({"n": True},                       lambda t: t.integer("n", 0, 9),          "n"),
        ({"n": 1.0},                        lambda t: t.integer("n", 0, 9),          "n"),
        ({"n": 10},                         lambda t: t.integer("n", 0, 9),          "n"),
        ({},                                lambda t: t.integer("n", 0, 9),          "n"),
        ({"t": "up"},                       lambda t: t.choice("t", Side),           "t"),
        ({"t": 5},                          lambda t: t.text("t"),                   "t"),
        ({"d": datetime(2026, 1, 1, tzinfo=UTC)}, lambda t: t.value("d", date, "x"), "d"),
        ({"rows": []},                      lambda t: t.tables("rows", "row"),       "rows"),
        ({"rows": [{"n": 1}, {"m": 1}]},    lambda t: t.tables("rows", "row"),       "rows[1].m"),
        ({"below": {"x": {"n": "1"}}},      lambda t: t.named("below", "row")["x"].integer("n", 0, 9), "below.x.n"),
        ({"below": {"x": 1}},               lambda t: t.named("below", "row"),       "below.x"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_its_place(content, read, key) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TariffError) as refused:
        read(table(**content))
    assert (refused.value.file, refused.value.key) == ("a.toml", key)
    assert refused.value.remedy


def test_an_unknown_key_is_refused_at_once() -> None:
    with pytest.raises(TariffError, match="remove it; the keys here are n, t, d"):
        table(x=1)
