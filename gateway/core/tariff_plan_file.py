"""The plans of a tariff file: free time, bands, steps, tables of totals, flat charges, caps, discount, lost ticket.

Owns the keys below [plan.NAME] and what must hold between them. Rules: bands cover every day once, without gap or overlap; a
key that means nothing beside another one is refused; a total that falls needs a file that says so.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from math import lcm

from gateway.core.tariff_plan import (
    DAY_MINUTES,
    MINUTE_MS,
    Band,
    Cap,
    Discount,
    Flat,
    Free,
    Lost,
    Plan,
    Step,
    Tail,
    Text,
)
from gateway.core.tariff_settings import (
    Boundary,
    CapPer,
    ChargedFrom,
    Durations,
    Falls,
    FlatPer,
    FreePer,
    NextPeriod,
    Seconds,
    Stays,
    Straddle,
)
from gateway.core.tariff_table import Table, clock_text

AMOUNT_MINOR_MAX = 10_000_000
"""Highest single amount; a year of minutes at it, a hundred times over, stays below 2^53."""
MINUTES_MAX = 7 * DAY_MINUTES
"""Longest unit, free time or period of a cap: a week."""
UNITS_MAX, BANDS_MAX, CAPS_MAX, AMOUNTS_MAX = 1000, 24, 4, 10
LINES_MAX = 10
"""Lines of the longest bill without what is handed to it, so that the record which carries it stays below its 4 kB."""
TITLE_BYTES_MAX = 60
"""UTF-8 bytes of a title: one line of a lane's display."""
TEXT_BYTES_MAX = 40
"""UTF-8 bytes of a text on the bill: eight lines with such texts take 2 kB of the 4 kB of an exit record."""
REST_MIN = 10 * 366 * DAY_MINUTES
"""Length of a table's last row, longer than any stay."""


class Charge(StrEnum):
    """Whether a begun unit is charged whole, or in proportion to its use."""

    BEGUN = "begun"
    PRORATED = "prorated"


def read_plan(table: Table, day_names: tuple[str, ...], falls: Falls) -> Plan:
    """One [plan.NAME]; `day_names` are the names that the file gives to days. Raises TariffError."""
    durations = table.choice("durations", Durations)
    if durations is Durations.WALL and falls is Falls.NEVER:
        remedy = 'write falls = "allowed" at the top: in an hour that the clock repeats a longer stay costs less'
        raise table.wrong("durations", durations, remedy)
    bands = tuple(_band(row, day_names, falls) for row in table.tables("band", "band", most=BANDS_MAX))
    if len(bands) > 1:
        straddle = table.choice("straddle", Straddle)
    else:
        table.without(("straddle",), "with one band no unit can straddle an edge")
        straddle = Straddle.RESTART
    begins = {name: _begins(table, bands, name) for name in day_names or ("",)}
    _check_turn(table, bands, begins)
    caps = tuple(_cap(row, bands) for row in table.tables("cap", "cap", least=0, most=CAPS_MAX))
    discounts = [
        Discount(row.integer("percent", 1, 100), read_text(row))
        for row in table.tables("discount", "discount", least=0, most=1)
    ]
    lost = [
        Lost(row.integer("amount_minor", 0, AMOUNT_MINOR_MAX), read_text(row))
        for row in table.tables("lost", "lost", least=0, most=1)
    ]
    _check_lines(table, bands, 1 + len(caps) + len(discounts))
    if caps and any(step.amount_minor < 0 for band in bands for step in _steps(band)):
        raise table.wrong(
            "cap", "a cap", "cap = [] where a total falls: a period that has reached its cap cannot fall again"
        )
    return Plan(
        durations=durations,
        seconds=table.choice("seconds", Seconds),
        straddle=straddle,
        free=_free(table.inner("free", "free")),
        bands=bands,
        caps=caps,
        discount=discounts[0] if discounts else None,
        lost=lost[0] if lost else None,
        begins=begins,
        shares=_shares(table, bands, straddle),
    )


def read_text(table: Table, bytes_max: int = TEXT_BYTES_MAX) -> Text:
    """The texts `zh` and `en` of a table, of so many UTF-8 bytes at most. Raises TariffError."""
    texts = {key: table.text(key) for key in ("zh", "en")}
    for key, text in texts.items():
        if not (text.isprintable() and 0 < len(text.encode()) <= bytes_max):
            raise table.wrong(key, text, f"printable text of 1 to {bytes_max} UTF-8 bytes")
    return Text(**texts)


def _steps(band: Band) -> tuple[Step, ...]:
    return () if isinstance(band.charge, Flat) else band.charge


