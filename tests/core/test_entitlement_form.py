"""The forms of entitlements: what is kept comes back, what is odd is named."""

from __future__ import annotations

import json

import pytest

from gateway.core.entitlement import KIND_OF, Entitlement, Kind, Policy, Shift, Way
from gateway.core.entitlement_form import ID_BYTES_MAX, KINDS, body_of, read
from gateway.core.plate import Energy, Vehicle
from gateway.forms import Reason, Rejection
from tests import entitled

SAMPLES: list[Entitlement] = [
    entitled.standing(),
    entitled.lot_exposure(5),
    entitled.suspension(),
    entitled.permit("p1", "blue 浙A00001", "green 浙AD00002", shifts=(Shift((1, 2, 5), 480, 60),)),
    entitled.exemption(mark="警"),
    entitled.benefit(Way.PERCENT, 20, energy=Energy.EV, vehicle=Vehicle.LARGE),
    entitled.validation(Way.MINUTES, 120, single=True),
    entitled.block(Policy.BLOCK, Policy.ATTENDANT),
    entitled.house(40, sign="限高2.0米"),
]


@pytest.mark.parametrize("sample", SAMPLES, ids=[KIND_OF[type(sample)] for sample in SAMPLES])
def test_what_is_kept_comes_back(sample: Entitlement) -> None:
    assert read(KIND_OF[type(sample)], json.loads(body_of(sample))) == sample


def test_every_kind_has_its_form_and_its_sample() -> None:
    assert set(KINDS) == set(Kind) == {KIND_OF[type(sample)] for sample in SAMPLES}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (Kind.STANDING,   {"plate": "浙A12345"}),
        (Kind.STANDING,   {"plate": "blue " + "浙" * 9}),
        (Kind.STANDING,   {"plate": "blue "}),
        (Kind.STANDING,   {"cap_minor": -1}),
        (Kind.STANDING,   {"id": ""}),
        (Kind.STANDING,   {"id": "i" * (ID_BYTES_MAX + 1)}),
        (Kind.STANDING,   {"more": 1}),
        (Kind.PERMIT,     {"zone": "Asia/Nowhere"}),
        (Kind.PERMIT,     {"zone": "../etc/passwd"}),
        (Kind.PERMIT,     {"zone": ""}),
        (Kind.PERMIT,     {"kind": "yearly"}),
        (Kind.PERMIT,     {"shifts": [{"days": [0], "from_min": 0, "to_min": 1}]}),
        (Kind.PERMIT,     {"shifts": [{"days": [1], "from_min": 1440, "to_min": 1}]}),
        (Kind.PERMIT,     {"from_ms": 2, "to_ms": 1}),
        (Kind.PERMIT,     {"plates": ["blue 浙A12345"] * 101}),
        (Kind.EXEMPTION,  {"label": "浙" * 21}),
        (Kind.EXEMPTION,  {"label": "a\nb"}),
        (Kind.BENEFIT,    {"way": "percent", "value": 101}),
        (Kind.BENEFIT,    {"way": "percent", "value": 0}),
        (Kind.BENEFIT,    {"way": "free", "value": 1}),
        (Kind.BENEFIT,    {"way": "money", "value": 0}),
        (Kind.BENEFIT,    {"energy": "steam"}),
        (Kind.VALIDATION, {"single": 1}),
        (Kind.BLOCK,      {"exit": "never"}),
        (Kind.RULES,      {"full": "perhaps"}),
    ],
)  # fmt: skip
def test_what_is_odd(kind: Kind, changes: dict[str, object]) -> None:
    sample = next(one for one in SAMPLES if KIND_OF[type(one)] is kind)
    found = read(kind, json.loads(body_of(sample)) | changes)
    assert isinstance(found, Rejection)
    assert found.reason is Reason.FORM
