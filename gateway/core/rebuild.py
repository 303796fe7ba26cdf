"""The money of all stays and every posting, made again from the records alone.

Owns the reading of records as money. Rule: what this makes and what the ledger holds beside the records must be the same; if
not, the records are right. It knows no plate, no lane and no lease, since no money hangs on them once a record is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.core import exit
from gateway.core.crediting import repriced
from gateway.core.disputes import rejected
from gateway.core.exit import Outcome
from gateway.core.moment import ClockQuality, Moment
from gateway.core.pairing import IN_REVIEW
from gateway.core.payments import arriving
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from gateway.core.posting import Account, Posting, billed, counted, lowered, refunded, settled, taxed, written_off
from gateway.core.session import Session, State, Trigger, dunned, moved

NOBODY = Plate("", Colour.UNKNOWN, Vehicle.SMALL, Energy.FUEL, 0)
NEVER = Moment("", 0, 0, ClockQuality.UNKNOWN)
SECOND_STAY = {"attached": "stray", "paired": "exit", "reversed": "stay"}

Body = Mapping[str, Any]


def booked(n: int, kind: str, body: Body) -> tuple[Posting, ...] | None:
    """What record n books, by its own words; None for a kind of record that books nothing.

    KeyError or TypeError if the body is not one of its kind.
    """
    match kind:
        case "exit" | "attached":
            return billed(n, body["session"], body["amount_minor"])
        case "reversed" | "voided" | "dispute-closed":
            return billed(n, body["session"], -body["amount_minor"])
        case "corrected":
            return billed(n, body["session"], body["amount_minor"] - body["before_minor"])
        case "lowered":
            return lowered(n, body["session"], body["amount_minor"])
        case "paid" | "cash":
            into = Account.CASH if kind == "cash" else Account.CLEARING
            return settled(n, body["session"], body["amount_minor"], body.get("recovered_minor", 0), into=into)
        case "refunded":
            return refunded(n, body["session"], body["amount_minor"], body["due_minor"])
        case "written-off":
            return written_off(n, body["session"], body["amount_minor"])
        case "invoice":
            return taxed(n, body["session"], body["tax_minor"] - body["before_tax_minor"])
        case "shift-closed":
            return counted(n, body["difference_minor"])
        case _:
            return None


def begins(kind: str, body: Body) -> bool:
    """Whether this record begins a stay."""
    return kind == "entry" or (kind == "exit" and body.get("outcome") == Outcome.REVIEW)


def moves(kind: str, body: Body) -> tuple[str, ...]:
    """Ids of the stays that this record may move."""
    named = (body.get("session", ""), body.get(SECOND_STAY.get(kind, ""), ""))
    return tuple(id_ for id_ in named if id_ and isinstance(id_, str))


@dataclass(slots=True)
class Rebuilt:
    """What the records so far come to."""

    sessions: dict[str, Session] = field(default_factory=dict)
    postings: list[Posting] = field(default_factory=list)

    def take(self, n: int, wall_ms: int, kind: str, body: Body) -> None:
        """Read record n. KeyError if a record moves a stay as the table of its states does not allow."""
        self.postings += booked(n, kind, body) or ()
        match kind:
            case "entry" | "exit" | "attached" | "review":
                self._stay(n, kind, body)
            case "reversed" | "paired" | "unfinished":
                self._end_otherwise(kind, body)
            case "lowered" | "corrected" | "voided" | "dispute-closed":
                self._reprice(n, wall_ms, kind, body)
            case "paid" | "cash" | "refunded" | "written-off" | "invoice":
                self._book(kind, body)
            case "arrears" | "released" | "leased" | "dunning" | "disputed":
                self._move(wall_ms, kind, body)

    def _stay(self, n: int, kind: str, body: Body) -> None:
        id_ = body["session"]
        if kind == "entry":
            self.sessions[id_] = Session(id_, State.INSIDE, "", NOBODY, n, NEVER)
            return
        if kind == "review":
            self._put(moved(self.sessions[id_], Trigger.DOUBTED))
            return
        if body["outcome"] == Outcome.REVIEW:
            stray = Session(id_, State.REVIEW, "", NOBODY, n, NEVER, exited_ms=body["at"], priced_n=n)
            self._put(stray)
            return
        before = self.sessions[id_]
        if kind == "attached" and before.state is State.INSIDE:
            before = moved(before, Trigger.PAIRED)
        gone = replace(before, exited_ms=body["at"], amount_minor=body["amount_minor"], priced_n=n)
        self._put(moved(gone, exit.TRIGGERS[Outcome(body["outcome"])]))
        if kind == "attached":
            self._put(moved(self.sessions[body["stray"]], Trigger.ATTACHED))

    def _end_otherwise(self, kind: str, body: Body) -> None:
        session = self.sessions[body["session"]]
        if kind == "unfinished":
            self._put(moved(session, Trigger.UNFINISHED))
            return
        if kind == "paired":
            self._put(moved(self.sessions[body["exit"]], Trigger.PAIRED))
            if body["evidence"] in IN_REVIEW:
                self._put(moved(session, Trigger.PAIRED))
            return
        if session.priced_n == session.plate_n:
            # Its first record was an exit: no stay, but a review exit.
            self._put(moved(session, Trigger.TAKEN_BACK))
        else:
            self._put(moved(replace(session, exited_ms=0, amount_minor=0, priced_n=0), Trigger.TURNED_BACK))
        if "stay" in body:
            self._put(moved(self.sessions[body["stay"]], Trigger.TURNED_BACK))

    def _reprice(self, n: int, wall_ms: int, kind: str, body: Body) -> None:
        session, amount_minor = self.sessions[body["session"]], body["amount_minor"]
        if kind == "corrected":
            session = replace(session, amount_minor=amount_minor, priced_n=n)
            trigger = repriced(session)
        else:
            session = replace(session, lowered_minor=session.lowered_minor + amount_minor)
            if kind == "lowered":
                trigger = repriced(session)
            else:
                session = replace(session, dispute="")
                trigger = Trigger.VOIDED if kind == "voided" else Trigger.UPHELD
                if body.get("verdict") == "rejected":
                    trigger = rejected(session)
        # A term that begins anew begins with the record; one that a void or a benefit leaves untouched does not.
        self._put(moved(session, trigger, from_ms=wall_ms))

    def _book(self, kind: str, body: Body) -> None:
        session = self.sessions[body["session"]]
        if kind == "invoice":
            self._put(replace(session, invoiced_minor=body["total_minor"], tax_minor=body["tax_minor"]))
            return
        amount_minor = body["amount_minor"]
        if kind == "written-off":
            self._put(moved(replace(session, written_off_minor=amount_minor), Trigger.WRITTEN_OFF))
        elif kind == "refunded":
            beyond_minor = session.lowered_minor + amount_minor - body["due_minor"]
            after = replace(session, refunded_minor=session.refunded_minor + amount_minor, lowered_minor=beyond_minor)
            self._put(moved(after, Trigger.REFUNDED_IN_PART if after.kept_minor else Trigger.REFUNDED_WHOLE))
        else:
            recovered_minor = body.get("recovered_minor", 0)
            left_minor = session.written_off_minor - recovered_minor
            after = replace(session, paid_minor=session.paid_minor + amount_minor, written_off_minor=left_minor)
            self._put(moved(after, arriving(session, amount_minor)))

    def _move(self, wall_ms: int, kind: str, body: Body) -> None:
        session = self.sessions[body["session"]]
        match kind:
            case "leased":
                after = moved(session, Trigger.LEASED_LATE, from_ms=wall_ms)
            case "released":
                after = moved(session, Trigger.RELEASED_ON_LEASE)
            case "dunning":
                after = dunned(session, wall_ms)
            case "disputed":
                after = moved(replace(session, dispute=body["dispute"]), Trigger.DISPUTE_OPENED)
            case _ if body["payment"]:
                after = moved(session, Trigger.PAYMENT_FAILED)
            case _:
                after = moved(session, Trigger.RELEASED_UNPAID if session.state is State.HELD else Trigger.OVERDUE)
        self._put(after)

    def _put(self, session: Session) -> None:
        self.sessions[session.id] = session


def rebuilt(records: Iterable[Mapping[str, Any]]) -> Rebuilt:
    """Read records, as JSON objects, in their order from the first on."""
    found = Rebuilt()
    for record in records:
        found.take(record["n"], record["wall"], record["type"], record["body"])
    return found


def differences(found: Rebuilt, sessions: Iterable[Session], postings: Iterable[Posting]) -> list[str]:
    """In what stored sessions and postings differ from what was rebuilt; each named, none if they are the same."""
    ours = {session.id: money(session) for session in sessions}
    theirs = {id_: money(session) for id_, session in found.sessions.items()}
    named = [
        f"session {id_}: stored {ours.get(id_)}, by its records {theirs.get(id_)}"
        for id_ in sorted(ours.keys() | theirs.keys())
        if ours.get(id_) != theirs.get(id_)
    ]
    stored, by_records = set(postings), set(found.postings)
    named += [f"{posting}: stored, and by no record" for posting in sorted(stored - by_records, key=str)]
    named += [f"{posting}: by its record, and not stored" for posting in sorted(by_records - stored, key=str)]
    return named


def money(session: Session) -> tuple[str | int, ...]:
    """All of a stay that hangs on its money."""
    return (
        str(session.state),
        session.exited_ms,
        session.amount_minor,
        session.lowered_minor,
        session.written_off_minor,
        session.paid_minor,
        session.refunded_minor,
        session.invoiced_minor,
        session.tax_minor,
        session.priced_n,
        session.next_ms,
        str(session.stage),
        session.dispute,
    )
