"""Figures of the bus tool. Its commands are tested in test_bus_command.py."""

from __future__ import annotations

import pytest

from gateway.bus_tool import HEADING, found_json, found_line, percentile
from gateway.core.layout import LaneNode, LaneRole
from gateway.link.probe import Found


@pytest.mark.parametrize(("values", "percent", "found"), [([], 50, 0), ([3, 1, 2], 50, 2), ([3, 1, 2], 99, 3)])
def test_percentiles(values: list[int], percent: int, found: int) -> None:
    assert percentile(values, percent) == found


def test_a_line_stands_under_its_heading() -> None:
    node = LaneNode(7, "00" * 8, "exit-1", LaneRole.EXIT)
    one = Found(node, "present", 3, 9, 2, 61_000, 4, 1, [5100, 5200, 9900])
    line = found_line(one)
    assert len(line) == len(HEADING)
    assert line.split() == ["7", "00" * 8, "exit-1", "present", "3", "2", "61", "4", "25.0", "1", "5.2", "9.9"]
    assert found_json(one)["trip_us"] == {"min": 5100, "p50": 5200, "p99": 9900, "max": 9900}
    assert found_line(Found(node)).split()[3] == "silent"
