"""Whose an exit in doubt was: the one plate that is borne, and the one whose lookalike has left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.city_register import SURE, Read, Register, is_alike, thirds, whose
from sim.city_store import CityStore
from sim.city_verifier import Line

CHAIN = "c-1"
ALIKE, LIKELY = "one lookalike apart", "fits, and may be another"
E, X, T = "blue 浙A12385", "blue 浙A12335", "blue 浙A123B5"


def line(n: int, kind: str, body: dict[str, object]) -> Line:
    return Line(json.dumps({"body": body}), b"", "", 1, n, "", 0, 0, kind, body)


@pytest.mark.parametrize(
    ("evidence", "entry", "exited", "borne", "confidence", "found"),
    [
        # evidence, the two reads, which plates are borne, how sure both reads are -> whose plate it is
        (ALIKE,                       E,  X,  {E},    SURE - 1, "entry"),
        (ALIKE,                       E,  X,  {X},    SURE - 1, "exit"),
        (ALIKE,                       E,  X,  {E, X}, SURE,     ""),
        (ALIKE,                       E,  X,  set(),  SURE,     ""),
        (ALIKE,                       E,  X,  {E, T}, SURE,     "entry"),
        (ALIKE,                       E,  X,  {E, T}, SURE - 1, ""),       # both reads may be errors for the third
        (ALIKE,                       E,  X,  {T},    SURE,     ""),
        (LIKELY,                      E,  X,  {X},    SURE,     "exit"),
        (LIKELY,                      E,  E,  set(),  SURE - 1, "entry"),
        (ALIKE,                       "", X,  {X},    SURE,     ""),
        ("no plate",                  E,  X,  {E},    SURE,     ""),
        ("may have left before",      E,  E,  {E},    SURE,     ""),
        ("a lookalike is inside too", E,  E,  {E},    SURE,     ""),
        ("",                          E,  X,  {E},    SURE,     ""),
    ],
)  # fmt: skip
def test_the_register_tells_only_what_it_knows(
    evidence: str, entry: str, exited: str, borne: set[str], confidence: int, found: str
) -> None:
    assert whose(evidence, Read(entry, confidence), Read(exited, confidence), borne.__contains__) == found


@pytest.mark.parametrize(
    ("plate", "other", "found"),
    [
        ("A3", "A8",  {"AB"}),
        ("A0", "AD",  {"AO", "AQ"}),
        ("A2", "AZ",  set()),
        ("A2", "A3",  set()),
        ("38", "83",  set()),      # two places apart
        ("A3", "A38", set()),
    ],
)  # fmt: skip
def test_thirds(plate: str, other: str, found: set[str]) -> None:
    assert set(thirds(plate, other)) == found


@pytest.mark.parametrize(
    ("plate", "other", "alike"), [(E, X, True), (E, E, False), (E, "blue 浙A12395", False), (E, "blue 浙A123", False)]
)
def test_is_alike(plate: str, other: str, alike: bool) -> None:
    assert is_alike(Read(plate, 99), Read(other, 99)) is alike


@pytest.mark.parametrize(
    ("near", "left", "told"),
    [
        # the stays near the exit's read, the stays that end by their own plate afterwards -> the attaches
        (["1.1", "1.2"],               ["1.2"],        1),
        (["1.1", "1.2"],               [],             0),
        (["1.1", "1.2", "1.3"],        ["1.2"],        0),   # the third one is a lookalike too, and still inside
        (["1.1", "1.2", "1.3"],        ["1.2", "1.3"], 1),
        (["1.1", "1.2", "1.4"],        ["1.2"],        1),   # the fourth is near, but no lookalike
        (["1.1", "1.2", "1.3", "1.4"], ["1.2", "1.3"], 0),   # there may be more
        (["1.1"],                      [],             0),
    ],
)  # fmt: skip
def test_a_plate_is_right_once_its_lookalikes_have_left_under_their_own(
    tmp_path: Path, near: list[str], left: list[str], told: int
) -> None:
    store = CityStore(str(tmp_path / "city.db"))
    plates = {1: E, 2: X, 3: T, 4: "blue 浙A1238W", 9: E}
    for n, plate in plates.items():
        store.add_disclosure(CHAIN, n, plate, "salt")
        store.add_record(CHAIN, line(n, "exit" if n == 9 else "entry", {"confidence": 90, "near": near}))
    register = Register(store, lambda _plate: True)
    pair = {"session": "1.1", "exit": "1.9", "evidence": "a lookalike is inside too"}
    assert register.paired(CHAIN, line(10, "paired", pair)) == []
    ends: list[Line] = [line(11, "exit", {"session": session, "outcome": "lease"}) for session in left]
    assert register.left(CHAIN, line(11, "exit", {"session": "1.2", "outcome": "review"})) == []
    found = [body for end in ends for body in register.left(CHAIN, end)]
    expected = {"session": "1.1", "stray": "1.9", "attach": f"{CHAIN}/attach/9", "reason": "register", "whose": "entry"}
    assert found == [expected] * told
