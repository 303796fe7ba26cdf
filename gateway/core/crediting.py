"""A bill has changed after the exit: what that makes of the stay's state, and what is due back of what was paid.

Owns the record of what is due back, by which the city pays it without anybody asking. Rule: only what became due back by this
one change is named, so that no part of it is named twice. Refuses to know how money is returned: `refunds` books it.
"""

from __future__ import annotations

from gateway.core.answer import Answer
from gateway.core.record import Body, Draft
from gateway.core.session import Session, State, Trigger

OWING = frozenset({State.HELD, State.DUE, State.ARREARS})
OWED_NOTHING = frozenset({State.FREE, State.PAID})


def repriced(session: Session) -> Trigger:
    """The move of a stay whose amounts have changed, and whose state has not yet."""
    if session.state in OWED_NOTHING and session.owed_minor:
        return Trigger.BILLED_MORE
    if session.state not in OWING or session.owed_minor:
        return Trigger.REPRICED
    return Trigger.CLEARED if session.kept_minor else Trigger.WAIVED


def tell(before: Session, after: Session, kind: str, id_: str, dn: int, answer: Answer) -> None:
    """Write what a change has made due back; `kind` and `id_` name the message that changed it."""
    more_minor = after.credit_minor - before.credit_minor
    if more_minor > 0:
        body: Body = {"session": after.id, "kind": kind, "id": id_, "amount_minor": more_minor, "dn": dn}
        answer.write(Draft("refund-due", body))
