"""The diagrams' files: right ones read against the boards, wrong ones refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hw.diagram import UNDRAWN, WIRING, Diagram, Net, Part, diagrams, faults, read, terminals
from hw.pins import Board, Pin, boards

KNOWN = {board.name: board for board in boards()}
BOARD = Board("small", "", "", (Pin("bus_tx", 0, "uart0 tx", "", ""), Pin("led", 25, "out", "high", "")))
NODE = Part("node", ("Node",), 0, 0.0, (), ("bus_tx", "GND"), (), "part", "small")
OTHER = Part("other", ("Other",), 1, 0.0, ("DI", "GND"), (), (), "part", "")
WIRE = Net("", "signal", ("node.bus_tx", "other.DI"), tag=False)
GROUND = Net("GND", "ground", ("node.GND", "other.GND"), tag=True)


def test_each_board_is_drawn_with_every_pin_once() -> None:
    drawn = {part.board: terminals(part) for diagram in diagrams() for part in diagram.parts if part.board}
    assert set(drawn) == set(KNOWN)
    for name, board in KNOWN.items():
        assert {pin.name for pin in board.pins} - set(drawn[name]) == UNDRAWN
        assert len(drawn[name]) == len(set(drawn[name]))


def test_the_diagrams_that_the_lot_needs_are_there() -> None:
    assert [diagram.name for diagram in diagrams()] == ["bays", "bus", "cabinet", "lane"]


WRONG = [
    ([NODE, OTHER],                               [WIRE],
     ["node.GND is in no net", "other.GND is in no net"]),
    ([NODE, OTHER],                               [WIRE, replace(GROUND, ends=("node.GND",))],
     ["GND has 1 end(s)", "other.GND is in no net"]),
    ([NODE, OTHER],                               [WIRE, GROUND, replace(GROUND, name="X")],
     ["node.GND is in 2 nets", "other.GND is in 2 nets"]),
    ([NODE, OTHER],                               [WIRE, replace(GROUND, kind="air")], ["GND: unknown kind 'air'"]),
    ([NODE, OTHER, replace(OTHER, left=(), right=())], [WIRE, GROUND],                 ["part other is there 2 times"]),
    ([replace(NODE, left=("bus_tx",)), OTHER],    [WIRE, GROUND],                      ["node.bus_tx is drawn 2 times"]),
    ([replace(NODE, right=("bus_rx", "GND")), OTHER], [replace(WIRE, ends=("node.bus_rx", "other.DI")), GROUND],
     ["node.bus_rx: not a pin of board small", "node: bus_tx is not drawn"]),
    ([replace(NODE, board="none"), OTHER],        [WIRE, GROUND],                      ["node: no board 'none'"]),
    ([replace(NODE, form="cloud"), OTHER],        [WIRE, GROUND],                      ["node: unknown form 'cloud'"]),
    ([NODE, replace(OTHER, column=2)],            [WIRE, GROUND],
     ["node.bus_tx - other.DI: not from a right side to the left side of the next column"]),
    ([NODE, OTHER],                               [WIRE, GROUND],                      []),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "nets", "told"), WRONG)
def test_what_cannot_be_wired_is_named(parts: list[Part], nets: list[Net], told: list[str]) -> None:
    assert faults(Diagram("a", "A", tuple(parts), tuple(nets)), {"small": BOARD}) == told


def test_a_wrong_file_is_refused_by_its_name(tmp_path: Path) -> None:
    text = (WIRING / "lane.toml").read_text(encoding="utf-8")
    (tmp_path / "lane.toml").write_text(
        text.replace('"node.fire - guard.4"', '"node.fire - guard.5"'), encoding="utf-8"
    )
    with pytest.raises(ValueError, match=r"^lane.toml: guard.5 is in 2 nets; lane.toml: guard.4 is in no net$"):
        read(tmp_path / "lane.toml", KNOWN)
