"""Operators, commands and holds in their tables: what is written is what a restart reads."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway.core.commands import SendReply
from gateway.core.events import Event
from gateway.core.operator_events import OperatorsListed
from gateway.core.roster import RememberedRoster
from gateway.orders import Verb
from gateway.store.operators import OPENINGS_MAX, given, load
from tests.operating import ATTENDANT, MANAGER, OperatedLot, listed

OUT = {"lane": "out"}


def test_an_empty_ledger_knows_nobody(tmp_path: Path) -> None:
    lot = OperatedLot(tmp_path)
    assert load(lot.journal._connection) == RememberedRoster()
    assert given(lot.journal._connection, "k", 1) is None


def test_a_command_is_kept_with_its_signature_and_its_reply(tmp_path: Path) -> None:
    lot = OperatedLot(tmp_path)
    lot.list(ATTENDANT)
    event = lot.arrived(ATTENDANT, Verb.BARRIER_OPEN, OUT)
    (sent,) = [c for c in lot.step(event).commands if isinstance(c, SendReply)]
    found = given(lot.journal._connection, ATTENDANT.key, ATTENDANT.n)
    assert found is not None
    assert (found.line, found.signature, found.opens) == (event.line, event.signature, "out")
    assert (found.reply, found.reply_signature) == (sent.line, sent.signature)
    assert load(lot.journal._connection).openings == (found,)


def test_so_many_openings_are_read(tmp_path: Path) -> None:
    lot = OperatedLot(tmp_path)
    lot.list(ATTENDANT)
    for _ in range(OPENINGS_MAX + 2):
        lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT)
    numbers = [one.n for one in load(lot.journal._connection).openings]
    assert numbers == list(range(ATTENDANT.n, ATTENDANT.n - OPENINGS_MAX, -1))


def test_the_citys_line_stays_as_evidence(tmp_path: Path) -> None:
    lot = OperatedLot(tmp_path)
    lot.list(ATTENDANT)
    lot.list(MANAGER, version=4)
    assert lot.rows("SELECT version, length(signature) FROM operator_list") == [(4, 64)]
    rows = lot.rows("SELECT key, revoked, counter FROM operator ORDER BY revoked")
    assert rows == [(MANAGER.key, 0, 0), (ATTENDANT.key, 1, 0)]


@pytest.mark.parametrize("table", ["operator_list", "operator", "command", "hold"])
def test_a_command_is_written_whole_or_not_at_all(tmp_path: Path, table: str) -> None:
    lot = OperatedLot(tmp_path)
    if table in ("command", "hold"):
        lot.list(ATTENDANT)
    before = len(lot.lines())
    lot.rows(f"CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT raise(ABORT, 'planted'); END")
    operators = listed(ATTENDANT)
    event: Event = lot.arrived(ATTENDANT, Verb.BARRIER_HOLD, OUT)
    if table in ("operator_list", "operator"):
        event = OperatorsListed(operators, operators.line(), bytes(64))
    with pytest.raises(sqlite3.IntegrityError, match="planted"):
        lot.step(event)
    lot.rows("DROP TRIGGER broken")
    lot.restart()
    assert len(lot.lines()) == before + 1
    assert lot.rows("SELECT count(*) FROM hold") == [(0,)]
