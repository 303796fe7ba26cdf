"""Wiring as data: hw/wiring/*.toml read and checked against the boards.

Owns parts, terminals, and the nets between them. Rules: a terminal is in one net and a net has at least two ends; what is drawn
of a board is in hw/boards, and all of it but the module's LED is drawn; a line goes between facing sides of neighbouring
columns, anything else is a tag that carries the net's name. Notes take values, as {bias_ohm}, from hw/electrics.toml. Knows no
picture.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hw.pins import BOARDS, ROOT, Board, boards

WIRING = ROOT / "hw" / "wiring"
ELECTRICS = ROOT / "hw" / "electrics.toml"
MODULE_POWER = {"VSYS": 39, "3V3": 36, "GND": 38}
"""Terminals of a Pico that are no GPIO, with the module's pin number."""
UNDRAWN = {"led"}
KINDS = ("signal", "bus", "supply", "ground", "mains", "earth")
FORMS = ("part", "cable")


@dataclass(frozen=True, slots=True)
class Part:
    """A box. Terminals of each side from the top, '' leaves a row free; `row` is that of the first terminal, 1 per terminal."""

    name: str
    title: tuple[str, ...]
    column: int
    row: float
    left: tuple[str, ...]
    right: tuple[str, ...]
    notes: tuple[str, ...]
    form: str
    board: str


@dataclass(frozen=True, slots=True)
class Net:
    """What is joined: ends as 'part.terminal'. A tag is drawn as the net's name at each end, anything else as one line."""

    name: str
    kind: str
    ends: tuple[str, ...]
    tag: bool


@dataclass(frozen=True, slots=True)
class Diagram:
    """One picture."""

    name: str
    title: str
    parts: tuple[Part, ...]
    nets: tuple[Net, ...]


def diagrams(folder: Path = WIRING, board_folder: Path = BOARDS) -> tuple[Diagram, ...]:
    """Every diagram, by name. ValueError that says everything wrong with one."""
    known = {board.name: board for board in boards(board_folder)}
    return tuple(read(path, known) for path in sorted(folder.glob("*.toml")))


def read(path: Path, known: dict[str, Board]) -> Diagram:
    """One diagram's file. ValueError names file and faults."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    values = tomllib.loads(ELECTRICS.read_text(encoding="utf-8"))["bus"]
    parts = tuple(
        Part(
            name=one["name"],
            title=tuple(one["title"]),
            column=one["column"],
            row=float(one["row"]),
            left=tuple(one.get("left", ())),
            right=tuple(one.get("right", ())),
            notes=tuple(note.format_map(values) for note in one.get("notes", ())),
            form=one.get("form", "part"),
            board=one.get("board", ""),
        )
        for one in found["part"]
    )
    nets = [Net(one["name"], one["kind"], tuple(one["ends"]), tag=True) for one in found.get("tag", ())]
    for one in found.get("lines", ()):
        nets += [Net("", one["kind"], tuple(pair.split(" - ")), tag=False) for pair in one["between"]]
    diagram = Diagram(path.stem, found["title"], parts, tuple(nets))
    wrong = faults(diagram, known)
    if wrong:
        raise ValueError("; ".join(f"{path.name}: {fault}" for fault in wrong))
    return diagram


def terminals(part: Part) -> tuple[str, ...]:
    """Names on both sides, free rows left out."""
    return tuple(name for name in (*part.left, *part.right) if name)


def faults(diagram: Diagram, known: dict[str, Board]) -> list[str]:
    """What cannot be wired so, one line each."""
    found = []
    have = Counter(part.name for part in diagram.parts)
    found += [f"part {name} is there {count} times" for name, count in have.items() if count > 1]
    there = Counter(f"{part.name}.{name}" for part in diagram.parts for name in terminals(part))
    found += [f"{end} is drawn {count} times" for end, count in there.items() if count > 1]
    used = Counter(end for net in diagram.nets for end in net.ends)
    for net in diagram.nets:
        name = net.name or " - ".join(net.ends)
        if len(net.ends) < 2 or (not net.tag and len(net.ends) != 2):
            found.append(f"{name} has {len(net.ends)} end(s)")
        if net.kind not in KINDS:
            found.append(f"{name}: unknown kind {net.kind!r}")
        found += [f"{name}: {end} is not there" for end in net.ends if end not in there]
    found += [f"{end} is in {count} nets" for end, count in used.items() if count > 1]
    found += [f"{end} is in no net" for end in there if end not in used]
    for part in diagram.parts:
        found += _part_faults(part, known)
    return found or _line_faults(diagram)


def _part_faults(part: Part, known: dict[str, Board]) -> list[str]:
    if part.form not in FORMS:
        return [f"{part.name}: unknown form {part.form!r}"]
    if not part.board:
        return []
    if part.board not in known:
        return [f"{part.name}: no board {part.board!r}"]
    pins = {pin.name for pin in known[part.board].pins}
    drawn = set(terminals(part))
    found = [
        f"{part.name}.{name}: not a pin of board {part.board}" for name in sorted(drawn - pins - set(MODULE_POWER))
    ]
    return found + [f"{part.name}: {name} is not drawn" for name in sorted(pins - UNDRAWN - drawn)]


def _line_faults(diagram: Diagram) -> list[str]:
    sides = {f"{part.name}.{name}": (part.column, "left") for part in diagram.parts for name in part.left}
    sides |= {f"{part.name}.{name}": (part.column, "right") for part in diagram.parts for name in part.right}
    found = []
    for net in diagram.nets:
        if net.tag:
            continue
        (from_column, from_side), (to_column, to_side) = (sides[end] for end in net.ends)
        if (from_side, to_side) != ("right", "left") or to_column != from_column + 1:
            found.append(f"{' - '.join(net.ends)}: not from a right side to the left side of the next column")
    return found
