"""A vehicle that turns back at the exit: its exit is reversed, and it is billed once, when it truly leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.city_events import ExitAttached
from gateway.core.entitlement import Way
from gateway.core.exit import WithoutLease
from gateway.store.reader import Reader
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


STAY, MISREAD, OTHER = plate("浙A12345"), plate("浙A1234S"), plate("浙A12346")


def leave_in_review(lot: SmallLot, evidence: str) -> str:
    """A stay whose vehicle stands at `out`, let out by an exit that is paired with the stay by this evidence."""
    entered_ms = lot.now_ms
    if evidence == "no plate":
        lot.step(lot.passed("in"))
    elif evidence != "entry heard late":
        lot.enter(STAY)
    if evidence == "a lookalike is inside too":
        lot.enter(MISREAD)
    if evidence == "may have left before":
        lot.wait(HOUR_MS)
        lot.step(lot.read("out", plate(confidence=20)), lot.passed("out"))
    lot.wait(2 * HOUR_MS)
    misread = evidence in ("one lookalike apart", "attached", "no plate")
    read = MISREAD if misread else OTHER if evidence == "fits, and may be another" else STAY
    lot.step(lot.read("out", read))
    if evidence == "entry heard late":
        age_ms = lot.now_ms - entered_ms
        lot.step(lot.read("in", STAY, age_ms), lot.passed("in", age_ms))
    if evidence == "fits, and may be another":
        lot.enter(OTHER)
    if evidence == "attached":
        pair = lot.last("paired")
        lot.step(lot.line(ExitAttached, "a-1", pair["session"], pair["exit"], "entry", "seen"))
    return str(lot.last("paired")["session"])


PAIRED = [
    # evidence                    others inside, reversed, bill of the stay at a true read an hour later (0: in review)
    ("one lookalike apart",       0, 1, 900),
    ("a lookalike is inside too", 1, 1, 0),
    ("may have left before",      -1, 1, 0),  # the exit before lowered the number inside
    ("no plate",                  0, 1, 0),
    ("fits, and may be another",  1, 1, 900),
    ("entry heard late",          0, 2, 900),
    ("attached",                  0, 1, 900),
]  # fmt: skip


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(("evidence", "others", "reversals", "fen"), PAIRED)
def test_whoever_turns_back_takes_the_exit_and_its_pair_back(
    tmp_path: Path, evidence: str, others: int, reversals: int, fen: int, restart: bool
) -> None:
    lot = SmallLot(tmp_path)
    session = leave_in_review(lot, evidence)
    stray = str(lot.last("paired")["exit"])
    exits = lot.engine.memory.exits
    if restart:
        lot.restart()
    lot.step(lot.backed_out("out"))
    assert (state(lot, stray), state(lot, session), owed_minor(lot)) == ("voided", "inside", 0)
    assert (lot.engine.memory.inside, lot.engine.memory.exits) == (1 + others, exits - 1)
    assert len(lot.lines("reversed")) == reversals
    assert Reader(lot.path).money_differences() == []
    before = state_of(lot.engine.memory)
    lot.restart()
    assert state_of(lot.engine.memory) == before
    lot.wait(HOUR_MS)
    lot.step(lot.read("out-2", STAY), lot.passed("out-2"))
    assert (owed_minor(lot), state(lot, session)) == (fen, "arrears" if fen else "review")
    assert lot.engine.memory.inside == max(0, others)
    assert Reader(lot.path).money_differences() == []


def test_a_plate_that_was_read_by_mistake_pays_nothing_after_a_turn_back(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.standing(plate=MISREAD.identity)))
    session = lot.enter(STAY)
    for _ in range(2):
        lot.wait(2 * HOUR_MS)
        lot.step(lot.read("out", MISREAD))
        assert (lot.last("paired")["session"], lot.last("exit")["outcome"]) == (session, "review")
        lot.step(lot.backed_out("out"))
    assert (state(lot, session), owed_minor(lot)) == ("inside", 0)


def test_a_pair_whose_bill_was_paid_meanwhile_stands(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = leave_in_review(lot, "attached")
    lot.step(lot.payment(session, 700))
    lot.step(lot.backed_out("out"))
    assert (state(lot, session), lot.lines("reversed"), lot.engine.memory.inside) == ("paid", [], 1)
    assert lot.last("alarm")["alarm"] == "turned-back/out"


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
