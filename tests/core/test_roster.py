"""The roster: lists replace each other by version, revoked keys stay known, and their number is limited."""

from __future__ import annotations

from dataclasses import replace

from gateway.core import roster as rosters
from gateway.core.operator_events import OperatorsListed
from gateway.core.roster import Given, Roster, RosterChanges
from tests.operating import ATTENDANT, MANAGER, Console, listed


def taken(roster: Roster, *consoles: Console, version: int) -> RosterChanges:
    changes = RosterChanges()
    roster.replace(OperatorsListed(listed(*consoles, version=version), "line", bytes(64)), changes)
    return changes


def test_a_key_left_out_is_revoked_and_keeps_its_number() -> None:
    roster = Roster(rosters.NO_ROSTER)
    taken(roster, ATTENDANT, MANAGER, version=1)
    known = roster.find(ATTENDANT.key)
    assert known is not None
    roster.use(known, Given(ATTENDANT.key, 9, "line", bytes(64), "reply", 0), RosterChanges())
    changes = taken(roster, MANAGER, version=2)
    revoked = roster.find(ATTENDANT.key)
    assert revoked == replace(known, revoked=True, counter=9)
    assert changes.known.keys() == {ATTENDANT.key, MANAGER.key}
    taken(roster, ATTENDANT, version=3)
    assert roster.find(ATTENDANT.key) == replace(known, counter=9)


def test_the_oldest_revoked_keys_are_forgotten(monkeypatch) -> None:
    monkeypatch.setattr(rosters, "KNOWN_MAX", 3)
    roster = Roster(rosters.NO_ROSTER)
    consoles = [Console(number) for number in range(10, 15)]
    gone = [key for n, console in enumerate(consoles, 1) for key in taken(roster, console, version=n).forgotten]
    assert gone == [console.key for console in consoles[:2]]
    assert list(roster.publics()) == [console.key for console in consoles[2:]]


def test_what_was_recalled_is_held_for_one_step() -> None:
    roster = Roster(rosters.NO_ROSTER)
    given = Given("k", 1, "line", bytes(64), "reply", 0)
    roster.recall(given)
    assert roster.recalled("k", 1) == given
    roster.release()
    assert roster.recalled("k", 1) is None
