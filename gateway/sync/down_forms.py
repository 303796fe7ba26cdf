"""The kinds of numbered lines from the city: the form of each body, and the event it becomes.

Owns one table. Rules: a body has exactly the members of its form; a type that is not in the table is named, counted and
skipped, since an older release must not stop at a newer city. Knows neither signatures nor order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import forms
from gateway.core.city_events import CityEvent, LeaseGranted, Origin, PaymentReported
from gateway.forms import Form, Reason, Rejection

Body = dict[str, Any]


def _lease(origin: Origin, body: Body) -> CityEvent:
    return LeaseGranted(origin, body["lease"], body["session"], body["cap_minor"], body["expires_ms"])


def _payment(origin: Origin, body: Body) -> CityEvent:
    paid = body["status"] == "paid"
    return PaymentReported(origin, body["payment"], body["session"], body["amount_minor"], paid)


KINDS: dict[str, tuple[Form, Callable[[Origin, Body], CityEvent]]] = {
    "lease": (
        {"session": forms.text, "lease": forms.text, "cap_minor": forms.count, "expires_ms": forms.count},
        _lease,
    ),
    "payment": (
        {
            "session": forms.text,
            "payment": forms.text,
            "amount_minor": forms.count,
            "status": forms.word("paid", "failed"),
        },
        _payment,
    ),
}


def down_event(kind: str, value: object, origin: Origin) -> CityEvent | Rejection:
    """The event of one line's type and body, or why there is none."""
    if kind not in KINDS:
        return Rejection(Reason.UNKNOWN_TYPE, f"type {kind:.64}")
    form, build = KINDS[kind]
    body = forms.shape(value, form)
    return body if isinstance(body, Rejection) else build(origin, body)