def _free(table: Table) -> Free:
    return Free(
        table.integer("limit_min", 0, MINUTES_MAX) * MINUTE_MS,
        table.choice("boundary", Boundary),
        table.choice("charged_from", ChargedFrom),
        table.choice("per", FreePer),
        read_text(table),
    )


def _begins(plan: Table, bands: tuple[Band, ...], name: str) -> tuple[tuple[int, int], ...]:
    """The bands of the days of this name by their first minute; refuses days that they do not cover once."""
    rows = sorted((band.from_minute, index) for index, band in enumerate(bands) if name in band.days or not name)
    on = f" on days {name}" if name else ""
    if not rows:
        raise plan.wrong("band", "none" + on, "bands that cover every day")
    for (begin, index), (following, _) in zip(rows, [*rows[1:], rows[0]], strict=True):
        end = bands[index].to_minute
        if end % DAY_MINUTES != following:
            raise plan.wrong(
                "band",
                f"{clock_text(begin)}-{clock_text(end)}{on}",
                f"bands that cover the day once; the next begins at {clock_text(following)}",
            )
    if sum((bands[index].to_minute - begin - 1) % DAY_MINUTES + 1 for begin, index in rows) != DAY_MINUTES:
        raise plan.wrong("band", f"more than 24 hours{on}", "bands that cover the day once")
    return tuple(rows)


def _check_turn(plan: Table, bands: tuple[Band, ...], begins: dict[str, tuple[tuple[int, int], ...]]) -> None:
    """Days of different names hand over at the minute at which each of them begins its first band."""
    turns = {name: rows[0][0] for name, rows in begins.items()}
    first = next(iter(turns.values()))
    for name, turn in turns.items():
        if turn != first:
            remedy = f"a band that begins at {clock_text(first)}, where the days before it end"
            raise plan.wrong("band", f"days {name} begin at {clock_text(turn)}", remedy)
    if len(bands) == 1 and bands[0].from_minute != 0:
        raise plan.wrong("band", clock_text(first), 'from = "00:00" and to = "24:00" for the only band')


def _check_lines(plan: Table, bands: tuple[Band, ...], others: int) -> None:
    lines = others + sum(1 if isinstance(band.charge, Flat) else len(band.charge) for band in bands)
    if lines > LINES_MAX:
        remedy = f"at most {LINES_MAX - others} steps, rows and flat charges in all bands beside free time, caps and discount"
        raise plan.wrong("band", f"{lines} bill lines", remedy)


def _shares(plan: Table, bands: tuple[Band, ...], straddle: Straddle) -> int:
    """In how many parts a minor unit must be divided, so that no amount of this plan is rounded on the way."""
    steps = [step for band in bands for step in _steps(band)]
    divided = [step.unit_ms for step in steps if step.tail is None or straddle is Straddle.PRO_RATA]
    if straddle is Straddle.PRO_RATA and REST_MIN * MINUTE_MS in divided:
        raise plan.wrong(
            "straddle", straddle, '"restart" or "start-band": a table\'s last row has no length to divide by'
        )
    return lcm(*divided)


def _band(table: Table, day_names: tuple[str, ...], falls: Falls) -> Band:
    begin, end = table.clock("from", DAY_MINUTES), table.clock("to", DAY_MINUTES)
    if begin == DAY_MINUTES:
        raise table.wrong("from", "24:00", 'write "00:00" for midnight as a beginning')
    days = _band_days(table, day_names)
    if begin == end and not day_names:
        raise table.wrong("to", clock_text(end), "an end that differs from the beginning")
    if table.has("flat") == (table.has("step") or table.has("table")):
        raise table.wrong("step", "both or neither", "either one flat table, or step tables, or a table of totals")
    if table.has("flat"):
        return Band(days, begin, end, _flat(table.inner("flat", "flat")))
    steps = [*_table_steps(table, falls), *(_more_steps(table) if table.has("step") else [])]
    if (steps[-1].units is None) == (steps[-1].unit_ms == REST_MIN * MINUTE_MS):
        raise table.wrong("table", "no end", 'until_min = "rest" in the last row, or step tables for what follows')
    return Band(days, begin, end, tuple(steps))


def _band_days(table: Table, day_names: tuple[str, ...]) -> tuple[str, ...]:
    if not day_names:
        table.without(("days",), "the file names no days")
        return ()
    days = tuple(table.texts("days"))
    for name in days or ("none",):
        if name not in day_names:
            raise table.wrong("days", name, f"names of days of this file: {', '.join(day_names)}")
    return days


