"""The kinds of numbered lines from the city: the form of each body, and the event it becomes.

Owns one table; entitlements have their own in `core/entitlement_form`. Rules: a body has exactly the members of its form; a
type that is not known is named, counted and skipped, since an older release must not stop at a newer city. Knows neither
signatures nor order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import forms
from gateway.core.city_events import (
    BillCorrected,
    BillVoided,
    BillWrittenOff,
    CashTaken,
    CityEvent,
    DayTallied,
    DisputeClosed,
    DisputeOpened,
    EntitlementGranted,
    EntitlementWithdrawn,
    ExitAttached,
    InvoiceRequested,
    LeaseGranted,
    LotRecounted,
    Origin,
    PaymentReported,
    RefundMade,
    ShiftClosed,
    ShiftOpened,
)
from gateway.core.entitlement import Kind
from gateway.core.entitlement_form import read
from gateway.forms import Form, Reason, Rejection

Body = dict[str, Any]

ID_BYTES_MAX = 64
"""An id of the city's goes into a record, whose line must stay within its limit."""


RATE_BP_MAX = 10_000

FIGURES_MAX = 16
FIGURE_BYTES_MAX = 24
"""Figures of a day, and the name of one: the lot has 9 and one for each outcome; if all differ, they still fit a record."""


def _id(value: object) -> str:
    """Reader of the id of a session, lease or payment."""
    found: str = forms.text(value)
    if not 0 < len(found.encode()) <= ID_BYTES_MAX:
        raise ValueError(f"not an id of 1 to {ID_BYTES_MAX} bytes")
    return found


def _perhaps(value: object) -> str:
    """Reader of an id or of ''."""
    return _id(value) if value != "" else ""


def _rate(value: object) -> int:
    """Reader of a tax rate in hundredths of a percent, at most the whole price again."""
    rate_bp = forms.count(value)
    if rate_bp > RATE_BP_MAX:
        raise ValueError(f"not a rate of 0 to {RATE_BP_MAX}")
    return rate_bp


def _figures(value: object) -> dict[str, int]:
    """Reader of a day's figures: a few integers by name, that may be below 0."""
    if not isinstance(value, dict) or len(value) > FIGURES_MAX:
        raise ValueError(f"not at most {FIGURES_MAX} figures")
    for name, figure in value.items():
        if type(figure) is not int or abs(figure) > forms.INTEGER_MAX:
            raise ValueError("a figure that is no integer up to 2^53-1")
        if len(name.encode()) > FIGURE_BYTES_MAX:
            raise ValueError("a name that is too long")
    return dict(value)


def _lease(origin: Origin, body: Body) -> CityEvent:
    return LeaseGranted(origin, body["lease"], body["session"], body["cap_minor"], body["expires_ms"])


def _payment(origin: Origin, body: Body) -> CityEvent:
    paid = body["status"] == "paid"
    return PaymentReported(origin, body["payment"], body["session"], body["amount_minor"], paid)


def _repayment(origin: Origin, body: Body) -> CityEvent:
    return PaymentReported(origin, body["payment"], body["session"], body["amount_minor"], True, body["place"])


def _refund(origin: Origin, body: Body) -> CityEvent:
    return RefundMade(origin, body["refund"], body["session"], body["amount_minor"], body["reason"])


def _correction(origin: Origin, body: Body) -> CityEvent:
    amount_minor, corrects = body["amount_minor"], body["corrects"]
    return BillCorrected(origin, body["correction"], body["session"], corrects, amount_minor, body["reason"])


def _void(origin: Origin, body: Body) -> CityEvent:
    return BillVoided(origin, body["void"], body["session"], body["reason"])


def _write_off(origin: Origin, body: Body) -> CityEvent:
    return BillWrittenOff(origin, body["write_off"], body["session"], body["reason"])


def _attach(origin: Origin, body: Body) -> CityEvent:
    return ExitAttached(origin, body["attach"], body["session"], body["stray"], body["whose"], body["reason"])


def _dispute(origin: Origin, body: Body) -> CityEvent:
    return DisputeOpened(origin, body["dispute"], body["session"], body["reason"])


