"""The terminal's questions: what is typed becomes arguments, and what is not typed right is never sent."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.console.terminal_ask import DAY_MS, VERBS, arguments, said
from gateway.core.command_form import read
from gateway.core.deeds import Unfit
from gateway.orders import LOOKS, Verb
from tests.console.clerk import Clerk
from tests.console.told import T0_MS
from tests.lots import CHAIN
from tests.operating import MANAGER

TYPED = {
    "inside": "12", "session": "1.3", "amount_minor": "12.5", "shift": "s-1", "stray": "1.9", "whose": "exit",
    "plate": "blue 浙A12345", "float_minor": "100", "counted_minor": "0.05",
}  # fmt: skip


@pytest.mark.parametrize("verb", list(VERBS))
def test_what_is_typed_is_what_the_gateway_reads(verb: str) -> None:
    args = arguments(verb, TYPED, "out" if verb.startswith("barrier") else "", DAY_MS)
    assert isinstance(args, dict)
    deed = read(MANAGER.command(verb, args, T0_MS), CHAIN)
    assert not isinstance(deed, Unfit), deed


def test_every_verb_but_a_policy_can_be_asked_for() -> None:
    assert VERBS.keys() == set(Verb) - LOOKS - {Verb.BENEFIT}


@pytest.mark.parametrize(
    ("verb", "arg", "typed", "found"),
    [
        ("refund",  "amount_minor", "12.5",   1250),
        ("refund",  "amount_minor", "12",     1200),
        ("refund",  "amount_minor", "0.05",   5),
        ("refund",  "amount_minor", "0.005",  "Amount: not a number such as 12.50"),
        ("refund",  "amount_minor", "-1",     "Amount: not a number such as 12.50"),
        ("refund",  "amount_minor", "NaN",    "Amount: not a number such as 12.50"),
        ("refund",  "amount_minor", "much",   "Amount: not a number such as 12.50"),
        ("refund",  "amount_minor", "",       "Amount: not a number such as 12.50"),
        ("refund",  "session",      " ",      "Stay is missing"),
        ("recount", "inside",       "1.5",    "Inside: not a number such as 12"),
    ],
)  # fmt: skip
def test_amounts_as_people_type_them(verb: str, arg: str, typed: str, found: int | str) -> None:
    args: Any = arguments(verb, TYPED | {arg: typed}, "", 0)
    assert (args if isinstance(args, str) else args[arg]) == found


def test_the_answer_in_a_line() -> None:
    done = Clerk(T0_MS).perform({"verb": "void", "args": {}})
    assert said(done) == "done, record 41 of the ledger"
    assert said(done | {"verified": False}) == "done, record 41 of the ledger (signature not checked)"
    refused = Clerk(T0_MS, refuses="forbidden").perform({"verb": "void", "args": {}})
    assert said(refused).startswith("refused forbidden: recount is not for attendant")
