"""A lease comes down: attach it to its stay.

Owns what a lease may still change. Rules: a stay held at the exit is let out at once if the lease covers its bill; one that
left in arrears is due again if a lease that came late covers it; any other stay that has ended keeps its end, and the lease is
written down as refused. Refuses to know how signatures were checked.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import letting
from gateway.core.answer import Answer
from gateway.core.city_events import LeaseGranted
from gateway.core.lease import Lease, covers
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.record import Draft
from gateway.core.refusal import refused
from gateway.core.session import Session, State, Trigger, moved


def lease_granted(memory: LotMemory, event: LeaseGranted, now: Moment, answer: Answer) -> None:
    """Attach the lease to its stay, or say why not; the same lease again changes nothing."""
    answer.origins.append(event.origin)
    session = memory.session(event.session)
    lease = Lease(event.lease, event.cap_minor, event.expires_ms, event.origin.dn)
    known = session.lease if session is not None else None
    if known is not None and known.lease == lease.lease:
        if (known.cap_minor, known.expires_ms) != (lease.cap_minor, lease.expires_ms):
            answer.write(refused("lease", event.session, event.lease, "id has another content", event.origin.dn))
        return
    reason = _objection(session, lease, now)
    if session is None or reason:
        answer.write(refused("lease", event.session, event.lease, reason, event.origin.dn))
        return
    session = replace(session, lease=lease)
    if session.state is State.ARREARS:
        answer.write(Draft("leased", letting.applied(session, lease)))
        session = moved(session, Trigger.LEASED_LATE, from_ms=now.wall_ms)
    memory.put(session, answer)
    letting.release(memory, session, now, answer)


def _objection(session: Session | None, lease: Lease, now: Moment) -> str:
    if session is None:
        return "unknown session"
    if session.state in (State.INSIDE, State.HELD):
        return ""
    if session.state is not State.ARREARS:
        return f"session is {session.state}"
    return "" if covers(lease, session.owed_minor, now) else "session is arrears and the lease does not cover it"
