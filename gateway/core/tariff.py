"""What a stay owes, line by line, in integer minor units.

Owns the pricing of one stay under one tariff. Rules: the length of the stay is brought to whole minutes once, in `_billed_ms`;
the amount is brought to whole minor units once, in `tariff_lines`; everything between is exact. Refuses to know who pays,
benefits, and the clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from gateway.core.calendar import Calendar, CalendarError
from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff_file import TariffError, read_rules
from gateway.core.tariff_free import free_and_charged
from gateway.core.tariff_lines import BillLine, Line, bill_lines, charge_lines, lowering_lines
from gateway.core.tariff_plan import MINUTE_MS, Coupon, Discount, EarlierStay, Plan, Rules, Text, Version
from gateway.core.tariff_settings import Durations, NextPeriod, Seconds, Stays, Straddle, VersionBy
from gateway.core.tariff_till import Till
from gateway.core.tariff_time import Local, cut, from_wall_ms, local_time, wall_ms
from gateway.core.tariff_units import Charge, Stretch, charges

__all__ = ["Bill", "BillLine", "Coupon", "Discount", "EarlierStay", "Tariff", "TariffError", "load_tariff"]

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Bill:
    """What a stay owes: the sum of its lines, never negative; no line where no unit has begun. `open` names the caps that the
    tariff's source leaves open, so that they are not in the amount."""

    amount_minor: int
    currency: str
    lines: tuple[BillLine, ...]
    open: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Tariff:
    """A tariff ready to price stays; `hash` is the hex SHA-256 of the file's text, which tells its exact content."""

    name: str
    hash: str
    rules: Rules

    @property
    def currency(self) -> str:
        """ISO 4217 code of every amount."""
        return self.rules.currency

    def bill(
        self,
        entry_ms: int,
        exit_ms: int,
        vehicle: Vehicle,
        energy: Energy,
        *,
        calendar: Calendar | None = None,
        earlier: Sequence[EarlierStay] = (),
        discounts: Sequence[Discount] = (),
        coupons: Sequence[Coupon] = (),
    ) -> Bill:
        """The bill of a stay between two UTC ms; an exit before the entry, as after a clock step, is a stay of no length.
        `earlier` are stays of the same plate. Raises TariffError if the tariff needs a calendar that covers the stay."""
        exit_ms = max(entry_ms, exit_ms)
        plan, times = self.chosen(entry_ms, exit_ms, vehicle, energy)
        local = Local(self.rules.zone, self.rules.days, self.checked(calendar))
        pricing = _Pricing(self.rules, plan, local, times, (*([plan.discount] if plan.discount else []), *discounts))
        before = sorted((stay for stay in earlier if stay.entry_ms <= entry_ms), key=lambda stay: stay.entry_ms)
        try:
            lines = pricing.lines(entry_ms, exit_ms, before, coupons)
        except CalendarError as error:
            raise TariffError(self.name, "day", str(calendar and calendar.name), str(error)) from None
        amount = sum(line.amount_minor for line in lines)
        assert amount >= 0
        assert all(line.units * line.unit_minor == line.amount_minor for line in lines)
        return Bill(amount, self.currency, lines, tuple(cap.text for cap in plan.caps if not cap.amounts_minor))

    def lost_bill(self, at_ms: int, vehicle: Vehicle, energy: Energy) -> Bill | None:
        """The bill at a UTC ms of a vehicle whose entry nobody can tell; None if the tariff has no price for that."""
        plan, times = self.chosen(at_ms, at_ms, vehicle, energy)
        if plan.lost is None:
            return None
        amount_minor = plan.lost.amount_minor * times
        text = plan.lost.text
        return Bill(
            amount_minor, self.currency, (BillLine(text.zh, text.en, at_ms, at_ms, 1, amount_minor, amount_minor),)
        )

    def open_caps(self) -> tuple[Text, ...]:
        """The caps that the tariff's source leaves open, over all versions, classes and plans."""
        plans = [plan for v in self.rules.versions for row in v.classes.values() for _, plan in row.plans]
        return tuple(dict.fromkeys(cap.text for plan in plans for cap in plan.caps if not cap.amounts_minor))

    def chosen(self, entry_ms: int, exit_ms: int, vehicle: Vehicle, energy: Energy) -> tuple[Plan, int]:
        """The plan that prices a stay, and how many times over. The latest version begun on the deciding date holds; the first
        one also holds before its date, since a wrong clock must not leave a car without a price."""
        rules = self.rules
        day = local_time(rules.zone, entry_ms if rules.version_by is VersionBy.ENTRY else exit_ms).date()
        version: Version = [rules.versions[0], *(v for v in rules.versions[1:] if v.begins <= day)][-1]
        row = version.classes[vehicle, energy]
        entry = local_time(rules.zone, entry_ms)
        return row.plan(entry.hour * 60 + entry.minute), row.times

    def checked(self, calendar: Calendar | None) -> Calendar | None:
        """The calendar. Raises TariffError if there is none and the tariff needs one."""
        if calendar is None and self.rules.needs_calendar:
            raise TariffError(self.name, "day", "no calendar", "give a calendar; this tariff has prices for holidays")
        return calendar


