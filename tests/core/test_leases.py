"""Leases: before the exit, at the exit, too late, for nobody."""

from __future__ import annotations

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


def test_a_lease_after_the_exit_is_refused_by_name(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.lease(session, 5000))
    assert lot.last("refused") == {
        "kind": "lease",
        "session": session,
        "id": "lease-1",
        "reason": "session is arrears",
        "dn": 1,
    }


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
