"""The tables of entitlements: everything comes back, and what can't be read stops the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.entitlement import Debt, Kind, Way
from gateway.store.entitlements import load, past_stays
from gateway.store.journal import Journal
from gateway.store.schema import SchemaError
from tests import entitled
from tests.entitled import BLUE
from tests.lots import CHAIN, HOUR_MS, START_MS, SmallLot, plate


def full_lot(folder: Path) -> tuple[SmallLot, str, str]:
    """A lot with a vehicle on a permit's space, and one gone on a standing lease; their sessions."""
    lot = SmallLot(folder)
    other = plate("沪B54321")
    lot.step(lot.grant(entitled.standing()), lot.grant(entitled.permit("p1", other.identity)), lot.recount(7))
    lot.step(lot.grant(entitled.suspension("u1", other.identity)), lot.withdraw(Kind.SUSPENSION, "u1"))
    gone = lot.enter()
    lot.wait(2 * HOUR_MS)
    inside = lot.enter(other)
    lot.step(lot.read("out"))
    return lot, inside, gone


def test_everything_comes_back(tmp_path: Path) -> None:
    lot, inside, gone = full_lot(tmp_path)
    found = load(lot.journal._connection)
    assert {(held.key, held.dn, bool(held.ended_ms)) for held in found.held} == {
        ((Kind.STANDING, "s1"), 1, False),
        ((Kind.PERMIT, "p1"), 2, False),
        ((Kind.SUSPENSION, "u1"), 4, True),
    }
    assert [(space.session, space.permit, space.from_ms) for space in found.spaces] == [(inside, "p1", 0)]
    assert found.debts == (Debt(gone, BLUE, 700, "s1", False),)
    assert found.unlisted == 7


def test_what_was_forgotten_is_gone(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.validation(Way.FREE, to_ms=START_MS)))
    lot.wait(40 * 24 * HOUR_MS)
    lot.step()
    assert lot.rows("SELECT count(*) FROM entitlement") == [(0,)]


@pytest.mark.parametrize(
    ("plate_", "span_ms", "limit", "found"),
    [
        (BLUE,             (0, 2**50), 9, [1, 0]),
        (BLUE,             (0, 2**50), 1, [1]),
        (BLUE,             (0, START_MS + 3 * HOUR_MS), 9, [0]),
        ("blue 浙A99999",  (0, 2**50), 9, []),
    ],
)  # fmt: skip
def test_past_stays_of_a_plate(
    tmp_path: Path, plate_: str, span_ms: tuple[int, int], limit: int, found: list[int]
) -> None:
    lot = SmallLot(tmp_path)
    sessions = []
    for _ in range(2):
        sessions.append(lot.enter())
        lot.wait(2 * HOUR_MS)
        lot.step(lot.read("out"))
        lot.step(lot.passed("out"))
    lot.enter()
    assert past_stays(lot.journal._connection, plate_, span_ms, limit) == [sessions[i] for i in found]


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [("standing", "{}", "standing s1: missing or unknown"), ("parade", "{}", "parade s1: a kind of a newer release")],
)
def test_an_entitlement_that_cannot_be_read_stops_the_program(
    tmp_path: Path, kind: str, body: str, reason: str
) -> None:
    journal = Journal(tmp_path / "l.db", chain=CHAIN, instance="i")
    journal._connection.execute("INSERT INTO entitlement VALUES (?, 's1', '', ?, 1, 0)", (kind, body))
    with pytest.raises(SchemaError, match=reason):
        journal.remembered()