def _verdict(origin: Origin, body: Body) -> CityEvent:
    return DisputeClosed(origin, body["dispute"], body["session"], body["verdict"] == "upheld")


def _shift(origin: Origin, body: Body) -> CityEvent:
    return ShiftOpened(origin, body["shift"], body["attendant"], body["float_minor"])


def _cash(origin: Origin, body: Body) -> CityEvent:
    taken = (body["session"], body["lane"], body["amount_minor"], body["attendant"], body["shift"])
    return CashTaken(origin, body["cash"], *taken)


def _shift_close(origin: Origin, body: Body) -> CityEvent:
    return ShiftClosed(origin, body["shift"], body["attendant"], body["counted_minor"])


def _invoice(origin: Origin, body: Body) -> CityEvent:
    return InvoiceRequested(origin, body["invoice"], body["session"], body["rate_bp"])


def _day(origin: Origin, body: Body) -> CityEvent:
    return DayTallied(origin, body["tally"], body["day"], tuple(sorted(body["figures"].items())))


def _withdraw(origin: Origin, body: Body) -> CityEvent:
    return EntitlementWithdrawn(origin, Kind(body["kind"]), body["id"])


def _recount(origin: Origin, body: Body) -> CityEvent:
    return LotRecounted(origin, body["id"], body["inside"])


KINDS: dict[str, tuple[Form, Callable[[Origin, Body], CityEvent]]] = {
    "lease": (
        {"session": _id, "lease": _id, "cap_minor": forms.count, "expires_ms": forms.count},
        _lease,
    ),
    "payment": (
        {
            "session": _id,
            "payment": _id,
            "amount_minor": forms.money,
            "status": forms.word("paid", "failed"),
        },
        _payment,
    ),
    "repayment": ({"session": _id, "payment": _id, "amount_minor": forms.money, "place": _id}, _repayment),
    "refund": ({"session": _id, "refund": _id, "amount_minor": forms.money, "reason": _id}, _refund),
    "correction": (
        {"session": _id, "correction": _id, "corrects": forms.count, "amount_minor": forms.money, "reason": _id},
        _correction,
    ),
    "void": ({"session": _id, "void": _id, "reason": _id}, _void),
    "write-off": ({"session": _id, "write_off": _id, "reason": _id}, _write_off),
    "attach": (
        {"session": _id, "attach": _id, "stray": _id, "whose": forms.word("entry", "exit"), "reason": _id},
        _attach,
    ),
    "dispute": ({"session": _id, "dispute": _id, "reason": _id}, _dispute),
    "verdict": ({"session": _id, "dispute": _id, "verdict": forms.word("upheld", "rejected")}, _verdict),
    "shift": ({"shift": _id, "attendant": _id, "float_minor": forms.money}, _shift),
    "cash": (
        {
            "session": _perhaps,
            "lane": _perhaps,
            "cash": _id,
            "amount_minor": forms.money,
            "attendant": _id,
            "shift": _id,
        },
        _cash,
    ),
    "shift-close": ({"shift": _id, "attendant": _id, "counted_minor": forms.money}, _shift_close),
    "invoice": ({"session": _id, "invoice": _id, "rate_bp": _rate}, _invoice),
    "day": ({"tally": _id, "day": _id, "figures": _figures}, _day),
    "withdraw": ({"kind": forms.word(*Kind), "id": _id}, _withdraw),
    "recount": ({"id": _id, "inside": forms.vehicles}, _recount),
}


def down_event(kind: str, value: object, origin: Origin) -> CityEvent | Rejection:
    """The event of one line's type and body, or why there is none."""
    if kind in tuple(Kind):
        entitlement = read(Kind(kind), value)
        return entitlement if isinstance(entitlement, Rejection) else EntitlementGranted(origin, entitlement)
    if kind not in KINDS:
        return Rejection(Reason.UNKNOWN_TYPE, f"type {kind:.64}")
    form, build = KINDS[kind]
    body = forms.shape(value, form)
    return body if isinstance(body, Rejection) else build(origin, body)
