"""What follows when nobody pays: arrears after the term, then the stages, each once, by a clock that was set."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.dunning import PAST_TERM_MAX
from gateway.core.events import Woke
from gateway.core.moment import ClockQuality
from gateway.core.session import DAY_MS, DUE_MS
from tests.lots import HOUR_MS, SmallLot, at, plate


def left(folder: Path, *, leased: bool) -> tuple[SmallLot, str]:
    lot = SmallLot(folder)
    session = lot.enter()
    if leased:
        lot.step(lot.lease(session, 5000))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    return lot, session


def state(lot: SmallLot, session: str) -> str:
    return str(lot.rows(f"SELECT state FROM session WHERE id = '{session}'")[0][0])


@pytest.mark.parametrize("restart", [False, True])
def test_what_is_due_becomes_arrears_once_its_term_has_passed(tmp_path: Path, restart: bool) -> None:
    lot, session = left(tmp_path, leased=True)
    lot.step(Woke(), after_ms=DUE_MS - 2000)
    assert (state(lot, session), lot.lines("arrears")) == ("due", [])
    if restart:
        lot.restart()
    lot.step(Woke(), after_ms=1000)
    assert (state(lot, session), lot.last("arrears")) == (
        "arrears",
        {"session": session, "payment": "", "amount_minor": 700},
    )
    lot.step(Woke())
    assert len(lot.lines("arrears")) == 1
    assert lot.engine.memory.debts.has_arrears(plate().identity)


def test_the_stages_come_once_each_and_end(tmp_path: Path) -> None:
    lot, session = left(tmp_path, leased=False)
    told = []
    for day in range(1, 60):
        lot.step(Woke(), after_ms=DAY_MS)
        if day == 10:
            lot.step(lot.payment(session, 300))
        if len(lot.lines("dunning")) > len(told):
            told.append((day, lot.last("dunning")["stage"], lot.last("dunning")["amount_minor"]))
    assert told == [(7, "reminder-1", 700), (14, "reminder-2", 400), (30, "handed-over", 400)]
    lot.step(lot.payment(session, 400))
    assert state(lot, session) == "paid"


def test_who_paid_is_not_reminded(tmp_path: Path) -> None:
    lot, session = left(tmp_path, leased=True)
    lot.step(lot.payment(session, 700))
    lot.step(Woke(), after_ms=60 * DAY_MS)
    assert (lot.lines("arrears"), lot.lines("dunning")) == ([], [])


def test_a_late_lease_begins_a_new_term(tmp_path: Path) -> None:
    lot, session = left(tmp_path, leased=False)
    lot.step(Woke(), after_ms=5 * DAY_MS)
    lot.step(lot.lease(session, 5000))
    lot.step(Woke(), after_ms=DUE_MS - 1000)
    assert state(lot, session) == "due"
    lot.step(Woke())
    assert state(lot, session) == "arrears"


def test_no_term_passes_by_a_clock_that_nobody_set(tmp_path: Path) -> None:
    lot, session = left(tmp_path, leased=True)
    lot.engine.step((Woke(),), at(60 * DAY_MS, quality=ClockQuality.UNKNOWN))
    assert state(lot, session) == "due"


def test_many_terms_pass_in_steps_of_bounded_work(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    for number in range(PAST_TERM_MAX + 5):
        read = plate(f"浙A{number:05}")
        lot.enter(read)
        lot.wait(HOUR_MS)
        lot.step(lot.read("out", read))
        lot.step(lot.passed("out"))
    counts = []
    lot.wait(20 * DAY_MS)
    for _ in range(3):
        lot.step(Woke())
        counts.append(len(lot.lines("dunning")))
    assert counts == [PAST_TERM_MAX, PAST_TERM_MAX + 5, PAST_TERM_MAX + 5]
