"""What an operator sees of the stays: found by plate, by state, and explained; looking changes nothing but the record of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.core.looking import MORE, identities, spelled
from gateway.core.plate import Colour
from gateway.core.record import plate_commitment
from gateway.findings import STAYS_MAX
from gateway.orders import Code, Verb
from gateway.store.reader import Reader
from tests.lots import HOUR_MS, plate
from tests.operating import ATTENDANT, MANAGER, OperatedLot

GONE, DEBTOR, INSIDE = "浙A12345", "浙B77777", "苏E33345"


@pytest.fixture
def lot(tmp_path: Path) -> OperatedLot:
    """One vehicle that has left and paid, one that owes, one inside."""
    found = OperatedLot(tmp_path)
    found.list(ATTENDANT, MANAGER)
    for text in (GONE, DEBTOR):
        session = found.enter(plate(text))
        found.wait(2 * HOUR_MS)
        found.step(found.read("out", plate(text)))
        found.step(found.passed("out"))
        if text == GONE:
            found.step(found.payment(session, 700))
    found.enter(plate(INSIDE))
    return found


def seen(lot: OperatedLot, which: str, text: str = "") -> list[str]:
    reply = lot.obey(ATTENDANT, Verb.SESSIONS, {"which": which, "plate": text})
    assert (reply.state, reply.record) == ("done", lot.lines("command")[-1]["n"])
    return [stay.plate.partition(" ")[2] for stay in reply.stays]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("which", "text", "found"),
    [
        # asked                    found, the newest first
        ("plate",  "浙A12345",        [GONE]),
        ("plate",  "浙a·123 45",      [GONE]),
        ("plate",  "blue 浙A12345",   [GONE]),
        ("plate",  "green 浙A12345",  []),
        ("plate",  "浙B77777",        [DEBTOR]),
        ("plate",  "苏E33345",        [INSIDE]),
        ("plate",  "345",            [INSIDE]),
        ("plate",  "blue 345",       []),
        ("plate",  "京A00000",        []),
        ("inside", "",               [INSIDE]),
        ("owing",  "",               [DEBTOR]),
        ("review", "",               []),
        ("recent", "",               [DEBTOR, GONE]),
    ],
)  # fmt: skip
def test_stays_are_found(lot: OperatedLot, which: str, text: str, found: list[str], restart: bool) -> None:
    if restart:
        lot.restart()
    before = lot.rows("SELECT * FROM session"), lot.rows("SELECT * FROM posting"), lot.engine.memory.inside
    assert seen(lot, which, text) == found
    assert before == (lot.rows("SELECT * FROM session"), lot.rows("SELECT * FROM posting"), lot.engine.memory.inside)


@pytest.mark.parametrize(
    ("which", "text"), [("plate", ""), ("plate", "34"), ("plate", "blue 3"), ("inside", "浙A12345"), ("all", "")]
)
def test_what_is_no_question(lot: OperatedLot, which: str, text: str) -> None:
    assert lot.obey(ATTENDANT, Verb.SESSIONS, {"which": which, "plate": text}).code == Code.BAD_ARGS


def test_who_looked_for_which_plate_is_recorded_without_it(lot: OperatedLot) -> None:
    seen(lot, "plate", GONE)
    body = lot.last("command")
    assert (body["key"], body["verb"], body["args"]) == (ATTENDANT.key, "sessions", {"which": "plate"})
    assert GONE not in json.dumps(lot.lines(), ensure_ascii=False)
    asked, salt = lot.rows("SELECT plate, salt FROM disclosure ORDER BY n DESC LIMIT 1")[0]
    assert (asked, body["plate"]) == (f"unknown {GONE}", plate_commitment(asked, salt))
    assert GONE not in lot.rows("SELECT reply FROM command ORDER BY n DESC LIMIT 1")[0][0]


def test_no_more_than_a_screenful(lot: OperatedLot) -> None:
    for number in range(STAYS_MAX):
        lot.enter(plate(f"京Q{number:05d}"))
    reply = lot.obey(ATTENDANT, Verb.SESSIONS, {"which": "inside", "plate": ""})
    assert (len(reply.stays), reply.detail) == (STAYS_MAX, MORE)
    assert reply.stays[0].plate.endswith(f"{STAYS_MAX - 1:05d}")


def explained(lot: OperatedLot, session: str) -> Any:
    reply = lot.obey(ATTENDANT, Verb.BILL, {"session": session})
    assert reply.state == "done", reply
    return reply


def session_of(lot: OperatedLot, text: str) -> str:
    (stay,) = lot.obey(ATTENDANT, Verb.SESSIONS, {"which": "plate", "plate": text}).stays
    return stay.session


def test_a_bill_is_explained_with_all_that_happened(lot: OperatedLot) -> None:
    session = session_of(lot, GONE)
    assert lot.obey(MANAGER, Verb.REFUND, {"session": session, "amount_minor": 200}, reason="too slow").state == "done"
    lot.step(lot.refund(session, 200))
    lot.restart()
    reply = explained(lot, session)
    (stay,) = reply.stays
    money = (stay.amount_minor, stay.lowered_minor, stay.paid_minor, stay.refunded_minor)
    assert (stay.state, *money, stay.owed_minor, stay.due_back_minor) == ("paid", 700, 200, 700, 200, 0, 0)
    assert sum(line.amount_minor for line in reply.lines) == 700
    assert all(line.text_zh and line.text_en for line in reply.lines)
    assert [(one.what, one.amount_minor) for one in reply.records] == [
        ("entry", 0), ("exit", 700), ("left", 0), ("paid", 700), ("refund done", 200), ("lowered", 200), ("refund-due", 200),
        ("refunded", 200),
    ]  # fmt: skip
    assert (reply.records[4].by, reply.records[4].why) == (MANAGER.key, "too slow")
    assert Reader(lot.path).money_differences() == []


def test_a_vehicle_inside_is_told_what_it_would_owe_now(lot: OperatedLot) -> None:
    session = session_of(lot, INSIDE)
    lot.wait(3 * HOUR_MS)
    reply = explained(lot, session)
    (stay,) = reply.stays
    lot.step(lot.read("out", plate(INSIDE)))
    assert stay.owed_minor == stay.amount_minor == sum(line.amount_minor for line in reply.lines)
    assert lot.last("exit")["amount_minor"] == stay.amount_minor > 0
    assert (stay.state, reply.detail) == ("inside", "if it left now")


def test_a_stray_names_the_stays_that_it_may_be(lot: OperatedLot) -> None:
    lot.step(lot.read("out", plate("苏E33346")))
    reply = lot.obey(ATTENDANT, Verb.SESSIONS, {"which": "review", "plate": ""})
    (stray,) = reply.stays
    assert (stray.state, stray.near) == ("review", (f"{session_of(lot, INSIDE)} blue {INSIDE}",))


def test_an_unknown_stay_is_named(lot: OperatedLot) -> None:
    reply = lot.obey(ATTENDANT, Verb.BILL, {"session": "9.9"})
    assert (reply.code, reply.detail, reply.stays) == (Code.NOT_POSSIBLE, "unknown session", ())


def test_the_same_question_again_is_answered_anew_under_its_record(lot: OperatedLot) -> None:
    event = lot.arrived(ATTENDANT, Verb.SESSIONS, {"which": "inside", "plate": ""})
    first = lot.replied(event)
    lot.enter(plate("京Q00001"))
    lot.restart()
    again = lot.replied(event)
    assert (first.record, len(first.stays)) == (again.record, len(again.stays) - 1)
    assert len(lot.lines("command")) == 1


@pytest.mark.parametrize(
    ("typed", "identity", "places"),
    [
        ("浙A12345",        "unknown 浙A12345",  len(Colour)),
        (" 浙a·12345",      "unknown 浙A12345",  len(Colour)),
        ("green 浙AD12345", "green 浙AD12345",   1),
        ("mauve 浙A12345",  "unknown MAUVE浙A12345", len(Colour)),
        ("blue",           "unknown BLUE",     len(Colour)),
    ],
)  # fmt: skip
def test_the_spelling_of_a_plate(typed: str, identity: str, places: int) -> None:
    assert spelled(typed) == identity
    assert len(identities(identity)) == places
