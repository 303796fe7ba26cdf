"""What lowers a bill, found by itself at the exit: exemption, permit, benefits and validations.

Owns the order, in docs/BENEFITS.md. Rules: the bill never rises and never falls below 0; a lowering that changes nothing is not
used; each lowering is a line of the bill that names what it rests on, and bill and lowerings sum to what is owed. The one
division is a percentage, rounded up to a whole minor unit, in the driver's favour. Refuses to know who pays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.book import EntitlementBook
from gateway.core.entitlement import Benefit, Exemption, Kind, Permit, PermitKind, Space, Validation, Way
from gateway.core.plate import Colour, Plate
from gateway.core.shift import Span, covered, shortened, without

MINUTE_MS = 60_000

Price = Callable[[int, int], int]
"""What the tariff asks, in minor units, for a stay between two UTC ms of the vehicle in question."""

PERMIT_TEXTS = {
    PermitKind.MONTHLY: ("月租车位", "monthly permit"),
    PermitKind.RESIDENT: ("居民车位", "resident's permit"),
    PermitKind.EMPLOYEE: ("员工车位", "employee's permit"),
}
BENEFIT_TEXT = ("政策优惠", "benefit")
VALIDATION_TEXT = ("商户减免", "validation")
WAYS = tuple(Way)

_Named = Exemption | Permit | Benefit | Validation


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay to be billed: UTC ms as it is priced, the plate, and the permit's space that it stands on."""

    from_ms: int
    to_ms: int
    plate: Plate
    space: Space | None = None


@dataclass(frozen=True, slots=True)
class Lowering:
    """One line that lowers a bill; `amount_minor` is negative."""

    kind: Kind
    id: str
    text_zh: str
    text_en: str
    from_ms: int
    to_ms: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Lowered:
    """What is owed after all lowerings, and those that had an effect, in the order in which they were applied."""

    amount_minor: int
    lines: tuple[Lowering, ...]


def lower(bill_minor: int, stay: Stay, book: EntitlementBook, price: Price) -> Lowered:
    """Lower the bill of a stay by all that the book holds for its plate."""
    bill = _Bill(stay, bill_minor, price)
    for exemption in exemptions(stay.plate, book):
        bill.reduce(exemption, Kind.EXEMPTION, (exemption.label or "免费车辆", "exempt"), 0)
    if stay.space is not None and (permit := book.permit(stay.space.permit)) is not None:
        spans = covered(permit, max(stay.from_ms, stay.space.from_ms), stay.to_ms)
        bill.cut(permit, Kind.PERMIT, PERMIT_TEXTS[permit.kind], without(bill.spans, spans))
    for grant in grants(stay, book):
        bill.apply(grant)
    return Lowered(bill.amount_minor, tuple(bill.lines))


def lower_once(amount_minor: int, stay: Stay, grant: Benefit | Validation, price: Price) -> Lowered:
    """Lower what a stay was billed by one thing that was granted after its exit."""
    bill = _Bill(stay, amount_minor, price)
    bill.apply(grant)
    return Lowered(bill.amount_minor, tuple(bill.lines))


def exemptions(plate: Plate, book: EntitlementBook) -> list[Exemption]:
    """Exemptions of a plate, by id."""
    return [found for found in book.exemptions(plate.identity) if is_exempt(plate, found)]


def is_exempt(plate: Plate, exemption: Exemption) -> bool:
    """Whether an exemption is for this plate: by name, or by the mark that it shows."""
    marked = bool(exemption.mark) and exemption.mark in plate.text
    return plate.identity in exemption.plates or (marked and exemption.colour in (plate.colour, Colour.UNKNOWN))


def grants(stay: Stay, book: EntitlementBook) -> list[Benefit | Validation]:
    """Benefits and validations for an exit at the end of this stay, in the order in which they are applied."""
    identity = stay.plate.identity
    found: list[Benefit | Validation] = [*book.benefits(identity), *book.validations(identity)]
    return sorted((grant for grant in found if fits(grant, stay)), key=_turn)


