"""What falls due in one unbroken charged time: units begun, time paid in proportion, flat charges.

Owns the counting of units along the bands. Rules: nothing is rounded; amounts are in parts of a minor unit, `shares` to one;
units of a step that fall into one period of every cap are one charge. Refuses to know caps' amounts and discounts.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from gateway.core.tariff_plan import Flat, Plan, Step, Text
from gateway.core.tariff_settings import FlatPer, Straddle
from gateway.core.tariff_time import Run


@dataclass(frozen=True, slots=True)
class Charge:
    """Units that begin from `due_ms` on, in one band (its index, and when it had begun). `used_ms` is None for whole units,
    else the time that is paid in proportion, which is one unit. `amount` is in parts of a minor unit."""

    text: Text
    due_ms: int
    to_ms: int
    units: int
    unit_minor: int
    used_ms: int | None
    amount: int
    band: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """An unbroken charged time, UTC ms: the runs that it lies in or may reach into, and the marks at which caps begin anew
    while the counting goes on."""

    from_ms: int
    to_ms: int
    runs: Sequence[Run]
    marks: Sequence[int]


def charges(plan: Plan, shares: int, stretch: Stretch, seen: set[int]) -> Iterator[Charge]:
    """Charges in the order in which they fall due; `seen` collects the bands whose charge per visit has fallen due."""
    at_ms = stretch.from_ms
    for index, run in enumerate(stretch.runs):
        begin_ms = max(run.from_ms, at_ms)
        if begin_ms >= stretch.to_ms:
            return
        if begin_ms >= run.to_ms:
            continue
        charge = plan.bands[run.band].charge
        if not isinstance(charge, Flat):
            at_ms = yield from _Counter(plan, shares, stretch, index).step_charges(charge, begin_ms)
            continue
        end_ms = min(run.to_ms, stretch.to_ms)
        if run.band not in seen and not charge.tail.drops(end_ms - begin_ms):
            if charge.per is FlatPer.VISIT:
                seen.add(run.band)
            band = run.band, run.since_ms
            amount = charge.amount_minor * shares
            yield Charge(charge.text, begin_ms, end_ms, 1, charge.amount_minor, None, amount, band)


class _Counter:
    """Counts the units of one run from the first step on."""

    def __init__(self, plan: Plan, shares: int, stretch: Stretch, index: int) -> None:
        self._plan = plan
        self._shares = shares
        self._stretch = stretch
        self._index = index
        run = stretch.runs[index]
        self._edge_ms = run.to_ms
        self._end_ms = min(run.to_ms, stretch.to_ms)
        self._band = run.band, run.since_ms

    def step_charges(self, steps: Sequence[Step], at_ms: int) -> Generator[Charge, None, int]:
        """Charges of the steps from `at_ms` on; returns where the last unit ends, charged or dropped."""
        restart = self._plan.straddle is Straddle.RESTART
        for step in steps:
            if at_ms >= self._end_ms:
                break
            if step.tail is None:
                until_ms = self._end_ms if step.units is None else min(self._end_ms, at_ms + step.units * step.unit_ms)
                yield from self._prorated(step, at_ms, until_ms)
                at_ms = until_ms
                continue
            units = self._begun(step, at_ms)
            last_end_ms = at_ms + units * step.unit_ms
            if units and self._plan.straddle is Straddle.PRO_RATA and last_end_ms > self._edge_ms:
                yield from self._whole(step, at_ms, units - 1)
                parts, at_ms = self._divided(step, last_end_ms - step.unit_ms)
                yield from parts
                break
            yield from self._whole(step, at_ms, units)
            at_ms = last_end_ms
            if units != step.units:
                if at_ms < self._end_ms and not restart:
                    at_ms = self._divided(step, at_ms)[1]
                break
        return min(at_ms, self._edge_ms) if restart else at_ms

    def _begun(self, step: Step, at_ms: int) -> int:
        """Units of a step that are charged, if the first of them begins at `at_ms`."""
        assert step.tail is not None
        restart = self._plan.straddle is Straddle.RESTART
        full, rest_ms = divmod((self._end_ms if restart else self._stretch.to_ms) - at_ms, step.unit_ms)
        units = full if step.tail.drops(rest_ms) else full + 1
        if not restart:
            units = min(units, -((at_ms - self._edge_ms) // step.unit_ms))
        return units if step.units is None else min(units, step.units)

    def _whole(self, step: Step, at_ms: int, units: int) -> Iterator[Charge]:
        """Whole units, parted where a cap begins anew: a unit belongs to the period in which it begins."""
        for mark in (*(m for m in self._stretch.marks if m > at_ms), None):
            if not units:
                return
            part = units if mark is None else min(units, -((at_ms - mark) // step.unit_ms))
            if part < 1:
                continue
            to_ms = min(at_ms + part * step.unit_ms, self._stretch.to_ms)
            amount = part * step.amount_minor * self._shares
            yield Charge(step.text, at_ms, to_ms, part, step.amount_minor, None, amount, self._band)
            at_ms, units = at_ms + part * step.unit_ms, units - part

    def _prorated(self, step: Step, at_ms: int, until_ms: int) -> Iterator[Charge]:
        for mark in (*(m for m in self._stretch.marks if at_ms < m < until_ms), until_ms):
            yield self._part(step, at_ms, mark, mark - at_ms, self._band)
            at_ms = mark

    def _divided(self, step: Step, at_ms: int) -> tuple[list[Charge], int]:
        """A unit that begins here and may reach over the edge of its band: each band's share at its first step's price, and
        where the unit ends, at the latest at a flat charge. All of it falls due as the unit begins."""
        end_ms = at_ms + step.unit_ms
        parts = [self._part(step, at_ms, end_ms, min(self._edge_ms, end_ms) - at_ms, self._band)]
        if self._plan.straddle is Straddle.PRO_RATA:
            for run in self._stretch.runs[self._index + 1 :]:
                if run.from_ms >= end_ms:
                    break
                charge = self._plan.bands[run.band].charge
                if isinstance(charge, Flat):
                    return parts, run.from_ms
                used_ms = min(run.to_ms, end_ms) - run.from_ms
                parts.append(self._part(charge[0], at_ms, end_ms, used_ms, (run.band, run.since_ms)))
        return parts, end_ms

    def _part(self, step: Step, due_ms: int, to_ms: int, used_ms: int, band: tuple[int, int]) -> Charge:
        amount = step.amount_minor * used_ms * (self._shares // step.unit_ms)
        return Charge(step.text, due_ms, min(to_ms, self._stretch.to_ms), 1, step.amount_minor, used_ms, amount, band)