def load_tariff(text: str, name: str) -> Tariff:
    """The tariff that a file's text describes. Raises TariffError, which names the file, the key, the value and the remedy."""
    return Tariff(name, hashlib.sha256(text.encode()).hexdigest(), read_rules(text, name))


def _billed_ms(length_ms: int, seconds: Seconds) -> int:
    """The length that is priced: the one place where a stay is rounded."""
    match seconds:
        case Seconds.TRUNCATE:
            return length_ms // MINUTE_MS * MINUTE_MS
        case Seconds.CEIL:
            return -(-length_ms // MINUTE_MS) * MINUTE_MS
        case Seconds.EXACT:
            return length_ms


@dataclass(frozen=True, slots=True)
class _Pricing:
    """One bill in the making."""

    rules: Rules
    plan: Plan
    local: Local
    times: int
    discounts: tuple[Discount, ...]

    @property
    def scale(self) -> int:
        """Parts of a minor unit in which every amount is whole."""
        return int(self.plan.shares * 100 ** len(self.discounts))

    def lines(
        self, entry_ms: int, exit_ms: int, earlier: Sequence[EarlierStay], coupons: Sequence[Coupon]
    ) -> tuple[BillLine, ...]:
        if self.plan.durations is Durations.WALL:
            return self._by_the_wall(entry_ms, exit_ms, earlier, coupons)
        till = Till(self.plan, self.rules.order, self.local, scale=self.scale, times=self.times)
        if any(cap.stays is Stays.PLATE for cap in self.plan.caps):
            for index, stay in enumerate(earlier):
                till.count(stay, self._due(till, stay.entry_ms, stay.exit_ms, earlier[:index], []))
        free: list[Line] = []
        due = self._due(till, entry_ms, exit_ms, earlier, free)
        till.offer(self.discounts, coupons)
        left = sum(till.left(charge) for charge in due)
        lines = [*free, *charge_lines(due, self.times)]
        if due:
            lines += lowering_lines(till.lowered, due[0].due_ms, exit_ms, min(0, left))
        return tuple(bill_lines(lines, self.scale, self.rules.rounding, exit_ms))

    def _by_the_wall(
        self, entry_ms: int, exit_ms: int, earlier: Sequence[EarlierStay], coupons: Sequence[Coupon]
    ) -> tuple[BillLine, ...]:
        """The same between what the wall clock reads at both ends; the lines' times are brought back."""
        zone = self.local.zone
        plan = replace(self.plan, durations=Durations.ELAPSED)
        pricing = replace(self, plan=plan, local=replace(self.local, zone=_UTC))
        entry_wall, exit_wall = wall_ms(zone, entry_ms), wall_ms(zone, exit_ms)
        before = [replace(s, entry_ms=wall_ms(zone, s.entry_ms), exit_ms=wall_ms(zone, s.exit_ms)) for s in earlier]

        def back(wall: int) -> int:
            return min(max(from_wall_ms(zone, wall), entry_ms), exit_ms)

        lines = pricing.lines(entry_wall, max(entry_wall, exit_wall), before, coupons)
        return tuple(replace(line, from_ms=back(line.from_ms), to_ms=back(line.to_ms)) for line in lines)

    def _due(
        self, till: Till, entry_ms: int, exit_ms: int, earlier: Sequence[EarlierStay], free: list[Line]
    ) -> list[Charge]:
        """What falls due over a stay; its free time becomes lines of `free`."""
        plan = self.plan
        end_ms = entry_ms + _billed_ms(exit_ms - entry_ms, plan.seconds)
        till.open((entry_ms, end_ms), earlier)
        runs = self.local.runs(plan, entry_ms, end_ms)
        given, spans = free_and_charged(plan.free, (entry_ms, end_ms), runs, self.local, earlier)
        if given:
            # A stay within the free time is free to its last second, also to the one that is not counted.
            last_ms = given[-1][1] if spans else exit_ms
            free.append(Line(plan.free.text, given[0][0], last_ms, len(given), 0, True, 0, 0))
        if plan.straddle is Straddle.PRO_RATA:
            runs = self.local.runs(plan, entry_ms, end_ms + plan.longest_ms)
        marks = till.marks(NextPeriod.CONTINUE)
        seen: set[int] = set()
        due: list[Charge] = []
        for begin_ms, stop_ms in cut(spans, till.marks(NextPeriod.RESTART)):
            reached = [run for run in runs if run.to_ms > begin_ms]
            due += charges(plan, self.scale, Stretch(begin_ms, stop_ms, reached, marks), seen)
        return due
