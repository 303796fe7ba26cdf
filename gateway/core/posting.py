"""Double-entry postings: what each money record does to the accounts, summing to zero.

Owns the accounts and the entries. They are a projection of the records: rebuildable, never the evidence. What a stay's
receivable holds below zero was paid beyond its bill and is due back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Account(StrEnum):
    """Accounts of a lot; a receivable is kept per session."""

    RECEIVABLE = "receivable"
    REVENUE = "revenue"
    CLEARING = "clearing"
    REFUNDS = "refunds"
    WRITE_OFF = "write-off"
    CASH = "cash"
    TILL_DIFFERENCE = "till-difference"
    TAX = "tax"


@dataclass(frozen=True, slots=True)
class Posting:
    """One entry of record n: minor units, debit positive; `session` is '' if it is about none."""

    n: int
    account: Account
    session: str
    amount_minor: int


def billed(n: int, session: str, amount_minor: int) -> tuple[Posting, ...]:
    """A bill: the session owes what the lot earned; below 0 for a bill that is corrected downwards."""
    return _entries(n, session, {Account.RECEIVABLE: amount_minor, Account.REVENUE: -amount_minor})


def settled(
    n: int, session: str, amount_minor: int, recovered_minor: int = 0, *, into: Account = Account.CLEARING
) -> tuple[Posting, ...]:
    """A payment: the city's clearing account, or a till, holds what the session owed; a part of it was written off before."""
    entries = {into: amount_minor, Account.WRITE_OFF: -recovered_minor}
    return _entries(n, session, {**entries, Account.RECEIVABLE: recovered_minor - amount_minor})


def lowered(n: int, session: str, amount_minor: int) -> tuple[Posting, ...]:
    """A part of a bill is not asked for any more: the session owes less, at the cost of what was earned."""
    return _entries(n, session, {Account.REFUNDS: amount_minor, Account.RECEIVABLE: -amount_minor})


def written_off(n: int, session: str, amount_minor: int) -> tuple[Posting, ...]:
    """What a session owes and nobody will pay."""
    return _entries(n, session, {Account.WRITE_OFF: amount_minor, Account.RECEIVABLE: -amount_minor})


def refunded(n: int, session: str, amount_minor: int, due_minor: int) -> tuple[Posting, ...]:
    """Money goes back through the city: first what was due back, the rest at the cost of what was earned."""
    entries = {
        Account.RECEIVABLE: due_minor,
        Account.REFUNDS: amount_minor - due_minor,
        Account.CLEARING: -amount_minor,
    }
    return _entries(n, session, entries)


def counted(n: int, difference_minor: int) -> tuple[Posting, ...]:
    """What a count found in a till beyond what was taken; below 0 for what is missing."""
    return _entries(n, "", {Account.CASH: difference_minor, Account.TILL_DIFFERENCE: -difference_minor})


def taxed(n: int, session: str, more_minor: int) -> tuple[Posting, ...]:
    """A part of what was earned is tax, by an invoice; below 0 for one that takes an earlier one back."""
    return _entries(n, session, {Account.REVENUE: more_minor, Account.TAX: -more_minor})


def _entries(n: int, session: str, amounts_minor: Mapping[Account, int]) -> tuple[Posting, ...]:
    assert sum(amounts_minor.values()) == 0
    return tuple(Posting(n, account, session, amount) for account, amount in amounts_minor.items() if amount)
