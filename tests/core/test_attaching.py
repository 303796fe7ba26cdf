"""A reviewed exit finds its stay: billed once, by the time of that exit's read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.city_events import BillVoided, ExitAttached
from gateway.core.entitlement import Way
from gateway.core.moment import ClockQuality
from gateway.core.plate import Plate
from tests import entitled
from tests.core.test_charge import HOLIDAY, rules
from tests.core.test_corrections import money, reasons
from tests.core.test_payments import OWED, receivable
from tests.lots import HOUR_MS, SmallLot, at, plate, state_of

MISREAD = plate("苏E77777")


def misread(folder: Path, *, hours: int = 2, cap: int = 0) -> tuple[SmallLot, str, str]:
    """A stay whose vehicle left under a plate that nobody has; the stay and the exit in review."""
    lot = SmallLot(folder)
    session = lot.enter()
    if cap:
        lot.step(lot.lease(session, cap))
    lot.wait(hours * HOUR_MS)
    lot.step(lot.read("out", MISREAD))
    lot.step(lot.passed("out"))
    return lot, session, str(lot.last("exit")["session"])


@pytest.mark.parametrize(("cap", "state"), [(0, "arrears"), (OWED - 1, "arrears"), (OWED, "due")])
def test_the_stay_is_billed_to_the_read_at_the_exit(tmp_path: Path, cap: int, state: str) -> None:
    lot, session, stray = misread(tmp_path, cap=cap)
    exit_ = lot.lines("exit")[-1]
    lot.wait(9 * HOUR_MS)
    lot.restart()
    lot.step(lot.line(ExitAttached, "a-1", session, stray, "entry", "seen on the picture"))
    told = lot.last("attached")
    assert (told["corrects"], told["at"], told["amount_minor"]) == (exit_["n"], exit_["body"]["at"], OWED)
    assert sum(line["amount_minor"] for line in told["lines"]) == OWED
    assert (money(lot, session)[:2], money(lot, stray)[:2]) == ((state, OWED), ("voided", 0))
    assert (receivable(lot), lot.engine.memory.inside) == (OWED, 0)
    lot.step(lot.payment(session, OWED))
    assert (money(lot, session)[0], receivable(lot)) == ("paid", 0)


def test_an_exit_ends_one_stay_and_a_stay_has_one_exit(tmp_path: Path) -> None:
    lot, session, stray = misread(tmp_path)
    other = lot.enter(plate("浙A00002"))
    attach = lot.line(ExitAttached, "a-1", session, stray, "entry", "seen")
    lot.step(attach, replace(attach, origin=lot.payment("", 0).origin))
    lot.step(
        lot.line(ExitAttached, "a-2", other, stray, "entry", "seen"),
        lot.line(ExitAttached, "a-3", session, stray, "entry", "seen"),
    )
    lot.step(lot.read("out", MISREAD))
    second = str(lot.last("exit")["session"])
    lot.step(
        lot.line(ExitAttached, "a-4", session, second, "entry", "seen"),
        lot.line(ExitAttached, "a-5", other, other, "entry", "?"),
    )
    lot.step(lot.line(ExitAttached, "a-6", "9.9", second, "entry", "seen"))
    no_exit = f"{stray} is no exit in review"
    assert reasons(lot) == [no_exit, no_exit, "session is arrears", f"{other} is no exit in review", "unknown session"]
    assert (receivable(lot), len(lot.lines("attached"))) == (OWED, 1)


def test_the_number_inside_goes_down_once(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session, _other = lot.enter(), lot.enter(plate("浙A00002"))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out", MISREAD))
    lot.step(lot.passed("out"))
    assert lot.engine.memory.inside == 1
    lot.step(lot.line(ExitAttached, "a-1", session, str(lot.last("exit")["session"]), "entry", "seen"))
    assert lot.engine.memory.inside == 1


def test_a_stay_in_review_may_find_its_exit_too(tmp_path: Path) -> None:
    lot, session, stray = misread(tmp_path)
    lot.enter()
    assert money(lot, session)[0] == "review"
    lot.step(lot.line(ExitAttached, "a-1", session, stray, "entry", "seen"))
    assert money(lot, session)[:2] == ("arrears", OWED)


def test_what_lowers_a_bill_lowers_this_one(tmp_path: Path) -> None:
    lot, session, stray = misread(tmp_path)
    lot.step(lot.grant(entitled.validation(Way.FREE, single=True)))
    lot.step(lot.line(ExitAttached, "a-1", session, stray, "entry", "seen"))
    assert (money(lot, session)[0], receivable(lot)) == ("free", 0)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert lot.last("exit")["amount_minor"] == OWED


def test_an_exit_before_the_entry_is_nobodys(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("out", MISREAD))
    stray = str(lot.last("exit")["session"])
    session = lot.enter()
    lot.step(lot.line(ExitAttached, "a-1", session, stray, "entry", "?"))
    assert (reasons(lot), money(lot, session)[0]) == (["the exit was before the entry"], "inside")


def test_no_bill_for_a_stay_of_unknown_length(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.engine.step((lot.read("out", MISREAD),), at(2 * HOUR_MS, boot="boot-2", quality=ClockQuality.UNKNOWN))
    lot.wait(3 * HOUR_MS)
    lot.step(lot.line(ExitAttached, "a-1", session, str(lot.last("exit")["session"]), "entry", "?"))
    assert reasons(lot) == ["length of the stay not known"]


def test_a_reviewed_exit_may_be_voided(tmp_path: Path) -> None:
    lot, _, stray = misread(tmp_path)
    lot.step(lot.line(BillVoided, "v-1", stray, "a person walked by"))
    assert (money(lot, stray)[:2], lot.last("voided")["amount_minor"]) == (("voided", 0), 0)


@pytest.mark.parametrize(
    ("read", "whose", "owes", "state"),
    [
        # the plate at the exit, whose plate owes -> the read that the bill commits to, the stay
        (MISREAD,               "entry", "entry", "due"),
        (MISREAD,               "exit",  "exit",  "arrears"),   # the lease was the other plate's
        (plate(confidence=40),  "exit",  "exit",  "due"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("restart", [False, True])
def test_the_bill_commits_to_the_plate_that_owes(
    tmp_path: Path, read: Plate, whose: str, owes: str, state: str, restart: bool
) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.step(lot.lease(session, OWED))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out", read))
    lot.step(lot.passed("out"))
    stray = lot.last("exit")
    if restart:
        lot.restart()
    lot.step(lot.line(ExitAttached, "a-1", session, str(stray["session"]), whose, "seen"))
    told = lot.last("attached")
    assert (told["plate"], money(lot, session)[0]) == (lot.last(owes)["plate"], state)


def test_a_bill_that_nobody_can_price_leaves_the_stay_as_it_is(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, rules=rules(HOLIDAY, "china-2026"))
    session = lot.enter()
    lot.wait(100 * 24 * HOUR_MS)
    lot.step(lot.read("out", MISREAD))
    before = state_of(lot.engine.memory)
    lot.step(lot.line(ExitAttached, "a-1", session, str(lot.last("exit")["session"]), "entry", "seen"))
    assert reasons(lot) == ["price not known"]
    assert state_of(lot.engine.memory) == before
    assert money(lot, session)[0] == "inside"
