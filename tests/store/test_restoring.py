"""The exchange of ledgers: the old one is kept whole, the new one goes on at the city's head, a crash leaves one of both."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gateway.core.events import Woke
from gateway.core.session import DAY_MS
from gateway.store import restoring
from gateway.store.journal import DamagedError, Journal, LedgerError, Permit
from gateway.store.reader import Reader
from gateway.store.restoring import replace_ledger
from tests.laps import SIGNED, lap
from tests.lots import CHAIN, START_MS, SmallLot, plate

PERMIT = Permit(CHAIN, 2, 80, "ab" * 32, START_MS, "permit line", bytes(64))


def head_of(path: Path) -> int:
    reader = Reader(path)
    try:
        return reader.head_n()
    finally:
        reader.close()


def test_a_lot_goes_on_in_the_next_epoch(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    old = lot.journal.head()
    hello, acked = lot.journal.next_hello(), lot.journal.acked()
    lot.engine.close()
    head, kept = replace_ledger(lot.path, PERMIT, instance="new")
    assert (head, kept) == (old, tmp_path / f"abandoned-1.3-{old.prev[:8]}.db")
    lot.restart()
    first = json.loads(lot.engine.records(1, 1)[0].line)
    assert (first["type"], first["epoch"], first["n"], first["prev"]) == ("restored", 2, 81, "ab" * 32)
    assert first["body"]["abandoned"] == {"epoch": 1, "n": 3, "hash": old.prev}
    assert first["body"]["permit"] == "permit line"
    assert (lot.journal.acked(), lot.journal.next_hello() > hello) == (acked, True)
    assert lot.enter() == "2.83"
    assert lot.lines()[-1]["epoch"] == 2
    assert [record.n for record in Reader(kept).records()] == [1, 2, 3]
    assert (Reader(lot.path).first_n(), lot.journal.head().receipted) == (81, 80)


def test_a_vehicle_that_was_inside_leaves_for_review_and_pays_nothing(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.engine.close()
    replace_ledger(lot.path, PERMIT, instance="new")
    lot.restart()
    lot.step(lot.read("out"))
    assert (lot.last("exit")["outcome"], lot.last("exit")["amount_minor"]) == ("review", 0)


def test_a_ledger_whose_last_record_is_damaged_is_given_up_all_the_same(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    hello, acked = lot.journal.next_hello(), lot.journal.acked()
    lot.rows("UPDATE record SET line = '{' WHERE n = 3")
    with pytest.raises(DamagedError, match=r"ledger\.db: record 3 is damaged"):
        lot.journal.head()
    lot.engine.close()
    head, kept = replace_ledger(lot.path, PERMIT, instance="new")
    assert (head.n, kept) == (0, tmp_path / "abandoned-0.0-00000000.db")
    lot.restart()
    assert (lot.journal.acked(), lot.journal.next_hello() > hello) == (acked, True)


def test_what_is_restored_is_whole(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.engine.close()
    replace_ledger(lot.path, PERMIT, instance="new")
    journal = Journal(lot.path, chain=CHAIN, instance="new")
    journal.check(SIGNED)
    journal.close()
    lot.restart()
    lot.enter()
    lot.step(lot.read("out"))
    lot.journal.check(SIGNED)
    assert lap(lot) == []
    lot.rows("UPDATE restored SET hash = replace(hash, 'a', 'c')")
    assert [(damage.n, damage.what) for damage in lap(lot)] == [(81, "it does not follow the record before it")]


@pytest.mark.parametrize("restart", [False, True])
def test_the_first_day_begins_with_the_ledger(tmp_path: Path, restart: bool) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.engine.close()
    replace_ledger(lot.path, PERMIT, instance="new")
    lot.restart()
    lot.enter()
    if restart:
        lot.restart()
    lot.wait(DAY_MS)
    lot.step(Woke())
    day = lot.last("day")
    assert (day["first"], day["figures"]["entries"]) == (81, 1)


def test_without_an_old_ledger_hellos_are_newer_than_any_count(tmp_path: Path) -> None:
    head, kept = replace_ledger(tmp_path / "ledger.db", PERMIT, instance="new")
    assert (head, kept) == (restoring.NOTHING, None)
    assert Journal(tmp_path / "ledger.db", chain=CHAIN, instance="x").next_hello() == START_MS // 1000 + 1


@pytest.mark.parametrize("call", ["link", "replace"])
def test_a_crash_leaves_the_old_ledger_and_the_command_can_be_given_again(
    tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.engine.close()

    def crash(*_: object) -> None:
        raise OSError("power cut")

    monkeypatch.setattr(os, call, crash)
    with pytest.raises(OSError, match="power cut"):
        replace_ledger(lot.path, PERMIT, instance="new")
    monkeypatch.undo()
    assert head_of(lot.path) == 3
    head, kept = replace_ledger(lot.path, PERMIT, instance="new")
    assert (head.n, Reader(lot.path).head_n(), Reader(kept or lot.path).head_n()) == (3, 0, 3)


@pytest.mark.parametrize("reads", [True, False])
def test_nothing_changes_places_while_somebody_reads(tmp_path: Path, reads: bool) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    reader = Reader(lot.path)
    if reads:
        with reader.snapshot():
            assert reader.head_n() == 3
            lot.enter(plate("浙A00002"))
            lot.engine.close()
            with pytest.raises(LedgerError, match="somebody still reads it"):
                replace_ledger(lot.path, PERMIT, instance="new")
    else:
        # Open, and not reading at the moment: what it reads next would be of both ledgers.
        lot.enter(plate("浙A00002"))
        lot.engine.close()
        with pytest.raises(LedgerError, match="somebody still reads it"):
            replace_ledger(lot.path, PERMIT, instance="new")
    reader.close()
    assert head_of(lot.path) == 4
    head, kept = replace_ledger(lot.path, PERMIT, instance="new")
    lot.restart()
    assert (head.n, Reader(kept or lot.path).head_n(), lot.journal.head().n, lot.journal.head().epoch) == (4, 4, 82, 2)


def test_a_damaged_ledger_is_named_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    SmallLot(tmp_path).engine.close()
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\xff" * (len(whole) - 4096)
    path.write_bytes(whole)
    with pytest.raises(
        LedgerError, match=r"can't be set aside .*malformed.*; if the disk is sound, move ledger\.db elsewhere"
    ):
        replace_ledger(path, PERMIT, instance="new")
    assert path.read_bytes()[4096:] == whole[4096:]
    path.rename(tmp_path / "damaged.db")
    assert replace_ledger(path, PERMIT, instance="new") == (restoring.NOTHING, None)


def test_the_ledger_of_another_chain_is_not_replaced(tmp_path: Path) -> None:
    SmallLot(tmp_path).engine.close()
    other = Permit("gw-2", 2, 80, "ab" * 32, START_MS, "", bytes(64))
    with pytest.raises(LedgerError, match="belongs to chain"):
        replace_ledger(tmp_path / "ledger.db", other, instance="new")
    assert Reader(tmp_path / "ledger.db").chain() == CHAIN
