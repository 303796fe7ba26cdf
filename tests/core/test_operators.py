"""Who may do what: each refusal by its name, in the ledger and in the reply; a command is obeyed once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway import verifier
from gateway.core import roster
from gateway.core.city_events import ShiftOpened
from gateway.core.command_form import without_plates
from gateway.core.commands import OpenBarrier, RaiseAlarm, SendReply
from gateway.core.entitlement import Policy
from gateway.core.events import NodeJoined, NodeWentSilent, Woke
from gateway.core.moment import ClockQuality
from gateway.core.operator_events import StrangerCommanded
from gateway.core.operators import KEPT_MS, REFUSALS_MAX, STRANGERS_MS
from gateway.orders import CLOCK_ERROR_MS, LEAST_ROLE, Code, Role, Verb
from gateway.shell.signer import Signer
from gateway.store.reader import Reader
from tests import entitled
from tests.laps import lap
from tests.lots import CHAIN, HOUR_MS, KEY, START_MS, UIDS, at, plate
from tests.operating import ATTENDANT, FOREVER_MS, MANAGER, Console, OperatedLot, reply_of

BLUE = "blue 浙A12345"
OUT = {"lane": "out"}
VALIDATION = {"plate": BLUE, "way": "money", "value": 200, "from_ms": 0, "to_ms": FOREVER_MS, "single": False}
BENEFIT = {
    "plate": "",
    "energy": "ev",
    "vehicle": "",
    "way": "percent",
    "value": 50,
    "order": 1,
    "from_ms": 0,
    "to_ms": FOREVER_MS,
}
BLOCK = {"plate": BLUE, "entry": "notify", "exit": "attendant"}


@pytest.fixture
def lot(tmp_path: Path) -> OperatedLot:
    found = OperatedLot(tmp_path)
    found.list(ATTENDANT, MANAGER)
    return found


def test_a_command_is_recorded_answered_and_obeyed_in_one_step(lot: OperatedLot) -> None:
    reply = lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT, reason="the driver lost his phone")
    assert OpenBarrier("out") in lot.outcome.commands
    (record,) = lot.lines("command")
    assert record["body"] == {
        "key": ATTENDANT.key,
        "n": ATTENDANT.n,
        "verb": "barrier-open",
        "args": OUT,
        "reason": "the driver lost his phone",
        "state": "done",
        "code": "",
    }
    assert (reply.state, reply.code, reply.record, reply.n) == ("done", "", record["n"], ATTENDANT.n)


def test_the_list_is_recorded_and_only_a_higher_version_replaces_it(lot: OperatedLot) -> None:
    assert lot.last("operators") | {"hash": ""} == {
        "version": 1,
        "keys": sorted([ATTENDANT.key, MANAGER.key]),
        "hash": "",
    }
    lot.list(MANAGER, version=1)
    assert lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT).state == "done"
    lot.list(MANAGER, version=2)
    assert lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT).code == Code.REVOKED
    lot.restart()
    lot.list(ATTENDANT, MANAGER, version=1)
    assert lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT).code == Code.REVOKED
    lot.list(ATTENDANT, MANAGER, version=3)
    assert lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT).state == "done"
    assert [line["body"]["version"] for line in lot.lines("operators")] == [1, 2, 3]


def test_another_list_under_the_same_version_is_refused_and_written_down_once(lot: OperatedLot) -> None:
    lot.list(ATTENDANT, MANAGER)
    assert lot.lines("refused") == []
    lot.restart()
    for _ in range(3):
        lot.list(ATTENDANT)
    assert lot.last("refused") == {
        "kind": "operators",
        "session": "",
        "id": "1",
        "reason": "version has another content",
        "dn": 0,
    }
    assert len(lot.lines("refused")) == 1
    assert lot.obey(MANAGER, Verb.BARRIER_OPEN, OUT).state == "done"


LATE = Console(3, Role.MANAGER, expires_ms=START_MS)
NOBODY = Console(4)
NEWER = Console(5, "astronaut")
REFUSED = [
    # who       verb                args              changed                                  code
    (ATTENDANT, Verb.RECOUNT,       {"inside": 1},    {},                                      Code.FORBIDDEN),
    (ATTENDANT, Verb.VALIDATE,      VALIDATION,       {},                                      Code.FORBIDDEN),
    (ATTENDANT, Verb.BENEFIT,       BENEFIT,          {},                                      Code.FORBIDDEN),
    (ATTENDANT, Verb.BLOCK,         BLOCK,            {},                                      Code.FORBIDDEN),
    (ATTENDANT, Verb.UNBLOCK,       {"plate": BLUE},  {},                                      Code.FORBIDDEN),
    (ATTENDANT, Verb.REFUND,        {"session": "1.3", "amount_minor": 1}, {},                 Code.FORBIDDEN),
    (MANAGER,   Verb.REFUND,        {"session": "1.3", "amount_minor": 1}, {},                 Code.NOT_POSSIBLE),
    (NOBODY,    Verb.BARRIER_OPEN,  OUT,              {},                                      Code.FORBIDDEN),
    (NEWER,     Verb.BARRIER_OPEN,  OUT,              {},                                      Code.FORBIDDEN),
    (LATE,      Verb.BARRIER_OPEN,  OUT,              {},                                      Code.EXPIRED_KEY),
    (MANAGER,   Verb.BARRIER_OPEN,  OUT,              {"gw": "gw-2"},                          Code.WRONG_GATEWAY),
    (MANAGER,   Verb.BARRIER_OPEN,  OUT,              {"lot": "large"},                        Code.WRONG_LOT),
    (MANAGER,   "barrier-fly",      OUT,              {},                                      Code.UNKNOWN_VERB),
    (MANAGER,   Verb.BARRIER_OPEN,  {},               {},                                      Code.BAD_ARGS),
    (MANAGER,   Verb.BARRIER_OPEN,  {"lane": 1},      {},                                      Code.BAD_ARGS),
    (MANAGER,   Verb.RECOUNT,       {"inside": -1},   {},                                      Code.BAD_ARGS),
    (MANAGER,   Verb.VALIDATE,      {},               {},                                      Code.BAD_ARGS),
    (MANAGER,   Verb.BARRIER_OPEN,  OUT,              {"expires_ms": FOREVER_MS},              Code.BAD_ARGS),
    (MANAGER,   Verb.BARRIER_OPEN,  {"lane": "roof"}, {},                                      Code.NOT_POSSIBLE),
    (MANAGER,   Verb.BARRIER_RELEASE, OUT,            {},                                      Code.NOT_POSSIBLE),
    (MANAGER,   Verb.UNBLOCK,       {"plate": BLUE},  {},                                      Code.NOT_POSSIBLE),
]  # fmt: skip


@pytest.mark.parametrize(("who", "verb", "args", "changed", "code"), REFUSED)
def test_a_refusal_has_a_name_a_record_and_no_effect(
    tmp_path: Path, who: Console, verb: str, args: dict[str, Any], changed: dict[str, Any], code: Code
) -> None:
    lot = OperatedLot(tmp_path)
    lot.list(ATTENDANT, MANAGER, LATE, NOBODY, NEWER)
    before = (lot.engine.memory.inside, dict(lot.engine.memory.roster.holds), vars(lot.engine.memory.book).copy())
    reply = lot.obey(who, verb, args, **changed)
    body = lot.last("command")
    assert (reply.state, reply.code, reply.record) == ("refused", code, lot.lines("command")[-1]["n"])
    assert (body["state"], body["code"], body["key"]) == ("refused", code, who.key)
    assert [command for command in lot.outcome.commands if not isinstance(command, SendReply)] == []
    after = (lot.engine.memory.inside, dict(lot.engine.memory.roster.holds), vars(lot.engine.memory.book).copy())
    assert before == after


@pytest.mark.parametrize("verb", list(Verb))
def test_each_verb_asks_for_its_least_role(lot: OperatedLot, verb: Verb) -> None:
    assert LEAST_ROLE[verb] in (Role.ATTENDANT, Role.MANAGER)
    code = lot.obey(ATTENDANT, verb, args_of(verb)).code
    assert (code == Code.FORBIDDEN) == (LEAST_ROLE[verb] is not Role.ATTENDANT)
    assert lot.obey(MANAGER, verb, args_of(verb)).code != Code.FORBIDDEN


def args_of(verb: Verb) -> dict[str, Any]:
    found: dict[Verb, dict[str, Any]] = {
        Verb.RECOUNT: {"inside": 3},
        Verb.VALIDATE: VALIDATION,
        Verb.BENEFIT: BENEFIT,
        Verb.BLOCK: BLOCK,
        Verb.UNBLOCK: {"plate": BLUE},
        Verb.REFUND: {"session": "1.3", "amount_minor": 1},
        Verb.VOID: {"session": "1.3"},
        Verb.ATTACH: {"session": "1.3", "stray": "1.9", "whose": "entry"},
        Verb.SESSIONS: {"which": "inside", "plate": ""},
    }
    return found.get(verb, OUT)


@pytest.mark.parametrize(
    ("issued_ms", "verb", "quality", "code"),
    [
        # when                     verb               clock                       code
        (0,                        Verb.BARRIER_OPEN, ClockQuality.SYNCHRONISED,  ""),
        (-10_000 - CLOCK_ERROR_MS, Verb.BARRIER_OPEN, ClockQuality.SYNCHRONISED,  ""),
        (-10_001 - CLOCK_ERROR_MS, Verb.BARRIER_OPEN, ClockQuality.SYNCHRONISED,  Code.EXPIRED),
        (-10_001 - CLOCK_ERROR_MS, Verb.BARRIER_OPEN, ClockQuality.INFORMATIVE,   Code.EXPIRED),
        (CLOCK_ERROR_MS,           Verb.BARRIER_OPEN, ClockQuality.SYNCHRONISED,  ""),
        (CLOCK_ERROR_MS + 1,       Verb.BARRIER_OPEN, ClockQuality.SYNCHRONISED,  Code.NOT_YET),
        (-HOUR_MS,                 Verb.BARRIER_OPEN, ClockQuality.UNKNOWN,       ""),
        (-HOUR_MS,                 Verb.RECOUNT,      ClockQuality.UNKNOWN,       Code.EXPIRED),
        (HOUR_MS,                  Verb.RECOUNT,      ClockQuality.UNKNOWN,       Code.NOT_YET),
        (-HOUR_MS,                 Verb.RECOUNT,      ClockQuality.SYNCHRONISED,  Code.EXPIRED),
    ],
)  # fmt: skip
def test_a_command_holds_for_its_time(
    lot: OperatedLot, issued_ms: int, verb: Verb, quality: ClockQuality, code: str
) -> None:
    now = at(lot.now_ms, quality=quality)
    issued = now.wall_ms + issued_ms
    lifetime = 10_000 if verb is Verb.BARRIER_OPEN else 300_000
    event = lot.arrived(MANAGER, verb, args_of(verb), issued_ms=issued, expires_ms=issued + lifetime)
    assert reply_of(lot.engine.step([event], now).commands).code == code


@pytest.mark.parametrize("restart", [False, True])
def test_the_same_command_again_gets_the_same_reply_and_does_nothing(lot: OperatedLot, restart: bool) -> None:
    event = lot.arrived(ATTENDANT, Verb.BARRIER_OPEN, OUT)
    first = lot.step(event)
    if restart:
        lot.restart()
    records = len(lot.lines("command"))
    lot.wait(KEPT_MS - 2000)
    again = lot.step(event)
    replies = [[c for c in outcome.commands if isinstance(c, SendReply)] for outcome in (first, again)]
    assert replies[0] == replies[1]
    assert OpenBarrier("out") not in again.commands
    assert len(lot.lines("command")) == records
    lot.wait(2000)
    assert lot.replied(event).code == Code.REPLAYED


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("back", [0, 1])
def test_a_number_is_used_once(lot: OperatedLot, restart: bool, back: int) -> None:
    lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT)
    lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT)
    if restart:
        lot.restart()
    reply = lot.obey(ATTENDANT, Verb.BARRIER_OPEN, {"lane": "in"}, n=ATTENDANT.n - back)
    assert (reply.code, lot.last("command")["code"]) == (Code.REPLAYED, Code.REPLAYED)
    assert OpenBarrier("in") not in lot.outcome.commands
    assert lot.obey(MANAGER, Verb.BARRIER_OPEN, OUT).state == "done"


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("lost", ["revoked", "expired"])
@pytest.mark.parametrize("again", ["the same line", "another line", "a lower number"])
def test_a_key_that_lost_its_rights_uses_no_number_twice(tmp_path: Path, restart: bool, lost: str, again: str) -> None:
    lot = OperatedLot(tmp_path)
    late = Console(3, Role.MANAGER, expires_ms=START_MS + HOUR_MS)
    lot.list(late, MANAGER)
    first = lot.arrived(late, Verb.BARRIER_OPEN, OUT, n=7)
    assert lot.replied(first).state == "done"
    if lost == "revoked":
        lot.list(MANAGER, version=2)
    lot.wait(KEPT_MS + HOUR_MS)
    for _ in range(2):
        if restart:
            lot.restart()
        n = 3 if again == "a lower number" else 7
        event = first if again == "the same line" else lot.arrived(late, Verb.BARRIER_OPEN, {"lane": "in"}, n=n)
        assert lot.replied(event).code == Code.REPLAYED
    assert lot.rows(f"SELECT counter FROM operator WHERE key = '{late.key}'") == [(7,)]
    assert lot.obey(late, Verb.BARRIER_OPEN, OUT, n=8).code == (Code.REVOKED if lost == "revoked" else Code.EXPIRED_KEY)
    assert lot.obey(MANAGER, Verb.BARRIER_OPEN, OUT).state == "done"


def test_a_forgotten_key_that_is_listed_again_uses_no_number_twice(
    lot: OperatedLot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "KNOWN_MAX", 1)
    n = ATTENDANT.n + 1
    lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT)
    lot.list(MANAGER, version=2)
    lot.list(ATTENDANT, version=3)
    known = lot.engine.memory.roster.find(ATTENDANT.key)
    assert known is not None
    assert known.counter == 0
    assert lot.obey(ATTENDANT, Verb.BARRIER_OPEN, {"lane": "in"}, n=n).code == Code.REPLAYED
    assert lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT).state == "done"


def test_a_refused_command_uses_its_number_up(lot: OperatedLot) -> None:
    refused = lot.arrived(ATTENDANT, Verb.RECOUNT, {"inside": 1})
    assert lot.replied(refused).code == Code.FORBIDDEN
    assert lot.replied(refused).code == Code.FORBIDDEN
    assert lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT, n=ATTENDANT.n).code == Code.REPLAYED
    assert len(lot.lines("command")) == 2


def test_a_command_for_another_gateway_uses_no_number_here(lot: OperatedLot) -> None:
    lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT, gw="gw-2", n=10**12)
    assert lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT).state == "done"


def test_a_key_that_comes_back_goes_on_with_its_numbers(lot: OperatedLot) -> None:
    lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT)
    lot.list(MANAGER, version=2)
    lot.list(MANAGER, ATTENDANT, version=3)
    assert lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT, n=ATTENDANT.n).code == Code.REPLAYED


def test_the_reply_is_signed_once_by_the_record_key(lot: OperatedLot) -> None:
    (sent,) = [c for c in lot.step(lot.arrived(ATTENDANT, Verb.BARRIER_OPEN, OUT)).commands if isinstance(c, SendReply)]
    KEY.public_key().verify(sent.signature, b"lotgate-reply-v1\n" + sent.line.encode())
    assert lot.rows("SELECT reply, reply_signature FROM command") == [(sent.line, sent.signature)]


def test_no_record_of_a_command_knows_a_plate(lot: OperatedLot) -> None:
    reason = "浙A12345 and 苏E·7K88Q came together, 12345 too"
    for verb in (Verb.BLOCK, Verb.VALIDATE, Verb.UNBLOCK):
        assert lot.obey(MANAGER, verb, args_of(verb), reason=reason).state == "done"
    assert lot.obey(ATTENDANT, Verb.VALIDATE, VALIDATION, reason=reason).state == "refused"
    text = json.dumps(lot.lines(), ensure_ascii=False)
    assert "浙" not in text
    assert "苏" not in text
    assert lot.last("command")["reason"] == "*** and *** came together, 12345 too"
    disclosed = lot.rows("SELECT plate FROM disclosure")
    assert disclosed == [(BLUE,)] * 4


@pytest.mark.parametrize(
    ("reason", "plate_", "written"),
    [
        ("let 浙A12345 out",    "",              "let *** out"),
        ("let 浙A D12345 out",  "",              "let *** out"),
        ("粤Z1234港 is a guest", "",             "***港 is a guest"),
        ("12345 is a guest",    "blue 12345",    "*** is a guest"),
        ("loop 12345 is stuck", "",              "loop 12345 is stuck"),
        ("",                    "",              ""),
    ],
)  # fmt: skip
def test_words_without_plates(reason: str, plate_: str, written: str) -> None:
    assert without_plates(reason, plate_) == written


def test_a_recount_by_an_operator_is_believed(lot: OperatedLot) -> None:
    assert lot.obey(MANAGER, Verb.RECOUNT, {"inside": 7}).state == "done"
    assert lot.engine.memory.inside == 7
    counted = lot.last("recount")
    assert (counted["id"], counted["dn"]) == (f"op/{MANAGER.key}/{MANAGER.n}", 0)
    assert lot.rows("SELECT count(*) FROM down") == [(0,)]


def test_a_validation_by_an_operator_lowers_the_bill_and_reaches_back(lot: OperatedLot) -> None:
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    reply = lot.obey(MANAGER, Verb.VALIDATE, VALIDATION)
    assert reply.detail == f"op/{MANAGER.key}/{MANAGER.n}"
    due = lot.last("lowered")
    assert (due["session"], due["amount_minor"], due["id"]) == (session, 200, reply.detail)
    lot.restart()
    lot.step(lot.passed("out"))
    lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    assert lot.last("exit")["amount_minor"] == 500


@pytest.mark.parametrize(
    ("paid", "asked", "detail"),
    [
        # paid  refunds asked one after the other, and what the last is told
        (True,  (200,),      ""),
        (True,  (700,),      ""),
        (True,  (200, 500),  ""),
        (True,  (701,),      "more than the 700 that were paid and are kept"),
        (True,  (200, 501),  "more than the 500 that are not due back already"),
        (True,  (700, 1),    "all of it is due back already"),
        (True,  (0,),        "nothing to refund"),
        (False, (200,),      "session is arrears"),
    ],
)  # fmt: skip
def test_what_was_paid_can_be_given_back_once(
    lot: OperatedLot, paid: bool, asked: tuple[int, ...], detail: str
) -> None:
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    if paid:
        lot.step(lot.payment(session, 700))
    lot.restart()
    replies = [lot.obey(MANAGER, Verb.REFUND, {"session": session, "amount_minor": amount}) for amount in asked]
    assert replies[-1].detail == detail
    due = [line["body"] for line in lot.lines("refund-due")]
    done = [amount for amount, reply in zip(asked, replies, strict=True) if reply.state == "done"]
    assert [(one["session"], one["amount_minor"], one["kind"], one["dn"]) for one in due] == [
        (session, amount, "refund", 0) for amount in done
    ]
    assert len({one["id"] for one in due}) == len(done)
    assert lot.rows("SELECT n FROM posting GROUP BY n HAVING sum(amount_minor) <> 0") == []


def settled(lot: OperatedLot, session: str) -> tuple[str, int]:
    """State of a stay and what is left of its bill, after a restart; by its records alone it is the same money."""
    lot.restart()
    assert Reader(lot.path).money_differences() == []
    assert lap(lot) == []
    books = verifier._Books()
    for line in lot.lines():
        books.record(line["n"], line["type"], line["body"])
    assert lot.rows("SELECT n FROM posting GROUP BY n HAVING sum(amount_minor) <> 0") == []
    assert lot.rows("SELECT count(*) FROM down WHERE dn = 0") == [(0,)]
    found = lot.rows(f"SELECT state, amount_minor - lowered_minor FROM session WHERE id = '{session}'")
    assert books.purses[session].net == found[0][1]
    return str(found[0][0]), int(found[0][1])


def test_an_operator_voids_a_bill_once_and_what_was_paid_is_due_back(lot: OperatedLot) -> None:
    session = lot.enter()
    early = lot.obey(MANAGER, Verb.VOID, {"session": session})
    assert (early.code, early.detail) == (Code.NOT_POSSIBLE, "session is inside")
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    lot.step(lot.payment(session, 700))
    reply = lot.obey(MANAGER, Verb.VOID, {"session": session}, reason="浙A12345 was never here")
    id_ = f"op/{MANAGER.key}/{MANAGER.n}"
    told = lot.last("voided")
    assert (reply.state, told["void"], told["dn"], told["reason"]) == ("done", id_, 0, "*** was never here")
    due = lot.last("refund-due")
    assert (due["kind"], due["id"], due["amount_minor"], due["dn"]) == ("void", id_, 700, 0)
    assert settled(lot, session) == ("voided", 0)
    assert lot.obey(MANAGER, Verb.VOID, {"session": session}).detail == "session is voided"
    lot.step(lot.refund(session, 700))
    assert lot.last("refunded")["due_minor"] == 700


@pytest.mark.parametrize("whose", ["entry", "exit"])
def test_an_operator_ends_a_stay_by_a_misread_exit(lot: OperatedLot, whose: str) -> None:
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out", plate("苏E77777")))
    lot.step(lot.passed("out"))
    stray = str(lot.last("exit")["session"])
    args = {"session": session, "stray": stray, "whose": whose}
    lot.restart()
    assert lot.obey(MANAGER, Verb.ATTACH, {**args, "stray": "9.9"}).detail == "unknown session"
    assert lot.obey(MANAGER, Verb.ATTACH, args).state == "done"
    assert (lot.last("attached")["amount_minor"], lot.last("attached")["dn"]) == (700, 0)
    assert settled(lot, session) == ("arrears", 700)
    assert lot.obey(MANAGER, Verb.ATTACH, args).code == Code.NOT_POSSIBLE


def test_an_attendant_takes_cash_in_a_shift_of_his_own(lot: OperatedLot) -> None:
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    cash = {"session": session, "lane": "", "amount_minor": 700, "shift": "s-1"}
    counted = {"shift": "s-1", "counted_minor": 5700}
    lot.step(lot.line(ShiftOpened, "city's", "wang", 0))
    # fmt: off
    asked = [
        # who       verb              arguments                              told
        (ATTENDANT, Verb.CASH,        cash,                                  "shift is not open"),
        (ATTENDANT, Verb.SHIFT_OPEN,  {"shift": "city's", "float_minor": 0}, "id is used"),
        (ATTENDANT, Verb.SHIFT_OPEN,  {"shift": "s-1", "float_minor": 5000}, ""),
        (ATTENDANT, Verb.SHIFT_OPEN,  {"shift": "s-1", "float_minor": 5000}, "id is used"),
        (MANAGER,   Verb.CASH,        cash,                                  "shift is of another attendant"),
        (ATTENDANT, Verb.CASH,        {**cash, "amount_minor": 701},         "not a part of the 700 that are owed"),
        (ATTENDANT, Verb.CASH,        cash,                                  ""),
        (ATTENDANT, Verb.CASH,        cash,                                  "session is paid"),
        (MANAGER,   Verb.SHIFT_CLOSE, counted,                               "shift is of another attendant"),
        (ATTENDANT, Verb.SHIFT_CLOSE, counted,                               ""),
        (ATTENDANT, Verb.SHIFT_CLOSE, counted,                               "id is used"),
    ]
    # fmt: on
    for who, verb, args, told in asked:
        lot.restart()
        reply = lot.obey(who, verb, args)
        assert (reply.state, reply.detail) == ("refused" if told else "done", told), (verb, args)
    assert (lot.last("cash")["attendant"], lot.last("cash")["dn"]) == (ATTENDANT.key, 0)
    assert lot.last("shift-closed")["difference_minor"] == 0
    assert settled(lot, session) == ("paid", 700)
    assert lot.lines("refused") == []


def test_an_operators_block_is_an_operators_to_end_and_the_citys_is_the_citys(lot: OperatedLot) -> None:
    lot.obey(MANAGER, Verb.BLOCK, BLOCK)
    lot.step(lot.grant(entitled.block(Policy.NOTIFY, Policy.NOTIFY, plate=BLUE)))
    assert lot.obey(MANAGER, Verb.UNBLOCK, {"plate": BLUE}).state == "done"
    assert [block.id for block in lot.engine.memory.book.blocks(BLUE)] == ["k1"]
    again = lot.obey(MANAGER, Verb.UNBLOCK, {"plate": BLUE})
    assert (again.code, again.detail) == (Code.NOT_POSSIBLE, "blocked by the city (k1)")


def test_a_lane_whose_node_is_silent_is_not_said_to_open(lot: OperatedLot) -> None:
    lot.step(NodeWentSilent(UIDS["out"]))
    reply = lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT)
    assert (reply.code, reply.detail) == (Code.NOT_POSSIBLE, "the node of out does not answer")
    lot.step(NodeJoined(UIDS["out"], 7, 1))
    assert lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT).state == "done"


def test_strangers_are_answered_counted_and_written_down_now_and_then(lot: OperatedLot) -> None:
    stranger = StrangerCommanded(CHAIN, "00" * 8, 5, Code.UNKNOWN_KEY)
    first = lot.step(stranger)
    reply = reply_of(first.commands)
    assert (reply.code, reply.record, reply.key, reply.n) == (Code.UNKNOWN_KEY, 0, "00" * 8, 5)
    assert any(isinstance(c, RaiseAlarm) and c.alarm == "operators/strangers" for c in first.commands)
    for _ in range(5):
        lot.step(stranger)
    told = [line["body"]["cause"] for line in lot.lines("alarm")]
    assert told == ["1 commands that no listed key signed, or too many old ones."]
    lot.step(Woke(), after_ms=STRANGERS_MS)
    assert lot.last("alarm")["cause"].startswith("5 commands")
    assert [type(c).__name__ for c in lot.step(Woke(), after_ms=STRANGERS_MS).commands] == ["ClearAlarm"]
    assert lot.step(Woke()).commands == ()


def test_a_flood_of_old_commands_does_not_fill_the_ledger(lot: OperatedLot) -> None:
    lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT)
    old = [lot.arrived(ATTENDANT, Verb.BARRIER_OPEN, {"lane": "in"}, n=ATTENDANT.n) for _ in range(REFUSALS_MAX + 5)]
    codes = [lot.replied(event).code for event in old]
    assert set(codes) == {Code.REPLAYED}
    assert len(lot.lines("command")) == 1 + REFUSALS_MAX
    lot.wait(HOUR_MS)
    assert lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT, n=ATTENDANT.n).record > 0


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        ((MANAGER,),       Code.REVOKED),
        ((MANAGER, LATE),  Code.EXPIRED_KEY),
    ],
)  # fmt: skip
def test_a_flood_of_a_key_without_rights_does_not_fill_the_ledger(
    lot: OperatedLot, listed: tuple[Console, ...], code: Code
) -> None:
    lot.list(MANAGER, ATTENDANT, LATE, version=2)
    lot.list(*listed, version=3)
    who = LATE if LATE in listed else ATTENDANT
    assert {lot.obey(who, Verb.BARRIER_OPEN, OUT).code for _ in range(REFUSALS_MAX + 5)} == {code}
    assert len(lot.lines("command")) == REFUSALS_MAX
    assert lot.rows("SELECT count(*) FROM command") == [(REFUSALS_MAX,)]


def test_a_start_opens_again_for_a_command_just_obeyed(lot: OperatedLot) -> None:
    lot.obey(ATTENDANT, Verb.BARRIER_OPEN, OUT)
    assert lot.restart().commands.count(OpenBarrier("out")) == 1
    lot.wait(10_001)
    assert lot.restart().commands.count(OpenBarrier("out")) == 0


def test_what_the_roster_knew_a_restart_knows(lot: OperatedLot) -> None:
    lot.obey(ATTENDANT, Verb.BARRIER_HOLD, OUT)
    lot.list(MANAGER, version=2)
    before = lot.engine.memory.roster
    lot.restart()
    after = lot.engine.memory.roster
    for name in ("version", "holds", "_known"):
        assert vars(before)[name] == vars(after)[name], name
    assert after.publics().keys() == {ATTENDANT.key, MANAGER.key}
    assert Signer(KEY).key not in after.publics()
    assert plate().identity == BLUE
