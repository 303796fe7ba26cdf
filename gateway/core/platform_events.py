"""What a city's own lot protocol brought, in the past tense: pushes, and what became of our calls.

Signatures and forms were checked before an event is made. A push carries its own identity, the request and the digest of its
content, since it has no number in our city's stream. What follows is decided in `core/platform`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.platform_state import DayBill


@dataclass(frozen=True, slots=True)
class PushOrigin:
    """Which push brought an event: its request, the name of its kind, its content as JSON and the hex digest of that."""

    request: str
    name: str
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class AuthorizationPushed:
    """The platform promises, or not (`allowed`), to pay for the stay of this plate up to a cap. `colour`: '' if not told."""

    origin: PushOrigin
    plate: str
    colour: str
    allowed: bool
    cap_minor: int
    life_ms: int


@dataclass(frozen=True, slots=True)
class FeeAsked:
    """The platform asks what the stay of this plate costs by now."""

    origin: PushOrigin
    plate: str
    colour: str


@dataclass(frozen=True, slots=True)
class PaymentPushed:
    """The platform tells how the payment of a bill ended; `paid` None: with a status that nobody has explained to us."""

    origin: PushOrigin
    bill: str
    order: str
    status: int
    paid: bool | None
    amount_minor: int
    discount_minor: int


@dataclass(frozen=True, slots=True)
class PushAnswered:
    """The platform took our answer to a push."""

    request: str
    digest: str


@dataclass(frozen=True, slots=True)
class UploadTaken:
    """The platform took a call made of record n, about `bill` if any; `aside`: one that had been set aside."""

    n: int
    call: str
    bill: str = ""
    aside: bool = False


@dataclass(frozen=True, slots=True)
class UploadRefused:
    """The platform refused a call made of record n more than once; `pays`: without it nobody pays the stay's bill."""

    n: int
    call: str
    session: str
    reason: str
    pays: bool
    again_ms: int
    bill: str = ""
    aside: bool = False


@dataclass(frozen=True, slots=True)
class DayReported:
    """The platform's list of a day's bills (`yyyy-MM-dd`, its own time)."""

    day: str
    span_ms: tuple[int, int]
    bills: tuple[DayBill, ...]


Push = AuthorizationPushed | FeeAsked | PaymentPushed
PlatformEvent = Push | PushAnswered | UploadTaken | UploadRefused | DayReported
