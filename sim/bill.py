"""What a stay must owe, found the slow way: unit after unit, looking at the wall clock at each minute.

Owns a second reading of the tariff language, written from docs/TARIFFS.md and shared with nobody, so that a mistake in the
gateway's arithmetic cannot hide. Rules: no division into units, no edge worked out ahead; each unit and each minute is a charge
of its own, and each goes through discounts, caps and coupons by itself. Integers only. Assumes a file that the gateway accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import lcm
from typing import Any

from sim.bill_clock import MINUTE, Clock, local, minute_of, read_tariff

REST = 10 * 366 * 24 * 60
"""Minutes that a table's last row lasts."""


@dataclass(frozen=True)
class Before:
    """An earlier stay of the plate, UTC ms, and what it owed."""

    entry_ms: int
    exit_ms: int
    amount_minor: int


@dataclass(frozen=True)
class Offer:
    """What is handed to one bill: earlier stays, the text of a calendar file, percentages and sums of money off."""

    before: tuple[Before, ...] = ()
    calendar: str = ""
    percents: tuple[int, ...] = ()
    coupons_minor: tuple[int, ...] = ()


NOTHING = Offer()


def owed_minor(
    tariff_text: str, entry_ms: int, exit_ms: int, vehicle: str, energy: str, *, offer: Offer = NOTHING
) -> int:
    """Minor units owed for a stay between two UTC ms, by the tariff file's text; `vehicle` and `energy` as in the file."""
    tariff = read_tariff(tariff_text)
    zone = tariff["zone"]
    day = local(zone, entry_ms if tariff["version_by"] == "entry" else exit_ms).date()
    version = tariff["version"][0]
    for candidate in tariff["version"]:
        if candidate["from"] <= day:
            version = candidate
    row = next(row for row in version["class"] if vehicle in row["vehicle"] and energy in row["energy"])
    name = row["plan"] if "plan" in row else _by_entry(row["entry"], f"{local(zone, entry_ms):%H:%M}")
    plan = tariff["plan"][name]
    before = sorted((b for b in offer.before if b.entry_ms <= entry_ms), key=lambda b: b.entry_ms)
    if plan["durations"] == "wall":
        entry_ms, exit_ms = _wall(zone, entry_ms), _wall(zone, exit_ms)
        before = [Before(_wall(zone, b.entry_ms), _wall(zone, b.exit_ms), b.amount_minor) for b in before]
        zone = "UTC"
    walk = _Walk(tariff, plan, Clock(zone, tariff_text, name, offer.calendar), row["times"], offer)
    return walk.owed_minor(entry_ms, max(entry_ms, exit_ms), before)


def _by_entry(rows: list[dict[str, Any]], clock: str) -> str:
    for row in rows:
        begin, end = row["from"], row["to"]
        if begin <= clock < end or (begin >= end and (clock >= begin or clock < end)):
            return str(row["plan"])
    raise ValueError(f"no plan for an entry at {clock}")


def _wall(zone: str, at_ms: int) -> int:
    offset = local(zone, at_ms).utcoffset()
    assert offset is not None
    return at_ms + offset.days * 24 * 60 * MINUTE + offset.seconds * 1000


@dataclass(frozen=True)
class _Due:
    """A charge: when it fell due, how much in parts of a minor unit, in which run of which band."""

    at: int
    amount: int
    band: int
    run: int


