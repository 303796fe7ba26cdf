"""An e-invoice is asked for: what was paid for the stay, and the tax in it.

Owns the split. Rules: the price holds the tax; the tax is rounded once, half a minor unit up, and the price without it is the
rest, so that the two make the total to the unit; an invoice says what is left of the bill, and when that has changed another
one takes the place of the first. Refuses to know rates and buyers: the request names the one, the city knows the other.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core.answer import Answer
from gateway.core.city_events import InvoiceRequested
from gateway.core.memory import LotMemory
from gateway.core.once import refuse
from gateway.core.posting import taxed
from gateway.core.record import Body, Draft
from gateway.core.session import Session, State

WHOLE_BP = 10_000
"""Hundredths of a percent in a whole."""

ROUNDING = "half-up"

SETTLED = frozenset({State.PAID, State.REFUNDED, State.VOIDED})


def tax_in(total_minor: int, rate_bp: int) -> int:
    """The tax that a price holds at a rate on the price without it, rounded half up."""
    return (2 * total_minor * rate_bp + WHOLE_BP + rate_bp) // (2 * (WHOLE_BP + rate_bp))


def invoice_requested(memory: LotMemory, event: InvoiceRequested, answer: Answer) -> None:
    """Write what the invoice says."""
    if not memory.once.is_new(event, event.session, answer):
        return
    session = memory.session(event.session)
    reason = _objection(session)
    if session is None or reason:
        refuse(event, event.session, reason, answer)
        return
    memory.once.take(event, answer)
    total_minor = session.net_minor
    tax_minor = tax_in(total_minor, event.rate_bp)
    body: Body = {
        "session": session.id,
        "invoice": event.invoice,
        "currency": memory.rules.currency,
        "rate_bp": event.rate_bp,
        "rounding": ROUNDING,
        "total_minor": total_minor,
        "net_minor": total_minor - tax_minor,
        "tax_minor": tax_minor,
        "before_tax_minor": session.tax_minor,
        "dn": event.origin.dn,
    }
    n = answer.write(Draft("invoice", body))
    answer.postings += taxed(n, session.id, tax_minor - session.tax_minor)
    memory.put(replace(session, invoiced_minor=total_minor, tax_minor=tax_minor), answer)


def _objection(session: Session | None) -> str:
    if session is None:
        return "unknown session"
    if session.state not in SETTLED:
        return f"session is {session.state}"
    if session.net_minor == session.invoiced_minor:
        return "it is invoiced" if session.invoiced_minor else "nothing to invoice"
    return ""
