"""Closed days: counted from records, once each, and compared with the city's figures of the same records."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.core.city_events import BillVoided, BillWrittenOff, CashTaken, DayTallied, ShiftOpened
from gateway.core.commands import ClearAlarm, RaiseAlarm
from gateway.core.days import SUMS, count, figures
from gateway.core.events import Woke
from gateway.core.moment import ClockQuality
from gateway.core.session import DAY_MS
from gateway.forms import MONEY_MAX, VEHICLES_MAX, Rejection
from gateway.sync.down_forms import down_event
from tests.core.test_corrections import reasons
from tests.core.test_payments import OWED, owing
from tests.lots import HOUR_MS, SmallLot, at, plate, state_of


def day(folder: Path) -> tuple[SmallLot, str]:
    lot, session = owing(folder)
    lot.step(lot.passed("out"))
    lot.step(lot.payment(session, OWED + 100))
    lot.step(lot.refund(session, 150))
    return lot, session


def test_a_day_is_closed_by_the_first_tick_after_midnight(tmp_path: Path) -> None:
    lot, _ = day(tmp_path)
    last = len(lot.lines()) + 1  # the heartbeat of the same step
    lot.step(Woke(), after_ms=DAY_MS)
    body = lot.last("day")
    assert (body["first"], body["last"]) == (1, last)
    expected = dict.fromkeys(SUMS, 0) | {"entries": 1, "exits": 1, "billed_minor": OWED, "outcome-arrears": 1}
    expected |= {"paid_minor": OWED + 100, "refunded_minor": 150, "lowered_minor": 50, "open_minor": 0}
    assert body["figures"] == expected
    lot.step(Woke())
    lot.step(Woke(), after_ms=HOUR_MS)
    assert len(lot.lines("day")) == 1


@pytest.mark.parametrize("restart", [False, True])
def test_days_follow_each_other_without_a_gap_and_carry_what_is_open(tmp_path: Path, restart: bool) -> None:
    lot, session = owing(tmp_path)
    found = []
    for amount in (100, 200):
        lot.step(Woke(), after_ms=DAY_MS)
        if restart:
            lot.restart()
        lot.step(lot.payment(session, amount))
    lot.step(Woke(), after_ms=DAY_MS)
    found = [line["body"] for line in lot.lines("day")]
    numbers = [line["n"] for line in lot.lines("day")]
    assert [body["first"] for body in found] == [1, numbers[0] + 1, numbers[1] + 1]
    assert [body["figures"]["open_minor"] for body in found] == [OWED, OWED - 100, OWED - 300]
    assert [body["figures"]["paid_minor"] for body in found] == [0, 100, 200]
    assert len({body["day"] for body in found}) == 3


def test_the_open_day_is_counted_again_after_a_restart(tmp_path: Path) -> None:
    lot, session = day(tmp_path)
    lot.step(lot.line(ShiftOpened, "s-1", "wang", 0))
    lot.step(Woke(), after_ms=DAY_MS)
    lot.enter()
    lot.step(lot.line(BillVoided, "v-1", session, "?"))
    before = state_of(lot.engine.memory)
    lot.restart()
    assert state_of(lot.engine.memory)["day"] == before["day"]


def test_no_day_ends_by_a_clock_that_nobody_set(tmp_path: Path) -> None:
    lot, _ = day(tmp_path)
    lot.engine.step((Woke(),), at(5 * DAY_MS, quality=ClockQuality.UNKNOWN))
    assert lot.lines("day") == []


def tick(lot: SmallLot, days: float, *, ahead: int = 0) -> list[str]:
    """A tick this long after the start, by a clock that is so many days ahead; the alarms that it raises (+) and clears (-)."""
    lot.now_ms = int(days * DAY_MS)
    now = at(lot.now_ms)
    commands = lot.engine.step((Woke(),), replace(now, wall_ms=now.wall_ms + ahead * DAY_MS)).commands
    told = [command for command in commands if isinstance(command, RaiseAlarm | ClearAlarm)]
    return [f"{'+' if isinstance(one, RaiseAlarm) else '-'}{one.alarm}" for one in told]


def names(lot: SmallLot) -> list[str]:
    return [line["body"]["day"][5:] for line in lot.lines("day")]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("came_ahead", "back", "raised", "closed"),
    [
        # days after the start at which a clock 400 days ahead ticked, and at which it was back -> closed by the fifth day
        ((1.1,),      1.2, True,  ["11-02", "11-03", "11-04", "11-05", "11-06"]),
        ((0.1,),      1.2, True,  ["11-02", "11-03", "11-04", "11-05", "11-06"]),
        ((0.1,),      0.2, True,  ["11-02", "11-03", "11-04", "11-05", "11-06"]),  # the rest of it counts with the next
        ((0.1, 1.1),  1.2, True,  ["11-02", "12-07", "11-03", "11-04", "11-05", "11-06"]),
    ],
)  # fmt: skip
def test_a_clock_that_was_ahead_for_a_tick_stops_no_closing(
    tmp_path: Path, came_ahead: tuple[float, ...], back: float, raised: bool, closed: list[str], restart: bool
) -> None:
    lot, _ = day(tmp_path)
    for days in came_ahead:
        tick(lot, days, ahead=400)
        if restart:
            lot.restart()
    told = tick(lot, back)
    assert ("+clock/day" in told) is raised
    for days in range(1 if back < 1 else 2, 6):
        if restart:
            lot.restart()
        told += tick(lot, days + 0.2)
    assert names(lot) == closed
    assert told[-1] == "-clock/day"
    numbers = [(line["body"]["first"], line["body"]["last"], line["n"]) for line in lot.lines("day")]
    assert [first for first, *_ in numbers] == [1, *(n + 1 for _, _, n in numbers[:-1])]


def test_a_day_that_was_closed_by_a_clock_ahead_is_not_closed_again(tmp_path: Path) -> None:
    lot, _ = day(tmp_path)
    for days, ahead in ((0.1, 3), (1.1, 3), (1.2, 0), (2.2, 0), (3.2, 0), (4.2, 0), (5.2, 0), (6.2, 0)):
        tick(lot, days, ahead=ahead)
        lot.restart()
    assert names(lot) == ["11-02", "11-05", "11-03", "11-04", "11-06", "11-07"]


def tallied(lot: SmallLot, **changes: int) -> tuple[dict[str, Any], DayTallied]:
    body = lot.last("day")
    theirs = tuple(sorted((body["figures"] | changes).items()))
    return body, lot.line(DayTallied, f"t-{len(lot.lines('reconciled'))}", body["day"], theirs)


def test_every_difference_to_the_citys_figures_is_named(tmp_path: Path) -> None:
    lot, _ = day(tmp_path)
    lot.step(Woke(), after_ms=DAY_MS)
    lot.restart()
    body, event = tallied(lot, paid_minor=OWED, entries=2, extra=7)
    commands = lot.step(event).commands
    named = [("entries", 1, 2), ("extra", 0, 7), ("paid_minor", OWED + 100, OWED)]
    differences = [{"name": name, "lot": ours, "city": theirs} for name, ours, theirs in named]
    told = {"tally": "t-0", "day": body["day"], "differences": differences, "dn": event.origin.dn}
    assert lot.last("reconciled") == told
    alarms = [command for command in commands if isinstance(command, RaiseAlarm)]
    assert [(alarm.alarm, "entries, extra, paid_minor" in alarm.cause) for alarm in alarms] == [
        (f"day/{body['day']}", True)
    ]
    _, event = tallied(lot)
    assert ClearAlarm(f"day/{body['day']}") in lot.step(event).commands
    assert lot.last("reconciled")["differences"] == []


def test_a_day_that_is_not_closed_is_not_compared(tmp_path: Path) -> None:
    lot, _ = day(tmp_path)
    lot.step(lot.line(DayTallied, "t-1", "2026-01-01", ()))
    assert (reasons(lot), lot.lines("reconciled")) == (["no such day is closed"], [])


def test_what_each_record_moves() -> None:
    sums: Counter[str] = Counter()
    for kind, body in (
        ("attached", {"amount_minor": 900}),
        ("corrected", {"amount_minor": 500, "before_minor": 700}),
        ("voided", {"amount_minor": 10}),
        ("dispute-closed", {"amount_minor": 20}),
        ("lowered", {"amount_minor": 30}),
        ("written-off", {"amount_minor": 40}),
        ("cash", {"amount_minor": 50, "recovered_minor": 5}),
        ("heartbeat", {"amount_minor": 999}),
    ):
        count(sums, kind, body)
    found = figures(sums, 1000)
    moved = {"billed_minor": 700, "lowered_minor": 60, "written_off_minor": 35, "cash_minor": 50}
    assert {name: value for name, value in found.items() if value} == {**moved, "open_minor": 1000 + 700 - 60 - 35 - 50}


def test_cash_and_what_is_given_up_are_counted(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    lot.step(lot.line(ShiftOpened, "s-1", "wang", 0), lot.line(CashTaken, "k-1", session, "", 300, "wang", "s-1"))
    lot.step(lot.line(BillWrittenOff, "w-1", session, "no address"))
    lot.step(Woke(), after_ms=DAY_MS)
    found = lot.last("day")["figures"]
    assert (found["cash_minor"], found["written_off_minor"], found["open_minor"]) == (300, 400, 0)


def test_the_largest_numbers_that_may_come_fit_every_record_that_sums_them(tmp_path: Path) -> None:
    lot, session = owing(tmp_path)
    shift = {"shift": "s-1", "attendant": "wang"}
    money = {"session": session, "reason": "seen", "amount_minor": MONEY_MAX}
    (set_by,) = lot.rows(f"SELECT priced_n FROM session WHERE id = '{session}'")[0]

    def tell(kind: str, body: dict[str, object]) -> None:
        event = down_event(kind, body, lot.origin())
        assert not isinstance(event, Rejection)
        lot.step(event)

    tell("recount", {"id": "c-1", "inside": VEHICLES_MAX})
    tell("shift", {**shift, "float_minor": MONEY_MAX})
    tell("correction", {**money, "correction": "c-2", "corrects": set_by})
    cash = {"session": session, "lane": "", "cash": "k-1", "amount_minor": MONEY_MAX}
    tell("cash", {**shift, **cash})
    for payment in ("p-1", "p-2", "p-3"):
        paid = {"session": session, "payment": payment, "amount_minor": MONEY_MAX}
        tell("payment", {**paid, "status": "paid"})
    tell("refund", {**money, "refund": "r-1"})
    lot.enter(plate("浙A00002"))
    tell("shift-close", {**shift, "counted_minor": 0})
    lot.step(Woke(), after_ms=DAY_MS)
    assert lot.last("heartbeat")["inside"] == VEHICLES_MAX + 1
    assert lot.last("shift-closed")["difference_minor"] == -2 * MONEY_MAX
    found = lot.last("day")["figures"]
    assert (found["billed_minor"], found["paid_minor"], found["cash_minor"]) == (MONEY_MAX, 3 * MONEY_MAX, MONEY_MAX)
