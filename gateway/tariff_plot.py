"""The price of a stay over its length as a picture: `lotgate tariff plot`, as text for a terminal or as SVG.

Owns the axes and the drawing of steps as steps. Rules: the price is asked once a minute, so a step stands at the minute from
which on the new price is owed; nothing is smoothed. `tariff_png` makes dots of the same drawing. Prices nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from gateway.core.calendar import Calendar
from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff import Tariff
from gateway.core.tariff_file import amount_text
from gateway.core.tariff_plan import MINUTE_MS
from gateway.core.tariff_time import local_time

HOURS_MAX = 168
"""Longest plot: a week, ten thousand prices."""
WIDTH, HEIGHT = 960, 480
LEFT, RIGHT, TOP, BOTTOM = 92, 24, 72, 64
TICKS_MAX = 12
TERMINAL_COLUMNS, TERMINAL_ROWS = 72, 12
BARS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Curve:
    """What a stay from one entry owes after each minute, `amounts_minor[0]` after none; with what a reader must know of it."""

    title: str
    subtitle: str
    currency: str
    amounts_minor: tuple[int, ...]

    @property
    def minutes(self) -> int:
        return len(self.amounts_minor) - 1

    @property
    def top_minor(self) -> int:
        """The upper end of the axis, a whole number of ticks above the highest price."""
        tick = step_of(max(self.amounts_minor), 6)
        return (max(self.amounts_minor) // tick + 1) * tick


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a point; `anchor` says which of its ends or its middle stands there, `size` is its height in dots."""

    x: int
    y: int
    text: str
    anchor: str
    size: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything on the picture in dots from the upper left: thin lines, labels, and the corners of the price's line."""

    grid: tuple[tuple[int, int, int, int], ...]
    axes: tuple[tuple[int, int, int, int], ...]
    labels: tuple[Label, ...]
    steps: tuple[tuple[int, int], ...]


def curve(
    tariff: Tariff, entry_ms: int, hours: int, pair: tuple[Vehicle, Energy], *, calendar: Calendar | None = None
) -> Curve:
    """The price of stays of up to `hours` hours from one entry. TariffError as `Tariff.bill` raises it."""
    amounts = tuple(
        tariff.bill(entry_ms, entry_ms + minute * MINUTE_MS, *pair, calendar=calendar).amount_minor
        for minute in range(min(hours, HOURS_MAX) * 60 + 1)
    )
    entry = local_time(tariff.rules.zone, entry_ms)
    return Curve(
        title=tariff.rules.title.en,
        subtitle=f"{tariff.name}: {pair[0]} {pair[1]}, entered {entry:%Y-%m-%d %H:%M} {tariff.rules.zone.key}",
        currency=tariff.currency,
        amounts_minor=amounts,
    )


def plot_json(found: Curve) -> dict[str, object]:
    """The curve as JSON values: the minutes at which the price changes, and what is owed from there on."""
    changes = [
        {"minute": minute, "amount_minor": amount}
        for minute, amount in enumerate(found.amounts_minor)
        if minute == 0 or amount != found.amounts_minor[minute - 1]
    ]
    return {
        "title": found.title,
        "what": found.subtitle,
        "currency": found.currency,
        "minutes": found.minutes,
        "steps": changes,
    }


