"""The signed lines survive their own text, and no text from outside raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from gateway.findings import Charged, Happened, Stay
from gateway.forms import BODY_BYTES_MAX, LINES_MAX, Reason, Rejection
from gateway.orders import Code, Command, OperatorList, Reply, Role, Signed, Verb, lifetime_ms, may
from tests.lots import START_MS
from tests.operating import ATTENDANT, MANAGER, Console, listed

STAY = Stay("1.3", "blue 浙A12345", 99, "paid", "in", "out", 1, 2, 700, 0, 700, 0, 0, 0, "none", ("1.2 blue 浙A12346",))
LINE = Charged("减免", "money off", 1, 2, 1, -200, -200)
RECORD = Happened(7, "paid", 3, 700, "", "")

LINES: list[Any] = [
    listed(ATTENDANT, MANAGER),
    ATTENDANT.command(Verb.VALIDATE, {"plate": "blue 浙A12345", "single": True, "value": 3}, START_MS),
    Reply("gw-1", ATTENDANT.key, 5, "refused", str(Code.REPLAYED), "numbers up to 9 are used", 12, START_MS),
    Reply("gw-1", ATTENDANT.key, 6, "done", "", "", 13, START_MS, (STAY,), (LINE,), (RECORD,)),
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: type(line).__name__)
def test_round_trip(line: Any) -> None:
    text = line.line()
    assert type(line).from_line(text) == line
    assert json.loads(text)["v"] == 1
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("line", LINES, ids=lambda line: type(line).__name__)
def test_every_field_is_checked(line: Any) -> None:
    body = json.loads(line.line())
    for name in body:
        for wrong in (None, 1.5, -1, True, 2**53, "x" * 5000, [[]], [{}]):
            assert isinstance(type(line).from_line(text_of({**body, name: wrong})), Rejection), (name, wrong)
        missing = {key: value for key, value in body.items() if key != name}
        assert isinstance(type(line).from_line(text_of(missing)), Rejection), name
    assert isinstance(type(line).from_line(text_of({**body, "more": 1})), Rejection)


def text_of(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("",                         Reason.NOT_JSON),
        ("{}",                       Reason.FORM),
        ("{ }",                      Reason.NOT_CANONICAL),
        ('{"v":1,"a":2}',            Reason.NOT_CANONICAL),
        ('{"v":"\\u6d59"}',          Reason.NOT_CANONICAL),
        ("[" * 4000,                 Reason.NOT_JSON),
        (" " * 60_000,               Reason.TOO_LONG),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [OperatorList, Command, Reply])
def test_one_spelling_only(kind: Any, text: str, reason: Reason) -> None:
    got = kind.from_line(text)
    assert isinstance(got, Rejection)
    assert got.reason is reason


def test_a_full_list_fits_into_a_body() -> None:
    many = OperatorList("gw-1", 1, START_MS, (MANAGER.operator,) * LINES_MAX)
    assert len(Signed(many.line(), bytes(64)).to_json()) < BODY_BYTES_MAX
    assert OperatorList.from_line(many.line()) == many
    assert isinstance(OperatorList.from_line(listed(*[ATTENDANT] * (LINES_MAX + 1)).line()), Rejection)


def test_a_body_survives_its_json() -> None:
    signed = Signed('{"plate":"浙A\\n"}', bytes(range(64)))
    assert Signed.from_json(signed.to_json()) == signed
    for wrong in (b"", b"{}", b"[]", signed.to_json().replace(b'"v":1', b'"v":2'), signed.to_json()[:-1]):
        assert isinstance(Signed.from_json(wrong), Rejection)


@pytest.mark.parametrize(
    ("roles", "verb", "outcome"),
    [
        ((),                         Verb.BARRIER_OPEN, False),
        (("astronaut",),             Verb.BARRIER_OPEN, False),
        ((Role.ATTENDANT,),          Verb.BARRIER_OPEN, True),
        ((Role.ATTENDANT,),          Verb.BLOCK,        False),
        ((Role.MANAGER,),            Verb.BARRIER_OPEN, True),
        (("astronaut", Role.MANAGER), Verb.BLOCK,       True),
        ((Role.ADMIN,),              Verb.BLOCK,        True),
    ],
)  # fmt: skip
def test_who_may(roles: tuple[str, ...], verb: Verb, outcome: bool) -> None:
    assert may(roles, verb) is outcome


def test_a_barriers_command_is_short_lived() -> None:
    assert {lifetime_ms(verb) for verb in (Verb.BARRIER_OPEN, Verb.BARRIER_HOLD, Verb.BARRIER_RELEASE)} == {10_000}
    assert lifetime_ms(Verb.BLOCK) == 300_000
    assert Console(1).key == ATTENDANT.key


NAMES = st.sampled_from(["v", "gw", "key", "n", "args"]) | st.text()


@seed(20260101)
@given(st.text(max_size=200) | st.dictionaries(NAMES, st.text()).map(text_of))
def test_nothing_raises(text: str) -> None:
    for kind in (OperatorList, Command, Reply):
        kind.from_line(text)
    Signed.from_json(text.encode(errors="replace"))
