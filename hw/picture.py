"""A wiring diagram as SVG: places, lines and texts.

Owns the layout: columns with channels between them, each line on a track of its own, so that two lines cross but never lie on
each other. Letters are of one width, so what fits here fits in the picture. `overlaps` says what would hide something.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from hw.diagram import MODULE_POWER, Diagram, Net, Part
from hw.pins import Board

PITCH = 26
LETTER = 7.25
"""Width of a letter at 12 pixels, of DejaVu Sans Mono and of what browsers take for it: 0.602 em."""
LINE = 16
MARGIN = 40
TITLE = 60
TITLE_LETTER = 10
TRACK = 10
APART = 6
GAP = 18
PAD = 10
COLORS = {
    "signal": "#1f5fa8",
    "bus": "#7a3fa0",
    "supply": "#c0392b",
    "ground": "#333333",
    "mains": "#8a5a00",
    "earth": "#2e7d32",
}
FONT = "DejaVu Sans Mono, Liberation Mono, monospace"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, and what it holds."""

    what: str
    x: float
    y: float
    width: float
    height: float

    def meets(self, other: Box) -> bool:
        """Whether they share more than an edge."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `anchor` is start, middle or end."""

    text: str
    x: float
    y: float
    anchor: str
    bold: bool
    color: str

    @property
    def box(self) -> Box:
        """Where its letters are."""
        width = len(self.text) * LETTER
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return Box(self.text, left, self.y - 10, width, 13)


