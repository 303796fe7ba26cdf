"""At the entry: what counts as in, and what makes a ghost."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from gateway.core.commands import OpenBarrier, ShowText
from gateway.core.exit import WithoutLease
from gateway.core.record import plate_commitment
from tests.lots import HOUR_MS, START_MS, SmallLot, plate


def test_the_read_opens_and_the_passage_opens_the_stay(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    done = lot.step(lot.read("in"))
    assert OpenBarrier("in") in done.commands
    assert any(isinstance(command, ShowText) and command.text == "欢迎光临" for command in done.commands)
    assert lot.lines("entry") == []
    lot.step(lot.passed("in"))
    body = lot.last("entry")
    assert (body["session"], body["lane"], body["confidence"]) == ("1.3", "in", 99)


def test_the_plate_lies_beside_the_record_and_opens_its_commitment(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    record = lot.engine.records(3, 1)[0]
    assert record.disclosure is not None
    assert len(base64.b64decode(record.disclosure.salt)) == 16
    assert record.disclosure.plate == "blue 浙A12345"
    assert lot.last("entry")["plate"] == plate_commitment("blue 浙A12345", record.disclosure.salt)


def test_whoever_backs_out_was_never_in(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in"))
    lot.step(lot.backed_out("in"))
    lot.step(lot.read("in", plate("沪B54321")))
    lot.step(lot.passed("in"))
    assert [record.disclosure.plate for record in lot.engine.records(1, 99) if record.disclosure] == ["blue 沪B54321"]


def test_a_better_read_of_the_waiting_vehicle_replaces_the_first(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in", plate("浙A1Z345", confidence=50)))
    lot.enter()
    assert [record.disclosure.plate for record in lot.engine.records(1, 99) if record.disclosure] == ["blue 浙A12345"]


def test_a_read_that_waited_survives_a_kill(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.read("in"))
    assert OpenBarrier("in") in lot.restart().commands
    lot.step(lot.passed("in"))
    assert lot.last("entry")["confidence"] == 99


def test_an_entry_without_a_read_is_still_an_entry(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.passed("in"))
    assert (lot.last("entry")["confidence"], lot.engine.memory.inside) == (0, 1)


@pytest.mark.parametrize("restart", [False, True])
def test_a_passage_that_is_heard_late_does_not_begin_the_stay_late(tmp_path: Path, restart: bool) -> None:
    lot = SmallLot(tmp_path)
    late_ms = 20 * 60_000
    lot.wait(HOUR_MS)
    lot.step(lot.read("in", age_ms=late_ms + 1000))
    if restart:
        lot.restart()
    lot.step(lot.passed("in", age_ms=late_ms))
    assert lot.last("entry")["at"] == START_MS + lot.now_ms - late_ms
    lot.wait(2 * HOUR_MS - late_ms - 2000)
    lot.step(lot.read("out"))
    assert (lot.last("exit")["elapsed_s"], lot.last("exit")["amount_minor"]) == (7199, 700)


def test_a_plate_that_enters_again_makes_the_older_stay_a_ghost(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    ghost = lot.enter()
    lot.wait(30 * HOUR_MS)
    session = lot.enter()
    assert lot.last("review") == {"session": ghost, "reason": "plate entered again"}
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert (lot.last("exit")["session"], lot.last("exit")["amount_minor"]) == (session, 700)
    assert lot.rows("SELECT count(DISTINCT session) FROM posting") == [(1,)]


@pytest.mark.parametrize(
    ("reads", "entered"),
    [
        # (text, confidence) of each read before the passage -> the plate that entered
        ((("浙A12345", 99), ("", 0)),          "浙A12345"),
        ((("浙A12345", 99), ("浙A1Z345", 60)), "浙A12345"),
        ((("浙A12345", 99), ("沪B54321", 90)), "沪B54321"),
        ((("浙A12345", 60), ("浙A1Z345", 50)), "浙A1Z345"),
        ((("", 0), ("浙A12345", 60)),          "浙A12345"),
    ],
)  # fmt: skip
def test_a_certain_read_is_not_forgotten_for_one_of_doubt(
    tmp_path: Path, reads: tuple[tuple[str, int], ...], entered: str
) -> None:
    lot = SmallLot(tmp_path)
    for text, confidence in reads:
        assert OpenBarrier("in") in lot.step(lot.read("in", plate(text, confidence=confidence))).commands
    lot.step(lot.passed("in"))
    assert [record.disclosure.plate for record in lot.engine.records(1, 99) if record.disclosure] == [f"blue {entered}"]


def test_a_held_vehicle_that_enters_again_left_without_paying(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path, policy=WithoutLease.PAY_HERE)
    held = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.backed_out("out"))
    session = lot.enter()
    assert lot.last("arrears") == {"session": held, "amount_minor": 700, "payment": ""}
    assert list(lot.engine.memory.inside_sessions()) == [session]
