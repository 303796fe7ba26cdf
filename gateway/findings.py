"""What a gateway finds for an operator: stays, the lines of a bill, and what the ledger says happened to a stay.

Owns their fields and forms, as they stand in a reply. Rules: money in minor units, times in UTC ms, each row a flat object of
bounded size. Imports nothing of the gateway but `forms`, so that the console can use it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from gateway import forms
from gateway.forms import Form

STAYS_MAX = 20
"""Stays in one reply: a screenful; whoever looks for one vehicle knows more of it than that."""
FRAGMENT_LETTERS_MIN = 3
"""Of a part of a plate: with less of it half the lot would be found."""
ASKED_BYTES_MAX = 40
"""A plate as a person types it, with a colour before it."""


class Which(StrEnum):
    """Which stays are asked for: of one plate, inside, unpaid, in review, or those that left and changed last."""

    PLATE = "plate"
    INSIDE = "inside"
    OWING = "owing"
    REVIEW = "review"
    RECENT = "recent"


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay: `plate` is its identity. `exited_ms` is 0 and lane_out '' while it is inside.

    `near`: for an exit in review, the stays inside whose plates it may have been, as 'id identity'.
    """

    session: str
    plate: str
    confidence: int
    state: str
    lane_in: str
    lane_out: str
    entered_ms: int
    exited_ms: int
    amount_minor: int
    lowered_minor: int
    paid_minor: int
    refunded_minor: int
    owed_minor: int
    due_back_minor: int
    stage: str
    near: tuple[str, ...] = ()

    FORM: ClassVar[Form] = {
        **dict.fromkeys(("session", "plate", "state", "lane_in", "lane_out", "stage"), forms.text),
        **dict.fromkeys(("confidence", "entered_ms", "exited_ms", "amount_minor", "lowered_minor"), forms.count),
        **dict.fromkeys(("paid_minor", "refunded_minor", "owed_minor", "due_back_minor"), forms.count),
        "near": forms.listing(forms.text),
    }


@dataclass(frozen=True, slots=True)
class Charged:
    """One line of a bill, as its record has it; below 0 where it lowers the bill."""

    text_zh: str
    text_en: str
    from_ms: int
    to_ms: int
    units: int
    unit_minor: int
    amount_minor: int

    FORM: ClassVar[Form] = {
        **dict.fromkeys(("text_zh", "text_en"), forms.text),
        **dict.fromkeys(("from_ms", "to_ms"), forms.count),
        **dict.fromkeys(("units", "unit_minor", "amount_minor"), forms.whole),
    }


@dataclass(frozen=True, slots=True)
class Happened:
    """A record about a stay: its number, its type or the command's verb, UTC ms, amount, whose key or name, and why."""

    n: int
    what: str
    at_ms: int
    amount_minor: int
    by: str
    why: str

    FORM: ClassVar[Form] = {
        **dict.fromkeys(("n", "at_ms"), forms.count),
        "amount_minor": forms.whole,
        **dict.fromkeys(("what", "by", "why"), forms.text),
    }
