"""The bill of one stay as its exit record holds it: the tariff's lines, then what lowers them, and the sum.

Owns the folding of long bills, so that a record stays within its limit, and the using up of what may be used once. Rules: the
lines sum to the amount; a lowering names what it rests on by kind and id. Refuses to know who pays and who leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from gateway.core.answer import Answer
from gateway.core.benefit import Lowering, Stay, lower
from gateway.core.entitlement import Kind, Validation
from gateway.core.memory import PAST_STAYS_MAX, LotMemory, PastStays
from gateway.core.plate import Plate
from gateway.core.record import Value
from gateway.core.session import LEFT, Session
from gateway.core.tariff import Bill, BillLine, EarlierStay

EARLIER_MS = 31 * 86_400_000
"""How far back earlier stays of a plate count: the longest published period over several stays is a day, and days chain."""

LINES_MAX = 12
LOWERINGS_MAX = 4
"""Lines in an exit record, and those of them that lower it. A longer bill folds the tail of each sort into one line, so that
the record stays within 4 kB."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What a stay owes, and how: `lines` as they are recorded, `lowerings` all that had an effect."""

    amount_minor: int
    currency: str
    lines: tuple[dict[str, Value], ...]
    lowerings: tuple[Lowering, ...]

    def told(self, memory: LotMemory, entered_ms: int, exited_ms: int) -> dict[str, Value]:
        """The members of a record that says what a stay between two UTC ms was charged, and by which tariff."""
        return {
            "at": exited_ms,
            "entered": entered_ms,
            "elapsed_s": (exited_ms - entered_ms) // 1000,
            "tariff": memory.rules.tariff.name,
            "tariff_hash": memory.rules.tariff.hash,
            "currency": self.currency,
            "lines": self.lines,
            "amount_minor": self.amount_minor,
        }


def charge(memory: LotMemory, session: Session, from_ms: int, to_ms: int) -> Charge:
    """Price a stay between two UTC ms, and lower it by all that the book holds for its plate. Raises TariffError."""
    bill = priced(memory, session, from_ms, to_ms)

    def price(begin_ms: int, end_ms: int) -> int:
        return priced(memory, session, begin_ms, end_ms).amount_minor

    stay = Stay(from_ms, to_ms, session.plate, memory.spaces.of(session.id))
    lowered = lower(bill.amount_minor, stay, memory.book, price)
    lowerings = _lowering_lines(lowered.lines)
    lines = (*_tariff_lines(bill.lines, LINES_MAX - len(lowerings)), *lowerings)
    return Charge(lowered.amount_minor, bill.currency, lines, lowered.lines)


def priced(memory: LotMemory, session: Session, from_ms: int, to_ms: int) -> Bill:
    """What the tariff asks of a stay between two UTC ms, after the plate's earlier stays where they count.

    Raises TariffError for a date that the lot's calendar does not have.
    """
    rules = memory.rules
    earlier: list[EarlierStay] = []
    if rules.tariff.rules.counts_earlier:
        stays = memory.ended_of(session.plate.identity)
        earlier = [
            EarlierStay(stay.entered.wall_ms, stay.exited_ms, stay.amount_minor - stay.lowered_minor)
            for stay in stays
            if stay.id != session.id and stay.lane_in and stay.state in LEFT and stay.entered.wall_ms <= stay.exited_ms
        ]
    return rules.tariff.bill(from_ms, to_ms, session.vehicle, session.energy, calendar=rules.calendar, earlier=earlier)


def wanted_earlier(memory: LotMemory, plates: Iterable[Plate], begin_ms: int) -> list[PastStays]:
    """The ended stays of each of these plates that the price of a stay since `begin_ms` may depend on; none where they don't
    count."""
    if not memory.rules.tariff.rules.counts_earlier:
        return []
    identities = dict.fromkeys(plate.identity for plate in plates if plate.text)
    return [((identity,), (begin_ms - EARLIER_MS, begin_ms), PAST_STAYS_MAX) for identity in identities]


def wanted_before(memory: LotMemory, past: PastStays) -> PastStays | None:
    """The stays before those that a grant reaches back to, where they count for the price of these."""
    plates, (begin_ms, _), limit = past
    return (plates, (begin_ms - EARLIER_MS, begin_ms), limit) if memory.rules.tariff.rules.counts_earlier else None


def use_up(memory: LotMemory, charged: Charge, at_ms: int, answer: Answer) -> None:
    """End the validations for one exit that lowered this one."""
    for lowering in charged.lowerings:
        held = memory.book.find(lowering.kind, lowering.id)
        if held is not None and isinstance(held.entitlement, Validation) and held.entitlement.single:
            memory.book.end(Kind.VALIDATION, lowering.id, at_ms, answer)


def _tariff_lines(lines: Sequence[BillLine], lines_max: int) -> list[dict[str, Value]]:
    kept: list[dict[str, Value]] = [asdict(line) for line in lines]
    if len(kept) > lines_max:
        tail = lines[lines_max - 1 :]
        folded_minor = sum(line.amount_minor for line in tail)
        kept[lines_max - 1 :] = [_folded(len(tail), tail[0].from_ms, tail[-1].to_ms, folded_minor)]
    return kept


def _lowering_lines(lowerings: Sequence[Lowering]) -> list[dict[str, Value]]:
    kept = [_lowering_line(lowering) for lowering in lowerings]
    if len(kept) > LOWERINGS_MAX:
        tail = lowerings[LOWERINGS_MAX - 1 :]
        folded_minor = sum(lowering.amount_minor for lowering in tail)
        kept[LOWERINGS_MAX - 1 :] = [_folded(len(tail), tail[0].from_ms, tail[-1].to_ms, folded_minor)]
    return kept


def _lowering_line(lowering: Lowering) -> dict[str, Value]:
    line: dict[str, Value] = {**asdict(lowering), "units": 1, "unit_minor": lowering.amount_minor}
    return {**line, "kind": str(lowering.kind)}


def _folded(lines: int, from_ms: int, to_ms: int, amount_minor: int) -> dict[str, Value]:
    return {
        "text_zh": f"其余{lines}项合计",
        "text_en": f"the other {lines} lines together",
        "from_ms": from_ms,
        "to_ms": to_ms,
        "units": 1,
        "unit_minor": amount_minor,
        "amount_minor": amount_minor,
    }