def _table_steps(band: Table, falls: Falls) -> list[Step]:
    """A table of totals by length, each row one unit that lasts from the row before it to its own end."""
    if not band.has("table"):
        return []
    rows = band.tables("table", "table")
    ends, totals = [0], [0]
    for row in rows:
        last = row is rows[-1] and row.content.get("until_min") == "rest" and not band.has("step")
        until = (
            REST_MIN + ends[-1]
            if last
            else row.integer("until_min", ends[-1] + 1, MINUTES_MAX, ' or "rest" at the end')
        )
        total = row.integer("total_minor", 0, AMOUNT_MINOR_MAX)
        if total < totals[-1] and falls is Falls.NEVER:
            remedy = f'at least {totals[-1]}, the total before it, or falls = "allowed" at the top of the file'
            raise row.wrong("total_minor", total, remedy)
        ends.append(until)
        totals.append(total)
    whole = Tail(0, Boundary.INCLUSIVE)
    return [
        Step(1, (until - since) * MINUTE_MS, whole, total - before, read_text(row))
        for (since, until), (before, total), row in zip(pairwise(ends), pairwise(totals), rows, strict=True)
    ]


def _more_steps(band: Table) -> list[Step]:
    rows = band.tables("step", "step")
    steps = [_step(row) for row in rows]
    for row, step in zip(rows, steps, strict=True):
        if (step.units is None) != (row is rows[-1]):
            raise row.wrong("units", step.units or "rest", 'a number, and "rest" in the last step only')
    return steps


def _step(table: Table) -> Step:
    unit_min = table.integer("unit_min", 1, MINUTES_MAX)
    units = None if table.content.get("units") == "rest" else table.integer("units", 1, UNITS_MAX, ' or "rest"')
    amount_minor = table.integer("amount_minor", 0, AMOUNT_MINOR_MAX)
    if table.choice("charge", Charge) is Charge.BEGUN:
        tail: Tail | None = _tail(table, unit_min - 1)
    else:
        table.without(("tail_min", "tail_boundary"), "what is paid in proportion has no unit to drop")
        tail = None
    return Step(units, unit_min * MINUTE_MS, tail, amount_minor, read_text(table))


def _flat(table: Table) -> Flat:
    tail = _tail(table, MINUTES_MAX)
    return Flat(
        table.choice("per", FlatPer), tail, table.integer("amount_minor", 0, AMOUNT_MINOR_MAX), read_text(table)
    )


def _tail(table: Table, minutes_max: int) -> Tail:
    minutes = table.integer("tail_min", 0, minutes_max)
    boundary = table.choice("tail_boundary", Boundary)
    if minutes == 0 and boundary is Boundary.EXCLUSIVE:
        raise table.wrong(
            "tail_boundary", boundary, '"inclusive": with no tail, a unit of which 0 s are used is never charged'
        )
    return Tail(minutes * MINUTE_MS, boundary)


def _cap(table: Table, bands: tuple[Band, ...]) -> Cap:
    per = table.choice("per", CapPer)
    minute, period_min = 0, 0
    if per is CapPer.BAND:
        minute = table.clock("band", DAY_MINUTES - 1)
        if all(band.from_minute != minute for band in bands):
            raise table.wrong("band", clock_text(minute), "the from of one of the bands of this plan")
    elif per is CapPer.CALENDAR_DAY:
        minute = table.clock("begins", DAY_MINUTES - 1)
    elif per is CapPer.FROM_ENTRY:
        period_min = table.integer("period_min", 1, MINUTES_MAX)
    owner = {"band": CapPer.BAND, "begins": CapPer.CALENDAR_DAY, "period_min": CapPer.FROM_ENTRY}
    table.without([key for key, belongs in owner.items() if belongs is not per], f'it means nothing with per = "{per}"')
    if per in (CapPer.CALENDAR_DAY, CapPer.FROM_ENTRY):
        next_period, stays = table.choice("next_period", NextPeriod), table.choice("stays", Stays)
    else:
        table.without(("next_period", "stays"), f'it means nothing with per = "{per}"')
        next_period, stays = NextPeriod.CONTINUE, Stays.ONE
    return Cap(per, minute, period_min * MINUTE_MS, next_period, stays, _amounts(table, per), read_text(table))


def _amounts(table: Table, per: CapPer) -> tuple[int, ...]:
    """One amount, or one for each period with the last holding on, or none where the source leaves it open."""
    found = table.content.get("amount_minor")
    if found == "open":
        return ()
    if not isinstance(found, list) or per is not CapPer.FROM_ENTRY:
        return (table.integer("amount_minor", 0, AMOUNT_MINOR_MAX, ', a list of them, or "open"'),)
    return tuple(table.integers("amount_minor", 0, AMOUNT_MINOR_MAX, AMOUNTS_MAX))
