"""The judge of the week: what the city's books say was billed to whom, against what truly happened.

Owns the tables and the classes into which every true stay falls. Rules: reads the city's file alone, by its own joins; who
caused a record is told by the truth, from the node's event that the record names; prices come from sim/bill.py; whatever was
billed must be proved right, or it is forbidden. Shares no code with the gateway.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.week.street import Stay
from tests.week.traffic import Town

PriceOf = Callable[[int, int, str, str], int]
"""Minor units from (entry UTC ms, exit UTC ms, vehicle, energy)."""

SETTLED, REVIEW, WRITTEN_OFF, JOINED, FORBIDDEN = "settled", "review", "written off", "joined", "FORBIDDEN"
SLACK_MS = 400
"""A node's clock against the truth's: ages are whole ms, but a read takes its time on the bus."""
TURNED_BACK = "less than owed, but right for the time until a turn-back"
"""The vehicle was let out and paid, and came back in: nobody was charged too much, and the rest is for a person."""
UNSEEN = "own two visits as one, as neither its leaving nor its coming back was seen"
"""The only wrong bill that is allowed, to its own vehicle: no reader and no loop told of what lay between its two reads."""
UNSEEN_OUT = frozenset({"unread-out", "bare-out", "tailgate-out", "tailgate-out-silent"})
UNSEEN_IN = frozenset({"unread-in", "bare-in", "tailgate-in", "tailgate-in-silent"})
BY_CHANCE = "what was owed, though another's passage was taken for the vehicle's own"
CLAIMS = {BY_CHANCE: "right", TURNED_BACK: "part", UNSEEN: "joined"}
SHOWN_MAX = 4
"""Stories told of each kind; the rare kinds must not drown in a common one."""
NEAR_STAYS = 2000
"""Sessions of the same plate are told with a story if their stays began so few others apart."""
INNOCENT = frozenset({"read-again", "tailgated", "turn-back-in"})
"""What happens around many stays and explains a verdict only if nothing else does."""

RECORDS = """
SELECT record.n, record.line, coalesce(disclosure.plate, '') FROM record
LEFT JOIN disclosure ON disclosure.chain = record.chain AND disclosure.n = record.n ORDER BY record.n
"""


@dataclass(slots=True)
class Booked:
    """One session as the city has it. `came`, `went`: true stays whose vehicles caused entry and exit; 0: none.

    `plate`: who owes; `seen`: the plate of its entry, whose owner's lease pays if `lease` is the one granted on the entry.
    """

    session: str
    plate: str = ""
    came: int = 0
    went: int = 0
    outcome: str = "inside"
    how: str = ""
    amount_minor: int = 0
    paid_minor: int = 0
    reviewed: bool = False
    reason: str = ""
    seen: str = ""
    lease: str = ""

    @property
    def payer(self) -> str:
        """Whose account a lease takes the money from."""
        of_entry = self.lease.endswith(f"/lease/{self.session.partition('.')[2]}")
        return self.seen if of_entry else self.plate


@dataclass(slots=True)
class Finding:
    """The verdict on a week. `classes`: class to count; `causes`: (class, how, what happened) to count.

    `bills` and `queue`: what the city's bills came to, and what lies in review and why; `shown`: stories of forbidden ones;
    `odd`: of stays that were not settled although nothing happened to them.
    Money: least that the truth owes, what was billed, paid, and what of the bills is for a plate that nobody has.
    """

    stays: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    causes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    bills: Counter[str] = field(default_factory=Counter)
    queue: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    owed_minor: int = 0
    billed_minor: int = 0
    paid_minor: int = 0
    claimed_minor: int = 0
    still_inside: int = 0

    @property
    def forbidden(self) -> int:
        """Stays that were charged wrongly, and bills that are wrong in other ways."""
        allowed = ("right", BY_CHANCE, TURNED_BACK, UNSEEN, "to a plate that nobody has")
        wrong = sum(n for kind, n in self.bills.items() if not kind.startswith(allowed))
        return max(self.classes[FORBIDDEN], wrong)


class Books:
    """The city's sessions, joined from its file. `disputed`: those whose amount the city's own table has otherwise."""

    def __init__(self, path: Path, caused: Mapping[tuple[str, int], int]) -> None:
        self._caused = caused
        self.sessions: dict[str, Booked] = {}
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            for _, text, plate in db.execute(RECORDS):
                line = json.loads(text)
                self._take(line["type"], line["body"], plate)
            owed = dict(db.execute("SELECT session, owed_minor FROM stay"))
            for session, paid in db.execute("SELECT session, amount_minor FROM payment WHERE status = 'paid'"):
                self.sessions[session].paid_minor += paid
        finally:
            db.close()
        self.disputed = [s for s, b in self.sessions.items() if owed.get(s, 0) != b.amount_minor]

    def _take(self, kind: str, body: dict[str, object], plate: str) -> None:
        """One record, in order. A reversal takes an exit back; a plate attached later ends a review."""
        session = str(body.get("session", ""))
        if kind == "entry":
            self.sessions[session] = Booked(session, plate, came=self._cause(body), seen=plate)
        elif kind == "exit":
            self._exit(self.sessions.setdefault(session, Booked(session)), body, plate)
        elif kind == "reversed":
            booked = self.sessions[session]
            booked.went, booked.amount_minor, booked.reviewed, booked.reason = 0, 0, False, ""
            booked.outcome = "inside" if booked.came else "reversed"
            if "stay" in body:
                stay = self.sessions[str(body["stay"])]
                stay.went, stay.reviewed, stay.reason = 0, False, ""
        elif kind == "paired":
            self._pair(self.sessions[session], self.sessions[str(body["exit"])], str(body["evidence"]))
        elif kind in ("leased", "released"):
            self.sessions[session].lease = str(body["lease"])
        elif kind == "attached":
            self._attach(self.sessions[session], body)
        elif kind in ("review", "unfinished"):
            booked = self.sessions[session]
            booked.reviewed, booked.reason = True, str(body["reason"])

    def _exit(self, booked: Booked, body: dict[str, object], plate: str) -> None:
        booked.went = self.sessions[str(body["pairs"])].went if "pairs" in body else self._cause(body)
        booked.outcome = str(body["outcome"])
        booked.how = "" if body["outcome"] == "review" else "paired" if "pairs" in body else "read"
        booked.amount_minor = _amount(body)
        booked.lease = _lease(body)
        booked.reviewed = booked.outcome == "review"
        booked.reason = ""
        if booked.reviewed:
            booked.reason = "exit without a stay"
        if plate:
            booked.plate = plate

    def _pair(self, stay: Booked, stray: Booked, evidence: str) -> None:
        """The exit in review is closed; unless it was a worse read of another, the stay is in review until its own exit."""
        stray.reviewed, stray.reason, stray.outcome = False, "", "paired"
        if evidence != "read again":
            stay.went, stay.reviewed, stay.reason = stray.went, True, f"paired: {evidence}"

    def _attach(self, stay: Booked, body: dict[str, object]) -> None:
        """A review ends in a bill: of the plate that the record says was read rightly."""
        stray = self.sessions[str(body["stray"])]
        self._pair(stay, stray, "attached")
        stay.plate, stay.amount_minor = stray.plate if body["whose"] == "exit" else stay.plate, _amount(body)
        stay.outcome, stay.how = str(body.get("outcome", "attached")), "attached"
        stay.reviewed, stay.reason = False, ""
        stay.lease = _lease(body) or stay.lease

    def _cause(self, body: dict[str, object]) -> int:
        source = body["source"]
        assert isinstance(source, dict)
        return self._caused.get((source["uid"], source["seq"]), 0)


def _amount(body: dict[str, object]) -> int:
    amount = body["amount_minor"]
    assert isinstance(amount, int)
    return amount


def _lease(body: dict[str, object]) -> str:
    lease = body.get("lease", "")
    return str(lease["lease"] if isinstance(lease, dict) else lease)


class Judge:
    """Judges all stays that ended. `origin_ms`: UTC ms of lot time 0; `classed`: the class of each stay, once judged."""

    def __init__(self, stays: Mapping[int, Stay], origin_ms: int, price: PriceOf, town: Town) -> None:
        self._stays = {number: stay for number, stay in stays.items() if stay.left_ms}
        self._origin_ms = origin_ms
        self._price = price
        self._town = town
        self.classed: dict[int, str] = {}

    def judge(self, books: Mapping[str, Booked]) -> Finding:
        """Every true stay in one class; every bill proved or named."""
        found = Finding(stays=len(self._stays))
        claims: dict[int, list[tuple[str, str]]] = defaultdict(list)
        told: Counter[str] = Counter()
        for booked in books.values():
            self._book(booked, found, claims)
        for number, stay in self._stays.items():
            least, most = self._owed(stay)
            found.owed_minor += least
            verdict, detail = self._class(claims[number], least, most)
            found.classes[verdict] += 1
            self.classed[number] = verdict
            if verdict != SETTLED or detail:
                marks = "+".join(sorted(stay.marks - INNOCENT or stay.marks)) or "nothing"
                found.causes[verdict, detail, marks] += 1
                told[detail] += 1
                if verdict == FORBIDDEN and told[detail] <= SHOWN_MAX:
                    found.shown.append(self._story(stay, detail, books))
                elif verdict != SETTLED and not stay.marks and len(found.odd) < SHOWN_MAX:
                    found.odd.append(self._story(stay, detail, books))
        return found

    def _book(self, booked: Booked, found: Finding, claims: dict[int, list[tuple[str, str]]]) -> None:
        """Enter one session into the claims of the stays that it touches."""
        touched = {number for number in (booked.came, booked.went) if number in self._stays}
        if booked.outcome == "inside" and not booked.reviewed:
            found.still_inside += 1
        if booked.reviewed:
            found.queue[booked.reason] += 1
            for number in touched:
                claims[number].append(("review", booked.reason))
            return
        if booked.outcome in ("inside", "reversed", "paired", "free"):
            for number in touched:
                same = booked.came == booked.went == number and booked.plate == self._identity(number)
                claims[number].append(("free" if same and booked.outcome == "free" else "", booked.outcome))
            return
        found.billed_minor += booked.amount_minor
        found.paid_minor += booked.paid_minor
        debtor = next((number for number in touched if self._identity(number) == booked.plate), 0)
        kind = self._bill(booked, debtor)
        found.bills[kind] += 1
        if kind.startswith("to a plate"):
            found.claimed_minor += booked.amount_minor
        if debtor:
            claims[debtor].append(("right" if kind.startswith("right") else CLAIMS.get(kind, "wrong"), kind))
        for number in touched - {debtor}:
            if kind.startswith("for a"):
                claims[number].append(("wrong", kind))
            else:
                claims[number].append(("", kind))

    def _bill(self, booked: Booked, debtor: int) -> str:
        """Whether the bill of a session is right, and if not, how not."""
        paid = "debited" if booked.paid_minor else "billed"
        if booked.paid_minor and booked.payer != booked.plate:
            whose = "another guest" if booked.payer in self._town.guests else "a stranger"
            return f"for a stay of which {whose} had the lease ({booked.how})"
        if not debtor:
            if booked.plate in self._town.guests:
                return f"for another guest's stay, {paid} ({booked.how})"
            if self._town.owned(booked.plate):
                return f"for a stay of a stranger's, {paid} ({booked.how})"
            return f"to a plate that nobody has ({booked.how})"
        least, most = self._owed(self._stays[debtor])
        if least <= booked.amount_minor <= most:
            return f"right ({booked.how})" if booked.came == booked.went else BY_CHANCE
        if any(least <= booked.amount_minor <= most for least, most in self._up_to_turn_backs(self._stays[debtor])):
            return TURNED_BACK
        if self._unseen_between(booked):
            return UNSEEN
        way = "more" if booked.amount_minor > most else "less"
        if booked.came != booked.went:
            return f"{way} than owed, by another's passage, {paid}"
        return f"{way} than owed, {paid}"

    def _unseen_between(self, booked: Booked) -> bool:
        """Whether the bill runs over two visits of its own vehicle, and neither end of what lay between them was read."""
        came, went = self._stays.get(booked.came), self._stays.get(booked.went)
        return (
            came is not None
            and went is not None
            and came is not went
            and self._identity(booked.came) == self._identity(booked.went) == booked.plate
            and not came.marks.isdisjoint(UNSEEN_OUT)
            and not went.marks.isdisjoint(UNSEEN_IN)
        )

    def _class(self, claims: list[tuple[str, str]], least: int, most: int) -> tuple[str, str]:
        right = sum(claim == "right" for claim, _ in claims)
        wrong = [detail for claim, detail in claims if claim == "wrong"]
        free = any(claim == "free" for claim, _ in claims)
        parts = sum(claim == "part" for claim, _ in claims)
        if right + parts > 1 or (right and wrong):
            return FORBIDDEN, "charged twice"
        if wrong:
            return FORBIDDEN, wrong[0]
        if any(claim == "joined" for claim, _ in claims):
            return JOINED, UNSEEN
        if right or (free and least == 0):
            return SETTLED, ""
        reviews = [detail for claim, detail in claims if claim == "review"]
        if reviews:
            return REVIEW, TURNED_BACK if parts else reviews[0]
        if most == 0:
            return SETTLED, "owed nothing, asked for nothing"
        details = [detail for _, detail in claims if detail]
        return WRITTEN_OFF, details[0] if details else "no session"

    def _owed(self, stay: Stay) -> tuple[int, int]:
        """Least and most that this stay may be billed: from read or passage at the entry to read or passage at the exit."""
        car, origin = stay.visit.car, self._origin_ms
        late, soon = origin + stay.entered_ms + SLACK_MS, origin + stay.at_exit_ms - SLACK_MS
        early, last = origin + stay.read_ms - SLACK_MS, origin + stay.left_ms + SLACK_MS
        least = self._price(late, max(late, soon), car.vehicle, car.energy)
        return least, self._price(early, last, car.vehicle, car.energy)

    def _up_to_turn_backs(self, stay: Stay) -> Iterator[tuple[int, int]]:
        """Least and most that the stay owed whenever it came to an exit in vain."""
        for at_exit_ms, back_ms in stay.tried_ms:
            yield self._owed(replace(stay, at_exit_ms=at_exit_ms, left_ms=back_ms))

    def _identity(self, number: int) -> str:
        return self._stays[number].visit.car.identity

    def _story(self, stay: Stay, detail: str, books: Mapping[str, Booked]) -> str:
        number, car = stay.visit.number, stay.visit.car
        lines = [
            f"{detail}: stay {number}, {car.identity} ({car.vehicle}), in {_clock(stay.entered_ms)}, "
            f"at exit {_clock(stay.at_exit_ms)}, out {_clock(stay.left_ms)}, owes {self._owed(stay)}, {sorted(stay.marks)}"
        ]
        for booked in books.values():
            met = {booked.came, booked.went}
            if number in met or (booked.plate == car.identity and abs(max(met) - number) < NEAR_STAYS):
                lines.append(
                    f"    session {booked.session} of {booked.plate!r}: came {booked.came}, went {booked.went}, "
                    f"{booked.outcome} {booked.how} {booked.amount_minor}, paid {booked.paid_minor} {booked.reason}"
                )
        return "\n".join(lines)


def _clock(at_ms: int) -> str:
    day, rest = divmod(at_ms, 86_400_000)
    return f"day {day + 1} {rest // 3_600_000:02d}:{rest // 60_000 % 60:02d}:{rest // 1000 % 60:02d}"
