"""What the city sent down, in the past tense: receipts, and its numbered signed lines.

Each line's event carries its `Origin`: the number under which it is applied once, and the line and signature that stay as
evidence. Signatures and order were checked before an event is made; what follows from it is decided in `core/lot`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.entitlement import Entitlement, Kind


@dataclass(frozen=True, slots=True)
class Origin:
    """The city's signed line that brought an event: its number in the stream down, the line, 64 signature bytes, and the
    city's UTC ms when it was made (0: not known).

    Number 0: no line of the city. It came by a city's own lot protocol, and its evidence is the push under the id that the
    event names; or an operator asked for it, and the command is kept elsewhere.
    """

    dn: int
    line: str
    signature: bytes
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class ReceiptArrived:
    """The city's signed receipt: it has every record of the chain up to n, and n has this hash (32 bytes)."""

    epoch: int
    n: int
    record_hash: bytes
    line: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class LeaseGranted:
    """The city promises to pay for a session up to a cap until the expiry (UTC ms)."""

    origin: Origin
    lease: str
    session: str
    cap_minor: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class PaymentReported:
    """The city tells how the payment of a session ended; `payment` is its id and never used twice.

    `place`: the lot at which arrears were paid, '' for a payment of the city's own debit or at this lot.
    """

    origin: Origin
    payment: str
    session: str
    amount_minor: int
    paid: bool
    place: str = ""


@dataclass(frozen=True, slots=True)
class RefundMade:
    """The city gave money back for a session; `refund` is its id and never used twice."""

    origin: Origin
    refund: str
    session: str
    amount_minor: int
    reason: str


@dataclass(frozen=True, slots=True)
class EntitlementGranted:
    """The city grants or forbids something beforehand: see `core/entitlement`."""

    origin: Origin
    entitlement: Entitlement


@dataclass(frozen=True, slots=True)
class EntitlementWithdrawn:
    """The city takes an entitlement back, by its kind and id."""

    origin: Origin
    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class LotRecounted:
    """Somebody counted the vehicles inside; `id` names the count."""

    origin: Origin
    id: str
    inside: int


@dataclass(frozen=True, slots=True)
class BillCorrected:
    """A bill is `amount_minor` from now on; `corrects` is the number of the record that set it before."""

    origin: Origin
    correction: str
    session: str
    corrects: int
    amount_minor: int
    reason: str


@dataclass(frozen=True, slots=True)
class BillVoided:
    """A vehicle was charged wrongly: nothing is owed for the session, and nothing that was paid is kept."""

    origin: Origin
    void: str
    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class BillWrittenOff:
    """What is still owed for a session is given up."""

    origin: Origin
    write_off: str
    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExitAttached:
    """Somebody knows whose exit a reviewed one was: `stray` is the session of that exit, `session` the stay it ends.

    `whose`: 'entry' or 'exit', the read whose plate is the vehicle's, and so owes.
    """

    origin: Origin
    attach: str
    session: str
    stray: str
    whose: str
    reason: str


@dataclass(frozen=True, slots=True)
class DisputeOpened:
    """A driver contests a bill."""

    origin: Origin
    dispute: str
    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class DisputeClosed:
    """A dispute was decided: upheld, so that nothing is owed, or rejected, so that the bill stands."""

    origin: Origin
    dispute: str
    session: str
    upheld: bool


@dataclass(frozen=True, slots=True)
class ShiftOpened:
    """An attendant begins a shift with so much change in the till."""

    origin: Origin
    shift: str
    attendant: str
    float_minor: int


@dataclass(frozen=True, slots=True)
class CashTaken:
    """An attendant took cash: for a session, or, if that is '', for the one that is held at a lane."""

    origin: Origin
    cash: str
    session: str
    lane: str
    amount_minor: int
    attendant: str
    shift: str


@dataclass(frozen=True, slots=True)
class ShiftClosed:
    """An attendant counted the till, its change included, and ends the shift."""

    origin: Origin
    shift: str
    attendant: str
    counted_minor: int


@dataclass(frozen=True, slots=True)
class InvoiceRequested:
    """An e-invoice is asked for; the price holds the tax: `rate_bp` hundredths of a percent of the price without it."""

    origin: Origin
    invoice: str
    session: str
    rate_bp: int


@dataclass(frozen=True, slots=True)
class DayTallied:
    """The city's own figures of a local day (YYYY-MM-DD) that the lot has closed, by name."""

    origin: Origin
    tally: str
    day: str
    figures: tuple[tuple[str, int], ...]


Settlement = (
    RefundMade
    | BillCorrected
    | BillVoided
    | BillWrittenOff
    | ExitAttached
    | DisputeOpened
    | DisputeClosed
    | ShiftOpened
    | CashTaken
    | ShiftClosed
    | InvoiceRequested
    | DayTallied
)
"""What changes or accounts for the money of a stay after its bill was made; payments themselves are `PaymentReported`."""

Numbered = LeaseGranted | PaymentReported | EntitlementGranted | EntitlementWithdrawn | LotRecounted | Settlement
"""The events of the city's numbered lines: each is applied once, in their order."""

CityEvent = ReceiptArrived | Numbered
