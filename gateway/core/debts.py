"""What stays that left still owe, by plate and for the lot: the exposure of standing leases, and who has arrears.

Owns the running sums. Rules: a stay counts from its exit until it is paid or its money ends otherwise; a standing lease's stay
counts against its limits also when its payment failed. Refuses to know what follows from a sum.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.answer import Answer
from gateway.core.entitlement import Debt
from gateway.core.session import Session, State

OPEN = frozenset({State.DUE, State.ARREARS, State.DISPUTED})


class Debts:
    """Open debts of this lot's stays; all amounts in minor units."""

    def __init__(self, debts: Iterable[Debt] = ()) -> None:
        self._debts: dict[str, Debt] = {}
        self._by_plate: dict[str, set[str]] = {}
        self._standing_minor = 0
        for debt in debts:
            self._add(debt)

    @property
    def standing_minor(self) -> int:
        """Open on the standing leases of the lot."""
        return self._standing_minor

    def standing_of(self, identity: str) -> int:
        """Open on the standing leases of a plate."""
        return sum(debt.amount_minor for debt in self._of(identity) if debt.standing)

    def has_arrears(self, identity: str) -> bool:
        """Whether a stay of this plate is in arrears here."""
        return any(debt.arrears for debt in self._of(identity))

    def trust(self, session: str, standing: str, answer: Answer) -> None:
        """A standing lease lets this stay out; call it before the stay is put."""
        answer.standing[session] = standing

    def distrust(self, session: str, answer: Answer) -> bool:
        """No standing lease let this stay out after all; whether one had. Call it before the stay is put."""
        known = self._debts.get(session)
        trusted = known is not None and known.standing != ""
        if trusted:
            answer.standing[session] = ""
        return trusted

    def follow(self, session: Session, answer: Answer) -> None:
        """Take over a stay's new form."""
        known = self._debts.get(session.id)
        standing = answer.standing.get(session.id, known.standing if known is not None else "")
        if known is not None:
            self._drop(known)
        arrears = session.state is State.ARREARS
        if session.state in OPEN and (standing or arrears):
            self._add(Debt(session.id, session.plate.identity, session.owed_minor, standing, arrears))

    def _of(self, identity: str) -> list[Debt]:
        return [self._debts[session] for session in self._by_plate.get(identity, ())]

    def _add(self, debt: Debt) -> None:
        self._debts[debt.session] = debt
        # An erased plate or an unread one still counts for the lot, but it is nobody's.
        if debt.plate:
            self._by_plate.setdefault(debt.plate, set()).add(debt.session)
        self._standing_minor += debt.amount_minor if debt.standing else 0

    def _drop(self, debt: Debt) -> None:
        del self._debts[debt.session]
        self._standing_minor -= debt.amount_minor if debt.standing else 0
        sessions = self._by_plate.get(debt.plate, set())
        sessions.discard(debt.session)
        if not sessions:
            self._by_plate.pop(debt.plate, None)