def fits(grant: Benefit | Validation, stay: Stay) -> bool:
    """Whether a benefit or validation holds for the exit of this stay; a window also for a stay that outlasts it."""
    in_time = grant.from_ms <= stay.to_ms <= grant.to_ms
    if grant.way is Way.WINDOW:
        in_time = grant.from_ms < stay.to_ms and stay.from_ms < grant.to_ms
    if isinstance(grant, Validation):
        return in_time and grant.plate == stay.plate.identity
    if grant.plates:
        return in_time and stay.plate.identity in grant.plates
    right_class = grant.energy in (None, stay.plate.energy) and grant.vehicle in (None, stay.plate.vehicle)
    return in_time and right_class


def _turn(grant: Benefit | Validation) -> tuple[int, bool, int, str]:
    """Benefits before validations of the same way, since a benefit is not used up."""
    if isinstance(grant, Validation):
        return WAYS.index(grant.way), True, grant.to_ms, grant.id
    return WAYS.index(grant.way), False, grant.order, grant.id


class _Bill:
    """A bill on its way down: what is owed, the time that is still billed, and the lines so far."""

    def __init__(self, stay: Stay, amount_minor: int, price: Price) -> None:
        self.stay = stay
        self.amount_minor = amount_minor
        self.spans: tuple[Span, ...] = ((stay.from_ms, stay.to_ms),)
        self.lines: list[Lowering] = []
        self._price = price
        self._pending: list[tuple[_Named, Kind, tuple[str, str]]] = []

    def apply(self, grant: Benefit | Validation) -> None:
        """Lower by one benefit or validation."""
        kind, text = Kind.BENEFIT, BENEFIT_TEXT
        if isinstance(grant, Validation):
            kind, text = Kind.VALIDATION, VALIDATION_TEXT
        left_minor, value = self.amount_minor, grant.value
        match grant.way:
            case Way.FREE:
                self.reduce(grant, kind, text, 0)
            case Way.WINDOW:
                window = ((grant.from_ms, grant.to_ms),)
                self.cut(grant, kind, _more(text, "时段", "window"), without(self.spans, window))
            case Way.MINUTES:
                more = _more(text, f"{value}分钟", f"{value} min")
                self.cut(grant, kind, more, shortened(self.spans, value * MINUTE_MS))
            case Way.PERCENT:
                more = _more(text, f"{value}%", f"{value} %")
                self.reduce(grant, kind, more, left_minor + (-left_minor * value) // 100)
            case Way.CAP:
                self.reduce(grant, kind, _more(text, "封顶", "cap"), value)
            case Way.MONEY:
                self.reduce(grant, kind, _more(text, "抵扣", "voucher"), left_minor - value)

    def cut(self, of: _Named, kind: Kind, text: tuple[str, str], spans: tuple[Span, ...]) -> None:
        """Bill only these spans, each as a stay of its own.

        Minutes that only together reach the next cheaper price are used together: those without an effect wait for more.
        """
        if spans == self.spans:
            return
        self.spans = spans
        priced_minor = sum(self._price(*span) for span in spans)
        if priced_minor >= self.amount_minor:
            self._pending.append((of, kind, text))
            return
        for waited, waited_kind, waited_text in self._pending:
            self._write(waited, waited_kind, waited_text, 0)
        self._pending.clear()
        self.reduce(of, kind, text, priced_minor)

    def reduce(self, of: _Named, kind: Kind, text: tuple[str, str], to_minor: int) -> None:
        """Lower what is owed to an amount; no line if it is not above it."""
        to_minor = max(0, to_minor)
        if to_minor < self.amount_minor:
            self._write(of, kind, text, to_minor - self.amount_minor)
            self.amount_minor = to_minor

    def _write(self, of: _Named, kind: Kind, text: tuple[str, str], amount_minor: int) -> None:
        self.lines.append(Lowering(kind, of.id, *text, self.stay.from_ms, self.stay.to_ms, amount_minor))


def _more(text: tuple[str, str], zh: str, en: str) -> tuple[str, str]:
    return f"{text[0]} {zh}", f"{text[1]}, {en}"
