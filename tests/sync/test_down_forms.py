"""The bodies of the city's lines: what becomes an event, and what is named and skipped."""

from __future__ import annotations

import pytest

from gateway.core.city_events import (
    BillCorrected,
    BillVoided,
    BillWrittenOff,
    CashTaken,
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
from gateway.core.entitlement import Kind, Suspension
from gateway.forms import MONEY_MAX, VEHICLES_MAX, Reason, Rejection
from gateway.sync.down_forms import FIGURES_MAX, ID_BYTES_MAX, RATE_BP_MAX, down_event

ORIGIN = Origin(1, "line", bytes(64))
LEASE = {"session": "1.2", "lease": "l-1", "cap_minor": 5000, "expires_ms": 99}
PAYMENT = {"session": "1.2", "payment": "p-1", "amount_minor": 700, "status": "failed"}
REPAYMENT = {"session": "1.2", "payment": "p-1", "amount_minor": 700, "place": "lot-2"}
REFUND = {"session": "1.2", "refund": "r-1", "amount_minor": 700, "reason": "goodwill"}
CASH = {"cash": "k-1", "session": "", "lane": "out", "amount_minor": 5}
SHIFT = {"shift": "s-1", "attendant": "wang"}
CORRECTION = {"session": "1.2", "reason": "seen", "correction": "c-1", "corrects": 4, "amount_minor": 5}
DAY = {"tally": "t-1", "day": "2026-11-02", "figures": {"open_minor": -7, "entries": 3}}
SUSPEND = {"id": "u-1", "plate": "blue 浙A12345"}


def test_each_kind_becomes_its_event() -> None:
    assert down_event("lease", LEASE, ORIGIN) == LeaseGranted(ORIGIN, "l-1", "1.2", 5000, 99)
    assert down_event("payment", PAYMENT, ORIGIN) == PaymentReported(ORIGIN, "p-1", "1.2", 700, False)
    repaid = PaymentReported(ORIGIN, "p-1", "1.2", 700, True, "lot-2")
    assert down_event("repayment", REPAYMENT, ORIGIN) == repaid
    assert down_event("refund", REFUND, ORIGIN) == RefundMade(ORIGIN, "r-1", "1.2", 700, "goodwill")
    said = {"session": "1.2", "reason": "seen"}
    correction = said | {"correction": "c-1", "corrects": 4, "amount_minor": 5}
    assert down_event("correction", correction, ORIGIN) == BillCorrected(ORIGIN, "c-1", "1.2", 4, 5, "seen")
    assert down_event("void", said | {"void": "v-1"}, ORIGIN) == BillVoided(ORIGIN, "v-1", "1.2", "seen")
    assert down_event("write-off", said | {"write_off": "w-1"}, ORIGIN) == BillWrittenOff(ORIGIN, "w-1", "1.2", "seen")
    attached = ExitAttached(ORIGIN, "a-1", "1.2", "1.9", "entry", "seen")
    assert down_event("attach", said | {"attach": "a-1", "stray": "1.9", "whose": "entry"}, ORIGIN) == attached
    assert down_event("dispute", said | {"dispute": "d-1"}, ORIGIN) == DisputeOpened(ORIGIN, "d-1", "1.2", "seen")
    for verdict, upheld in (("upheld", True), ("rejected", False)):
        body = {"session": "1.2", "dispute": "d-1", "verdict": verdict}
        assert down_event("verdict", body, ORIGIN) == DisputeClosed(ORIGIN, "d-1", "1.2", upheld)
    shift = {"shift": "s-1", "attendant": "wang"}
    assert down_event("shift", shift | {"float_minor": 5}, ORIGIN) == ShiftOpened(ORIGIN, "s-1", "wang", 5)
    assert down_event("shift-close", shift | {"counted_minor": 5}, ORIGIN) == ShiftClosed(ORIGIN, "s-1", "wang", 5)
    assert down_event("cash", shift | CASH, ORIGIN) == CashTaken(ORIGIN, "k-1", "", "out", 5, "wang", "s-1")
    invoice = {"session": "1.2", "invoice": "i-1", "rate_bp": 900}
    assert down_event("invoice", invoice, ORIGIN) == InvoiceRequested(ORIGIN, "i-1", "1.2", 900)
    tallied = DayTallied(ORIGIN, "t-1", "2026-11-02", (("entries", 3), ("open_minor", -7)))
    assert down_event("day", DAY, ORIGIN) == tallied
    suspension = Suspension("u-1", "blue 浙A12345")
    assert down_event("suspend", SUSPEND, ORIGIN) == EntitlementGranted(ORIGIN, suspension)
    withdrawn = EntitlementWithdrawn(ORIGIN, Kind.SUSPENSION, "u-1")
    assert down_event("withdraw", {"kind": "suspend", "id": "u-1"}, ORIGIN) == withdrawn
    assert down_event("recount", {"id": "c-1", "inside": 0}, ORIGIN) == LotRecounted(ORIGIN, "c-1", 0)


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("parade",  LEASE,                                       Reason.UNKNOWN_TYPE),
        ("lease",   PAYMENT,                                     Reason.FORM),
        ("lease",   LEASE | {"lease": ""},                       Reason.FORM),
        ("lease",   LEASE | {"lease": "l" * (ID_BYTES_MAX + 1)}, Reason.FORM),
        ("lease",   LEASE | {"session": "浙" * 22},              Reason.FORM),
        ("lease",   LEASE | {"cap_minor": -1},                   Reason.FORM),
        ("lease",   LEASE | {"cap_minor": 5000.0},               Reason.FORM),
        ("payment", PAYMENT | {"payment": "p" * 4000},           Reason.FORM),
        ("payment", PAYMENT | {"status": "perhaps"},             Reason.FORM),
        ("payment", [],                                          Reason.FORM),
        ("repayment", PAYMENT,                                   Reason.FORM),
        ("repayment", REPAYMENT | {"place": ""},                 Reason.FORM),
        ("suspend", SUSPEND | {"plate": "浙A12345"},             Reason.FORM),
        ("cash", CASH,                                           Reason.FORM),
        ("invoice", {"session": "1.2", "invoice": "i", "rate_bp": RATE_BP_MAX + 1}, Reason.FORM),
        ("day", DAY | {"figures": {"entries": 1.5}},             Reason.FORM),
        ("day", DAY | {"figures": {"entries": 2**53}},           Reason.FORM),
        ("day", DAY | {"figures": {"e" * 25: 1}},                Reason.FORM),
        ("day", DAY | {"figures": []},                           Reason.FORM),
        ("day", DAY | {"figures": {str(i): i for i in range(FIGURES_MAX + 1)}}, Reason.FORM),
        ("withdraw", {"kind": "parade", "id": "u-1"},            Reason.FORM),
        ("recount", {"id": "c-1", "inside": -1},                 Reason.FORM),
        ("recount", {"id": "c-1", "inside": VEHICLES_MAX + 1},   Reason.FORM),
        ("payment", PAYMENT | {"amount_minor": MONEY_MAX + 1},   Reason.FORM),
        ("repayment", REPAYMENT | {"amount_minor": MONEY_MAX + 1}, Reason.FORM),
        ("refund", REFUND | {"amount_minor": MONEY_MAX + 1},     Reason.FORM),
        ("correction", CORRECTION | {"amount_minor": MONEY_MAX + 1}, Reason.FORM),
        ("cash", CASH | SHIFT | {"amount_minor": MONEY_MAX + 1}, Reason.FORM),
        ("shift", SHIFT | {"float_minor": MONEY_MAX + 1},        Reason.FORM),
        ("shift-close", SHIFT | {"counted_minor": MONEY_MAX + 1}, Reason.FORM),
    ],
)  # fmt: skip
def test_what_is_skipped(kind: str, body: object, reason: Reason) -> None:
    found = down_event(kind, body, ORIGIN)
    assert isinstance(found, Rejection)
    assert found.reason is reason


def test_the_longest_ids_are_taken() -> None:
    long = "x" * ID_BYTES_MAX
    assert isinstance(down_event("lease", LEASE | {"lease": long, "session": long}, ORIGIN), LeaseGranted)