def plot_text(found: Curve) -> str:
    """The curve for a terminal: one column for an equal part of the time, the price at its end as a bar."""
    columns = min(TERMINAL_COLUMNS, found.minutes)
    at = [found.amounts_minor[(column + 1) * found.minutes // columns] for column in range(columns)]
    eighths = [amount * TERMINAL_ROWS * 8 // found.top_minor for amount in at]
    lines = [f"{found.title} ({found.currency})", found.subtitle]
    for row in reversed(range(TERMINAL_ROWS)):
        mark = amount_text(found.top_minor * (row + 1) // TERMINAL_ROWS, found.currency) if row % 3 == 2 else ""
        bars = "".join(BARS[max(0, min(8, height - row * 8))] for height in eighths)
        lines.append(f"{mark:>10} |{bars}".rstrip())
    lines.append(f"{amount_text(0, found.currency):>10} +{'-' * columns}")
    middle = f"{found.minutes // 2 / 60:g}"
    lines.append(f"{'':>11}0{middle:^{columns - 2}}{found.minutes / 60:g}".rstrip() + " h after entry")
    return "\n".join(lines) + "\n"


def plot_svg(found: Curve) -> str:
    """The curve as an SVG document."""
    picture = drawing(found)
    path = "M" + " L".join(f"{x} {y}" for x, y in picture.steps)
    area = f"{path} L{picture.steps[-1][0]} {HEIGHT - BOTTOM} L{LEFT} {HEIGHT - BOTTOM} Z"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"',
        '  font-family="sans-serif" fill="#333">',
        f"<title>{escape(found.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *_svg_lines(picture.grid, "#e4e4e4"),
        f'<path d="{area}" fill="#1b6ca8" fill-opacity="0.08"/>',
        *_svg_lines(picture.axes, "#333"),
        f'<path d="{path}" fill="none" stroke="#1b6ca8" stroke-width="2"/>',
    ]
    for label in picture.labels:
        place = f'x="{label.x}" y="{label.y}" font-size="{label.size}" text-anchor="{label.anchor}"'
        lines.append(f"<text {place}>{escape(label.text)}</text>")
    return "\n".join([*lines, "</svg>"]) + "\n"


def drawing(found: Curve) -> Drawing:
    """Where everything stands on the picture."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    bottom = HEIGHT - BOTTOM

    def x_of(minute: int) -> int:
        return LEFT + minute * wide // found.minutes

    def y_of(amount_minor: int) -> int:
        return bottom - amount_minor * high // found.top_minor

    minute_tick, amount_tick = _minute_tick(found.minutes), step_of(max(found.amounts_minor), 6)
    minutes = range(0, found.minutes + 1, minute_tick)
    amounts = range(0, found.top_minor + 1, amount_tick)
    grid = [(x_of(minute), TOP, x_of(minute), bottom) for minute in minutes]
    grid += [(LEFT, y_of(amount), WIDTH - RIGHT, y_of(amount)) for amount in amounts]
    labels = [Label(LEFT, 24, found.title, "start", 18), Label(LEFT, 44, found.subtitle, "start", 12)]
    labels += [Label(x_of(minute), bottom + 20, f"{minute / 60:g}", "middle", 12) for minute in minutes]
    labels += [Label(LEFT - 8, y_of(a) + 4, amount_text(a, found.currency), "end", 12) for a in amounts]
    labels += [
        Label(LEFT + wide // 2, HEIGHT - 20, "hours after entry", "middle", 13),
        Label(LEFT - 8, TOP - 12, found.currency, "end", 13),
    ]
    axes = ((LEFT, TOP, LEFT, bottom), (LEFT, bottom, WIDTH - RIGHT, bottom))
    corners = ((x_of(minute), y_of(amount)) for minute, amount in _corners(found))
    return Drawing(tuple(grid), axes, tuple(labels), tuple(dict.fromkeys(corners)))


def step_of(most: int, ticks: int) -> int:
    """A round number (1, 2 or 5 with zeros) of which at most `ticks` fit into `most`."""
    size = 1
    while True:
        for part in (1, 2, 5):
            if part * size * ticks >= most:
                return part * size
        size *= 10


def _minute_tick(minutes: int) -> int:
    ticks = (5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440)
    return next(tick for tick in ticks if minutes <= tick * TICKS_MAX or tick == ticks[-1])


def _corners(found: Curve) -> Iterator[tuple[int, int]]:
    """The corners of the line: before a change the old price, at it the new one."""
    last = found.amounts_minor[0]
    yield 0, last
    for minute, amount in enumerate(found.amounts_minor):
        if amount != last:
            yield minute, last
            yield minute, amount
            last = amount
    yield found.minutes, last


def _svg_lines(lines: tuple[tuple[int, int, int, int], ...], colour: str) -> Iterator[str]:
    for x1, y1, x2, y2 in lines:
        yield f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}"/>'
