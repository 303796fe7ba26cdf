"""A vehicle that turns back at the exit: its exit is reversed, and it is billed once, when it truly leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.entitlement import Way
from gateway.core.exit import WithoutLease
from tests import entitled
from tests.lots import HOUR_MS, SmallLot, plate, state_of

IDENTITY = plate().identity


def state(lot: SmallLot, session: str) -> str:
    return str(lot.rows(f"SELECT state FROM session WHERE id = '{session}'")[0][0])


def owed_minor(lot: SmallLot) -> int:
    return int(lot.rows("SELECT coalesce(sum(amount_minor), 0) FROM posting WHERE account = 'receivable'")[0][0])


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("hours", "cap", "before", "after", "fen"),
    [
        # stay before it turned back, lease -> outcome, outcome two hours later, bill of the whole stay
        (0.4, None,    "free",    "arrears", 900),
        (2,   None,    "arrears", "arrears", 1100),
        (2,   100_000, "lease",   "lease",   1100),
        (2,   700,     "lease",   "arrears", 1100),
    ],
)  # fmt: skip
def test_it_is_billed_once_at_the_true_exit(
    tmp_path: Path, restart: bool, hours: float, cap: int | None, before: str, after: str, fen: int
) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    if cap is not None:
        lot.step(lot.lease(session, cap))
    lot.wait(int(hours * HOUR_MS) - 60_000)
    lot.step(lot.read("out"))
    first = lot.last("exit")
    if restart:
        lot.restart()
    lot.step(lot.backed_out("out"))
    told = lot.last("reversed")
    assert (told["session"], told["exited"], told["amount_minor"]) == (session, first["at"], first["amount_minor"])
    assert (state(lot, session), owed_minor(lot), lot.engine.memory.inside) == ("inside", 0, 1)
    if restart:
        lot.restart()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out-2"))
    lot.step(lot.passed("out-2"))
    bills = [line["body"] for line in lot.lines("exit")]
    assert {bill["plate"] for bill in bills} == {lot.last("entry")["plate"]}
    assert [(bill["session"], bill["outcome"]) for bill in bills] == [(session, before), (session, after)]
    assert (bills[-1]["amount_minor"], owed_minor(lot), lot.engine.memory.billed_minor) == (fen, fen, fen)
    assert (lot.engine.memory.exits, lot.engine.memory.inside) == (1, 0)
    assert lot.rows("SELECT n FROM posting GROUP BY n HAVING sum(amount_minor) <> 0") == []


def test_a_payment_of_the_reversed_bill_is_refused(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.step(lot.lease(session, 100_000))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"), lot.backed_out("out"))
    lot.step(lot.payment(session, 700))
    assert (lot.last("refused")["reason"], state(lot, session)) == ("session is inside", "inside")
    assert lot.lines("paid") == []


def test_a_bill_that_was_paid_meanwhile_stands_and_nobody_pays_again(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.step(lot.lease(session, 100_000))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.payment(session, 700))
    lot.step(lot.backed_out("out"))
    assert (state(lot, session), lot.lines("reversed"), lot.engine.memory.inside) == ("paid", [], 1)
    assert lot.last("alarm")["alarm"] == "turned-back/out"
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    assert (lot.last("exit")["outcome"], owed_minor(lot), lot.engine.memory.inside) == ("review", 0, 0)


def test_a_review_exit_that_turned_back_is_no_exit(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out", plate(confidence=20)))
    stray = str(lot.last("exit")["session"])
    assert lot.engine.memory.inside == 0
    lot.step(lot.backed_out("out"))
    assert (state(lot, stray), state(lot, session), lot.engine.memory.inside) == ("voided", "inside", 1)


@pytest.mark.parametrize("back", [False, True])
def test_a_held_vehicle_stays_held_and_no_longer_stands_there(tmp_path: Path, back: bool) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.backed_out("out"))
    assert (state(lot, session), lot.lines("reversed")) == ("held", [])
    if back:
        lot.step(lot.read("out"))
    assert any(str(type(c).__name__) == "OpenBarrier" for c in lot.step(lot.payment(session, 700)).commands) is back
    assert owed_minor(lot) == 0


@pytest.mark.parametrize(
    ("behind_read", "behind", "reversed_"),
    [
        # the second vehicle was read, the node saw one passing -> whose exit is reversed
        (True,  True,  ["B"]),
        (False, True,  []),      # nobody read it: the exit that stands belongs to the one ahead
        (False, False, ["A"]),
    ],
)  # fmt: skip
def test_bumper_to_bumper(tmp_path: Path, behind_read: bool, behind: bool, reversed_: list[str]) -> None:
    lot = SmallLot(tmp_path)
    stays = {name: lot.enter(plate(f"浙{name}11111")) for name in "AB"}
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out", plate("浙A11111")))
    if behind_read:
        lot.step(lot.read("out", plate("浙B11111"), behind=True))
    lot.step(lot.backed_out("out", behind=behind))
    assert [line["body"]["session"] for line in lot.lines("reversed")] == [stays[name] for name in reversed_]
    lot.step(lot.passed("out"))
    assert len(lot.lines("left")) == (0 if reversed_ == ["A"] else 1)


def test_at_an_entry_the_unread_second_backs_out_and_the_first_keeps_its_plate(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in"))
    lot.step(lot.backed_out("in", behind=True))
    lot.step(lot.passed("in"))
    assert lot.last("entry")["confidence"] == 99


def test_what_the_exit_used_up_is_given_back(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(
        lot.grant(entitled.validation(Way.FREE, plate=IDENTITY, single=True)),
        lot.grant(entitled.standing(plate=IDENTITY)),
    )
    lot.enter()
    lot.wait(2 * HOUR_MS)
    for _ in range(2):
        lot.step(lot.read("out"))
        assert lot.last("exit")["outcome"] == "free"
        lot.step(lot.backed_out("out"))
        lot.restart()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert lot.last("exit")["outcome"] == "free"


def test_a_standing_lease_no_longer_counts_what_turned_back(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.standing(plate=IDENTITY)))
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert (lot.last("exit")["outcome"], lot.engine.memory.debts.standing_minor) == ("standing", 700)
    lot.step(lot.backed_out("out"))
    assert (lot.engine.memory.debts.standing_minor, lot.engine.memory.session(session).lease) == (0, None)
    lot.step(lot.lease(session, 100_000))
    lot.step(lot.read("out"))
    assert lot.last("exit")["outcome"] == "lease"
    before = state_of(lot.engine.memory)
    lot.restart()
    assert state_of(lot.engine.memory) == before


def test_a_plate_that_came_in_a_second_time_before_it_turned_back_is_reviewed_twice(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    first = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.wait(60_000)
    second = lot.enter()
    lot.step(lot.backed_out("out"))
    assert (state(lot, first), state(lot, second), owed_minor(lot)) == ("review", "review", 0)
    assert lot.engine.memory.inside == 2
