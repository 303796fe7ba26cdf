"""Grants, withdrawals and counts: what leaves a record, what is refused, what reaches back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.city_events import EntitlementGranted
from gateway.core.commands import OpenBarrier, ShowText
from gateway.core.entitlement import Entitlement, Kind, Way
from gateway.core.exit import WithoutLease
from gateway.core.granting import PAST_STAYS_MAX, past_stays
from gateway.core.plate import Energy
from tests import entitled
from tests.entitled import BLUE
from tests.lots import HOUR_MS, START_MS, SmallLot, plate, state_of


def stay(lot: SmallLot, *, paid: bool = True) -> str:
    """A stay of 700 fen that has left; its id."""
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    if paid:
        lot.step(lot.payment(session, 700))
    return session


def test_a_grant_is_recorded_kept_and_found_again(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.standing()), lot.grant(entitled.permit()), lot.grant(entitled.exemption(mark="警")))
    assert [line["body"] for line in lot.lines("granted")] == [
        {"kind": "standing", "id": "s1", "dn": 1},
        {"kind": "permit", "id": "p1", "dn": 2},
        {"kind": "exempt", "id": "e1", "dn": 3},
    ]
    lot.enter()
    before = state_of(lot.engine.memory)
    lot.restart()
    assert state_of(lot.engine.memory) == before
    assert BLUE not in str(lot.lines("granted"))


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("ended", "change", "reason"),
    [
        (False, {},               None),
        (False, {"cap_minor": 1}, "id has another content"),
        (True,  {},               "id has ended"),
        (True,  {"cap_minor": 1}, "id has another content"),
    ],
)  # fmt: skip
def test_the_same_id_again(
    tmp_path: Path, ended: bool, change: dict[str, int], reason: str | None, restart: bool
) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.standing()))
    if ended:
        lot.step(lot.withdraw(Kind.STANDING, "s1"))
        assert lot.last("withdrawn") == {"kind": "standing", "id": "s1", "dn": 2}
    if restart:
        lot.restart()
    lot.step(lot.grant(replace(entitled.standing(), **change)))
    assert [line["body"]["reason"] for line in lot.lines("refused")] == ([reason] if reason else [])
    assert len(lot.lines("granted")) == 1


@pytest.mark.parametrize(("times", "reason"), [(0, "unknown id"), (1, "id has ended")])
def test_what_cannot_be_withdrawn(tmp_path: Path, times: int, reason: str) -> None:
    lot = SmallLot(tmp_path)
    if times:
        lot.step(lot.grant(entitled.suspension()), lot.withdraw(Kind.SUSPENSION, "u1"))
    lot.step(lot.withdraw(Kind.SUSPENSION, "u1"))
    assert {name: lot.last("refused")[name] for name in ("kind", "id", "reason")} == {
        "kind": "withdraw",
        "id": "u1",
        "reason": reason,
    }


EXIT_MS = START_MS + 2 * HOUR_MS


@pytest.mark.parametrize(
    ("grant", "refund"),
    [
        (entitled.benefit(Way.PERCENT, 50, "b1", BLUE),                        350),
        (entitled.benefit(Way.FREE, 0, "b1", "blue 浙A99999", BLUE),           700),
        (entitled.benefit(Way.FREE, 0, "b1", "blue 浙A99999"),                 None),
        (entitled.benefit(Way.PERCENT, 50),                                    None),
        (entitled.benefit(Way.FREE, energy=Energy.FUEL),                       None),
        (entitled.benefit(Way.FREE, 0, "b1", BLUE, to_ms=EXIT_MS - HOUR_MS),   None),
        (entitled.benefit(Way.FREE, 0, "b1", BLUE, from_ms=EXIT_MS + HOUR_MS), None),
        (entitled.validation(Way.MONEY, 200),                                  200),
        (entitled.validation(Way.MONEY, 900),                                  700),
        (entitled.validation(Way.MINUTES, 600),                                700),
        (entitled.validation(Way.WINDOW, to_ms=EXIT_MS - HOUR_MS),             200),
        (entitled.validation(Way.CAP, 700),                                    None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("paid", [True, False])
def test_a_grant_after_the_exit(tmp_path: Path, grant: Entitlement, refund: int | None, paid: bool) -> None:
    lot = SmallLot(tmp_path)
    session = stay(lot, paid=paid)
    lot.restart()
    lot.step(lot.grant(grant))
    off, due = ([line["body"] for line in lot.lines(name)] for name in ("lowered", "refund-due"))
    kind = "benefit" if grant.id == "b1" else "validation"
    named = {"session": session, "kind": kind, "id": grant.id, "dn": lot.last("granted")["dn"]}
    assert off == ([] if refund is None else [{**named, "amount_minor": refund}])
    assert due == (off if paid else [])
    owed = lot.rows("SELECT coalesce(sum(amount_minor), 0) FROM posting WHERE account = 'receivable'")
    assert owed == [((0 if paid else 700) - (refund or 0),)]


@pytest.mark.parametrize(("single", "refunds"), [(True, 1), (False, 2)])
def test_what_may_be_used_once_reaches_back_once(tmp_path: Path, single: bool, refunds: int) -> None:
    lot = SmallLot(tmp_path)
    sessions = [stay(lot), stay(lot)]
    lot.step(lot.grant(entitled.validation(Way.FREE, single=single)))
    assert [line["body"]["session"] for line in lot.lines("refund-due")] == sessions[:refunds]
    stay(lot, paid=False)
    assert lot.last("exit")["amount_minor"] == (700 if single else 0)


def test_a_repeated_grant_refunds_nothing_again(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    stay(lot)
    grant = lot.grant(entitled.validation(Way.FREE))
    lot.step(grant)
    lot.step(grant, EntitlementGranted(replace(grant.origin, dn=grant.origin.dn + 1), grant.entitlement))
    assert len(lot.lines("refund-due")) == 1


def test_a_validation_for_one_exit_is_used_up_by_it(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.validation(Way.FREE, single=True)))
    lot.restart()
    stay(lot, paid=False)
    lot.restart()
    stay(lot, paid=False)
    assert [line["body"]["amount_minor"] for line in lot.lines("exit")] == [0, 700]


def test_how_far_a_grant_reaches_back() -> None:
    span = {"from_ms": 5, "to_ms": 9}
    assert past_stays(entitled.benefit(Way.FREE, 0, "b", BLUE, **span)) == ((BLUE,), (5, 9), PAST_STAYS_MAX)
    assert past_stays(entitled.validation(Way.WINDOW, **span)) == ((BLUE,), (5, 2**53 - 1), PAST_STAYS_MAX)
    assert past_stays(entitled.benefit(Way.FREE)) == ((), (0, entitled.FOREVER_MS), PAST_STAYS_MAX)
    assert past_stays(entitled.permit()) is None


@pytest.mark.parametrize(
    ("counted", "inside", "after_exit", "after_stranger"),
    [
        # stays: 2     then one of them leaves, then a vehicle without a stay
        (5, 5, 4, 3),
        (2, 2, 1, 0),
        (1, 1, 0, 0),
    ],
)
def test_a_count_is_believed(tmp_path: Path, counted: int, inside: int, after_exit: int, after_stranger: int) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.enter(plate("浙A00002"))
    lot.step(lot.recount(counted))
    named = {"id": "count-1", "inside": counted, "before": 2, "unlisted": counted - 2, "dn": 1}
    assert lot.last("recount") == named
    lot.restart()
    found = [lot.engine.memory.inside]
    for read in (plate(), plate("沪B54321")):
        lot.step(lot.read("out", read))
        lot.step(lot.passed("out"))
        found.append(lot.engine.memory.inside)
    assert found == [inside, after_exit, after_stranger]


def test_a_ghost_gives_back_what_a_count_took_off(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.step(lot.recount(0))
    lot.enter()
    assert lot.engine.memory.inside == 1


@pytest.mark.parametrize(
    ("percent", "opens", "said"), [(100, True, "免费停车 一路平安"), (50, False, "请扫码付费 3.50元")]
)
def test_a_grant_for_a_vehicle_that_waits_at_the_exit(tmp_path: Path, percent: int, opens: bool, said: str) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    commands = lot.step(lot.grant(entitled.benefit(Way.PERCENT, percent, "b1", BLUE))).commands
    assert (OpenBarrier("out") in commands) is opens
    assert [command.text for command in commands if isinstance(command, ShowText)] == [said]
