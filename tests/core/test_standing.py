"""Standing leases: the limits of a stay, of a plate and of the lot, and when they rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.entitlement import Entitlement, Kind
from gateway.core.exit import WithoutLease
from gateway.core.plate import Plate
from tests import entitled
from tests.lots import HOUR_MS, START_MS, SmallLot, plate

OTHER = plate("沪B54321")


def stay(lot: SmallLot, read: Plate | None = None) -> str:
    """A stay that costs 700 fen; the session's id."""
    session = lot.enter(read)
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out", read))
    lot.step(lot.passed("out"))
    assert lot.last("exit")["amount_minor"] == 700
    return session


@pytest.mark.parametrize(
    ("grants", "outcome", "objection"),
    [
        ([entitled.standing()],                                         "standing", None),
        ([],                                                            "arrears",  None),
        ([entitled.standing(plate=OTHER.identity)],                     "arrears",  None),
        ([entitled.standing(cap=700)],                                  "standing", None),
        ([entitled.standing(cap=699)],                                  "arrears",  "cap"),
        ([entitled.standing(exposure=699)],                             "arrears",  "plate-exposure"),
        ([entitled.standing(to_ms=START_MS)],                           "arrears",  "expired"),
        ([entitled.standing(to_ms=START_MS), entitled.standing("s2")],  "standing", None),
        ([entitled.standing(), entitled.lot_exposure(700)],             "standing", None),
        ([entitled.standing(), entitled.lot_exposure(699)],             "arrears",  "lot-exposure"),
        ([entitled.standing(), entitled.suspension()],                  "arrears",  "suspended"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("restart", [False, True])
def test_each_limit(
    tmp_path: Path, grants: list[Entitlement], outcome: str, objection: str | None, *, restart: bool
) -> None:
    lot = SmallLot(tmp_path)
    lot.step(*(lot.grant(one) for one in grants))
    if restart:
        lot.restart()
    stay(lot)
    assert (lot.last("exit")["outcome"], lot.last("exit").get("standing")) == (outcome, objection)


def test_the_lease_of_the_stay_comes_first(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.standing()))
    lot.step(lot.lease(lot.enter(), 5000))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert (lot.last("exit")["outcome"], lot.last("exit")["lease"]["lease"]) == ("lease", "lease-2")


@pytest.mark.parametrize("restart", [False, True])
def test_what_is_open_counts_until_it_is_paid(tmp_path: Path, *, restart: bool) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.standing(exposure=1399)), lot.grant(entitled.lot_exposure(1399)))
    lot.step(lot.grant(entitled.standing("s2", OTHER.identity)))
    first = stay(lot)
    if restart:
        lot.restart()
    second = stay(lot)
    assert (lot.last("exit")["outcome"], lot.last("exit")["standing"]) == ("arrears", "plate-exposure")
    stay(lot, OTHER)
    assert lot.last("exit")["standing"] == "lot-exposure"
    lot.step(lot.payment(first, 700), lot.payment(second, 700))
    if restart:
        lot.restart()
    stay(lot)
    assert lot.last("exit")["outcome"] == "standing"


@pytest.mark.parametrize("restart", [False, True])
def test_arrears_rest_the_plates_standing_lease_until_they_are_paid(tmp_path: Path, *, restart: bool) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.standing()), lot.grant(entitled.standing("s2", OTHER.identity)))
    failed = stay(lot)
    lot.step(lot.payment(failed, 700, paid=False))
    if restart:
        lot.restart()
    stay(lot)
    assert (lot.last("exit")["outcome"], lot.last("exit")["standing"]) == ("arrears", "arrears")
    stay(lot, OTHER)
    assert lot.last("exit")["outcome"] == "standing"
    lot.step(lot.payment(failed, 700), lot.payment(str(lot.lines("exit")[1]["body"]["session"]), 700))
    stay(lot)
    assert lot.last("exit")["outcome"] == "standing"


def test_a_suspension_is_lifted_by_its_withdrawal(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    lot.step(lot.grant(entitled.standing()), lot.grant(entitled.suspension()), lot.withdraw(Kind.SUSPENSION, "u1"))
    stay(lot)
    assert lot.last("exit")["outcome"] == "standing"


def test_the_standing_lease_stands_in_the_record(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.standing()))
    session = stay(lot)
    assert lot.last("exit")["lease"] == {"lease": "s1", "cap_minor": 5000, "dn": 1}
    assert lot.rows(f"SELECT state FROM session WHERE id = '{session}'") == [("due",)]
