"""What the city sends down: leases before the exit, results of payments after it.

Owns what a lease or a payment may still change. Rules: the city's repeats change nothing; a message that fits no stay, or
not its state, is written down as refused and never moves money. Refuses to know how signatures were checked.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import exit, wording
from gateway.core.answer import Answer
from gateway.core.commands import OpenBarrier, PublishNotice
from gateway.core.events import LeaseGranted, PaymentReported
from gateway.core.exit import Outcome
from gateway.core.lease import Lease
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.posting import settled
from gateway.core.record import Draft, Value
from gateway.core.session import Session, State, Trigger, may, moved


def lease_granted(memory: LotMemory, event: LeaseGranted, now: Moment, answer: Answer) -> None:
    """Attach the lease to its stay; a stay held at the exit is let out at once if the lease covers its bill."""
    answer.origins.append(event.origin)
    session = memory.session(event.session)
    if session is None or session.state not in (State.INSIDE, State.HELD):
        reason = "unknown session" if session is None else f"session is {session.state}"
        answer.write(_refused("lease", event.session, event.lease, reason, event.origin.dn))
        return
    lease = Lease(event.lease, event.cap_minor, event.expires_ms, event.origin.dn)
    session = replace(session, lease=lease)
    held = session.state is State.HELD
    if held and exit.decide(session.amount_minor, lease, memory.rules.without_lease, now) is Outcome.LEASE:
        answer.write(
            Draft(
                "released", {"session": session.id, "lease": lease.lease, "cap_minor": lease.cap_minor, "dn": lease.dn}
            )
        )
        session = moved(session, Trigger.RELEASED_ON_LEASE)
        answer.commands += [
            OpenBarrier(session.lane_out),
            wording.exit_text(session.lane_out, Outcome.LEASE, session.amount_minor, memory.rules.currency),
        ]
    memory.put(session, answer)


def payment_reported(memory: LotMemory, event: PaymentReported, answer: Answer) -> None:
    """Book a payment or its failure; a vehicle held for it is let out."""
    answer.origins.append(event.origin)
    session = memory.session(event.session)
    trigger = Trigger.PAYMENT_ARRIVED if event.paid else Trigger.PAYMENT_FAILED
    reason = _objection(session, event, trigger)
    if session is None or reason:
        answer.write(_refused("payment", event.session, event.payment, reason, event.origin.dn))
        return
    body: dict[str, Value] = {
        "session": session.id,
        "payment": event.payment,
        "amount_minor": event.amount_minor,
        "dn": event.origin.dn,
    }
    n = answer.write(Draft("paid" if event.paid else "arrears", body))
    held = session.state is State.HELD
    if event.paid:
        answer.postings += settled(n, session.id, event.amount_minor)
        session = replace(session, paid_minor=event.amount_minor)
    memory.put(moved(session, trigger), answer)
    if held and event.paid:
        answer.commands += [OpenBarrier(session.lane_out), wording.paid_text(session.lane_out)]
    answer.commands.append(
        PublishNotice(
            str(trigger), session.lane_out, session.id, wording.masked(session.plate.text), event.amount_minor
        )
    )


def _objection(session: Session | None, event: PaymentReported, trigger: Trigger) -> str:
    if session is None:
        return "unknown session"
    if not may(session, trigger):
        return f"session is {session.state}"
    if event.amount_minor != session.amount_minor:
        return f"amount differs from the bill of {session.amount_minor}"
    return ""


def _refused(kind: str, session: str, message: str, reason: str, dn: int) -> Draft:
    return Draft("refused", {"kind": kind, "session": session, "id": message, "reason": reason, "dn": dn})
