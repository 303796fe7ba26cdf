"""One reading of the whole ledger, a few records at a time, while it goes on being written.

Owns what is remembered between two readings: the stays whose money, made again from the records so far, is not yet what is
stored. Rules: a stay is let go as soon as both are the same, so memory holds what is still under way at that place of the
ledger; what a record moves that was let go is judged no more, since a false alarm would cost the trust in a true one.
Refuses to know keys, and what to do about damage.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from gateway.core.rebuild import Rebuilt, begins, money, moves
from gateway.core.session import Session
from gateway.store import rows
from gateway.store.scrub import Damage, Signed, base, damage


class Lap:
    """Begins at the ledger's first record; to be dropped at its end."""

    def __init__(self) -> None:
        self._read_n = 0
        self._found = Rebuilt()
        self._moved_by: dict[str, int] = {}

    def go_on(self, connection: sqlite3.Connection, limit: int, signed: Signed) -> tuple[bool, Damage | None]:
        """Read up to `limit` records more; whether the end was reached, and what was found. Nothing may be written meanwhile.

        A record that can't be read ends the lap.
        """
        first = self._read_n + 1
        try:
            self._read_n = max(self._read_n, base(connection)[0])
            first = self._read_n + 1
            head_n = connection.execute("SELECT coalesce(max(n), ?) FROM record", (self._read_n,)).fetchone()[0]
            last = min(self._read_n + limit, head_n)
            found = damage(connection, first, last, signed)
            if found is None:
                self._remember(connection, first, last)
                found = self._different(connection) if last == head_n else None
            else:
                # What these records did to the stays before them is not known.
                self._found, self._moved_by = Rebuilt(), {}
        except sqlite3.Error as error:
            # Old records that can't be read are a matter for a person, not a reason to stop today's work.
            return True, Damage(first, f"it or one soon after it can't be read ({error})")
        self._read_n = last
        return last == head_n, found

    def _remember(self, connection: sqlite3.Connection, first: int, last: int) -> None:
        touched: set[str] = set()
        found = connection.execute("SELECT n, line FROM record WHERE n BETWEEN ? AND ? ORDER BY n", (first, last))
        for n, line in found:
            touched.update(self._take(n, json.loads(line)))
        self._found.postings.clear()
        for id_ in touched & self._found.sessions.keys():
            self._let_go_if_same(connection, id_)

    def _different(self, connection: sqlite3.Connection) -> Damage | None:
        """The first stay that is not what all its records make of it."""
        for id_ in list(self._found.sessions):
            self._let_go_if_same(connection, id_)
        id_ = next(iter(self._found.sessions), "")
        said = f"the money of session {id_} is not what its records say, up to this one"
        return Damage(self._moved_by[id_], said) if id_ else None

    def _take(self, n: int, record: dict[str, Any]) -> tuple[str, ...]:
        """Read one record; ids of the stays that it moved."""
        kind, body = record["type"], record["body"]
        named = moves(kind, body)
        if not begins(kind, body) and any(id_ not in self._found.sessions for id_ in named):
            for id_ in named:
                self._let_go(id_)
            return ()
        try:
            self._found.take(n, record["wall"], kind, body)
        except (KeyError, TypeError, ValueError):
            # What can't be read as a move of this stay is signed all the same: a fault of ours, and none of the card's.
            for id_ in named:
                self._let_go(id_)
            return ()
        self._moved_by.update(dict.fromkeys(named, n))
        return named

    def _let_go_if_same(self, connection: sqlite3.Connection, id_: str) -> None:
        stored = _stored(connection, id_)
        if stored is not None and money(stored) == money(self._found.sessions[id_]):
            self._let_go(id_)

    def _let_go(self, id_: str) -> None:
        self._found.sessions.pop(id_, None)
        self._moved_by.pop(id_, None)


def _stored(connection: sqlite3.Connection, id_: str) -> Session | None:
    """A session as it is stored; None if there is none, or what is there is none."""
    found = connection.execute(f"{rows.SESSION_SELECT} WHERE session.id = ?", (id_,)).fetchone()
    try:
        return rows.session(found) if found else None
    except ValueError:
        return None
