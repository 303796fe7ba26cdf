"""The bill as the exit record holds it: its lines, their folding, their sum, and what is used up by it."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from gateway.core.benefit import Lowering
from gateway.core.charge import LINES_MAX, LOWERINGS_MAX, _lowering_lines, _tariff_lines
from gateway.core.city_events import ExitAttached
from gateway.core.commands import OpenBarrier, RaiseAlarm
from gateway.core.entitlement import Kind, Way
from gateway.core.exit import WithoutLease
from gateway.core.memory import Rules
from gateway.core.record import LINE_BYTES_MAX, canonical
from gateway.core.tariff import BillLine, load_tariff
from gateway.orders import Verb
from gateway.quote import find_calendar
from tests.entitled import validation
from tests.lots import HOUR_MS, SmallLot, plate
from tests.operating import MANAGER, OperatedLot

LONG_MS = 2**41


def tariff_lines(count: int) -> tuple[BillLine, ...]:
    return tuple(
        BillLine("首停时段每半小时", "day, each half hour", LONG_MS, LONG_MS, 1, 100 + i, 100 + i) for i in range(count)
    )


def lowerings(count: int) -> tuple[Lowering, ...]:
    text = "商户减免 分钟", "validation, 1000 min"
    return tuple(Lowering(Kind.VALIDATION, f"{i:064}", *text, LONG_MS, LONG_MS, -1 - i) for i in range(count))


def total(lines: list[dict[str, Any]]) -> int:
    assert all(line["units"] * line["unit_minor"] == line["amount_minor"] for line in lines)
    return sum(line["amount_minor"] for line in lines)


@pytest.mark.parametrize("count", [1, LINES_MAX, LINES_MAX + 1, 40])
def test_a_long_bill_folds_its_tail_and_keeps_its_sum(count: int) -> None:
    folded = _tariff_lines(tariff_lines(count), LINES_MAX)
    assert len(folded) == min(count, LINES_MAX)
    assert total(folded) == sum(line.amount_minor for line in tariff_lines(count))


@pytest.mark.parametrize("count", [1, LOWERINGS_MAX, LOWERINGS_MAX + 1, 40])
def test_many_lowerings_fold_their_tail_and_keep_their_sum(count: int) -> None:
    folded = _lowering_lines(lowerings(count))
    assert len(folded) == min(count, LOWERINGS_MAX)
    assert total(folded) == sum(line.amount_minor for line in lowerings(count))


def test_the_longest_bill_leaves_room_for_the_rest_of_its_record() -> None:
    lines = [*_tariff_lines(tariff_lines(40), LINES_MAX - LOWERINGS_MAX), *_lowering_lines(lowerings(40))]
    assert len(lines) == LINES_MAX
    assert len(canonical(lines).encode()) < LINE_BYTES_MAX - 1100


PLAIN = files("seeds").joinpath("tariffs").joinpath("plain-garage.toml").read_text(encoding="utf-8")
OF_THE_PLATE = PLAIN.replace('stays = "one"', 'stays = "plate"')
FIRST_OF_DAY = PLAIN.replace('per = "visit"', 'per = "first-of-day"')
BAND = PLAIN[PLAIN.index("[[plan.garage.band]]") : PLAIN.index("[[plan.garage.cap]]")]
DAYS = '[[day]]\nname = "holiday"\nkinds = ["holiday"]\n\n[[day]]\nname = "other"\nevery = true\n\n'
HOLIDAY = (
    PLAIN.replace("day = []", "")
    .replace("discount = []", 'discount = []\nstraddle = "restart"')
    .replace("[[version]]", f"{DAYS}[[version]]")
    .replace(BAND, "".join(BAND.replace("from", f'days = ["{name}"]\nfrom', 1) for name in ("holiday", "other")))
)


def rules(text: str, calendar: str = "") -> Rules:
    days = find_calendar(calendar, Path()) if calendar else None
    return Rules(load_tariff(text, "test"), WithoutLease.OPEN_ARREARS, "CNY", days)


def stay(lot: SmallLot, hours: float) -> int:
    """What a stay of the usual plate is billed, an hour after the last one."""
    lot.wait(HOUR_MS)
    lot.enter()
    lot.step(lot.read("out"), after_ms=int(hours * HOUR_MS))
    lot.step(lot.passed("out"))
    return int(lot.last("exit")["amount_minor"])


@pytest.mark.parametrize(
    ("text", "hours", "billed_minor"),
    [
        (PLAIN,        (5, 6, 5),            [1300, 1500, 1300]),
        (OF_THE_PLATE, (5, 6, 5),            [1300, 700, 0]),
        (OF_THE_PLATE, (5, 6, 5, 18, 5),     [1300, 700, 0, 2000, 0]),
        (PLAIN,        (0.4, 0.4, 0.4),      [0, 0, 0]),
        (FIRST_OF_DAY, (0.4, 0.4, 12, 0.4),  [0, 500, 2000, 0]),
    ],
)  # fmt: skip
def test_earlier_stays_of_the_plate_count_where_the_tariff_says_so(
    tmp_path: Path, text: str, hours: tuple[float, ...], billed_minor: list[int]
) -> None:
    lot = SmallLot(tmp_path, rules=rules(text))
    assert [stay(lot, length) for length in hours] == billed_minor


def test_they_count_for_this_plate_only_and_after_a_restart(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, rules=rules(OF_THE_PLATE))
    assert stay(lot, 5) == 1300
    lot.restart()
    lot.enter(plate("浙A00000"))
    lot.step(lot.read("out", plate("浙A00000")), after_ms=5 * HOUR_MS)
    assert lot.last("exit")["amount_minor"] == 1300
    assert stay(lot, 5) == 700


WAYS = (
    *("read", "heard in one step", "heard late", "heard late in two steps"),
    *("attached from inside", "attached from review", "attached to the exit's plate", "attached by an operator"),
)
MISREAD = plate("浙A1234S")


def second_bill_minor(folder: Path, text: str, way: str) -> int:
    """What the plate is billed for six hours, half an hour after a first stay, if the bill comes about so."""
    lot = OperatedLot(folder, rules=rules(text))
    lot.list(MANAGER)
    stay(lot, 8)
    lot.wait(HOUR_MS // 2)
    began_ms = lot.now_ms
    if way.startswith("heard"):
        lot.wait(6 * HOUR_MS)
        if way != "heard in one step":
            lot.step(lot.read("out"), lot.passed("out"))
        lot.restart()
        age_ms = lot.now_ms + 1000 - began_ms
        entry = [lot.read("in", age_ms=age_ms), lot.passed("in", age_ms)]
        if way == "heard late in two steps":
            lot.step(entry.pop(0))
        lot.step(*entry, *([lot.read("out")] if way == "heard in one step" else []))
        return int(lot.last("exit")["amount_minor"])
    session = lot.enter(MISREAD if "exit's plate" in way else None)
    lot.wait(6 * HOUR_MS)
    lot.restart()
    if way == "read":
        lot.step(lot.read("out"))
        return int(lot.last("exit")["amount_minor"])
    lot.step(
        lot.read(
            "out",
            {"attached from inside": plate("浙A99999"), "attached to the exit's plate": plate()}.get(way, MISREAD),
        )
    )
    stray, whose = str(lot.last("exit")["session"]), "exit" if "exit's plate" in way else "entry"
    lot.step(lot.passed("out"))
    if way == "attached by an operator":
        lot.obey(MANAGER, Verb.ATTACH, {"session": session, "stray": stray, "whose": whose})
    else:
        lot.step(lot.line(ExitAttached, "a-1", session, stray, whose, "seen"))
    return int(lot.last("attached")["amount_minor"])


@pytest.mark.parametrize(("text", "billed_minor"), [(PLAIN, 1500), (OF_THE_PLATE, 100), (FIRST_OF_DAY, 1500)])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_a_bill_counts_the_same_earlier_stays(
    tmp_path: Path, text: str, billed_minor: int, way: str
) -> None:
    assert second_bill_minor(tmp_path, text, way) == billed_minor


def test_a_review_exit_of_the_plate_is_no_earlier_stay(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, rules=rules(FIRST_OF_DAY))
    lot.enter()
    lot.enter(MISREAD)
    lot.wait(HOUR_MS)
    lot.step(lot.read("out"), lot.passed("out"))
    assert (lot.last("exit")["outcome"], lot.last("paired")["evidence"]) == ("review", "a lookalike is inside too")
    lot.step(lot.read("out-2", MISREAD), lot.passed("out-2"))
    assert stay(lot, 0.4) == 0


def test_minutes_given_later_are_priced_after_the_same_earlier_stays(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, rules=rules(OF_THE_PLATE))
    assert [stay(lot, 5), stay(lot, 5)] == [1300, 700]
    later = replace(validation(Way.MINUTES, 300), from_ms=lot.last("exit")["at"] - 1)
    lot.step(lot.grant(later))
    assert lot.last("lowered")["amount_minor"] == 700


def test_a_calendar_that_ended_lets_the_vehicle_out_and_charges_nobody(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, rules=rules(HOLIDAY, "china-2026"))
    assert stay(lot, 2) == 700
    lot.enter()
    outcome = lot.step(lot.read("out"), after_ms=100 * 24 * HOUR_MS)
    assert (lot.last("exit")["outcome"], lot.last("exit")["amount_minor"]) == ("review", 0)
    assert lot.last("review")["reason"] == "price not known"
    assert OpenBarrier("out") in outcome.commands
    alarms = {command.alarm for command in outcome.commands if isinstance(command, RaiseAlarm)}
    assert alarms == {"tariff/unpriced", "tariff/calendar"}
