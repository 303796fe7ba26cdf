"""The end of a stay whose exit is known: price it, decide who pays, write the exit record.

Owns the exit record's body. Rules: the bill ends at the read, however late the gateway hears of it; a vehicle that is already
gone can't be held, so what no promise pays is arrears. Refuses to know lanes' barriers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.core import exit, letting
from gateway.core.answer import Answer
from gateway.core.charge import Charge, charge, use_up
from gateway.core.events import Source
from gateway.core.exit import Outcome
from gateway.core.letting import Verdict
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment, stay_ms
from gateway.core.posting import billed
from gateway.core.record import Draft, Value
from gateway.core.session import Session, moved


@dataclass(frozen=True, slots=True)
class Departure:
    """How a stay ended: the read's lane and moment, and either the node's event or the review exit (`pairs`) that was written
    for it when its stay was not known."""

    lane: str
    exited: Moment
    source: Source | None = None
    pairs: str = ""


def settle(memory: LotMemory, session: Session, departure: Departure, answer: Answer) -> tuple[Charge, Verdict]:
    """Bill a stay of known length and write its exit. Raises TariffError before anything is written."""
    entered_ms, exited_ms = stay_ms(session.entered, departure.exited)
    bill = charge(memory, session, entered_ms, exited_ms)
    verdict = letting.judge(memory, session, bill.amount_minor, departure.exited)
    if departure.pairs:
        verdict = _already_gone(session, verdict)
    n = answer.write(Draft("exit", _body(memory, session, departure, (entered_ms, exited_ms), bill, verdict)))
    use_up(memory, bill, exited_ms, answer)
    if verdict.outcome is Outcome.STANDING and verdict.lease is not None:
        memory.debts.trust(session.id, verdict.lease.lease, answer)
    answer.postings += billed(n, session.id, bill.amount_minor)
    memory.exits += 1
    memory.billed_minor += bill.amount_minor
    gone = replace(
        session,
        lane_out=departure.lane,
        exited_ms=exited_ms,
        amount_minor=bill.amount_minor,
        lease=verdict.lease,
        priced_n=n,
        pair=departure.pairs,
    )
    memory.put(moved(gone, exit.TRIGGERS[verdict.outcome]), answer)
    return bill, verdict


def source_body(source: Source) -> dict[str, Value]:
    """A node's event as records name it."""
    return {"uid": source.uid, "log": source.log, "seq": source.seq}


def _already_gone(session: Session, verdict: Verdict) -> Verdict:
    if verdict.outcome in (Outcome.LEASE, Outcome.STANDING, Outcome.FREE):
        return verdict
    return replace(verdict, outcome=Outcome.ARREARS, lease=session.lease)


def _body(
    memory: LotMemory,
    session: Session,
    departure: Departure,
    stay: tuple[int, int],
    bill: Charge,
    verdict: Verdict,
) -> dict[str, Value]:
    entered_ms, exited_ms = stay
    body: dict[str, Value] = {
        "session": session.id,
        "lane": departure.lane,
        **bill.told(memory, entered_ms, exited_ms),
        "outcome": str(verdict.outcome),
        "plate": session.commitment,
    }
    if departure.source is not None:
        body["source"] = source_body(departure.source)
    if departure.pairs:
        body["pairs"] = departure.pairs
    if verdict.lease is not None:
        lease = verdict.lease
        body["lease"] = {"lease": lease.lease, "cap_minor": lease.cap_minor, "dn": lease.dn}
    if verdict.objection:
        body["standing"] = verdict.objection
    if verdict.block is not None:
        body["block"] = verdict.block.id
    return body
