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
    CityEvent,
    DisputeClosed,
    DisputeOpened,
    EntitlementGranted,
    EntitlementWithdrawn,
    ExitAttached,
    LeaseGranted,
    LotRecounted,
    Origin,
    PaymentReported,
    RefundMade,
)
from gateway.core.entitlement import Kind
from gateway.core.entitlement_form import read
from gateway.forms import Form, Reason, Rejection

Body = dict[str, Any]

ID_BYTES_MAX = 64
"""An id of the city's goes into a record, whose line must stay within its limit."""


def _id(value: object) -> str:
    """Reader of the id of a session, lease or payment."""
    found: str = forms.text(value)
    if not 0 < len(found.encode()) <= ID_BYTES_MAX:
        raise ValueError(f"not an id of 1 to {ID_BYTES_MAX} bytes")
    return found


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
    return ExitAttached(origin, body["attach"], body["session"], body["stray"], body["reason"])


def _dispute(origin: Origin, body: Body) -> CityEvent:
    return DisputeOpened(origin, body["dispute"], body["session"], body["reason"])


def _verdict(origin: Origin, body: Body) -> CityEvent:
    return DisputeClosed(origin, body["dispute"], body["session"], body["verdict"] == "upheld")


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
            "amount_minor": forms.count,
            "status": forms.word("paid", "failed"),
        },
        _payment,
    ),
    "repayment": ({"session": _id, "payment": _id, "amount_minor": forms.count, "place": _id}, _repayment),
    "refund": ({"session": _id, "refund": _id, "amount_minor": forms.count, "reason": _id}, _refund),
    "correction": (
        {"session": _id, "correction": _id, "corrects": forms.count, "amount_minor": forms.count, "reason": _id},
        _correction,
    ),
    "void": ({"session": _id, "void": _id, "reason": _id}, _void),
    "write-off": ({"session": _id, "write_off": _id, "reason": _id}, _write_off),
    "attach": ({"session": _id, "attach": _id, "stray": _id, "reason": _id}, _attach),
    "dispute": ({"session": _id, "dispute": _id, "reason": _id}, _dispute),
    "verdict": ({"session": _id, "dispute": _id, "verdict": forms.word("upheld", "rejected")}, _verdict),
    "withdraw": ({"kind": forms.word(*Kind), "id": _id}, _withdraw),
    "recount": ({"id": _id, "inside": forms.count}, _recount),
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