@dataclass
class _Walk:
    tariff: dict[str, Any]
    plan: dict[str, Any]
    clock: Clock
    times: int
    offer: Offer
    parts: int = 1
    caps: list[dict[str, Any]] = field(default_factory=list)
    taken: dict[tuple[int, int], int] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)
    """By cap, from when on the periods of the present stay count."""

    def owed_minor(self, entry: int, end: int, before: list[Before]) -> int:
        self.caps = [cap for cap in self.plan["cap"] if cap["amount_minor"] != "open"]
        percents = [discount["percent"] for discount in self.plan["discount"]] + list(self.offer.percents)
        self.parts = lcm(*(unit * MINUTE for band in self.plan["band"] for _, unit, *_ in _steps(band) if unit < REST))
        self.parts *= 100 ** len(percents)
        if any(cap.get("stays") == "plate" for cap in self.caps):
            for number, stay in enumerate(before):
                self._count(stay, before[:number])
        coupons = [coupon * self.parts for coupon in self.offer.coupons_minor]
        total = 0
        for due in self._stay(entry, end, before):
            amount = due.amount * self.times
            for lowering in self.tariff["order"]:
                if lowering == "discount":
                    for percent in percents:
                        amount = amount * (100 - percent) // 100
                elif lowering == "cap":
                    amount = self._capped(due, amount)
                else:
                    for number, coupon in enumerate(coupons):
                        off = max(0, min(coupon, amount))
                        coupons[number] -= off
                        amount -= off
            total += amount
        total = max(0, total)
        whole, rest = divmod(total, self.parts)
        rule = self.tariff["rounding"]
        return whole + (rule == "up" and rest > 0) + (rule == "half-up" and 2 * rest >= self.parts)

    def _count(self, stay: Before, before: list[Before]) -> None:
        left = stay.amount_minor * self.parts
        keys: list[tuple[int, int]] = []
        for due in self._stay(stay.entry_ms, stay.exit_ms, before):
            room = self._room(due)
            amount = min([due.amount * self.times, left, *room.values()])
            left -= amount
            keys = list(room)
            for key in keys:
                self.taken[key] = self.taken.get(key, 0) + amount
        for key in keys or self._room(_Due(stay.entry_ms, 0, -1, 0)):
            self.taken[key] = self.taken.get(key, 0) + left

    def _capped(self, due: _Due, amount: int) -> int:
        room = self._room(due)
        if room:
            amount = min(amount, max(0, min(room.values())))
        for key in room:
            self.taken[key] = self.taken.get(key, 0) + amount
        return amount

    def _room(self, due: _Due) -> dict[tuple[int, int], int]:
        room = {}
        for number, cap in enumerate(self.caps):
            period, limits = 0, cap["amount_minor"]
            limit = limits if isinstance(limits, int) else limits[0]
            if cap["per"] == "band":
                if due.band < 0 or self.plan["band"][due.band]["from"] != cap["band"]:
                    continue
                period = due.run
            elif cap["per"] == "calendar-day":
                period = self.clock.day(due.at, minute_of(cap["begins"]))
            elif cap["per"] == "from-entry":
                period, count = self.starts[number], 0
                while period + cap["period_min"] * MINUTE <= due.at:
                    period, count = period + cap["period_min"] * MINUTE, count + 1
                if not isinstance(limits, int):
                    limit = limits[min(count, len(limits) - 1)]
            room[number, period] = limit * self.times * self.parts - self.taken.get((number, period), 0)
        return room

    def _stay(self, entry: int, end: int, before: Sequence[Before]) -> list[_Due]:
        """All charges of a stay in the order in which they fall due."""
        self.taken = {key: taken for key, taken in self.taken.items() if self.caps[key[0]].get("stays") == "plate"}
        over = (end - entry) % MINUTE
        if self.plan["seconds"] == "truncate":
            end -= over
        elif self.plan["seconds"] == "ceil" and over:
            end += MINUTE - over
        for number, cap in enumerate(self.caps):
            if cap["per"] == "from-entry":
                self.starts[number] = _start(cap, entry, before) if cap["stays"] == "plate" else entry
        longest = max((unit for band in self.plan["band"] for _, unit, *_ in _steps(band) if unit < REST), default=0)
        if self.plan.get("straddle") != "pro-rata":
            longest = 0
        runs = list(_cuts(entry, end + longest * MINUTE, self.clock.band)) if len(self.plan["band"]) > 1 else []
        seen: set[int] = set()
        dues = [
            due
            for begin, stop in self._charged(entry, end, before)
            for due in self._piece(begin, stop, runs or [(entry, 1 << 62)], seen)
        ]
        return sorted(dues, key=lambda due: due.at)

    def _charged(self, entry: int, end: int, before: Sequence[Before]) -> list[tuple[int, int]]:
        """The charged parts of a stay, cut where a cap lets counting begin again."""
        free = self.plan["free"]
        day = self.clock.day(entry, 0)
        pieces, limit = [(entry, end)], free["limit_min"] * MINUTE
        charged: list[tuple[int, int]] = []
        if free["per"] == "first-of-day" and any(self.clock.day(b.entry_ms, 0) == day for b in before):
            limit = -1
        elif free["per"] == "day":
            pieces = list(_cuts(entry, end, lambda at: self.clock.day(at, 0)))
        elif free["per"] == "band":
            pieces = list(_cuts(entry, end, self.clock.band))
        for begin, stop in pieces:
            if stop - begin < limit or (stop - begin == limit and free["boundary"] == "inclusive"):
                continue
            if free["charged_from"] == "end" and limit > 0:
                begin += limit
            if charged and charged[-1][1] == begin:
                begin = charged.pop()[0]
            charged.append((begin, stop))
        for number, cap in enumerate(self.caps):
            if cap.get("next_period") == "restart":
                charged = [piece for span in charged for piece in self._cut_by(number, cap, *span)]
        return charged

    def _cut_by(self, number: int, cap: dict[str, Any], begin: int, stop: int) -> Iterator[tuple[int, int]]:
        if cap["per"] == "calendar-day":
            yield from _cuts(begin, stop, lambda at: self.clock.day(at, minute_of(cap["begins"])))
            return
        mark = self.starts[number]
        while mark < stop:
            mark += cap["period_min"] * MINUTE
            if mark > begin:
                yield begin, min(mark, stop)
                begin = mark

    def _piece(self, now: int, stop: int, runs: list[tuple[int, int]], seen: set[int]) -> Iterator[_Due]:
        """Unit after unit of one unbroken charged time."""
        restart = self.plan.get("straddle", "restart") == "restart"
        for run, edge in runs:
            now = max(now, run)
            if now >= stop:
                return
            if now >= edge:
                continue
            number = self.clock.band(now)
            band = self.plan["band"][number]
            if "flat" in band:
                flat = band["flat"]
                if number not in seen and _beyond(flat["tail_min"], flat["tail_boundary"], min(edge, stop) - now):
                    if flat["per"] == "visit":
                        seen.add(number)
                    yield _Due(now, flat["amount_minor"] * self.parts, number, run)
                continue
            reached = yield from self._units(number, now, (run, edge), stop)
            now = now if restart else reached

    def _units(self, number: int, now: int, run: tuple[int, int], stop: int) -> Any:
        straddle = self.plan.get("straddle", "restart")
        for units, unit, tail, boundary, price in _steps(self.plan["band"][number]):
            count = 0
            while (units == "rest" or count < units) and now < run[1] and now < stop:
                count += 1
                if tail is None:
                    until = min(now + unit * MINUTE, run[1], stop)
                    while now < until:
                        till = min([(now // MINUTE + 1) * MINUTE, until, *self._marks(now)])
                        yield _Due(now, self._share(price, till - now, unit), number, run[0])
                        now = till
                    continue
                used = (min(run[1], stop) if straddle == "restart" else stop) - now
                shares, end = self._shares(number, price, unit, now, run)
                if not _beyond(tail, boundary, used):
                    return end
                for band, since, amount in shares:
                    yield _Due(now, amount, band, since)
                now = end
        return now

    def _marks(self, now: int) -> Iterator[int]:
        """Where the present period of each cap that counts from entry ends."""
        for number, start in self.starts.items():
            mark = start
            while mark <= now:
                mark += self.caps[number]["period_min"] * MINUTE
            yield mark

    def _shares(
        self, number: int, price: int, unit: int, now: int, run: tuple[int, int]
    ) -> tuple[list[tuple[int, int, int]], int]:
        """What one unit costs by band, and where it ends."""
        end = now + unit * MINUTE
        if self.plan.get("straddle") != "pro-rata" or end <= run[1]:
            return [(number, run[0], price * self.parts)], end
        shares = [(number, run[0], self._share(price, run[1] - now, unit))]
        at, since, last = run[1], run[1], number
        while at < end:
            band = self.clock.band(at)
            if "flat" in self.plan["band"][band]:
                return shares, at
            since, last = (since, last) if band == last else (at, band)
            _, unit_of_band, _, _, price_of_band = _steps(self.plan["band"][band])[0]
            till = min((at // MINUTE + 1) * MINUTE, end)
            shares.append((band, since, self._share(price_of_band, till - at, unit_of_band)))
            at = till
        return shares, end

    def _share(self, price: int, used: int, unit: int) -> int:
        amount, rest = divmod(price * used * self.parts, unit * MINUTE)
        assert rest == 0
        return amount


def _start(cap: dict[str, Any], entry: int, before: Sequence[Before]) -> int:
    """The entry from which a plate's periods count."""
    start, over = entry, entry
    for number, stay in enumerate([*before, Before(entry, entry, 0)]):
        if number == 0 or stay.entry_ms >= over:
            start = over = stay.entry_ms
        while over < stay.exit_ms or over <= stay.entry_ms:
            over += cap["period_min"] * MINUTE
    return start


def _steps(band: dict[str, Any]) -> list[tuple[Any, int, Any, str, int]]:
    """Units, minutes of a unit, tail (None: in proportion) with its boundary, price; a table's rows are units of their own."""
    steps: list[tuple[Any, int, Any, str, int]] = []
    until, total = 0, 0
    for row in band.get("table", ()):
        minutes = REST if row["until_min"] == "rest" else row["until_min"] - until
        steps.append((1, minutes, 0, "inclusive", row["total_minor"] - total))
        until, total = until + minutes, row["total_minor"]
    for step in band.get("step", ()):
        whole = step["charge"] == "begun"
        tail = (step["tail_min"], step["tail_boundary"]) if whole else (None, "")
        steps.append((step["units"], step["unit_min"], *tail, step["amount_minor"]))
    return steps


def _beyond(tail: int, boundary: str, used: int) -> bool:
    return used > tail * MINUTE or (used == tail * MINUTE and boundary == "exclusive")


def _cuts(begin: int, stop: int, key: Callable[[int], int]) -> Iterator[tuple[int, int]]:
    """A time cut wherever the key changes from one minute to the next."""
    since, now = begin, begin
    last = key(begin)
    while now < stop:
        now = (now // MINUTE + 1) * MINUTE
        if now >= stop:
            break
        found = key(now)
        if found != last:
            yield since, now
            since, last = now, found
    if since < stop:
        yield since, stop
