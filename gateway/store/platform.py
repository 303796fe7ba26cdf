"""The tables of a city's own lot protocol: written within the engine's transaction, read for uploads and answers.

Owns the rows and nothing else. Rules: a stay keeps its uid for ever; the cursor starts at the head of the ledger that the
platform was switched on for, so that nothing older is told. Refuses to know calls, fields and signatures.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from typing import Any

from gateway.core.platform_state import (
    Aside,
    DayBill,
    Entry,
    KeptPush,
    PlatformAnswer,
    PlatformBill,
    PlatformStay,
    PushState,
)
from gateway.core.record import Record
from gateway.core.session import Session
from gateway.store import rows

LIKE_MAX = 64
"""Pushes alike in request or content that a step looks at: the platform repeats a push some times, not hundreds."""
STAY = "SELECT session, lane, stamp_ms, uid, free_in FROM platform_stay"
BILL = """\
SELECT bill, session, exit_n, at_ms, free_out, owed_minor, paid_minor, applied, passed, reversed, told FROM platform_bill
"""
PUSH = "SELECT request, digest, name, text, since_ms, state, session, verdict, amount_minor, payment FROM platform_push"
DAY = """\
SELECT bill, owed_minor, platform_bill.paid_minor, coalesce(disclosure.plate, '') FROM platform_bill
JOIN session ON session.id = platform_bill.session
LEFT JOIN disclosure ON disclosure.n = session.plate_n
WHERE at_ms BETWEEN ? AND ? AND applied AND NOT reversed ORDER BY bill
"""
UNPAID = """\
SELECT bill FROM session JOIN platform_bill ON platform_bill.session = session.id
WHERE session.state = 'due' AND applied AND NOT reversed
ORDER BY exit_n LIMIT ?
"""
UNAUTHORIZED = """\
SELECT session.id FROM session JOIN platform_stay ON platform_stay.session = session.id
WHERE session.state IN ('inside', 'held') AND session.lease = '' ORDER BY session.plate_n DESC LIMIT ?
"""


class PlatformStore:
    """Reads and writes over the journal's connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def open(self, head_n: int) -> None:
        """Begin at the head if this ledger never spoke to a platform."""
        self._connection.execute("INSERT OR IGNORE INTO platform_cursor VALUES (1, ?, '')", (head_n,))

    def cursor(self) -> tuple[int, str]:
        """The last record of which a call was taken, and that call."""
        n, call = self._connection.execute("SELECT n, call FROM platform_cursor").fetchone()
        return n, call

    def stamps(self) -> dict[str, int]:
        """Lane -> the newest time inside a uid."""
        return dict(self._connection.execute("SELECT lane, max(stamp_ms) FROM platform_stay GROUP BY lane"))

    def pushes_like(self, request: str, digest: str) -> list[KeptPush]:
        """Pushes under this request or with this content."""
        sql = f"{PUSH} WHERE request = ? UNION SELECT * FROM ({PUSH} WHERE digest = ? ORDER BY since_ms DESC LIMIT ?)"
        return [_push(row) for row in self._connection.execute(sql, (request, digest, LIKE_MAX))]

    def unanswered(self, limit: int) -> list[KeptPush]:
        """Pushes whose outcome is to be told to the platform, the oldest first."""
        sql = f"{PUSH} WHERE state IN ('owed', 'refused') ORDER BY since_ms, request LIMIT ?"
        return [_push(row) for row in self._connection.execute(sql, (limit,))]

    def waiting(self) -> list[KeptPush]:
        """Pushes that wait for their stay or bill, the oldest first."""
        return [_push(row) for row in self._connection.execute(f"{PUSH} WHERE state = 'waiting' ORDER BY since_ms")]

    def bill(self, bill: str) -> PlatformBill | None:
        """The bill of an id."""
        return self._bill(f"{BILL} WHERE bill = ?", (bill,))

    def stay(self, session: str) -> PlatformStay | None:
        """A stay's name."""
        found = self._connection.execute(f"{STAY} WHERE session = ?", (session,)).fetchone()
        return PlatformStay(*found) if found else None

    def asides(self, now_ms: int, limit: int) -> list[Aside]:
        """Uploads set aside whose time has come, the oldest record first."""
        sql = "SELECT n, call, reason, due_ms FROM platform_aside WHERE due_ms <= ? ORDER BY n, call LIMIT ?"
        return [Aside(*row) for row in self._connection.execute(sql, (now_ms, limit))]

    def day_bills(self, span_ms: tuple[int, int]) -> tuple[DayBill, ...]:
        """The bills that rest on the platform's authorizations and whose exit lies in a span of UTC ms."""
        found = self._connection.execute(DAY, span_ms)
        return tuple(DayBill(bill, owed, paid, plate.partition(" ")[2]) for bill, owed, paid, plate in found)

    def day_done(self, day: str) -> bool:
        """Whether a day was compared."""
        return self._connection.execute("SELECT 1 FROM platform_day WHERE day = ?", (day,)).fetchone() is not None

    def day_to_compare(self, days: Sequence[tuple[str, tuple[int, int]]]) -> tuple[str, tuple[str, ...]]:
        """The first of some days that was not compared and has bills, or the last of them; with its bills' plates."""
        for day, span_ms in days:
            if self.day_done(day):
                continue
            bills = self.day_bills(span_ms)
            if bills or day == days[-1][0]:
                return day, tuple(dict.fromkeys(bill.plate for bill in bills))
        return "", ()

    def unpaid(self, limit: int) -> tuple[str, ...]:
        """Bills on the platform's authorizations that are due, the oldest first."""
        found = self._connection.execute(UNPAID, (limit,))
        return tuple(row[0] for row in found)

    def unauthorized(self, limit: int) -> tuple[str, ...]:
        """Ids of stays inside that the platform knows and has not authorized, the newest first."""
        found = self._connection.execute(UNAUTHORIZED, (limit,))
        return tuple(row[0] for row in found)

    def entry(self, record: Record, body: Mapping[str, Any], find: Callable[[str], Session | None]) -> Entry:
        """A record with what an upload of it needs; `find` gives a session by its id."""
        session = str(body.get("session", ""))
        stay = self.stay(session)
        if stay is None:
            return Entry(record)
        text = self._payment_text(str(body.get("payment") or body.get("id", "")), session)
        bill = self.bill(json.loads(text)["billID"]) if text else self._last_bill(session, record.n)
        line = ""
        if bill is not None:
            line = self._connection.execute("SELECT line FROM record WHERE n = ?", (bill.exit_n,)).fetchone()[0]
        return Entry(record, find(session), stay, bill, line, text)

    def write(self, answer: PlatformAnswer) -> None:
        """What one step changes; within the caller's transaction."""
        many, one = self._connection.executemany, self._connection.execute
        many(
            "INSERT INTO platform_stay VALUES (?, ?, ?, ?, ?)",
            [(s.session, s.lane, s.stamp_ms, s.uid, s.free_in) for s in answer.stays.values()],
        )
        self._write_bills(answer)
        many(
            "INSERT OR REPLACE INTO platform_push VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                tuple(str(part) if isinstance(part, PushState) else part for part in astuple(p))
                for p in answer.pushes.values()
            ],
        )
        if answer.cursor is not None:
            one("UPDATE platform_cursor SET n = ?, call = ?", answer.cursor)
        for key, aside in answer.aside.items():
            if aside is None:
                one("DELETE FROM platform_aside WHERE n = ? AND call = ?", key)
            else:
                one("INSERT OR REPLACE INTO platform_aside VALUES (?, ?, ?, ?)", (*key, aside.reason, aside.due_ms))
        many("INSERT OR REPLACE INTO platform_day VALUES (?, ?)", list(answer.days.items()))
        one("DELETE FROM platform_push WHERE state = 'done' AND since_ms < ?", (answer.forget_before_ms,))

    def _write_bills(self, answer: PlatformAnswer) -> None:
        many = self._connection.executemany
        # Nobody is told of the end of a stay whose beginning was not told.
        many(
            "INSERT INTO platform_bill SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM platform_stay WHERE session = ?",
            [(*astuple(bill), bill.session) for bill in answer.bills],
        )
        for column, named in (("reversed", answer.reversed), ("passed", answer.passed)):
            sql = f"UPDATE platform_bill SET {column} = 1 WHERE session = ? AND exit_n < ?"
            many(f"{sql} AND NOT reversed", list(named.items()))
        many(
            "UPDATE platform_bill SET owed_minor = ?, applied = 1 WHERE session = ? AND exit_n < ? AND NOT reversed",
            [(owed_minor, session, n) for session, (n, owed_minor) in answer.asked.items()],
        )
        many(
            "UPDATE platform_bill SET paid_minor = paid_minor + ? WHERE bill = ?",
            [(amount_minor, bill) for bill, amount_minor in answer.received],
        )
        many("UPDATE platform_bill SET told = 1 WHERE bill = ?", [(bill,) for bill in answer.told])

    def _last_bill(self, session: str, n: int) -> PlatformBill | None:
        """The bill that a stay had when record n was written."""
        return self._bill(f"{BILL} WHERE session = ? AND exit_n <= ? ORDER BY exit_n DESC LIMIT 1", (session, n))

    def _bill(self, sql: str, values: tuple[str | int, ...]) -> PlatformBill | None:
        row = self._connection.execute(sql, values).fetchone()
        return PlatformBill(*row[:7], *(bool(flag) for flag in row[7:])) if row else None

    def _payment_text(self, payment: str, session: str) -> str:
        """The push that brought a payment of this id, '' for one that our own city reported."""
        if not payment:
            return ""
        sql = "SELECT text FROM platform_push WHERE payment = ? AND payment <> '' AND session = ? ORDER BY since_ms LIMIT 1"
        found = self._connection.execute(sql, (payment, session)).fetchone()
        return str(found[0]) if found else ""


def _push(row: rows.Row) -> KeptPush:
    request, digest, name, text, since_ms, state, *rest = row
    return KeptPush(request, digest, name, text, since_ms, PushState(state), *rest)
