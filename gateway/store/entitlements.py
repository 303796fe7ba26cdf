"""How the book of entitlements and what hangs on it lie in their tables.

Owns their rows in both directions: no transaction, no rule. A body that this release can't read stops the program, since a lot
that forgets a permit or a block would charge or admit wrongly without saying so.
"""

from __future__ import annotations

import json
import sqlite3

from gateway.core.answer import Answer
from gateway.core.entitlement import Debt, Held, Kind, Space, plates_of
from gateway.core.entitlement_form import body_of, read
from gateway.core.memory import Entitled
from gateway.forms import Rejection
from gateway.store.schema import SchemaError

DEBTS = (
    "SELECT s.id, coalesce(d.plate, ''), "
    " max(0, s.amount_minor - s.lowered_minor - s.written_off_minor - s.paid_minor + s.refunded_minor),"
    " coalesce(t.standing, ''), s.state = 'arrears'"
    " FROM session s LEFT JOIN disclosure d ON d.n = s.plate_n LEFT JOIN trusted t ON t.session = s.id"
    " WHERE s.state IN ('due', 'arrears', 'disputed') AND (s.state = 'arrears' OR t.standing <> '')"
)

PAST_STAYS = (
    "SELECT s.id FROM disclosure d JOIN session s ON s.plate_n = d.n WHERE d.plate = ? AND s.exited_ms BETWEEN ? AND ?"
    " AND s.state IN ('due', 'arrears', 'paid', 'free', 'refunded', 'disputed') ORDER BY s.exited_ms DESC LIMIT ?"
)


def load(connection: sqlite3.Connection) -> Entitled:
    """What the ledger holds. Raises SchemaError."""
    execute = connection.execute
    vehicles = execute("SELECT vehicles FROM unlisted").fetchone()
    return Entitled(
        held=tuple(_held(*row) for row in execute("SELECT kind, id, body, dn, ended_ms FROM entitlement")),
        spaces=tuple(Space(*row) for row in execute("SELECT session, permit, from_ms FROM space")),
        debts=tuple(_debt(*row) for row in execute(DEBTS)),
        unlisted=vehicles[0] if vehicles is not None else 0,
    )


def write(connection: sqlite3.Connection, answer: Answer) -> None:
    """Make what an answer changed durable."""
    many = connection.executemany
    many("INSERT OR REPLACE INTO entitlement VALUES (?, ?, ?, ?, ?, ?)", [_row(held) for held in answer.held.values()])
    many("DELETE FROM entitlement WHERE kind = ? AND id = ?", [(str(kind), id_) for kind, id_ in answer.forgotten])
    spaces = answer.spaces.items()
    many("DELETE FROM space WHERE session = ?", [(session,) for session, space in spaces if space is None])
    many(
        "INSERT OR REPLACE INTO space VALUES (?, ?, ?)",
        [(session, space.permit, space.from_ms) for session, space in spaces if space is not None],
    )
    many("INSERT OR REPLACE INTO trusted VALUES (?, ?)", list(answer.standing.items()))
    if answer.unlisted is not None:
        connection.execute("INSERT OR REPLACE INTO unlisted VALUES (1, ?)", (answer.unlisted,))


def past_stays(connection: sqlite3.Connection, plate: str, span_ms: tuple[int, int], limit: int) -> list[str]:
    """Ids of a plate's decided stays whose exit lies in a span of UTC ms, the newest first."""
    return [row[0] for row in connection.execute(PAST_STAYS, (plate, *span_ms, limit))]


def _row(held: Held) -> tuple[str, str, str, str, int, int]:
    kind, id_ = held.key
    plates = plates_of(held.entitlement)
    return str(kind), id_, plates[0] if len(plates) == 1 else "", body_of(held.entitlement), held.dn, held.ended_ms


def _debt(session: str, plate: str, amount_minor: int, standing: str, arrears: int) -> Debt:
    return Debt(session, plate, amount_minor, standing, bool(arrears))


def _held(kind: str, id_: str, body: str, dn: int, ended_ms: int) -> Held:
    found = read(Kind(kind), json.loads(body)) if kind in tuple(Kind) else None
    if found is None or isinstance(found, Rejection):
        detail = found.detail if found is not None else "a kind of a newer release"
        raise SchemaError(f"{kind} {id_}: {detail}; install the release that wrote it, or a newer one")
    return Held(found, dn, ended_ms)
