"""Reads the city's books from beside: what each session came to, by the city's own account.

Owns the joining of entries, exits, bills and payments into one row a session. Opens the file read-only, while the city may be
writing. An exit without entry is a session of its own, and
none once it is reversed.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

from sim.summary import CitySession

LINES = """
SELECT record.n, record.line, coalesce(disclosure.plate, '') FROM record
LEFT JOIN disclosure ON disclosure.chain = record.chain AND disclosure.n = record.n
WHERE record.type IN ('entry', 'exit', 'reversed') ORDER BY record.chain, record.n
"""


def sessions(path: Path) -> tuple[CitySession, ...]:
    """All sessions of one city with one chain, in the order of their first record."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        lines = db.execute(LINES).fetchall()
        owed = dict(db.execute("SELECT session, owed_minor FROM stay"))
        ended = {
            s: (amount, status) for s, amount, status in db.execute("SELECT session, amount_minor, status FROM payment")
        }
    finally:
        db.close()
    found: dict[str, CitySession] = {}
    entered: set[str] = set()
    for _, text, plate in lines:
        line = json.loads(text)
        body = line["body"]
        session = str(body["session"])
        if line["type"] == "entry":
            entered.add(session)
            found[session] = CitySession(session, plate, int(body["at"]), 0, 0, "", 0, "inside")
            continue
        if line["type"] == "reversed" and session not in entered:
            del found[session]
            continue
        if line["type"] == "reversed":
            found[session] = replace(
                found[session], exit_ms=0, amount_minor=0, outcome="", paid_minor=0, state="inside"
            )
            continue
        before = found.get(session, CitySession(session, plate, int(body["at"]), 0, 0, "", 0, ""))
        paid_minor, state = ended.get(session, (0, "open"))
        found[session] = replace(
            before,
            exit_ms=int(body["at"]),
            amount_minor=owed.get(session, 0),
            outcome=str(body["outcome"]),
            paid_minor=paid_minor if state == "paid" else 0,
            state=state,
        )
    return tuple(found.values())
