"""The end of the lot's week as text and as numbers, and what does not hold.

Owns the limits. Rules: every share is of the true stays that ended; a limit that is broken is named. Judges no stay itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.week.verdict import FORBIDDEN, JOINED, REVIEW, SETTLED, WRITTEN_OFF, Finding
from tests.week.week import Ledger, Week

REVIEW_MAX = 0.02
WRITTEN_OFF_MAX = 0.005
JOINED_MAX = 0.0001
"""Both ends unseen: a few in a thousand vehicles leave unread, as few come in unread, and few of them are the same one."""
CAUSES_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to."""

    seed: int
    week: Week
    found: Finding
    ledger: Ledger
    spent_s: float
    cpu_s: float

    def failures(self) -> list[str]:
        """What does not hold; empty if the run may end well."""
        found, ledger, visits = self.found, self.ledger, len(self.week.traffic.visits)
        city = ledger.city
        checks = {
            f"{found.forbidden} stays or bills are wrong": found.forbidden == 0,
            f"{found.classes[REVIEW]} of {found.stays} stays in review": found.classes[REVIEW]
            < REVIEW_MAX * found.stays,
            f"{found.classes[WRITTEN_OFF]} of {found.stays} stays written off": (
                found.classes[WRITTEN_OFF] < WRITTEN_OFF_MAX * found.stays
            ),
            f"{found.classes[JOINED]} of {found.stays} stays joined with another of their vehicle": (
                found.classes[JOINED] <= JOINED_MAX * max(found.stays, 1 / JOINED_MAX)
            ),
            f"{found.stays} stays judged, {sum(found.classes.values())} classed": (
                found.stays == sum(found.classes.values()) == len(self.week.street.stays)
            ),
            f"{visits} visits, {self.week.street.gone} over": self.week.street.gone == visits,
            f"the ledger billed {ledger.billed_minor}, the city's books {found.billed_minor}": (
                ledger.billed_minor == found.billed_minor == city["owed_minor"]
            ),
            f"{ledger.odd_postings} records whose postings don't sum to zero": ledger.odd_postings == 0,
            f"{ledger.disputed} sessions of which the city has another amount": ledger.disputed == 0,
            f"{ledger.records} records, {ledger.delivered} at the city": ledger.records == ledger.delivered,
            f"{city['forks']} forks, {city['rejected']} messages refused": city["forks"] == city["rejected"] == 0,
            "nobody left while the link was dead": self.week.exits_while_dead > 0,
        }
        return [text for text, holds in checks.items() if not holds]

    def as_json(self) -> dict[str, object]:
        """For --json; money in minor units."""
        found = self.found
        return {
            "seed": self.seed,
            "visits": len(self.week.traffic.visits),
            "stays": found.stays,
            "settled": found.classes[SETTLED],
            "review": found.classes[REVIEW],
            "written_off": found.classes[WRITTEN_OFF],
            "joined": found.classes[JOINED],
            "forbidden": found.forbidden,
            "review_records": sum(found.queue.values()),
            "still_inside": found.still_inside,
            "bills": dict(found.bills),
            "queue": dict(found.queue),
            "causes": [[*cause, count] for cause, count in found.causes.most_common()],
            "forbidden_shown": found.shown,
            "happened": dict(self.week.street.counts),
            "exits_while_dead": self.week.exits_while_dead,
            "owed_minor": found.owed_minor,
            "billed_minor": found.billed_minor,
            "paid_minor": found.paid_minor,
            "records": self.ledger.records,
            "inside_most": self.week.street.inside_most,
            "spent_s": round(self.spent_s, 1),
            "cpu_s": round(self.cpu_s, 1),
            "failures": self.failures(),
        }

    def text(self) -> str:
        """For people."""
        found, street = self.found, self.week.street
        right = sum(count for kind, count in found.bills.items() if kind.startswith("right"))
        in_review = sum(found.queue.values())
        rows = [
            ("stays that ended", f"{found.stays}", ""),
            ("settled rightly", *self._share(SETTLED)),
            ("sent to review", *self._share(REVIEW), f"limit {REVIEW_MAX:.1%}"),
            ("written off", *self._share(WRITTEN_OFF), f"limit {WRITTEN_OFF_MAX:.1%}"),
            ("own two visits as one: nothing saw the gap", *self._share(JOINED), f"limit {JOINED_MAX:.2%}"),
            ("debited for another's stay, twice or wrongly", *self._share(FORBIDDEN), "limit 0"),
        ]
        widths = ("<48", ">8", ">10", ">14")
        lines = ["".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
        lines += [
            "",
            f"proof: {sum(found.bills.values())} bills in the books, {right} of them right: of the plate of the vehicle whose",
            "own passage began and own read ended the stay, at the price of its own times by sim/bill.py. The others:",
            *(f"  {count:>6}  {kind}" for kind, count in found.bills.most_common() if not kind.startswith("right")),
            f"money: {_money(found.owed_minor)} owed by the truth, {_money(found.billed_minor)} billed by ledger and city,",
            f"  of it {_money(found.claimed_minor)} to plates that nobody has; {_money(found.paid_minor)} debited; "
            f"{self.ledger.odd_postings} records with odd postings",
            f"records: {self.ledger.records} signed, {self.ledger.delivered} at the city, {self.ledger.city['forks']} forks, "
            f"{self.ledger.city['rejected']} refused",
            f"link dead for six hours and {self.week.exits_while_dead} exits",
            "",
            f"in review: {in_review} records ({in_review / max(1, found.stays):.2%} of the stays); "
            f"{found.still_inside} sessions still open",
            *(f"  {count:>6}  {reason}" for reason, count in found.queue.most_common()),
            "",
            "what led to it (class, how it ended, what had happened around the stay):",
            *(
                f"  {count:>6}  {count / found.stays:>7.3%}  {kind:<12} {how} <- {marks}"
                for (kind, how, marks), count in found.causes.most_common(CAUSES_SHOWN)
            ),
            "",
            "what happened: " + ", ".join(f"{count} {what}" for what, count in street.counts.most_common()),
            f"most vehicles inside {street.inside_most}; longest wait in a lane {street.waiting_longest_ms / 1000:.0f} s",
            *(["", "not settled although nothing happened:", *found.odd] if found.odd else []),
            *(["", "FORBIDDEN:", *found.shown] if found.shown else []),
            "",
            f"{len(self.week.traffic.visits)} visits in {self.spent_s:.0f} s, {self.cpu_s:.0f} s of them on one core: "
            f"{len(self.week.traffic.visits) / self.cpu_s:.0f} cars/s; seed {self.seed}",
        ]
        return "\n".join(lines)

    def _share(self, kind: str) -> tuple[str, str]:
        count = max(self.found.classes[kind], self.found.forbidden if kind == FORBIDDEN else 0)
        return str(count), f"{count / max(1, self.found.stays):.3%}"


def _money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
