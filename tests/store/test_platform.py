"""The tables of a city's own protocol: cursor, pushes, what was set aside, days, and what is erased."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gateway.core.answer import Answer
from gateway.core.platform_events import UploadRefused, UploadTaken
from gateway.core.platform_state import Asked, KeptPush, PushState
from gateway.store.journal import Journal, Step
from tests.lots import CHAIN, HOUR_MS, SmallLot
from tests.platforms import LOT, PlatformLot

PUSH = KeptPush("7", "a" * 64, "fee", '{"plateNo":"x"}', 5, PushState.OWED)


def keep(lot: PlatformLot, *pushes: KeptPush, forget_before_ms: int = 0) -> None:
    answer = Answer(1, 1)
    answer.platform.pushes = {push.key: push for push in pushes}
    answer.platform.forget_before_ms = forget_before_ms
    lot.journal.commit(Step((), answer, {}, 0, None), lot.engine.memory)


def test_a_lot_that_is_switched_on_tells_nothing_older(tmp_path: Path) -> None:
    before = SmallLot(tmp_path)
    session = before.enter()
    before.engine.close()
    lot = PlatformLot(tmp_path)
    lot.settle()
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    lot.settle()
    assert not [name for name in lot.sent() if name.startswith("uploadCar")]
    assert lot.journal.platform.stay(session) is None


def test_a_lot_without_a_platform_writes_nothing(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    for table in ("platform_cursor", "platform_stay", "platform_push", "platform_aside", "platform_day"):
        assert lot.rows(f"SELECT * FROM {table}") == []


def test_the_cursor_moves_with_the_step(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    start = lot.journal.platform.cursor()
    lot.step(UploadTaken(9, "uploadCarInData"))
    assert (start[1], lot.journal.platform.cursor()) == ("", (9, "uploadCarInData"))
    lot.restart()
    assert lot.journal.platform.cursor() == (9, "uploadCarInData")


def test_pushes_are_found_by_request_by_content_and_by_state(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    other = replace(PUSH, request="8", since_ms=4, state=PushState.WAITING)
    third = replace(PUSH, digest="b" * 64, state=PushState.DONE)
    keep(lot, PUSH, other, third)
    store = lot.journal.platform
    assert set(store.pushes_like("7", "a" * 64)) == {PUSH, other, third}
    assert store.unanswered(9) == [PUSH]
    assert store.waiting() == [other]


def test_answered_pushes_are_erased_after_their_time_and_others_never(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    done, owed = replace(PUSH, state=PushState.DONE), replace(PUSH, request="8")
    keep(lot, done, owed)
    keep(lot, forget_before_ms=5)
    assert len(lot.rows("SELECT * FROM platform_push")) == 2
    keep(lot, forget_before_ms=6)
    assert lot.rows("SELECT request FROM platform_push") == [("8",)]


def test_what_is_set_aside_comes_back_when_it_is_due(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    session = lot.enter()
    lot.step(UploadRefused(3, "uploadCarInData", session, "resultCode 1: no", False, 1000))
    assert [aside.n for aside in lot.journal.platform.asides(1000, 9)] == [3]
    assert lot.journal.platform.asides(999, 9) == []
    work = lot.engine.platform_work(Asked(0, 9, 1000))
    assert [(aside.call, entry.record.n) for aside, entry in work.asides] == [("uploadCarInData", 3)]
    lot.step(UploadTaken(3, "uploadCarInData", aside=True))
    assert lot.journal.platform.asides(1000, 9) == []


def test_a_days_bills_are_those_on_the_platforms_own_leases(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    session = lot.enter()
    lot.step(lot.lease(session, 5000))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    span = (0, 2**52)
    assert lot.journal.platform.day_bills(span) == ()
    assert lot.journal.platform.day_to_compare([("2026-11-01", span), ("2026-11-02", span)]) == ("2026-11-02", ())


def test_the_tables_are_there_for_every_ledger(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "l.db", chain=CHAIN, instance="i")
    journal.platform.open(5)
    journal.platform.open(9)
    assert journal.platform.cursor() == (5, "")
    assert LOT.total_bays == 4
