"""The picture of a price: steps as steps, round axes, and the same drawing as text, SVG and JSON."""

from __future__ import annotations

import json
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from gateway.core.plate import Energy, Vehicle
from gateway.quote import local_ms, shipped_tariff
from gateway.tariff_plot import (
    BOTTOM,
    HEIGHT,
    LEFT,
    Curve,
    curve,
    drawing,
    plot_json,
    plot_svg,
    plot_text,
    step_of,
)

GATWICK = shipped_tariff("gatwick-2021")
FORECOURT = curve(GATWICK, local_ms(GATWICK, "2026-03-02T09:00"), 1, (Vehicle.SMALL, Energy.FUEL))
SVG = "{http://www.w3.org/2000/svg}"


def test_the_curve_is_the_price_after_each_minute() -> None:
    assert FORECOURT.minutes == 60
    assert FORECOURT.amounts_minor[:13] == (0, *[500] * 10, 600, 700)
    assert FORECOURT.amounts_minor[-1] == 2500
    assert FORECOURT.subtitle == "gatwick-2021: small fuel, entered 2026-03-02 09:00 Europe/London"


def test_steps_are_drawn_as_steps() -> None:
    steps = drawing(FORECOURT).steps
    assert steps[0] == (LEFT, HEIGHT - BOTTOM)
    for (x1, y1), (x2, y2) in pairwise(steps):
        assert (x1 == x2) != (y1 == y2), "level or upright"
        assert x1 <= x2


def test_the_svg_has_axes_units_and_one_line_for_the_price() -> None:
    root = ElementTree.fromstring(plot_svg(FORECOURT))
    texts = [item.text for item in root.iter(f"{SVG}text")]
    for text in ("Gatwick forecourt, 2021", "GBP", "hours after entry", "0", "1", "0.00", "25.00"):
        assert text in texts
    lines = [path for path in root.iter(f"{SVG}path") if path.get("fill") == "none"]
    assert len(lines) == 1


def test_a_title_cannot_break_the_svg() -> None:
    found = Curve("<b>&", "a < b", "CNY", (0, 1))
    assert ElementTree.fromstring(plot_svg(found)).find(f"{SVG}title").text == "<b>&"  # type: ignore[union-attr]


def test_the_text_plot_fits_a_terminal() -> None:
    lines = plot_text(FORECOURT).splitlines()
    assert lines[0] == "Gatwick forecourt, 2021 (GBP)"
    assert all(len(line) <= 100 for line in lines)
    assert lines[-1].split() == ["0", "0.5", "1", "h", "after", "entry"]


def test_the_json_lists_the_changes() -> None:
    found = json.loads(json.dumps(plot_json(FORECOURT)))
    assert found["steps"][:3] == [
        {"minute": 0, "amount_minor": 0},
        {"minute": 1, "amount_minor": 500},
        {"minute": 11, "amount_minor": 600},
    ]


def test_a_price_of_nothing_can_be_drawn() -> None:
    nothing = Curve("free", "free", "CNY", (0, 0, 0))
    assert nothing.top_minor > 0
    assert plot_text(nothing)
    assert drawing(nothing).steps


@pytest.mark.parametrize(
    ("most", "ticks", "step"),
    [(0, 6, 1), (6, 6, 1), (7, 6, 2), (13, 6, 5), (31, 6, 10), (2500, 6, 500), (12001, 6, 5000)],
)
def test_ticks_are_round(most: int, ticks: int, step: int) -> None:
    assert step_of(most, ticks) == step
