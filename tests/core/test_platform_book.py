"""Names that a platform knows stays and bills by: unique whatever the clock does, and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gateway.core.answer import Answer
from gateway.core.platform_book import PlatformBook
from gateway.core.platform_state import KeptPush, PlatformBill, PushState
from tests.lots import START_MS
from tests.platforms import LOT, PlatformLot


def uid(book: PlatformBook, lane: str, at_ms: int) -> str:
    answer = Answer(1, 1)
    book.name_stay("1.1", lane, at_ms, 3, answer)
    return answer.platform.stays["1.1"].uid


def test_a_uid_is_code_lane_and_local_time_to_the_millisecond() -> None:
    assert uid(PlatformBook(LOT, {}), "in", 1_767_294_245_678) == "TEST00010120260102030405678"


def test_a_clock_that_stands_or_goes_back_makes_no_uid_twice() -> None:
    book = PlatformBook(LOT, {"in": START_MS})
    made = [uid(book, lane, at_ms) for at_ms in (START_MS, START_MS, START_MS - 60_000) for lane in ("in", "out")]
    assert len(set(made)) == len(made)
    assert sorted(made[::2]) == made[::2]


def test_a_bill_is_named_after_its_exit_record() -> None:
    book, answer = PlatformBook(LOT, {}), Answer(2, 1)
    book.name_bill(PlatformBill("", "1.1", 77, 0, 4, 700), answer)
    named = PlatformBill("TEST0001B20000000077", "1.1", 77, 0, 4, 700)
    assert answer.platform.bills == [named]
    assert book.bill(named.bill) == named
    book.turned_back("1.1", 80, answer)
    assert book.bill(named.bill) == replace(named, reversed=True)
    book.release()
    assert book.bill(named.bill) is None


def test_what_waits_is_remembered_and_what_is_kept_is_not() -> None:
    book, answer = PlatformBook(LOT, {}), Answer(1, 1)
    push = KeptPush("7", "0" * 64, "fee", "{}", 0, PushState.WAITING)
    taken = replace(push, request="8", state=PushState.OWED)
    book.adopt([push, taken])
    assert book.same_request("7") == [push]
    # What waits has not been taken yet.
    assert book.same_content("0" * 64) == [taken]
    book.release()
    assert book.known(push.key) is None
    assert not answer.platform


def test_a_stay_keeps_its_names_over_a_restart_and_another_code(tmp_path: Path) -> None:
    lot = PlatformLot(tmp_path)
    session = lot.enter()
    before = lot.rows("SELECT uid FROM platform_stay")
    lot.restart()
    lot.step(lot.read("out"))
    assert lot.rows("SELECT uid, session FROM platform_stay") == [(*before[0], session)]
