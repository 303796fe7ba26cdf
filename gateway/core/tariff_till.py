"""What is left of each charge after discounts, caps and coupons, in the order that the tariff file states.

Owns what every period of every cap has taken, over the stays of one plate. Rules: charges come in the order in which they fall
due, and a period that has reached its cap takes nothing more; an earlier stay counts with what it owed. Amounts are in parts of
a minor unit, `scale` to one, and always whole: nothing is rounded here. A cap that its source leaves open is not there at all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from gateway.core.tariff_plan import Cap, Coupon, Discount, EarlierStay, Plan, Text
from gateway.core.tariff_settings import CapPer, Lowering, NextPeriod, Stays
from gateway.core.tariff_time import Local
from gateway.core.tariff_units import Charge

Lowered = dict[tuple[Lowering, Text], int]
"""What each discount, cap and coupon has taken off, in the order in which they first did."""


class Till:
    """Takes the charges of one stay after another of the same plate."""

    def __init__(self, plan: Plan, order: Sequence[Lowering], local: Local, *, scale: int, times: int) -> None:
        self._plan, self._order, self._local = plan, order, local
        self._scale, self._times = scale, times
        self._caps = [cap for cap in plan.caps if cap.amounts_minor]
        self._begins: list[list[int]] = []
        self._taken: dict[tuple[int, int], int] = {}
        """By a cap's index and when its period began, what the period has taken."""
        self._coupons: list[tuple[Text, int]] = []
        self._discounts: tuple[Discount, ...] = ()
        self.lowered: Lowered = {}

    def open(self, stay: tuple[int, int], earlier: Sequence[EarlierStay]) -> None:
        """Begin a stay between two UTC ms, which follows the earlier ones."""
        entry_ms, end_ms = stay
        self._begins = [self._periods(cap, entry_ms, end_ms, earlier) for cap in self._caps]
        self._taken = {key: taken for key, taken in self._taken.items() if self._caps[key[0]].stays is Stays.PLATE}

    def offer(self, discounts: Sequence[Discount], coupons: Iterable[Coupon]) -> None:
        """What lowers the stay that has begun, beside its caps."""
        self._discounts = tuple(discounts)
        self._coupons = [(coupon.text, coupon.amount_minor * self._scale) for coupon in coupons]

    def marks(self, next_period: NextPeriod) -> list[int]:
        """Where periods begin whose caps go on counting in this way."""
        lists = (begins for cap, begins in zip(self._caps, self._begins, strict=True) if cap.next_period is next_period)
        return sorted({begin for begins in lists for begin in begins})

    def left(self, charge: Charge) -> int:
        """What is left to pay of a charge."""
        amount = charge.amount * self._times
        for lowering in self._order:
            match lowering:
                case Lowering.DISCOUNT:
                    for discount in self._discounts:
                        amount = self._lower(lowering, discount.text, amount, amount * discount.percent // 100)
                case Lowering.CAP:
                    amount = self._capped(charge, amount)
                case Lowering.COUPON:
                    for index, (text, worth) in enumerate(self._coupons):
                        off = max(0, min(amount, worth))
                        self._coupons[index] = text, worth - off
                        amount = self._lower(lowering, text, amount, off)
        return amount

    def count(self, stay: EarlierStay, charges: Iterable[Charge]) -> None:
        """Take an earlier stay: its amount fills the periods in the order of time, and what remains counts in its last one."""
        rest, last = stay.amount_minor * self._scale, dict[tuple[int, int], int]()
        for charge in charges:
            amount = charge.amount * self._times
            last = self._room(charge.due_ms, charge.band)
            share = min(amount, rest, *last.values())
            rest -= share
            for key in last:
                self._taken[key] = self._taken.get(key, 0) + share
        for key in last or self._room(stay.entry_ms, (-1, 0)):
            self._taken[key] = self._taken.get(key, 0) + rest

    def _capped(self, charge: Charge, amount: int) -> int:
        room = self._room(charge.due_ms, charge.band)
        if room:
            tightest = min(room, key=lambda key: (room[key], key))
            text = self._caps[tightest[0]].text
            amount = self._lower(Lowering.CAP, text, amount, max(0, amount - max(0, room[tightest])))
            for key in room:
                self._taken[key] = self._taken.get(key, 0) + amount
        return amount

    def _room(self, due_ms: int, band: tuple[int, int]) -> dict[tuple[int, int], int]:
        """How much each period that covers a charge can still take."""
        found: dict[tuple[int, int], int] = {}
        for index, cap in enumerate(self._caps):
            begin, number = 0, 0
            if cap.per is CapPer.BAND:
                if band[0] < 0 or self._plan.bands[band[0]].from_minute != cap.minute:
                    continue
                begin = band[1]
            elif cap.per is not CapPer.VISIT:
                number = bisect_right(self._begins[index], due_ms) - 1
                begin = self._begins[index][number]
            limit_minor = cap.amounts_minor[min(number, len(cap.amounts_minor) - 1)]
            key = index, begin
            found[key] = limit_minor * self._scale * self._times - self._taken.get(key, 0)
        return found

    def _lower(self, lowering: Lowering, text: Text, amount: int, off: int) -> int:
        if off:
            self.lowered[lowering, text] = self.lowered.get((lowering, text), 0) + off
        return amount - off

    def _periods(self, cap: Cap, entry_ms: int, end_ms: int, earlier: Sequence[EarlierStay]) -> list[int]:
        """Where each period of a cap begins, the first one not after the entry."""
        if cap.per is CapPer.CALENDAR_DAY:
            return self._local.turns(cap.minute, entry_ms, end_ms)
        if cap.per is CapPer.FROM_ENTRY:
            first_ms = entry_ms if cap.stays is Stays.ONE else _anchor(cap.period_ms, entry_ms, earlier)
            return list(range(first_ms, max(end_ms, first_ms + 1), cap.period_ms))
        return []


def _anchor(period_ms: int, entry_ms: int, earlier: Sequence[EarlierStay]) -> int:
    """The entry from which the periods of a plate's cap count: the first of stays that each began in a period still running."""
    anchor_ms = end_ms = None
    for stay in earlier:
        if anchor_ms is None or end_ms is None or stay.entry_ms >= end_ms:
            anchor_ms = stay.entry_ms
        used_ms = max(0, stay.exit_ms - 1 - anchor_ms)
        end_ms = max(end_ms or 0, anchor_ms + (used_ms // period_ms + 1) * period_ms)
    return entry_ms if anchor_ms is None or end_ms is None or entry_ms >= end_ms else anchor_ms
