"""Leases: before the exit, at the exit, too late, for nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.commands import OpenBarrier
from gateway.core.exit import WithoutLease
from tests.lots import HOUR_MS, START_MS, SmallLot, plate


def test_the_exit_names_the_lease_that_pays(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.step(lot.lease(session, 5000))
    lot.restart()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert lot.last("exit")["lease"] == {"lease": "lease-1", "cap_minor": 5000, "dn": 1}
    assert lot.lines("exit")[-1]["dn"] == 1


@pytest.mark.parametrize(("cap", "let_out", "state"), [(700, True, "due"), (699, False, "held")])
def test_a_lease_for_a_vehicle_that_waits_at_the_exit(tmp_path: Path, cap: int, let_out: bool, state: str) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    done = lot.step(lot.lease(session, cap))
    assert (OpenBarrier("out") in done.commands) is let_out
    assert lot.rows(f"SELECT state FROM session WHERE id = '{session}'") == [(state,)]
    assert len(lot.lines("released")) == int(let_out)


@pytest.mark.parametrize(
    ("cap", "expires_ms", "state", "reason"),
    [
        (700, 2 * START_MS, "due",     ""),
        (699, 2 * START_MS, "arrears", "session is arrears and the lease does not cover it"),
        (700, START_MS,     "arrears", "session is arrears and the lease does not cover it"),
    ],
)  # fmt: skip
def test_a_lease_after_an_exit_in_arrears(tmp_path: Path, cap: int, expires_ms: int, state: str, reason: str) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    lot.step(lot.lease(session, cap, expires_ms=expires_ms))
    assert lot.rows(f"SELECT state FROM session WHERE id = '{session}'") == [(state,)]
    if reason:
        named = {"kind": "lease", "session": session, "id": "lease-1"}
        assert lot.last("refused") == {**named, "reason": reason, "dn": 1}
        assert lot.lines("leased") == []
    else:
        assert lot.last("leased") == {"session": session, "lease": "lease-1", "cap_minor": 700, "dn": 1}
        lot.step(lot.payment(session, 700))
        assert lot.lines("refused") == []


def test_a_lease_after_the_stay_was_paid_is_refused_by_name(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.payment(session, 700))
    lot.step(lot.lease(session, 5000))
    assert lot.last("refused")["reason"] == "session is paid"


@pytest.mark.parametrize(("cap", "refused"), [(5000, 0), (6000, 1)])
def test_the_same_lease_twice(tmp_path: Path, cap: int, refused: int) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    first = lot.lease(session, 5000)
    lot.step(first)
    lot.step(replace(lot.lease(session, cap), lease=first.lease))
    assert [line["body"]["reason"] for line in lot.lines("refused")] == ["id has another content"] * refused
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert lot.last("exit")["lease"] == {"lease": "lease-1", "cap_minor": 5000, "dn": 1}


def test_a_newer_lease_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.step(lot.lease(session, 1))
    lot.step(lot.lease(session, 5000))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert (lot.last("exit")["outcome"], lot.last("exit")["lease"]["dn"]) == ("lease", 2)


def test_a_lease_for_a_vehicle_that_is_not_there(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.lease("1.77", 5000))
    assert lot.last("refused")["reason"] == "unknown session"


def test_the_citys_line_is_kept_as_evidence(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.lease(lot.enter(), 5000))
    assert lot.rows("SELECT dn, line FROM down") == [(1, "line 1")]


def test_a_lease_opens_for_nobody_else(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.backed_out("out"))
    lot.step(lot.read("out", plate("沪B54321")))
    assert OpenBarrier("out") not in lot.step(lot.lease(session, 5000)).commands
    assert lot.rows(f"SELECT state FROM session WHERE id = '{session}'") == [("due",)]


def test_a_lease_that_has_expired_pays_nothing(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.step(lot.lease(session, 5000, expires_ms=START_MS + HOUR_MS))
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert lot.last("exit")["outcome"] == "arrears"
