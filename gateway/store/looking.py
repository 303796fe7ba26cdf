"""How stays are found for an operator's question, and the records of one stay.

Owns those queries: no transaction, no rule. Each has a limit, and a time that does not grow with the ledger's age but for the
unpaid stays, which are indexed.
"""

from __future__ import annotations

import json
import sqlite3

from gateway.core.deeds import Explain, Look
from gateway.core.looking import identities
from gateway.core.memory import Looked, Told
from gateway.core.session import Session
from gateway.findings import STAYS_MAX, Which
from gateway.store import rows

RECORDS_MAX = 24
"""Of one stay; a reply has room for them beside a bill's lines."""

AMONG = f"session.rowid > (SELECT max(rowid) FROM session) - {rows.STRAYS_AMONG}"
WHERE = {
    Which.OWING: "session.state IN ('due', 'arrears', 'disputed') ORDER BY session.plate_n DESC",
    Which.REVIEW: f"{AMONG} AND session.state = 'review' ORDER BY session.rowid DESC",
    Which.RECENT: f"{AMONG} AND session.exited_ms > 0 ORDER BY session.rowid DESC",
}

STORY = (
    "SELECT DISTINCT r.n, r.line FROM record r JOIN"
    " (SELECT n FROM posting WHERE session = ?1 UNION SELECT ?2 UNION SELECT ?3) p ON r.n BETWEEN p.n - 2 AND p.n + 3"
    " WHERE (json_extract(r.line, '$.body.session') = ?1 OR json_extract(r.line, '$.body.args.session') = ?1)"
    " AND coalesce(json_extract(r.line, '$.body.verb'), '') <> 'bill'"
    " ORDER BY r.n DESC LIMIT ?4"
)
"""What has no postings stands beside what has: the command before its effect, what is due back behind it."""


def look(connection: sqlite3.Connection, deed: Look | Explain) -> Looked:
    """What the ledger holds for a question."""
    if isinstance(deed, Explain):
        return _story(connection, deed.session)
    if deed.which is Which.PLATE:
        wanted = identities(deed.plate)
        marks = ", ".join("?" * len(wanted))
        where = f"session.plate_n IN (SELECT n FROM disclosure WHERE plate IN ({marks})) ORDER BY session.plate_n DESC"
        return Looked(_sessions(connection, where, wanted))
    return Looked(_sessions(connection, WHERE[deed.which], ())) if deed.which in WHERE else Looked()


def _sessions(connection: sqlite3.Connection, where: str, values: tuple[str, ...]) -> tuple[Session, ...]:
    sql = f"{rows.SESSION_SELECT} WHERE {where} LIMIT ?"
    return tuple(rows.session(row) for row in connection.execute(sql, (*values, STAYS_MAX + 1)))


def _story(connection: sqlite3.Connection, session: str) -> Looked:
    found = [rows.session(row) for row in connection.execute(f"{rows.SESSION_SELECT} WHERE session.id = ?", (session,))]
    if not found:
        return Looked()
    opened_n = int(session.rpartition(".")[2])
    values = (session, opened_n, found[0].priced_n, RECORDS_MAX)
    lines = [json.loads(line) | {"n": n} for n, line in connection.execute(STORY, values)]
    told = [Told(line["n"], line["type"], line["wall"], line["body"]) for line in reversed(lines)]
    return Looked(tuple(found), tuple(told))
