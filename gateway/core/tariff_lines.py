"""The lines of a bill: charges merged, lowerings added, parts of minor units rounded.

Owns what a driver reads on a bill, and the one rounding of an amount, in `_rounded`. Rules: charges of the same text and
price are one line; the lines sum to the amount; each is its units times their price. Refuses to know bands and caps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gateway.core.tariff_plan import MINUTE_MS, Text
from gateway.core.tariff_settings import Lowering, Rounding
from gateway.core.tariff_till import Lowered
from gateway.core.tariff_units import Charge


@dataclass(frozen=True, slots=True)
class BillLine:
    """`units` times `unit_minor` make `amount_minor`; the time is UTC ms, from the first unit to the end of the last."""

    text_zh: str
    text_en: str
    from_ms: int
    to_ms: int
    units: int
    unit_minor: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line in the making: whole units at their price, or one unit of `parts` of a minor unit. `used_ms`: time to be told."""

    text: Text
    from_ms: int
    to_ms: int
    units: int
    unit_minor: int
    whole: bool
    used_ms: int
    parts: int

    def with_more(self, other: Line) -> Line:
        return replace(
            self,
            to_ms=other.to_ms,
            units=self.units + other.units,
            used_ms=self.used_ms + other.used_ms,
            parts=self.parts + other.parts,
        )


def charge_lines(due: Iterable[Charge], times: int) -> Iterable[Line]:
    """One line for each text and price, in the order of first use."""
    merged: dict[tuple[Text, int, bool], Line] = {}
    for charge in due:
        whole = charge.used_ms is None
        line = Line(
            charge.text,
            charge.due_ms,
            charge.to_ms,
            charge.units,
            charge.unit_minor * times,
            whole,
            charge.used_ms or 0,
            charge.amount * times,
        )
        key = charge.text, charge.unit_minor, whole
        merged[key] = merged[key].with_more(line) if key in merged else line
    return merged.values()


def lowering_lines(lowered: Lowered, from_ms: int, to_ms: int, short: int) -> Iterator[Line]:
    """What discounts, caps and coupons took off; coupons give back what would make the bill less than nothing."""
    for (lowering, text), off in lowered.items():
        if lowering is Lowering.COUPON:
            off, short = max(0, off + short), min(0, off + short)
        if off:
            yield Line(text, from_ms, to_ms, 1, 0, False, 0, -off)


def bill_lines(lines: Iterable[Line], scale: int, rule: Rounding, exit_ms: int) -> Iterator[BillLine]:
    parts = shown_minor = 0
    for line in lines:
        parts += line.parts
        sum_minor = _rounded(parts, scale, rule)
        amount_minor, shown_minor = sum_minor - shown_minor, sum_minor
        units, unit_minor = (line.units, line.unit_minor) if line.whole else (1, amount_minor)
        text = _with_time(line.text, line.used_ms)
        to_ms = min(line.to_ms, exit_ms)
        yield BillLine(text.zh, text.en, min(line.from_ms, to_ms), to_ms, units, unit_minor, amount_minor)


def _with_time(text: Text, used_ms: int) -> Text:
    """The text with the time that was paid in proportion."""
    if not used_ms:
        return text
    minutes, rest_ms = divmod(used_ms, MINUTE_MS)
    seconds = rest_ms // 1000
    zh, en = f"{minutes}分钟", f"{minutes} min"
    return Text(
        f"{text.zh} {zh}{f'{seconds}秒' if seconds else ''}", f"{text.en}, {en}{f' {seconds} s' if seconds else ''}"
    )


def _rounded(parts: int, scale: int, rule: Rounding) -> int:
    """Whole minor units: the one place where an amount is rounded. A line is what the rounded sum grows by with it, so that the
    bill is the rounded sum of all, and a line of whole minor units stays as it is."""
    match rule:
        case Rounding.DOWN:
            return parts // scale
        case Rounding.HALF_UP:
            return (2 * parts + scale) // (2 * scale)
        case Rounding.UP:
            return -(-parts // scale)
