"""The reading of the whole ledger: it finds a stay's money that is not by its records, and is right while stays go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.city_events import BillCorrected
from gateway.core.exit import WithoutLease
from gateway.store.lap import Lap
from tests.laps import SIGNED, lap
from tests.lots import HOUR_MS, SmallLot, plate
from tests.records import OTHER_KEY


def busy(folder: Path) -> SmallLot:
    """One stay paid and corrected upwards since, one in arrears, one paid, one inside, one exit in review."""
    lot = SmallLot(folder, policy=WithoutLease.OPEN_ARREARS)
    for text in ("浙A11111", "浙A22222", "浙A33333", "浙A44444"):
        lot.step(lot.read("in", plate(text)))
        lot.step(lot.passed("in"))
    lot.wait(2 * HOUR_MS)
    for text in ("浙A11111", "浙A22222", "浙A33333", "浙B77777"):
        lot.step(lot.read("out", plate(text)))
        lot.step(lot.passed("out"))
    stays = [(line["body"]["session"], line["body"]["amount_minor"], line["n"]) for line in lot.lines("exit")]
    for session, amount, _ in (stays[0], stays[2]):
        lot.step(lot.payment(session, amount))
    session, amount, n = stays[0]
    lot.step(lot.line(BillCorrected, "k-1", session, n, amount + 100, "class"))
    return lot


CORRECTED, OWING, PAID, INSIDE, STRAY = (
    f"(SELECT id FROM session WHERE state = '{state}')" for state in ("due", "arrears", "paid", "inside", "review")
)


@pytest.mark.parametrize(
    ("change", "by"),
    [
        (f"paid_minor = paid_minor + 1 WHERE id = {CORRECTED}",     "corrected"),
        (f"amount_minor = amount_minor + 1 WHERE id = {OWING}",     "left"),
        (f"amount_minor = amount_minor + 1 WHERE id = {PAID}",      "paid"),
        (f"next_ms = next_ms + 1 WHERE id = {OWING}",               "left"),
        (f"state = 'free' WHERE id = {PAID}",                       "paid"),
        (f"state = 'held' WHERE id = {INSIDE}",                     "entry"),
        (f"exited_ms = 0 WHERE id = {STRAY}",                       "left"),
        (f"entered_clock = 'S', id = '9.9' WHERE id = {STRAY}",     "left"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("limit", [1, 1000])
def test_a_stay_that_is_not_by_its_records_is_found(tmp_path: Path, change: str, by: str, limit: int) -> None:
    lot = busy(tmp_path)
    assert lap(lot, limit) == []
    lot.rows("PRAGMA foreign_keys = OFF")
    lot.rows(f"UPDATE session SET {change}")
    (found,) = lap(lot, limit)
    assert "is not what its records say" in found.what
    assert next(line["type"] for line in lot.lines() if line["n"] == found.n) == by


def test_records_under_another_key_are_judged_by_their_links_alone(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.restart(successor=OTHER_KEY)
    lot.enter(plate("浙A00002"))
    lot.enter(plate("浙A00003"))
    assert lap(lot) == []
    lot.rows("UPDATE record SET signature = zeroblob(64) WHERE n = 6")
    assert lap(lot) == []
    lot.rows("UPDATE record SET line = line || ' ' WHERE n = 6")
    assert [damage.n for damage in lap(lot)] == [7]


MONEY = (
    *("exited_ms", "amount_minor", "lowered_minor", "written_off_minor", "paid_minor", "refunded_minor", "priced_n"),
    *("invoiced_minor", "tax_minor", "next_ms", "state", "stage", "dispute"),
)


@pytest.mark.parametrize("column", MONEY)
def test_every_column_of_money_is_judged(tmp_path: Path, column: str) -> None:
    lot = busy(tmp_path)
    lot.rows("PRAGMA ignore_check_constraints = ON")
    lot.rows(f"UPDATE session SET {column} = iif(typeof({column}) = 'text', 'x', {column} + 1) WHERE id = {PAID}")
    assert len(lap(lot)) == 1


def test_a_session_that_is_none_any_more_is_found(tmp_path: Path) -> None:
    lot = busy(tmp_path)
    lot.rows("PRAGMA ignore_check_constraints = ON")
    lot.rows(f"UPDATE session SET stage = 'nobody' WHERE id = {PAID}")
    assert len(lap(lot)) == 1


def test_a_stay_that_goes_on_during_a_lap_is_no_damage(tmp_path: Path) -> None:
    lot = busy(tmp_path)
    reading, ended = Lap(), False
    exits = [(line["body"]["session"], line["body"]["amount_minor"]) for line in lot.lines("exit")]
    for number in range(200):
        ended, found = reading.go_on(lot.journal._connection, 2, SIGNED)
        assert found is None
        if ended:
            break
        if number == 3:
            lot.step(lot.read("out", plate("浙A44444")))
        if number == 5:
            lot.step(lot.payment(exits[1][0], exits[1][1]))
        if number == 7:
            lot.step(lot.backed_out("out"))
    assert ended
    assert len(lot.lines("reversed")) == 1


def test_the_lap_holds_only_what_is_under_way(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    for number in range(30):
        lot.step(lot.read("in", plate(f"浙A{number:05}")))
        lot.step(lot.passed("in"))
        lot.wait(2 * HOUR_MS)
        lot.step(lot.read("out", plate(f"浙A{number:05}")))
        lot.step(lot.passed("out"))
        body = lot.lines("exit")[-1]["body"]
        lot.step(lot.payment(body["session"], body["amount_minor"]))
    reading, ended, held = Lap(), False, 0
    while not ended:
        ended, found = reading.go_on(lot.journal._connection, 5, SIGNED)
        assert found is None
        held = max(held, len(reading._found.sessions), len(reading._moved_by), len(reading._found.postings))
    assert 1 <= held <= 3


def test_after_damage_only_stays_that_begin_later_are_judged(tmp_path: Path) -> None:
    lot = busy(tmp_path)
    n = lot.lines("exit")[1]["n"]
    lot.rows(f"UPDATE record SET signature = zeroblob(64) WHERE n = {n}")
    assert [(found.n, found.what) for found in lap(lot, 2)] == [(n, "it is not what was signed")]


def test_a_ledger_that_cant_be_read_ends_the_lap(tmp_path: Path) -> None:
    lot = busy(tmp_path)
    lot.rows("DROP TABLE posting")
    (found,) = lap(lot)
    assert found.n == 1
    assert "can't be read (no such table" in found.what
