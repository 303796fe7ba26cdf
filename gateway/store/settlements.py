"""How what follows an exit lies in its tables: used ids, terms, tills, closed days.

Owns their rows in both directions: no transaction, no rule. The open day has no table: its figures are counted again from the
records since the last closing, which are at most a day's while the gateway runs.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter

from gateway.core.answer import Answer, Till
from gateway.core.days import QUARTER_MS, Uncounted, count
from gateway.core.moment import ClockQuality


def write(connection: sqlite3.Connection, answer: Answer) -> None:
    """Make what an answer changed durable."""
    many = connection.executemany
    many("INSERT INTO used VALUES (?, ?, ?)", [(*key, content) for key, content in answer.used.items()])
    many("DELETE FROM till WHERE shift = ?", [(shift,) for shift in answer.tills])
    open_tills = [till for till in answer.tills.values() if till is not None]
    many(
        "INSERT INTO till VALUES (?, ?, ?, ?, ?)",
        [(t.shift, t.attendant, t.float_minor, t.payments, t.cash_minor) for t in open_tills],
    )
    many("INSERT INTO day VALUES (?, ?)", list(answer.closed_days.items()))


def past_term(connection: sqlite3.Connection, now_ms: int, limit: int) -> list[str]:
    """Ids of stays whose term has passed, the oldest first."""
    sql = "SELECT id FROM session WHERE next_ms > 0 AND next_ms <= ? ORDER BY next_ms LIMIT ?"
    return [row[0] for row in connection.execute(sql, (now_ms, limit))]


def used(connection: sqlite3.Connection, kind: str, id_: str) -> str | None:
    """The content under which an id was applied."""
    found = connection.execute("SELECT content FROM used WHERE kind = ? AND id = ?", (kind, id_)).fetchone()
    return str(found[0]) if found is not None else None


def tills(connection: sqlite3.Connection) -> tuple[Till, ...]:
    """The open shifts."""
    found = connection.execute("SELECT shift, attendant, float_minor, payments, cash_minor FROM till ORDER BY shift")
    return tuple(Till(*row) for row in found)


def closed_day(connection: sqlite3.Connection, day: str) -> dict[str, dict[str, int]]:
    """The figures of a closed day by its name."""
    sql = "SELECT r.line FROM day d JOIN record r ON r.n = d.n WHERE d.day = ?"
    found = connection.execute(sql, (day,)).fetchone()
    return {day: json.loads(found[0])["body"]["figures"]} if found is not None else {}


def uncounted(connection: sqlite3.Connection) -> Uncounted:
    """What the records since the last day was closed have moved; however many there are, one at a time is in memory."""
    last = connection.execute(
        "SELECT r.n, r.line FROM day d JOIN record r ON r.n = d.n ORDER BY d.n DESC LIMIT 1"
    ).fetchone()
    first = connection.execute("SELECT n - 1, line FROM record ORDER BY n LIMIT 1").fetchone()
    if not (last or first):
        base = connection.execute("SELECT n FROM restored").fetchone()
        return Uncounted(after_n=base[0] if base else 0)
    closed = frozenset(row[0] for row in connection.execute("SELECT day FROM day"))
    n, line = last or first
    closing = json.loads(line)
    open_minor = closing["body"]["figures"]["open_minor"] if last else 0
    sums: Counter[str] = Counter()
    quarters = set() if closing["clock"] == ClockQuality.UNKNOWN else {closing["wall"] // QUARTER_MS}
    for (since,) in connection.execute("SELECT line FROM record WHERE n > ? ORDER BY n", (n,)):
        record = json.loads(since)
        count(sums, record["type"], record["body"])
        if record["clock"] != ClockQuality.UNKNOWN:
            quarters.add(record["wall"] // QUARTER_MS)
    return Uncounted(frozenset(quarters), n, open_minor, sums, closing["wall"] if last else 0, closed)
