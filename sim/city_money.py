"""What the city makes of the records about money: a purse for each stay, and what it gives back by itself.

Owns the arithmetic, written apart from the gateway's: a purse is what the records say was billed, taken off, paid and given
back. Rules: what is due back is given back once, and never more than came in. Amounts are integer minor
units. Refuses to know files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

KINDS: dict[str, tuple[str, ...]] = {
    "exit": (),
    "attached": (),
    "reversed": (),
    "corrected": ("before_minor",),
    "paid": ("recovered_minor",),
    "cash": ("recovered_minor",),
    "lowered": (),
    "voided": (),
    "dispute-closed": (),
    "written-off": (),
    "refund-due": (),
    "refunded": ("due_minor",),
}
"""Records about money, and the amounts that they hold beside `amount_minor`."""


@dataclass(frozen=True, slots=True)
class Purse:
    """One stay's money by its records; `promised_minor` is what the city has said it gives back, booked yet or not."""

    billed_minor: int = 0
    lowered_minor: int = 0
    paid_minor: int = 0
    refunded_minor: int = 0
    promised_minor: int = 0

    @property
    def open_minor(self) -> int:
        """What is still to come in; below 0 what is still to go back."""
        return self.billed_minor - self.lowered_minor - self.paid_minor + self.refunded_minor


def after(purse: Purse, kind: str, body: dict[str, Any]) -> Purse:
    """The purse after a record of this kind, which has passed `is_money`."""
    amount = body["amount_minor"]
    match kind:
        case "exit" | "attached":
            return replace(purse, billed_minor=purse.billed_minor + amount)
        case "reversed":
            return replace(purse, billed_minor=purse.billed_minor - amount)
        case "paid" | "cash":
            # What was given up and is paid after all is asked for again by the same record.
            recovered = body.get("recovered_minor", 0)
            paid_minor, lowered_minor = purse.paid_minor + amount, purse.lowered_minor - recovered
            return replace(purse, paid_minor=paid_minor, lowered_minor=lowered_minor)
        case "lowered" | "voided" | "dispute-closed" | "written-off":
            return replace(purse, lowered_minor=purse.lowered_minor + amount)
        case "corrected":
            return replace(purse, billed_minor=purse.billed_minor + amount - body["before_minor"])
        case "refunded":
            beyond = amount - body["due_minor"]
            refunded_minor = purse.refunded_minor + amount
            return replace(purse, refunded_minor=refunded_minor, lowered_minor=purse.lowered_minor + beyond)
        case _:
            return purse


def is_money(kind: str, body: dict[str, Any]) -> bool:
    """Whether a record is about the money of a stay and has the members that this takes."""
    if kind not in KINDS or not isinstance(body.get("session"), str):
        return False
    amounts = [body.get(name, 0 if name == "recovered_minor" else None) for name in ("amount_minor", *KINDS[kind])]
    return all(type(amount) is int and amount >= 0 for amount in amounts)


def giving_back(purse: Purse, amount_minor: int) -> Purse | None:
    """The purse once the city has promised this back; None if more would go back than came in."""
    promised_minor = purse.promised_minor + amount_minor
    fits = amount_minor > 0 and max(promised_minor, purse.refunded_minor) <= purse.paid_minor
    return replace(purse, promised_minor=promised_minor) if fits else None


def figures(records: Iterable[tuple[str, dict[str, Any]]], open_minor: int) -> dict[str, int]:
    """What a day's records move, by the names of docs/RECORDS.md; `open_minor` is what all purses together have open."""
    names = "entries exits billed_minor lowered_minor written_off_minor paid_minor cash_minor refunded_minor"
    found = dict.fromkeys(names.split(), 0)
    for kind, body in records:
        found["entries"] += kind == "entry"
        found["exits"] += (kind == "exit") - (kind == "reversed")
        if kind == "exit" and isinstance(body.get("outcome"), str):
            outcome = f"outcome-{body['outcome']}"[:24]
            found[outcome] = found.get(outcome, 0) + 1
        if not is_money(kind, body):
            continue
        before, then = Purse(), after(Purse(), kind, body)
        recovered = body.get("recovered_minor", 0)
        given_up = body["amount_minor"] if kind == "written-off" else -recovered
        found["billed_minor"] += then.billed_minor - before.billed_minor
        found["lowered_minor"] += then.lowered_minor - given_up
        found["written_off_minor"] += given_up
        found["cash_minor" if kind == "cash" else "paid_minor"] += then.paid_minor
        found["refunded_minor"] += then.refunded_minor
    return found | {"open_minor": open_minor}
