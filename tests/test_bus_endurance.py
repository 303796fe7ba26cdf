"""The endurance run in its short form, and its judgement, which must be able to say no."""

from __future__ import annotations

import asyncio
import json
import platform
from pathlib import Path

import pytest

from tests.bus_endurance import Campaign, bays_of, compared, unnumbered, unrestored

SHORT = {"events": 100, "buses": 1, "cut_s": 1.0, "lives": 0.5}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the interpreter's wheel is made for x86-64 only")
@pytest.mark.parametrize("seed", [1])
def test_nothing_is_lost_nor_doubled(tmp_path: Path, seed: int) -> None:
    campaign = Campaign(tmp_path, seed, **SHORT)
    wrong = asyncio.run(campaign.run())
    print(campaign.summary())
    assert wrong == []
    assert campaign.committed() >= SHORT["events"]
    (bus,) = campaign.field
    assert campaign.kills > 0
    assert bus.done.restarts > 0
    assert bus.damage.flipped > 0


def lost(first: int, last: int) -> tuple[int, int, str, str]:
    return 7, last, "EventsLost", json.dumps({"first": first, "last": last})


def bays(log: int, seq: int, level: bool) -> tuple[int, int, str, str]:
    return log, seq, "BaysReported", json.dumps({"bays": [["bay-0-1", level]]})


def bay(log: int, seq: int, level: bool) -> tuple[int, int, str, str]:
    return log, seq, "BayChanged", json.dumps({"bay": "bay-0-1", "occupied": level})


# fmt: off
NUMBERED = [
    ("in order",           [bays(7, 1, True), bay(7, 2, False)],                  0),
    ("a gap",              [bays(7, 1, True), bay(7, 3, False)],                  1),
    ("a repeat",           [bays(7, 1, True), bays(7, 1, True)],                  1),
    ("a loss that is told", [bays(7, 1, True), lost(2, 5), bays(7, 6, True)],     0),
    ("a loss of too few",  [bays(7, 1, True), lost(3, 5), bays(7, 6, True)],      1),
    ("a new log",          [bays(7, 1, True), bays(8, 1, True)],                  0),
    ("a log without its start", [bay(7, 2, True)],                                1),
]
RESTORED = [
    ("begins with bays",   [bays(7, 1, True), bay(7, 2, False)],                  0),
    ("begins without",     [bay(7, 1, False)],                                    1),
    ("bays after a loss",  [bays(7, 1, True), lost(2, 5), bays(7, 6, True)],      0),
    ("none after a loss",  [bays(7, 1, True), lost(2, 5), bay(7, 6, True)],       1),
    ("none in a new log",  [bays(7, 1, True), bay(8, 1, True)],                   1),
]
COMPARED = [
    ("all",                "abc", "abc", "",  0),
    ("one lost",           "abc", "ac",  "",  1),
    ("one that may be",    "abc", "ac",  "b", 0),
    ("one doubled",        "abc", "abbc", "", 1),
    ("that one may not",   "abc", "abbc", "b", 1),
    ("out of order",       "abc", "acb", "",  1),
]
# fmt: on


@pytest.mark.parametrize(("rows", "faults"), [case[1:] for case in NUMBERED], ids=[case[0] for case in NUMBERED])
def test_numbers_are_judged(rows: list[tuple], faults: int) -> None:
    assert len(unnumbered(rows)) == faults


@pytest.mark.parametrize(("rows", "faults"), [case[1:] for case in RESTORED], ids=[case[0] for case in RESTORED])
def test_snapshots_are_judged(rows: list[tuple], faults: int) -> None:
    assert len(unrestored(rows)) == faults


@pytest.mark.parametrize(
    ("shown", "read", "maybe", "faults"), [case[1:] for case in COMPARED], ids=[case[0] for case in COMPARED]
)
def test_plates_are_judged(shown: str, read: str, maybe: str, faults: int) -> None:
    assert len(compared(list(shown), list(read), set(maybe))) == faults


def test_bays_are_what_was_told_last() -> None:
    assert bays_of([bays(7, 1, True), bay(7, 2, False), bays(8, 1, True)]) == {1: True}
