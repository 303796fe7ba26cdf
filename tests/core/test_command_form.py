"""The arguments of each verb: read, refused, and written without a plate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.core.city_events import BillVoided, CashTaken, ExitAttached, ShiftClosed, ShiftOpened
from gateway.core.command_form import BY_OPERATOR, VERBS, read, written
from gateway.core.deeds import (
    Count,
    Explain,
    GiveBack,
    Grant,
    HoldLane,
    Look,
    OpenLane,
    ReleaseLane,
    Settle,
    Unblock,
    Unfit,
)
from gateway.core.entitlement import Benefit, Block, Policy, Validation, Way
from gateway.core.plate import Energy
from gateway.findings import Which
from gateway.forms import MONEY_MAX, VEHICLES_MAX
from gateway.orders import LEAST_ROLE, Code, Verb
from tests.lots import CHAIN
from tests.operating import MANAGER

BLUE = "blue 浙A12345"
SPAN = {"from_ms": 1, "to_ms": 2}
GIVEN = {"way": "money", "value": 5, "single": True, **SPAN}
LOWERS = {"energy": "ev", "vehicle": "", "way": "free", "value": 0, "order": 3, **SPAN}
STRAY = {"session": "1.3", "stray": "1.9", "whose": "exit"}
CASH = {"session": "", "lane": "out", "amount_minor": 5, "shift": "s-1"}
FLOAT = {"shift": "s-1", "float_minor": 5}
COUNTED = {"shift": "s-1", "counted_minor": 9}
ID = f"op/{MANAGER.key}/7"

READ = [
    (Verb.BARRIER_OPEN,    {"lane": "out"},            OpenLane("out"),           {"lane": "out"}, ""),
    (Verb.BARRIER_HOLD,    {"lane": "out"},            HoldLane("out"),           {"lane": "out"}, ""),
    (Verb.BARRIER_RELEASE, {"lane": "out"},            ReleaseLane("out"),        {"lane": "out"}, ""),
    (Verb.RECOUNT,         {"inside": 0},              Count(ID, 0),              {"inside": 0},   ""),
    (Verb.UNBLOCK,         {"plate": BLUE},            Unblock(BLUE),             {},              BLUE),
    (Verb.REFUND,          {"session": "1.3", "amount_minor": 5},
     GiveBack(ID, "1.3", 5),                               {"session": "1.3", "amount_minor": 5},     ""),
    (Verb.VOID,            {"session": "1.3"},
     Settle(BillVoided(BY_OPERATOR, ID, "1.3", "test")),                        {"session": "1.3"}, ""),
    (Verb.ATTACH,          STRAY,
     Settle(ExitAttached(BY_OPERATOR, ID, "1.3", "1.9", "exit", "test")),       STRAY,           ""),
    (Verb.SHIFT_OPEN,      FLOAT,
     Settle(ShiftOpened(BY_OPERATOR, "s-1", MANAGER.key, 5)),                     FLOAT,           ""),
    (Verb.CASH,            CASH,
     Settle(CashTaken(BY_OPERATOR, ID, "", "out", 5, MANAGER.key, "s-1")),        CASH,            ""),
    (Verb.SHIFT_CLOSE,     COUNTED,
     Settle(ShiftClosed(BY_OPERATOR, "s-1", MANAGER.key, 9)),                     COUNTED,         ""),
    (Verb.SESSIONS,        {"which": "plate", "plate": " 浙a·12345 "},
     Look(Which.PLATE, "unknown 浙A12345"),                             {"which": "plate"}, "unknown 浙A12345"),
    (Verb.SESSIONS,        {"which": "plate", "plate": BLUE},
     Look(Which.PLATE, BLUE),                                           {"which": "plate"}, BLUE),
    (Verb.SESSIONS,        {"which": "owing", "plate": ""},
     Look(Which.OWING, ""),                                             {"which": "owing"}, ""),
    (Verb.BILL,            {"session": "1.3"},         Explain("1.3"),            {"session": "1.3"}, ""),
    (Verb.VALIDATE,        {"plate": BLUE, **GIVEN},
     Grant(Validation(ID, BLUE, Way.MONEY, 5, 1, 2, True, MANAGER.key)),          GIVEN,           BLUE),
    (Verb.BLOCK,           {"plate": BLUE, "entry": "block", "exit": "notify"},
     Grant(Block(ID, BLUE, Policy.BLOCK, Policy.NOTIFY)),     {"entry": "block", "exit": "notify"}, BLUE),
    (Verb.BENEFIT,         {"plate": BLUE, **LOWERS},
     Grant(Benefit(ID, (BLUE,), Energy.EV, None, Way.FREE, 0, 1, 2, 3)),          LOWERS,          BLUE),
    (Verb.BENEFIT,         {"plate": "", **LOWERS},
     Grant(Benefit(ID, (), Energy.EV, None, Way.FREE, 0, 1, 2, 3)),               LOWERS,          ""),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "args", "deed", "kept", "plate"), READ)
def test_read_and_written(verb: Verb, args: dict[str, Any], deed: Any, kept: dict[str, Any], plate: str) -> None:
    assert read(MANAGER.command(verb, args, 0, n=7), CHAIN) == deed
    assert written(deed) == (kept, plate)


def test_every_verb_has_a_form_and_a_role() -> None:
    assert set(VERBS) == set(LEAST_ROLE) == set(Verb) == {verb for verb, *_ in READ}


@pytest.mark.parametrize(("verb", "args"), [(verb, args) for verb, args, *_ in READ])
def test_what_does_not_fit_is_named(verb: Verb, args: dict[str, Any]) -> None:
    wrong = [{name: value for name, value in args.items() if name != gone} for gone in args]
    wrong += [{**args, name: bad} for name in args for bad in (None, 1.5, -1, [], {}, "x" * 5000)]
    wrong += [{**args, more: "x"} for more in ("id", "by", "plates", "more")]
    for found in wrong:
        deed = read(MANAGER.command(verb, found, 0, n=7), CHAIN)
        assert isinstance(deed, Unfit), found
        assert deed.code is Code.BAD_ARGS


@pytest.mark.parametrize(
    ("verb", "args", "name", "most"),
    [
        (Verb.RECOUNT,     {},                                         "inside",        VEHICLES_MAX),
        (Verb.REFUND,      {"session": "1.3"},                         "amount_minor",  MONEY_MAX),
        (Verb.CASH,        CASH,                                       "amount_minor",  MONEY_MAX),
        (Verb.SHIFT_OPEN,  FLOAT,                                      "float_minor",   MONEY_MAX),
        (Verb.SHIFT_CLOSE, COUNTED,                                    "counted_minor", MONEY_MAX),
    ],
)  # fmt: skip
def test_no_number_is_larger_than_the_sums_in_records_bear(
    verb: Verb, args: dict[str, Any], name: str, most: int
) -> None:
    assert not isinstance(read(MANAGER.command(verb, {**args, name: most}, 0, n=7), CHAIN), Unfit)
    deed = read(MANAGER.command(verb, {**args, name: most + 1}, 0, n=8), CHAIN)
    assert deed == Unfit(Code.BAD_ARGS, f"{name}: not a whole number from 0 to {most}")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"gw": "gw-2"},          Code.WRONG_GATEWAY),
        ({"verb": "fly"},         Code.UNKNOWN_VERB),
        ({"expires_ms": 10_000},  None),
        ({"expires_ms": 10_001},  Code.BAD_ARGS),
    ],
)  # fmt: skip
def test_what_is_no_deed(changed: dict[str, Any], code: Code | None) -> None:
    deed = read(replace(MANAGER.command(Verb.BARRIER_OPEN, {"lane": "out"}, 0, n=7), **changed), CHAIN)
    assert (deed.code if isinstance(deed, Unfit) else None) is code
