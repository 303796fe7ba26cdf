"""How the operators, their commands and the barriers they hold lie in their tables.

Owns their rows in both directions: no transaction, no rule.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from gateway.core.roster import Given, Hold, Known, RememberedRoster, RosterChanges
from gateway.orders import Operator

OPENINGS_MAX = 32
"""Newest commands that opened a lane: more cannot have been obeyed within one command's lifetime."""

UNSIGNED = bytes(64)
"""Stands for the signature of a reply to a question: what was found is not kept, and its answer is made and signed anew."""

GIVEN = "SELECT key, n, line, signature, reply, at_ms, opens, expires_ms, reply_signature FROM command"


def load(connection: sqlite3.Connection) -> RememberedRoster:
    """What the ledger holds."""
    execute = connection.execute
    version, line = execute("SELECT version, line FROM operator_list").fetchone() or (0, "")
    known = execute("SELECT key, public, name, roles, expires_ms, revoked, counter FROM operator ORDER BY rowid")
    opened = execute(f"{GIVEN} WHERE opens <> '' ORDER BY at_ms DESC LIMIT ?", (OPENINGS_MAX,))
    return RememberedRoster(
        version=version,
        line=line,
        known=tuple(_known(*row) for row in known),
        holds=tuple(Hold(*row) for row in execute("SELECT lane, key, since_ms FROM hold")),
        openings=tuple(Given(*row) for row in opened),
    )


def given(connection: sqlite3.Connection, key: str, n: int) -> Given | None:
    """The command of a key under a number, with its reply."""
    row = connection.execute(f"{GIVEN} WHERE key = ? AND n = ?", (key, n)).fetchone()
    return Given(*row) if row is not None else None


def write(connection: sqlite3.Connection, changes: RosterChanges, replies: Mapping[str, bytes]) -> None:
    """Make what a step changed durable. `replies`: the signature of each reply's line."""
    many = connection.executemany
    if changes.listed is not None:
        event = changes.listed
        row = (event.listed.version, event.line, event.signature)
        connection.execute("INSERT OR REPLACE INTO operator_list VALUES (1, ?, ?, ?)", row)
    many("DELETE FROM operator WHERE key = ?", [(key,) for key in changes.forgotten])
    many(
        "INSERT OR REPLACE INTO operator VALUES (?, ?, ?, ?, ?, ?, ?)",
        [_row(known) for known in changes.known.values()],
    )
    many(
        "INSERT INTO command VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (g.key, g.n, g.line, g.signature, g.reply, replies.get(g.reply, UNSIGNED), g.at_ms, g.opens, g.expires_ms)
            for g in changes.given
        ],
    )
    many("DELETE FROM hold WHERE lane = ?", [(lane,) for lane, hold in changes.holds.items() if hold is None])
    held = [(hold.lane, hold.key, hold.since_ms) for hold in changes.holds.values() if hold is not None]
    many("INSERT OR REPLACE INTO hold VALUES (?, ?, ?)", held)


def _row(known: Known) -> tuple[str, str, str, str, int, int, int]:
    one = known.operator
    roles = json.dumps(one.roles)
    return one.key, one.pub, one.name, roles, one.expires_ms, int(known.revoked), known.counter


def _known(key: str, public: str, name: str, roles: str, expires_ms: int, revoked: int, counter: int) -> Known:
    return Known(Operator(key, public, name, tuple(json.loads(roles)), expires_ms), bool(revoked), counter)
