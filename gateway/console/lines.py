"""How the terminal writes what the picture holds: short words, ages, money, and a row for each table.

Rules: pure; text of others loses what could move a cursor; an unknown value is a dash, never a zero. Knows no widget.
"""

from __future__ import annotations

import unicodedata

from gateway.console.picture import CLOCK_OFF_MS, Json

DASH = "–"
STATES = {"online": "online", "offline": "stopped", "lost": "LOST", "unknown": "?"}
SORTS = ("worst", "name", "fullest")


def clean(text: str) -> str:
    """Text of others, without anything that could give orders to a terminal."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def cut(text: str, cells: int) -> str:
    """As much of a text as fits into so many cells; a Chinese letter takes two."""
    taken = 0
    for at, letter in enumerate(text):
        taken += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if taken > cells:
            return text[:at]
    return text


def duration(ms: int) -> str:
    """How long, in three or four letters."""
    s = max(0, ms // 1000)
    for limit_s, unit_s, unit in ((100, 1, "s"), (6_000, 60, "m"), (172_800, 3_600, "h")):
        if s < limit_s:
            return f"{s // unit_s}{unit}"
    return f"{s // 86_400}d"


def age(at_ms: int | None, now_ms: int) -> str:
    """How old a value is."""
    return DASH if at_ms is None else duration(now_ms - at_ms)


def money(minor: int) -> str:
    """An amount in hundredths."""
    return f"{minor // 100}.{minor % 100:02d}"


def clock(ahead_ms: int | None) -> str:
    """How far a gateway's clock is off."""
    if ahead_ms is None:
        return DASH
    if abs(ahead_ms) <= CLOCK_OFF_MS:
        return "good"
    return f"{'+' if ahead_ms > 0 else '-'}{duration(abs(ahead_ms))}"


def places(row: Json) -> str:
    """Free of all bays."""
    return f"{row['free']}/{row['total']}" if row["total"] else DASH


def gauge(row: Json, width: int) -> str:
    """The taken share as a bar of so many letters."""
    if not row["total"]:
        return ""
    taken = round(_taken(row) * width)
    return "█" * taken + "░" * (width - taken)


def trouble(row: Json) -> str:
    """What is wrong, worst first."""
    words = (("urgent", "urgent"), ("warning", "warn"), ("info", "info"))
    found = [f"{row[name]} {word}" for name, word in words if row[name]]
    if row["lanes_bad"]:
        found.append(f"{row['lanes_bad']} lane bad")
    return ", ".join(found) or DASH


def lot_row(row: Json, now_ms: int, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The cells of a lot in the overview, for some of LOT_COLUMNS."""
    cells = {
        "Lot": cut(clean(row["lot"]), LOT_CELLS),
        "State": STATES[row["state"]],
        "Taken": gauge(row, 8),
        "Free": places(row),
        "In": DASH if row["inside"] is None else str(row["inside"]),
        "Trouble": trouble(row),
        "Waits": DASH if row["backlog"] is None else str(row["backlog"]),
        "Hour": money(row["hour_minor"]) if row["hour_cars"] else DASH,
        "Clock": clock(row["ahead_ms"]),
        "Age": age(row["occ_ms"], now_ms),
    }
    return tuple(cells[column] for column in columns)


LOT_CELLS = 19
LOT_COLUMNS = ("Lot", "State", "Taken", "Free", "In", "Trouble", "Waits", "Hour", "Clock", "Age")
NARROW_COLUMNS = ("Lot", "State", "Free", "In", "Trouble", "Waits", "Age")
"""What fits into 80 letters."""


def ordered(rows: dict[str, Json], sort: str, sought: str) -> list[Json]:
    """The rows whose lot or gateway holds what is sought, in one of SORTS."""
    wanted = sought.casefold()
    found = [row for row in rows.values() if wanted in f"{row['lot']} {row['gw']}".casefold()]
    match sort:
        case "name":
            return sorted(found, key=lambda row: (row["lot"], row["gw"]))
        case "fullest":
            return sorted(found, key=lambda row: (-_taken(row), row["lot"], row["gw"]))
        case _:
            return sorted(found, key=lambda row: (-row["bad"], -row["urgent"], -row["warning"], row["lot"], row["gw"]))


def state_line(lot: Json, now_ms: int) -> str:
    """One lot in a line of at most 80 letters."""
    inside = DASH if lot["inside"] is None else lot["inside"]
    waits = DASH if lot["backlog"] is None else lot["backlog"]
    return (
        f"{STATES[lot['state']]} {age(lot['state_ms'], now_ms)} · {inside} inside · {places(lot)} free "
        f"({age(lot['occ_ms'], now_ms)}) · {waits} waiting · clock {clock(lot['ahead_ms'])}"
    )


def day_line(lot: Json) -> str:
    """What the little plot shows, and the last hour's money."""
    values = [row[1] for row in lot["places"]]
    hour = f"{money(lot['hour_minor'])} {clean(lot['currency'])} from {lot['hour_cars']} in the last hour"
    return f"inside: lowest {min(values)}, highest {max(values)} · {hour}" if values else hour


def lane_row(lane: Json, now_ms: int) -> tuple[str, ...]:
    """A lane: lane, role, barrier, node, how old that is; what happened last, and how long ago."""
    last = lane["last"]
    return (
        clean(lane["lane"]),
        clean(lane["role"]) or DASH,
        lane["barrier"],
        lane["node"],
        age(lane["at_ms"], now_ms),
        clean(f"{last['kind']} {last['plate']}") if last else DASH,
        age(last["at_ms"], now_ms) if last else DASH,
    )


LANE_COLUMNS = ("Lane", "Role", "Barrier", "Node", "Age", "Last", "Ago")


def notice_row(notice: Json, now_ms: int) -> tuple[str, ...]:
    """Something that happened: age, event, lane, plate, amount."""
    amount = money(notice["amount_minor"]) if notice["amount_minor"] else ""
    return (
        age(notice["at_ms"], now_ms),
        clean(notice["kind"]),
        clean(notice["lane"]),
        clean(notice["plate"]),
        amount,
    )


NOTICE_COLUMNS = ("Age", "Event", "Lane", "Plate", "Amount")


def alarm_line(alarm: Json, now_ms: int) -> str:
    """An alarm with its remedy."""
    return clean(f"{alarm['severity'].upper()} {alarm['cause']} {alarm['remedy']} ({age(alarm['since_ms'], now_ms)})")


def _taken(row: Json) -> float:
    return float((row["total"] - row["free"]) / row["total"]) if row["total"] else -1.0
