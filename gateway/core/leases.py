"""A lease comes down: attach it to its stay.

Owns what a lease may still change. Rules: a lease for a stay that has ended changes nothing and is written down as refused;
a stay held at the exit is let out at once if the lease covers its bill. Refuses to know how signatures were checked.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import exit, wording
from gateway.core.answer import Answer
from gateway.core.city_events import LeaseGranted
from gateway.core.commands import OpenBarrier
from gateway.core.exit import Outcome
from gateway.core.lease import Lease
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.record import Draft
from gateway.core.refusal import refused
from gateway.core.session import State, Trigger, moved


def lease_granted(memory: LotMemory, event: LeaseGranted, now: Moment, answer: Answer) -> None:
    """Attach the lease to its stay; a stay held at the exit is let out at once if the lease covers its bill."""
    answer.origins.append(event.origin)
    session = memory.session(event.session)
    if session is None or session.state not in (State.INSIDE, State.HELD):
        reason = "unknown session" if session is None else f"session is {session.state}"
        answer.write(refused("lease", event.session, event.lease, reason, event.origin.dn))
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
        if memory.stands_at_exit(session):
            answer.commands += [
                OpenBarrier(session.lane_out),
                wording.exit_text(session.lane_out, Outcome.LEASE, session.amount_minor, memory.rules.currency),
            ]
    memory.put(session, answer)
