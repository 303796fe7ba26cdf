"""Whose an exit in doubt was, by the register of plates and by what happens afterwards.

Rules: of two plates that were read for one vehicle the one that is borne, if the other is not; where readers take a third plate
that is borne too for both of them, only a sure read counts. A plate whose lookalike was inside too is right once that one has
left under its own. Anything else is for a person with the pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sim.city_store import CityStore
from sim.city_verifier import Line

UNDECIDED = ("one lookalike apart", "fits, and may be another")
"""Evidence of a pair that leaves open which of the two plates is the vehicle's."""
DOUBLE = "a lookalike is inside too"
GROUPS = ("0DOQ", "1I", "2Z", "38B", "5S", "EFP", "HKMR", "VTY")
"""Characters that readers take for one another, as their vendors publish them."""
SURE = 95
NEAR_TOLD_MAX = 4
"""A review exit names at most so many stays: with as many there may be more of them."""


@dataclass(frozen=True, slots=True)
class Read:
    """A plate as it was read, and the reader's confidence from 0 to 100."""

    plate: str
    confidence: int


class Register:
    """The city's desk for pairs in doubt; `borne` says whether a vehicle bears a plate."""

    def __init__(self, store: CityStore, borne: Callable[[str], bool]) -> None:
        self._store = store
        self._borne = borne

    def paired(self, chain: str, line: Line) -> list[dict[str, str]]:
        """What to send down for a pair: one body of an `attach`, or nothing yet."""
        session, stray = str(line.body.get("session")), str(line.body.get("exit"))
        evidence = str(line.body.get("evidence"))
        entry, _ = self._read(chain, session)
        exited, near = self._read(chain, stray)
        if evidence == DOUBLE:
            doubles = [other for other in near if other != session and is_alike(self._read(chain, other)[0], exited)]
            if len(near) < NEAR_TOLD_MAX:
                self._store.wait_for(chain, session, stray, doubles)
            return []
        told = whose(evidence, entry, exited, self._borne)
        return [_attach(chain, session, stray, told)] if told else []

    def left(self, chain: str, line: Line) -> list[dict[str, str]]:
        """A stay ended by its own plate: the pairs that were only in doubt because of it."""
        session = line.body.get("session")
        if line.type != "exit" or line.body.get("outcome") == "review" or not isinstance(session, str):
            return []
        return [_attach(chain, *pair, "entry") for pair in self._store.waited_for(chain, session)]

    def _read(self, chain: str, session: str) -> tuple[Read, list[str]]:
        """The read that opened a session, and the stays that its record names as near."""
        n = number_of(session)
        found = self._store.records(chain, n, n)
        body: dict[str, Any] = found[0][1] if found else {}
        confidence, near = body.get("confidence"), body.get("near")
        read = Read(self._store.plate(chain, n), confidence if isinstance(confidence, int) else 0)
        return read, [str(other) for other in near] if isinstance(near, list) else []


def whose(evidence: str, entry: Read, exited: Read, borne: Callable[[str], bool]) -> str:
    """'entry' or 'exit', the read whose plate is the vehicle's; '' if the register does not tell."""
    if evidence not in UNDECIDED or not entry.plate or not exited.plate:
        return ""
    if entry.plate == exited.plate:
        return "entry"
    known = [(name, read) for name, read in (("entry", entry), ("exit", exited)) if borne(read.plate)]
    if len(known) != 1:
        return ""
    name, read = known[0]
    third = any(borne(plate) for plate in thirds(entry.plate, exited.plate))
    return name if read.confidence >= SURE or not third else ""


def thirds(plate: str, other: str) -> Iterator[str]:
    """The plates that readers take for both of two that differ in one lookalike."""
    places = [place for place, (ours, theirs) in enumerate(zip(plate, other, strict=False)) if ours != theirs]
    if len(plate) != len(other) or len(places) != 1:
        return
    place = places[0]
    both = {plate[place], other[place]}
    for group in GROUPS:
        if both <= set(group):
            yield from (plate[:place] + sign + plate[place + 1 :] for sign in group if sign not in both)


def is_alike(read: Read, other: Read) -> bool:
    """Whether readers take one plate for the other, by one character."""
    return read.plate != other.plate and other.plate in _mistaken(read.plate)


def number_of(session: str) -> int:
    """Number of the record that opened a session; 0 for an id of no known form."""
    _, _, n = session.partition(".")
    return int(n) if n.isascii() and n.isdigit() and len(n) <= 15 else 0


def _mistaken(plate: str) -> set[str]:
    return {
        plate[:place] + sign + plate[place + 1 :]
        for place, ours in enumerate(plate)
        for group in GROUPS
        if ours in group
        for sign in group
    }


def _attach(chain: str, session: str, stray: str, told: str) -> dict[str, str]:
    """One attach for a pair, whichever record led to it."""
    return {
        "session": session,
        "stray": stray,
        "attach": f"{chain}/attach/{number_of(stray)}",
        "reason": "register",
        "whose": told,
    }
