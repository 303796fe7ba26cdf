"""Double-entry postings: what each money record does to the accounts, summing to zero.

Owns the accounts and the entries. They are a projection of the records: rebuildable, never the evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Account(StrEnum):
    """Accounts of a lot; a receivable is kept per session."""

    RECEIVABLE = "receivable"
    REVENUE = "revenue"
    CLEARING = "clearing"


@dataclass(frozen=True, slots=True)
class Posting:
    """One entry of record n: minor units, debit positive."""

    n: int
    account: Account
    session: str
    amount_minor: int


def billed(n: int, session: str, amount_minor: int) -> tuple[Posting, ...]:
    """A bill: the session owes what the lot earned."""
    return _pair(n, session, Account.RECEIVABLE, Account.REVENUE, amount_minor)


def settled(n: int, session: str, amount_minor: int) -> tuple[Posting, ...]:
    """A payment: the city's clearing account holds what the session owed."""
    return _pair(n, session, Account.CLEARING, Account.RECEIVABLE, amount_minor)


def _pair(n: int, session: str, debit: Account, credit: Account, amount_minor: int) -> tuple[Posting, ...]:
    if amount_minor == 0:
        return ()
    return (Posting(n, debit, session, amount_minor), Posting(n, credit, session, -amount_minor))
