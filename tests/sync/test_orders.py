"""Lists and commands from the wire: what becomes an event, and what is rejected by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.operator_events import CommandArrived, OperatorsListed, StrangerCommanded
from gateway.forms import Reason, Rejection
from gateway.orders import OPERATORS_DOMAIN, Code, Signed, Verb
from gateway.sync import orders
from gateway.sync.orders import STRANGERS_MAX, STRANGERS_MS, Orders
from gateway.topics import Kind, Topic
from tests.lots import CHAIN, START_MS
from tests.operating import ATTENDANT, MANAGER, STRANGER, Console, listed, signed_list
from tests.records import CITY_KEY, OTHER_KEY, public

CFG = Topic("hz", CHAIN, Kind.SETTING, "operators")
OPEN = Topic("hz", CHAIN, Kind.COMMAND, "barrier-open")
OUT = {"lane": "out"}


def desk(*consoles: Console) -> Orders:
    found = Orders(CHAIN, public(CITY_KEY))
    found.start({console.key: console.operator.pub for console in consoles})
    return found


def test_a_list_makes_its_keys_known() -> None:
    found = desk()
    signed = signed_list(listed(ATTENDANT, MANAGER), CITY_KEY)
    event = found.receive(CFG, signed.to_json(), 0)
    assert event == OperatorsListed(listed(ATTENDANT, MANAGER), signed.line, signed.signature)
    command = ATTENDANT.signed(ATTENDANT.command(Verb.BARRIER_OPEN, OUT, START_MS))
    assert isinstance(found.receive(OPEN, command.to_json(), 0), CommandArrived)


def test_a_key_left_out_stays_known_by_name() -> None:
    found = desk(ATTENDANT)
    found.receive(CFG, signed_list(listed(MANAGER, version=2), CITY_KEY).to_json(), 0)
    command = ATTENDANT.signed(ATTENDANT.command(Verb.BARRIER_OPEN, OUT, START_MS))
    assert isinstance(found.receive(OPEN, command.to_json(), 0), CommandArrived)


def test_so_many_keys_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "KNOWN_MAX", 2)
    found = desk(ATTENDANT, MANAGER)
    found.receive(CFG, signed_list(listed(STRANGER, version=2), CITY_KEY).to_json(), 0)
    assert list(found._keys) == [MANAGER.key, STRANGER.key]


GOOD = listed(ATTENDANT)
WRONG_KEY = replace(ATTENDANT.operator, key=MANAGER.key)
BAD_LISTS = [
    (signed_list(GOOD, OTHER_KEY),                                                  Reason.SIGNATURE),
    (Signed(GOOD.line() + " ", CITY_KEY.sign(OPERATORS_DOMAIN + GOOD.line().encode() + b" ")), Reason.NOT_CANONICAL),
    (Signed(GOOD.line(), CITY_KEY.sign(b"lotgate-down-v1\n" + GOOD.line().encode())), Reason.SIGNATURE),
    (signed_list(listed(ATTENDANT, chain="gw-2"), CITY_KEY),                        Reason.CHAIN),
    (signed_list(listed(ATTENDANT, ATTENDANT), CITY_KEY),                           Reason.FORM),
    (signed_list(replace(GOOD, operators=(WRONG_KEY,)), CITY_KEY),                  Reason.FORM),
    (signed_list(replace(GOOD, operators=(replace(ATTENDANT.operator, pub="?"),)), CITY_KEY), Reason.FORM),
]  # fmt: skip


@pytest.mark.parametrize(("signed", "reason"), BAD_LISTS)
def test_a_list_that_is_not_the_citys_changes_nothing(signed: Signed, reason: Reason) -> None:
    found = desk()
    got = found.receive(CFG, signed.to_json(), 0)
    assert isinstance(got, Rejection)
    assert (got.reason, found._keys, found.rejected[reason]) == (reason, {}, 1)


def test_other_settings_and_empty_bodies_are_named() -> None:
    found = desk()
    signed = signed_list(GOOD, CITY_KEY).to_json()
    other = found.receive(Topic("hz", CHAIN, Kind.SETTING, "tariff"), signed, 0)
    assert isinstance(other, Rejection)
    assert other.reason is Reason.UNKNOWN_TYPE
    assert isinstance(found.receive(CFG, b"", 0), Rejection)


@pytest.mark.parametrize(
    ("signer", "claimed", "code"),
    [
        (ATTENDANT, ATTENDANT, None),
        (STRANGER,  STRANGER,  Code.UNKNOWN_KEY),
        (STRANGER,  ATTENDANT, Code.BAD_SIGNATURE),
        (MANAGER,   ATTENDANT, Code.BAD_SIGNATURE),
    ],
)  # fmt: skip
def test_who_signed(signer: Console, claimed: Console, code: Code | None) -> None:
    command = claimed.command(Verb.BARRIER_OPEN, OUT, START_MS)
    event = desk(ATTENDANT, MANAGER).receive(OPEN, signer.signed(command).to_json(), 0)
    if code is None:
        assert isinstance(event, CommandArrived)
        assert event.command == command
    else:
        assert event == StrangerCommanded(CHAIN, claimed.key, command.n, code)


def test_a_signature_covers_every_member() -> None:
    command = ATTENDANT.command(Verb.BARRIER_OPEN, OUT, START_MS)
    signature = ATTENDANT.signed(command).signature
    changes: list[dict[str, object]] = [{"gw": "gw-2"}, {"lot": "x"}, {"n": 10**9}, {"args": {"lane": "in"}}]
    changes += [{"reason": "x"}, {"issued_ms": 1}, {"expires_ms": 1}]
    for change in changes:
        forged = Signed(replace(command, **change).line(), signature)  # type: ignore[arg-type]
        event = desk(ATTENDANT).receive(OPEN, forged.to_json(), 0)
        assert isinstance(event, StrangerCommanded), change


def test_the_topic_names_the_same_verb() -> None:
    signed = ATTENDANT.signed(ATTENDANT.command(Verb.BARRIER_HOLD, OUT, START_MS))
    got = desk(ATTENDANT).receive(OPEN, signed.to_json(), 0)
    assert isinstance(got, Rejection)
    assert got.reason is Reason.TOPIC


def test_so_many_strangers_a_minute_are_answered() -> None:
    found = desk()
    signed = STRANGER.signed(STRANGER.command(Verb.BARRIER_OPEN, OUT, START_MS)).to_json()
    got = [found.receive(OPEN, signed, 1000 + n) for n in range(STRANGERS_MAX + 3)]
    assert [isinstance(one, StrangerCommanded) for one in got] == [True] * STRANGERS_MAX + [False] * 3
    assert isinstance(found.receive(OPEN, signed, STRANGERS_MS), StrangerCommanded)
    assert found.rejected[Code.UNKNOWN_KEY] == STRANGERS_MAX + 4
