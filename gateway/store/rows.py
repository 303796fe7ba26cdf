"""How records, sessions and lanes lie in their tables.

Owns the two directions of each row and nothing else: no transaction, no rule. A session's plate is found through the number
of the record that disclosed it, so that erasing the disclosure erases it everywhere.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from gateway.core.answer import LaneState
from gateway.core.lease import Lease
from gateway.core.moment import ClockQuality, Moment
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from gateway.core.record import Disclosure, Record
from gateway.core.session import Session, Stage, State

Row = tuple[Any, ...]

SESSION_UPSERT = f"INSERT OR REPLACE INTO session VALUES ({', '.join('?' * 29)})"

SESSION_SELECT = (
    "SELECT session.*, coalesce(disclosure.plate, ''), json_extract(record.line, '$.body.plate') FROM session"
    " JOIN record ON record.n = session.plate_n LEFT JOIN disclosure ON disclosure.n = session.plate_n"
)


STRAYS_AMONG = 50_000
"""Sessions, the last ones changed, among which exits in review are looked for at a start: a week of a large lot."""

STRAYS = (
    f"session.rowid > (SELECT max(rowid) FROM session) - {STRAYS_AMONG}"
    " AND session.state = 'review' AND session.lane_in = ''"
)


def records(connection: sqlite3.Connection, first: int, limit: int) -> list[Record]:
    """Up to `limit` records from number `first` on, in order."""
    found = connection.execute(
        "SELECT r.epoch, r.n, r.line, r.signature, r.key, d.plate, d.salt FROM record r"
        " LEFT JOIN disclosure d ON d.n = r.n WHERE r.n >= ? ORDER BY r.n LIMIT ?",
        (first, limit),
    )
    return [
        Record(epoch, n, line, signature, key, Disclosure(n, plate, salt) if plate is not None else None)
        for epoch, n, line, signature, key, plate, salt in found
    ]


def session_row(session: Session) -> Row:
    """The row of a session."""
    lease = session.lease or Lease("", 0, 0, 0)
    return (
        session.id,
        str(session.state),
        session.lane_in,
        session.lane_out,
        session.plate_n,
        str(session.plate.vehicle),
        str(session.plate.energy),
        session.plate.confidence,
        session.entered.boot,
        session.entered.mono_ms,
        session.entered.wall_ms,
        str(session.entered.quality),
        session.exited_ms,
        session.amount_minor,
        session.lowered_minor,
        session.written_off_minor,
        session.paid_minor,
        session.refunded_minor,
        session.invoiced_minor,
        session.tax_minor,
        session.priced_n,
        session.next_ms,
        str(session.stage),
        session.dispute,
        lease.lease,
        lease.cap_minor,
        lease.expires_ms,
        lease.dn,
        session.pair,
    )


def session(row: Row) -> Session:
    """The session of a row of SESSION_SELECT."""
    (id_, state, lane_in, lane_out, plate_n, vehicle, energy, confidence, boot, mono_ms, wall_ms, clock) = row[:12]
    (exited_ms, amount_minor, lowered_minor, written_off_minor, paid_minor, refunded_minor) = row[12:18]
    (invoiced_minor, tax_minor, priced_n, next_ms, stage, dispute) = row[18:24]
    (lease, cap_minor, expires_ms, lease_dn, pair, identity, commitment) = row[24:]
    colour, _, text = identity.partition(" ")
    plate = Plate(text, Colour(colour or "unknown"), Vehicle(vehicle), Energy(energy), confidence)
    return Session(
        id=id_,
        state=State(state),
        lane_in=lane_in,
        plate=plate,
        plate_n=plate_n,
        entered=Moment(boot, mono_ms, wall_ms, ClockQuality(clock)),
        lease=Lease(lease, cap_minor, expires_ms, lease_dn) if lease else None,
        lane_out=lane_out,
        exited_ms=exited_ms,
        amount_minor=amount_minor,
        paid_minor=paid_minor,
        lowered_minor=lowered_minor,
        written_off_minor=written_off_minor,
        refunded_minor=refunded_minor,
        invoiced_minor=invoiced_minor,
        tax_minor=tax_minor,
        priced_n=priced_n,
        next_ms=next_ms,
        stage=Stage(stage),
        pair=pair,
        dispute=dispute,
        commitment=commitment,
    )


def lane_row(lane: str, state: LaneState) -> Row:
    """The row of a lane: waiting plates and ids of leaving sessions, each a JSON list; a barred plate says why at its end."""
    fields = [[p.text, str(p.colour), str(p.vehicle), str(p.energy), p.confidence] for p in state.waiting]
    if fields and state.barred:
        fields[-1].append(state.barred)
    return lane, json.dumps(fields, ensure_ascii=False), json.dumps(state.leaving)


def lane(waiting: str, leaving: str) -> LaneState:
    """The state of a lane's row."""
    fields = json.loads(waiting)
    plates = tuple(
        Plate(text, Colour(colour), Vehicle(vehicle), Energy(energy), confidence)
        for text, colour, vehicle, energy, confidence, *_ in fields
    )
    barred = fields[-1][5] if fields and len(fields[-1]) > 5 else ""
    return LaneState(plates, tuple(json.loads(leaving)), barred)
