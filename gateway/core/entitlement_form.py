"""How an entitlement reads: the form of the body in the city's line, which is also how the ledger keeps it.

Owns one table. Rules: exactly the members of the form, lists of limited length, a span that ends after it begins; what does not
fit is a named rejection, never an error. Knows neither signatures nor what follows from a grant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from gateway import forms
from gateway.core import plate as plates
from gateway.core import wording
from gateway.core.entitlement import (
    Benefit,
    Block,
    Entitlement,
    Exemption,
    Kind,
    LotExposure,
    LotRules,
    Permit,
    PermitKind,
    Policy,
    Shift,
    Standing,
    Suspension,
    Validation,
    Way,
    WhenFull,
)
from gateway.core.plate import Colour, Energy, Vehicle
from gateway.core.record import canonical
from gateway.forms import Form, Reader, Reason, Rejection

ID_BYTES_MAX = 64
"""An id stands in records and in the lines of a bill, whose size is limited."""
LABEL_BYTES_MAX = 60
DAY_MIN = 1440


def read(kind: Kind, value: object) -> Entitlement | Rejection:
    """The entitlement that a body of this kind describes, or why it describes none."""
    form, make = KINDS[kind]
    body = forms.shape(value, form)
    if isinstance(body, Rejection):
        return body
    if body.get("from_ms", 0) > body.get("to_ms", body.get("from_ms", 0)):
        return Rejection(Reason.FORM, "ends before it begins")
    if "way" in body and not _fits(body["way"], body["value"]):
        return Rejection(Reason.FORM, f"{body['value']} is no value of {body['way']}")
    return make(**body)


def body_of(entitlement: Entitlement) -> str:
    """The canonical JSON that `read` takes back."""
    return canonical({name: "" if value is None else value for name, value in asdict(entitlement).items()})


def identifier(value: object) -> str:
    """Reader of an id of 1 to ID_BYTES_MAX bytes."""
    found = forms.text(value)
    if not 0 < len(found.encode()) <= ID_BYTES_MAX:
        raise ValueError(f"not an id of 1 to {ID_BYTES_MAX} bytes")
    return found


def identity(value: object) -> str:
    """Reader of a plate's identity: a colour, a space, and the plate."""
    found = forms.text(value)
    colour, _, text = found.partition(" ")
    if colour not in tuple(Colour) or not 0 < len(text.encode()) <= plates.TEXT_BYTES_MAX:
        raise ValueError("not a colour, a space and a plate")
    return found


def _fits(way: Way, value: int) -> bool:
    if way in (Way.FREE, Way.WINDOW):
        return value == 0
    return value >= (0 if way is Way.CAP else 1) and (way is not Way.PERCENT or value <= 100)


def _label(bytes_max: int) -> Reader:
    def read(value: object) -> str:
        found = forms.text(value)
        if len(found.encode()) > bytes_max or not found.isprintable():
            raise ValueError(f"not printable text of at most {bytes_max} bytes")
        return found

    return read


def _either(*words: str, make: Callable[[str], Any]) -> Reader:
    read = forms.word(*words)
    return lambda value: make(read(value))


def _enum(members: Any) -> Reader:
    return _either(*(str(member) for member in members), make=members)


def _optional(members: Any) -> Reader:
    return _either("", *(str(member) for member in members), make=lambda word: members(word) if word else None)


def _zone(value: object) -> str:
    name = forms.text(value)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("not a time zone's name") from None
    return name


def _within(least: int, most: int) -> Reader:
    def read(value: object) -> int:
        found = forms.count(value)
        if not least <= found <= most:
            raise ValueError(f"not from {least} to {most}")
        return found

    return read


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _shift(value: object) -> Shift:
    return Shift(**_SHIFT(value))


_SHIFT = forms.fields(
    {"days": forms.listing(_within(1, 7)), "from_min": _within(0, DAY_MIN - 1), "to_min": _within(0, DAY_MIN)}
)
_SPAN: Form = {"from_ms": forms.count, "to_ms": forms.count}
_WAY: Form = {"way": _enum(Way), "value": forms.count}

KINDS: dict[Kind, tuple[Form, Callable[..., Entitlement]]] = {
    Kind.STANDING: (
        {
            "id": identifier,
            "plate": identity,
            "cap_minor": forms.count,
            "exposure_minor": forms.count,
            "expires_ms": forms.count,
        },
        Standing,
    ),
    Kind.EXPOSURE: ({"id": identifier, "cap_minor": forms.count}, LotExposure),
    Kind.SUSPENSION: ({"id": identifier, "plate": identity}, Suspension),
    Kind.PERMIT: (
        {
            "id": identifier,
            "plates": forms.listing(identity),
            "spaces": forms.count,
            "kind": _enum(PermitKind),
            "zone": _zone,
            "shifts": forms.listing(_shift),
            **_SPAN,
        },
        Permit,
    ),
    Kind.EXEMPTION: (
        {
            "id": identifier,
            "label": _label(LABEL_BYTES_MAX),
            "plates": forms.listing(identity),
            "mark": _label(plates.TEXT_BYTES_MAX),
            "colour": _enum(Colour),
        },
        Exemption,
    ),
    Kind.BENEFIT: (
        {
            "id": identifier,
            "plates": forms.listing(identity),
            "energy": _optional(Energy),
            "vehicle": _optional(Vehicle),
            "order": forms.count,
            **_WAY,
            **_SPAN,
        },
        Benefit,
    ),
    Kind.VALIDATION: (
        {"id": identifier, "plate": identity, "single": _flag, "by": _label(LABEL_BYTES_MAX), **_WAY, **_SPAN},
        Validation,
    ),
    Kind.BLOCK: ({"id": identifier, "plate": identity, "entry": _enum(Policy), "exit": _enum(Policy)}, Block),
    Kind.RULES: (
        {
            "id": identifier,
            "capacity": forms.count,
            "full": _enum(WhenFull),
            "sign": _label(wording.TEXT_BYTES_MAX),
        },
        LotRules,
    ),
}
