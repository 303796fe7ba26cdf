"""What each local day moved, by its records, and the comparison with what the city makes of the same records.

Owns the day's figures. Rules: a day is the records from the last closing on, so that both sides mean the same; it is closed by
the first tick after local midnight, by a clock that was set, and never opened again; a clock that was ahead stops no closing
once it is back; a difference moves no money, it is named and told, and a person explains it. Figures come from records alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.core.answer import Answer
from gateway.core.city_events import DayTallied
from gateway.core.commands import ClearAlarm, RaiseAlarm, Severity
from gateway.core.moment import ClockQuality, Moment
from gateway.core.record import Body, Draft, Value
from gateway.core.refusal import refused
from gateway.core.tariff_time import local_time

SUMS = (
    "entries",
    "exits",
    "billed_minor",
    "lowered_minor",
    "written_off_minor",
    "paid_minor",
    "cash_minor",
    "refunded_minor",
)
"""The figures of a day beside `open_minor`, which all days together left to be paid, and `outcome-...`: exits by outcome."""


ALARM = "clock/day"
QUARTER_MS = 900_000
"""Local midnights lie on quarters of an hour in every zone."""


@dataclass(frozen=True, slots=True)
class Uncounted:
    """What the journal knows of the open day: the quarters of an hour (UTC ms by QUARTER_MS) in which a set clock wrote its
    records, the number of the record that closed the one before (0 without one), what was open then, and what the records since
    moved, by `count`.

    `closed_ms`: UTC ms of that record; `closed`: the names of all days that were closed.
    """

    quarters: frozenset[int] = frozenset()
    after_n: int = 0
    open_minor: int = 0
    sums: Mapping[str, int] = field(default_factory=Counter)
    closed_ms: int = 0
    closed: frozenset[str] = frozenset()


class Days:
    """The open day's figures."""

    def __init__(self, uncounted: Uncounted, zone: ZoneInfo) -> None:
        self._zone = zone
        days = {self._local(quarter * QUARTER_MS) for quarter in uncounted.quarters} - uncounted.closed
        self._first = uncounted.after_n + 1
        self._open_minor = uncounted.open_minor
        self._sums = Counter(uncounted.sums)
        self._closed_on = self._local(uncounted.closed_ms) if uncounted.closed_ms else ""
        # A day that was closed by a clock ahead is followed by records of an earlier time.
        self._day = min(days, default=self._closed_on)
        self._names = set(uncounted.closed)
        self._is_told = False
        self.closed: dict[str, Mapping[str, int]] = {}

    def take(self, drafts: Iterable[Draft], now: Moment) -> None:
        """Count what a step writes; the first day of a ledger begins with its first record."""
        self._day = self._day or self._local(now.wall_ms)
        for draft in drafts:
            count(self._sums, draft.type, draft.body)

    def close(self, now: Moment, answer: Answer) -> None:
        """Close the day if another one has begun."""
        if now.quality is ClockQuality.UNKNOWN:
            return
        today = self._local(now.wall_ms)
        if today < self._closed_on:
            self._come_back(today, answer)
        if today <= self._day:
            return
        if self._day in self._names:
            # It was closed when the clock was ahead: what has happened since counts with the next one.
            self._day = today
            return
        found = figures(self._sums, self._open_minor)
        last = answer.upcoming_n - 1
        body: dict[str, Value] = {"day": self._day, "first": self._first, "last": last, "figures": found}
        n = answer.write(Draft("day", body))
        answer.closed_days[self._day] = n
        self._names.add(self._day)
        self._closed_on = today
        if self._is_told:
            self._is_told = False
            answer.commands.append(ClearAlarm(ALARM))
        self._day, self._first, self._open_minor = today, n + 1, found["open_minor"]
        self._sums.clear()

    def _come_back(self, today: str, answer: Answer) -> None:
        """The clock was ahead when the last day was closed: the open day is today, unless that one is closed."""
        if date.fromisoformat(self._closed_on) - date.fromisoformat(today) <= timedelta(days=1):
            return
        if not self._is_told:
            self._is_told = True
            cause = f"A day was closed by a clock at {self._closed_on}, and it is {today}."
            answer.commands.append(
                RaiseAlarm(ALARM, Severity.WARNING, cause, "Look at the clock's source: it was ahead.")
            )
        if today < self._day and today not in self._names:
            self._day = today

    def tally(self, event: DayTallied, answer: Answer) -> bool:
        """Compare a closed day with the city's figures of it; whether it was known."""
        ours = self.closed.get(event.day)
        if ours is None:
            answer.write(refused("day", "", event.tally, "no such day is closed", event.origin.dn))
            return False
        theirs = dict(event.figures)
        differences: list[Body] = [
            {"name": name, "lot": ours.get(name, 0), "city": theirs.get(name, 0)}
            for name in sorted(ours.keys() | theirs.keys())
            if ours.get(name, 0) != theirs.get(name, 0)
        ]
        body: Body = {"tally": event.tally, "day": event.day, "differences": differences, "dn": event.origin.dn}
        answer.write(Draft("reconciled", body))
        alarm = f"day/{event.day}"
        if differences:
            cause = f"The city counts {event.day} otherwise: {', '.join(str(one['name']) for one in differences)}."
            remedy = "Compare the day's records with the city's books; a later tally of the day clears this."
            answer.commands.append(RaiseAlarm(alarm, Severity.WARNING, cause, remedy))
        else:
            answer.commands.append(ClearAlarm(alarm))
        return True

    def _local(self, at_ms: int) -> str:
        return local_time(self._zone, at_ms).date().isoformat()


def count(sums: Counter[str], kind: str, body: Mapping[str, Any]) -> None:
    """Add what one record moves to a day's sums."""
    match kind:
        case "entry":
            sums["entries"] += 1
        case "exit":
            sums["exits"] += 1
            sums[f"outcome-{body['outcome']}"] += 1
            sums["billed_minor"] += body["amount_minor"]
        case "reversed":
            sums["exits"] -= 1
            sums["billed_minor"] -= body["amount_minor"]
        case "attached":
            sums["billed_minor"] += body["amount_minor"]
        case "corrected":
            sums["billed_minor"] += body["amount_minor"] - body["before_minor"]
        case "lowered" | "voided" | "dispute-closed":
            sums["lowered_minor"] += body["amount_minor"]
        case "refunded":
            sums["refunded_minor"] += body["amount_minor"]
            sums["lowered_minor"] += body["amount_minor"] - body["due_minor"]
        case "paid" | "cash":
            sums[f"{kind}_minor"] += body["amount_minor"]
            sums["written_off_minor"] -= body.get("recovered_minor", 0)
        case "written-off":
            sums["written_off_minor"] += body["amount_minor"]


def figures(sums: Mapping[str, int], open_minor: int) -> dict[str, int]:
    """The figures of a day; `open_minor` is what was open before it."""
    found = {name: sums.get(name, 0) for name in SUMS}
    found |= {name: value for name, value in sums.items() if name.startswith("outcome-")}
    taken_minor = found["lowered_minor"] + found["written_off_minor"] + found["paid_minor"] + found["cash_minor"]
    found["open_minor"] = open_minor + found["billed_minor"] + found["refunded_minor"] - taken_minor
    return found
