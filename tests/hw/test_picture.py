"""Pictures that hide nothing, and pictures that do."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from hw.diagram import Diagram, diagrams, terminals
from hw.picture import Line, Picture, Text, overlaps, place, svg
from hw.pins import boards

KNOWN = {board.name: board for board in boards()}
DRAWN = {diagram.name: place(diagram, KNOWN) for diagram in diagrams()}


@pytest.mark.parametrize("diagram", diagrams(), ids=lambda diagram: diagram.name)
def test_nothing_is_hidden_and_everything_is_there(diagram: Diagram) -> None:
    picture = DRAWN[diagram.name]
    assert overlaps(picture) == []
    root = ElementTree.fromstring(svg(picture))
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    names = [name for part in diagram.parts for name in terminals(part)]
    tags = sum(len(net.ends) for net in diagram.nets if net.tag)
    said = sum(len(part.title) + len(part.notes) for part in diagram.parts)
    assert len(texts) == 1 + len(names) + tags + said
    assert len(picture.lines) == len([net for net in diagram.nets if not net.tag]) + tags


def test_a_boards_pin_is_drawn_with_its_number() -> None:
    texts = {text.text for text in DRAWN["lane"].texts}
    assert {f"GP{pin.gpio} {pin.name}" for pin in KNOWN["lane"].pins if pin.name != "led"} <= texts


def test_lines_end_at_their_terminals() -> None:
    picture = DRAWN["bus"]
    edges = {x for box, _ in picture.boxes for x in (box.x, box.x + box.width)}
    assert all(line.points[0][0] in edges for line in picture.lines)


LANE = DRAWN["lane"]
BOX = LANE.boxes[0][0]
TEXT = LANE.texts[0]
WIDE = Text("a long word", BOX.x + BOX.width - 9, BOX.y + 5, "start", bold=False, color="")
SPOILT = [
    (replace(LANE, boxes=(*LANE.boxes, (replace(BOX, what="second", y=BOX.y + BOX.height), "part"))), "meets 'second'"),
    (replace(LANE, texts=(*LANE.texts, replace(TEXT, text="X"))),                                     "meets 'X'"),
    (replace(LANE, texts=(*LANE.texts, WIDE)),                                                      "sticks out"),
    (replace(LANE, width=200.0),                                                                      "is cut off"),
    (replace(LANE, lines=(*LANE.lines, LANE.lines[0])),                                               "runs along a line"),
    (replace(LANE, lines=(*LANE.lines, Line(((0, BOX.y + 3), (BOX.x + 9, BOX.y + 3)), "bus"))),       "line through box"),
]  # fmt: skip


@pytest.mark.parametrize(("picture", "told"), SPOILT, ids=[told for _, told in SPOILT])
def test_what_would_be_hidden_is_named(picture: Picture, told: str) -> None:
    assert any(told in line for line in overlaps(picture))
