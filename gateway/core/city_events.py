"""What the city sent down, in the past tense: receipts, and its numbered signed lines.

Each line's event carries its `Origin`: the number under which it is applied once, and the line and signature that stay as
evidence. Signatures and order were checked before an event is made; what follows from it is decided in `core/lot`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The city's signed line that brought an event: its number in the stream down, the line, 64 signature bytes."""

    dn: int
    line: str
    signature: bytes


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
    """The city tells how the payment of a session ended; `payment` is its id and never used twice."""

    origin: Origin
    payment: str
    session: str
    amount_minor: int
    paid: bool


CityEvent = ReceiptArrived | LeaseGranted | PaymentReported