@dataclass(frozen=True, slots=True)
class Line:
    """A path along right angles."""

    points: tuple[tuple[float, float], ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything placed."""

    title: str
    width: float
    height: float
    boxes: tuple[tuple[Box, str], ...]
    texts: tuple[Text, ...]
    lines: tuple[Line, ...]


def place(diagram: Diagram, known: dict[str, Board]) -> Picture:
    """Where everything goes."""
    gpios = {(board.name, pin.name): pin.gpio for board in known.values() for pin in board.pins}
    tagged = {end: net for net in diagram.nets if net.tag for end in net.ends}
    tracks = {column: _tracks(diagram, column) for column in {part.column for part in diagram.parts}}
    columns = _columns(diagram, gpios, tagged, tracks)
    top = min(part.row * PITCH - _head(part) for part in diagram.parts) - TITLE
    boxes, texts, lines = [], [], []
    for part in diagram.parts:
        x, width = columns[part.column][:2]
        box = Box(part.name, x, part.row * PITCH - _head(part) - top, width, _height(part))
        boxes.append((box, part.form))
        texts += _inside(part, box, gpios)
        tags, stubs = _tags(part, box, tagged)
        texts += tags
        lines += stubs
    for column, order in tracks.items():
        x, width, right_tags = columns[column]
        for number, net in enumerate(order):
            (x1, y1), (x2, y2) = (_end(diagram, end, columns, top) for end in net.ends)
            bend = x + width + right_tags + GAP + number * TRACK
            points = ((x1, y1), (x2, y2)) if y1 == y2 else ((x1, y1), (bend, y1), (bend, y2), (x2, y2))
            lines.append(Line(points, net.kind))
    edges = [one.x + one.width for one in (*(box for box, _ in boxes), *(text.box for text in texts))]
    right = max(*edges, MARGIN + len(diagram.title) * TITLE_LETTER)
    bottom = max(box.y + box.height for box, _ in boxes) + MARGIN
    return Picture(diagram.title, right + MARGIN, bottom, tuple(boxes), tuple(texts), tuple(lines))


def overlaps(picture: Picture) -> list[str]:
    """What hides something else, one line each: box on box, text on text or beyond its box, line along line or through."""
    found = []
    boxes = [box for box, _ in picture.boxes]
    texts = [text.box for text in picture.texts]
    wide = [Box(box.what, box.x - APART, box.y - APART, box.width + APART, box.height + APART) for box in boxes]
    for many in (wide, texts):
        for number, one in enumerate(many):
            found += [f"{one.what!r} meets {other.what!r}" for other in many[number + 1 :] if one.meets(other)]
    for text in texts:
        for box in boxes:
            if text.meets(box) and not (box.x <= text.x and text.x + text.width <= box.x + box.width):
                found.append(f"{text.what!r} sticks out of {box.what!r}")
        if text.x < 0 or text.x + text.width > picture.width or text.y + text.height > picture.height:
            found.append(f"{text.what!r} is cut off")
    runs = [run for line in picture.lines for run in _runs(line)]
    for number, one in enumerate(runs):
        found += [
            f"line runs along a line at {one.x:.0f},{one.y:.0f}" for two in runs[number + 1 :] if _along(one, two)
        ]
        found += [f"line through box {box.what!r}" for box in boxes if one.meets(box)]
        found += [f"line through {text.what!r}" for text in texts if one.meets(text)]
    return found


def svg(picture: Picture) -> str:
    """The picture as a file's text."""
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{picture.width:.0f}" height="{picture.height:.0f}" '
        f'font-family="{FONT}" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{MARGIN}" y="34" font-size="16" font-weight="bold">{escape(picture.title)}</text>',
    ]
    for line in picture.lines:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line.points)
        out.append(f'<polyline points="{points}" fill="none" stroke="{COLORS[line.kind]}" stroke-width="1.6"/>')
    for box, form in picture.boxes:
        look = 'fill="#f4f6f8" stroke="#222" rx="3"' if form == "part" else 'fill="#fff7e0" stroke="#a07a00" rx="12"'
        out.append(f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" {look}/>')
    for text in picture.texts:
        bold = ' font-weight="bold"' if text.bold else ""
        place_ = f'x="{text.x:.1f}" y="{text.y:.1f}" text-anchor="{text.anchor}" fill="{text.color}"{bold}'
        out.append(f"<text {place_}>{escape(text.text)}</text>")
    return "\n".join([*out, "</svg>", ""])


def _head(part: Part) -> float:
    return len(part.title) * LINE + PITCH / 2 + PAD


def _rows(part: Part) -> int:
    return max(len(part.left), len(part.right))


def _height(part: Part) -> float:
    return _head(part) + (_rows(part) - 0.5) * PITCH + len(part.notes) * LINE + (PAD if part.notes else 0)


def _label(part: Part, name: str, gpios: dict[tuple[str, str], int]) -> str:
    if part.board and name in MODULE_POWER:
        return f"{name} (pin {MODULE_POWER[name]})"
    return f"GP{gpios[part.board, name]} {name}" if part.board and name else name


def _width(part: Part, gpios: dict[tuple[str, str], int]) -> float:
    left = max((len(_label(part, name, gpios)) for name in part.left), default=0)
    right = max((len(_label(part, name, gpios)) for name in part.right), default=0)
    return max(left + right + 3, *map(len, (*part.title, *part.notes))) * LETTER + 2 * PAD


def _tracks(diagram: Diagram, column: int) -> list[Net]:
    """The channel's lines from left to right: rising ones first, so that neighbours seldom cross."""
    rows = {
        f"{part.name}.{name}": part.row + number
        for part in diagram.parts
        for side in (part.left, part.right)
        for number, name in enumerate(side)
    }
    here = {f"{part.name}.{name}" for part in diagram.parts if part.column == column for name in part.right}
    nets = [net for net in diagram.nets if not net.tag and net.ends[0] in here]
    rising = sorted((net for net in nets if rows[net.ends[1]] < rows[net.ends[0]]), key=lambda net: rows[net.ends[0]])
    falling = sorted((net for net in nets if rows[net.ends[1]] > rows[net.ends[0]]), key=lambda net: -rows[net.ends[0]])
    return [*rising, *falling, *(net for net in nets if rows[net.ends[1]] == rows[net.ends[0]])]


def _columns(
    diagram: Diagram,
    gpios: dict[tuple[str, str], int],
    tagged: dict[str, Net],
    tracks: dict[int, list[Net]],
) -> dict[int, tuple[float, float, float]]:
    """Column -> its left edge, its width, the room for tags on its right."""
    found = {}
    x = float(MARGIN)
    for column in sorted(tracks):
        parts = [part for part in diagram.parts if part.column == column]
        x += max((_tag_room(f"{part.name}.{name}", tagged) for part in parts for name in part.left), default=0.0)
        width = max(_width(part, gpios) for part in parts)
        right = max((_tag_room(f"{part.name}.{name}", tagged) for part in parts for name in part.right), default=0.0)
        found[column] = (x, width, right)
        x += width + right + 2 * GAP + len(tracks[column]) * TRACK
    return found


def _tag_room(end: str, tagged: dict[str, Net]) -> float:
    return len(tagged[end].name) * LETTER + GAP + 6 if end in tagged else 0.0


def _inside(part: Part, box: Box, gpios: dict[tuple[str, str], int]) -> list[Text]:
    found = []
    middle = box.x + box.width / 2
    for number, title in enumerate(part.title):
        found.append(Text(title, middle, box.y + (number + 1) * LINE + 2, "middle", bold=True, color="#111"))
    first = box.y + _head(part)
    for names, x, anchor in ((part.left, box.x + 6, "start"), (part.right, box.x + box.width - 6, "end")):
        for number, name in enumerate(names):
            if name:
                label = _label(part, name, gpios)
                found.append(Text(label, x, first + number * PITCH + 4, anchor, bold=False, color="#111"))
    below = first + (_rows(part) - 0.5) * PITCH
    for number, note in enumerate(part.notes):
        found.append(Text(note, middle, below + number * LINE + 12, "middle", bold=False, color="#555"))
    return found


def _tags(part: Part, box: Box, tagged: dict[str, Net]) -> tuple[list[Text], list[Line]]:
    texts, lines = [], []
    for names, edge, way in ((part.left, box.x, -1), (part.right, box.x + box.width, 1)):
        for number, name in enumerate(names):
            net = tagged.get(f"{part.name}.{name}")
            if net is None:
                continue
            y = box.y + _head(part) + number * PITCH
            lines.append(Line(((edge, y), (edge + way * GAP, y)), net.kind))
            anchor = "start" if way > 0 else "end"
            color = COLORS[net.kind]
            texts.append(Text(net.name, edge + way * (GAP + 3), y + 4, anchor, bold=True, color=color))
    return texts, lines


def _end(diagram: Diagram, end: str, columns: dict[int, tuple[float, float, float]], top: float) -> tuple[float, float]:
    name, terminal = end.split(".", 1)
    part = next(part for part in diagram.parts if part.name == name)
    x, width, _ = columns[part.column]
    if terminal in part.right:
        return x + width, (part.row + part.right.index(terminal)) * PITCH - top
    return x, (part.row + part.left.index(terminal)) * PITCH - top


def _runs(line: Line) -> list[Box]:
    """Its straight pieces, each a thin box that leaves out the piece's own ends."""
    found = []
    for (x1, y1), (x2, y2) in zip(line.points, line.points[1:], strict=False):
        flat = y1 == y2
        x, y = min(x1, x2) + (1 if flat else -0.5), min(y1, y2) + (-0.5 if flat else 1)
        found.append(Box("", x, y, max(abs(x2 - x1) - 2, 1), max(abs(y2 - y1) - 2, 1)))
    return found


def _along(one: Box, two: Box) -> bool:
    return one.meets(two) and (one.width > one.height) == (two.width > two.height)
