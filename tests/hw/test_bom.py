"""The bill: quantities of lots counted by hand, and every drawn part on it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from hw.bom import BOM, amounts, main, pieces, rows, segment_nodes
from hw.diagram import diagrams
from hw.electrics import facts

# fmt: off
LOTS = [  # lanes, bays: bay nodes, segments, branches, bus m, supplies
    (1,   0,    0, 1,  1,   60, 1),
    (2,   8,    1, 2,  3,  128, 1),
    (4,   120, 15, 2,  6,  424, 2),
    (4,   121, 16, 2,  6,  444, 2),
    (12,  800, 100, 6, 25, 2348, 5),
]
# fmt: on


@pytest.mark.parametrize(("lanes", "bays", "nodes", "segments", "branches", "metres", "supplies"), LOTS)
def test_quantities(
    lanes: int, bays: int, nodes: int, segments: int, branches: int, metres: int, supplies: int
) -> None:
    found = amounts(lanes, bays, facts())
    assert (found["bay-node"], found["segment"], found["branch"]) == (nodes, segments, branches)
    assert (found["bus metre"], found["supply"]) == (metres, supplies)


def test_a_segment_ends_by_length_or_by_receivers() -> None:
    every = facts()
    assert segment_nodes(every["bus"], every["bays"]) == 23
    assert segment_nodes(every["bus"], every["bays"] | {"spacing_m": 2}) == 32
    assert pieces(50, 23) == [23, 23, 4]


def test_every_drawn_part_is_bought_once_or_said_not_to_be() -> None:
    found = tomllib.loads(BOM.read_text(encoding="utf-8"))
    drawn = {f"{one.name}.{part.name}" for one in diagrams() for part in one.parts if part.form == "part"}
    listed = [name for item in found["item"] for name in item["draws"]] + found["not_bought"]
    assert len(listed) == len(set(listed))
    assert set(listed) == drawn


def test_an_unknown_per_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bom.toml").write_text('item = [{ name = "a", part = "b", per = "car", count = 1 }]', encoding="utf-8")
    with pytest.raises(ValueError, match="nothing is counted per car"):
        rows(1, 0, tmp_path / "bom.toml")


def test_people_get_a_table_and_tools_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lanes", "4", "--bays", "120"]) == 0
    assert "   120  Ultrasonic sensor" in capsys.readouterr().out
    assert main(["--lanes", "4", "--bays", "120", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counted"]["node"] == 19
    assert {"name": "FRAM", "part": "Fujitsu MB85RC256V, module with 2.2 kohm", "count": 4} in found["rows"]


def test_a_lot_without_lanes_is_none() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--lanes", "0", "--bays", "8"])
