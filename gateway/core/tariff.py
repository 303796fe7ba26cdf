"""What a stay owes, line by line, in integer minor units.

Owns the pricing of one stay under one tariff. Rules: no amount is ever divided, so none is rounded; the length of the stay is
rounded once, in `_billed_ms`; the lines always sum to the amount; a longer stay never costs less within one version. Lines of
the same step are merged, so the longest stay has no more lines than its plan has steps. Refuses to know who pays, benefits,
and the clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff_file import TariffError, read_rules
from gateway.core.tariff_plan import (
    MINUTE_MS,
    Cap,
    ChargedFrom,
    Flat,
    FlatPer,
    Plan,
    Rules,
    Seconds,
    Step,
    Text,
    Version,
    VersionBy,
    local_date,
    runs,
)

__all__ = ["Bill", "BillLine", "Tariff", "TariffError", "load_tariff"]


@dataclass(frozen=True, slots=True)
class BillLine:
    """`units` times `unit_minor` make `amount_minor`; the time is UTC ms, from the first unit to the end of the last."""

    text_zh: str
    text_en: str
    from_ms: int
    to_ms: int
    units: int
    unit_minor: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What a stay owes: the sum of its lines, never negative; no line where no unit has begun."""

    amount_minor: int
    currency: str
    lines: tuple[BillLine, ...]


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

    def bill(self, entry_ms: int, exit_ms: int, vehicle: Vehicle, energy: Energy) -> Bill:
        """The bill of a stay between two UTC ms; an exit before the entry, as after a clock step, is a stay of no length."""
        exit_ms = max(entry_ms, exit_ms)
        chosen = self._version(entry_ms, exit_ms).classes[vehicle, energy]
        lines = tuple(_lines(chosen.plan, self.rules, entry_ms, exit_ms, times=chosen.times))
        amount = sum(line.amount_minor for line in lines)
        assert amount >= 0
        assert all(line.units * line.unit_minor == line.amount_minor for line in lines)
        return Bill(amount, self.currency, lines)

    def _version(self, entry_ms: int, exit_ms: int) -> Version:
        """The latest version begun on the deciding date; the first one also holds before its date, since a wrong clock must not
        leave a car without a price."""
        day = local_date(self.rules.zone, entry_ms if self.rules.version_by is VersionBy.ENTRY else exit_ms)
        return [self.rules.versions[0], *(v for v in self.rules.versions[1:] if v.begins <= day)][-1]


def load_tariff(text: str, name: str) -> Tariff:
    """The tariff that a file's text describes. Raises TariffError, which names the file, the key, the value and the remedy."""
    return Tariff(name, hashlib.sha256(text.encode()).hexdigest(), read_rules(text, name))


@dataclass(frozen=True, slots=True)
class _Charge:
    """Units of one step within one run."""

    text: Text
    from_ms: int
    to_ms: int
    units: int
    unit_minor: int


def _billed_ms(length_ms: int, seconds: Seconds) -> int:
    """The length that is priced: the one place where a stay is rounded."""
    match seconds:
        case Seconds.TRUNCATE:
            return length_ms // MINUTE_MS * MINUTE_MS
        case Seconds.CEIL:
            return -(-length_ms // MINUTE_MS) * MINUTE_MS
        case Seconds.EXACT:
            return length_ms


def _lines(plan: Plan, rules: Rules, entry_ms: int, exit_ms: int, *, times: int) -> Iterator[BillLine]:
    billed_ms = _billed_ms(exit_ms - entry_ms, plan.seconds)
    free = plan.free
    if free.covers(billed_ms):
        yield _line(_Charge(free.text, entry_ms, exit_ms, 1, 0), exit_ms, times)
        return
    begin_ms, end_ms = entry_ms, entry_ms + billed_ms
    if free.charged_from is ChargedFrom.END:
        begin_ms = entry_ms + free.limit_ms
        yield _line(_Charge(free.text, entry_ms, begin_ms, 1, 0), exit_ms, times)
    charges: list[_Charge] = []
    saved_minor = 0
    seen: set[int] = set()
    for first, last in _periods(plan.cap, entry_ms, begin_ms, end_ms):
        period = list(_period_charges(plan, rules, first, last, seen=seen))
        charges += period
        if plan.cap is not None:
            saved_minor += max(0, sum(c.units * c.unit_minor for c in period) - plan.cap.amount_minor)
    yield from (_line(charge, exit_ms, times) for charge in _merged(charges))
    if plan.cap is not None and saved_minor:
        yield _line(_Charge(plan.cap.text, begin_ms, end_ms, 1, -saved_minor), exit_ms, times)


def _line(charge: _Charge, exit_ms: int, times: int) -> BillLine:
    unit_minor = charge.unit_minor * times
    return BillLine(
        text_zh=charge.text.zh,
        text_en=charge.text.en,
        from_ms=charge.from_ms,
        to_ms=min(charge.to_ms, exit_ms),
        units=charge.units,
        unit_minor=unit_minor,
        amount_minor=charge.units * unit_minor,
    )


def _periods(cap: Cap | None, entry_ms: int, begin_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
    """The charged time, cut into the cap's periods, which count from entry even when charging begins later."""
    if cap is None:
        yield begin_ms, end_ms
        return
    period_ms = entry_ms
    while period_ms < end_ms:
        if begin_ms < period_ms + cap.period_ms:
            yield max(begin_ms, period_ms), min(end_ms, period_ms + cap.period_ms)
        period_ms += cap.period_ms


def _period_charges(plan: Plan, rules: Rules, from_ms: int, to_ms: int, *, seen: set[int]) -> Iterator[_Charge]:
    """Charges of one period; `seen` collects the bands whose charge per visit has fallen due."""
    for run in runs(plan.bands, rules.zone, from_ms, to_ms):
        charge = plan.bands[run.band].charge
        if not isinstance(charge, Flat):
            yield from _step_charges(charge, run.from_ms, run.to_ms)
        elif run.band not in seen and not charge.tail.drops(run.to_ms - run.from_ms):
            if charge.per is FlatPer.VISIT:
                seen.add(run.band)
            yield _Charge(charge.text, run.from_ms, run.to_ms, 1, charge.amount_minor)


def _step_charges(steps: Sequence[Step], from_ms: int, to_ms: int) -> Iterator[_Charge]:
    """Units begun in one run, counted afresh from the first step."""
    for step in steps:
        full, rest_ms = divmod(to_ms - from_ms, step.unit_ms)
        units = full if step.tail.drops(rest_ms) else full + 1
        if step.units is not None:
            units = min(units, step.units)
        if units:
            yield _Charge(step.text, from_ms, min(to_ms, from_ms + units * step.unit_ms), units, step.amount_minor)
        from_ms += units * step.unit_ms
        if from_ms >= to_ms or units != step.units:
            return


def _merged(charges: Sequence[_Charge]) -> list[_Charge]:
    """One charge for each text and price, in the order of first use."""
    merged: dict[tuple[Text, int], _Charge] = {}
    for charge in charges:
        key = charge.text, charge.unit_minor
        known = merged.get(key)
        first_ms, units = (
            (charge.from_ms, charge.units) if known is None else (known.from_ms, known.units + charge.units)
        )
        merged[key] = _Charge(charge.text, first_ms, charge.to_ms, units, charge.unit_minor)
    return list(merged.values())
