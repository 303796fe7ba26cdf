"""What the city grants, forbids, withdraws or counts comes down: keep it, and see what it changes at once.

Owns the records of it. Rules: an id means one thing for ever; a benefit or validation that names a plate reaches back
to its stays that left within its time: it lowers their bills, to nothing at most, and what was paid too much is due back
without anybody asking. What holds for a class of vehicles does not reach back. Refuses to know how money is returned.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import crediting, payments
from gateway.core.answer import Answer
from gateway.core.benefit import Stay, fits, lower_once
from gateway.core.charge import priced
from gateway.core.city_events import EntitlementGranted, EntitlementWithdrawn, LotRecounted
from gateway.core.entitlement import KIND_OF, Benefit, Entitlement, Kind, Permit, Validation, Way, plates_of
from gateway.core.memory import PAST_STAYS_MAX, LotMemory, PastStays
from gateway.core.moment import Moment
from gateway.core.posting import lowered
from gateway.core.record import INTEGER_MAX, Body, Draft
from gateway.core.refusal import refused
from gateway.core.session import BILLED, Session, State, moved


def past_stays(entitlement: Entitlement) -> PastStays | None:
    """The stays that a grant may lower after their exit, None if it reaches none."""
    match entitlement:
        case Benefit(way=Way.WINDOW) | Validation(way=Way.WINDOW):
            return plates_of(entitlement), (entitlement.from_ms, INTEGER_MAX), PAST_STAYS_MAX
        case Benefit() | Validation():
            return plates_of(entitlement), (entitlement.from_ms, entitlement.to_ms), PAST_STAYS_MAX
        case _:
            return None


def entitlement_granted(memory: LotMemory, event: EntitlementGranted, answer: Answer) -> None:
    """Keep a grant; a repeat changes nothing, another content under a known id is refused."""
    answer.origins.append(event.origin)
    entitlement, dn = event.entitlement, event.origin.dn
    known = memory.book.known(entitlement)
    if known.same:
        return
    kind = KIND_OF[type(entitlement)]
    if known.objection:
        answer.write(refused(str(kind), "", entitlement.id, known.objection, dn))
        return
    memory.book.grant(entitlement, dn, answer)
    answer.write(Draft("granted", {"kind": str(kind), "id": entitlement.id, "dn": dn}))
    if isinstance(entitlement, Permit):
        memory.spaces.settle(entitlement, memory.inside_sessions().values(), 0, answer)
    if isinstance(entitlement, Benefit | Validation):
        _reach_back(memory, entitlement, event, answer)


def entitlement_withdrawn(memory: LotMemory, event: EntitlementWithdrawn, now: Moment, answer: Answer) -> None:
    """End what was granted; what it lowered before stays lowered."""
    answer.origins.append(event.origin)
    held, dn = memory.book.find(event.kind, event.id), event.origin.dn
    if held is None or held.ended_ms:
        reason = "unknown id" if held is None else "id has ended"
        answer.write(refused("withdraw", "", event.id, reason, dn))
        return
    memory.book.end(event.kind, event.id, now.wall_ms, answer)
    answer.write(Draft("withdrawn", {"kind": str(event.kind), "id": event.id, "dn": dn}))


def lot_recounted(memory: LotMemory, event: LotRecounted, answer: Answer) -> None:
    """Believe the count: what it found beyond the open stays is inside without one; fewer are stays of vehicles long gone."""
    answer.origins.append(event.origin)
    unlisted = event.inside - len(memory.inside_sessions())
    counted = {"inside": event.inside, "before": memory.inside, "unlisted": unlisted}
    answer.write(Draft("recount", {"id": event.id, **counted, "dn": event.origin.dn}))
    memory.recount(unlisted, answer)


def _reach_back(memory: LotMemory, grant: Benefit | Validation, event: EntitlementGranted, answer: Answer) -> None:
    kind = Kind.VALIDATION if isinstance(grant, Validation) else Kind.BENEFIT
    for plate in plates_of(grant):
        for session in memory.ended_of(plate):
            off_minor = min(_off(memory, session, grant), session.net_minor) if session.state in BILLED else 0
            if off_minor:
                lower(memory, session, (str(kind), grant.id), off_minor, event.origin.dn, answer)
                if isinstance(grant, Validation) and grant.single:
                    memory.book.end(kind, grant.id, session.exited_ms, answer)
                    return


def lower(memory: LotMemory, session: Session, grant: tuple[str, str], off_minor: int, dn: int, answer: Answer) -> None:
    """Take something off a bill that was made: at most what is left of it. `grant`: kind and id of what lowers it."""
    kind, id_ = grant
    body: Body = {"session": session.id, "kind": kind, "id": id_, "amount_minor": off_minor, "dn": dn}
    n = answer.write(Draft("lowered", body))
    answer.postings += lowered(n, session.id, off_minor)
    cheaper = replace(session, lowered_minor=session.lowered_minor + off_minor)
    after = moved(cheaper, crediting.repriced(cheaper))
    memory.put(after, answer)
    crediting.tell(session, after, kind, id_, dn, answer)
    if session.state is State.HELD:
        payments.let_out(memory, after, answer)


def _off(memory: LotMemory, session: Session, grant: Benefit | Validation) -> int:
    """What a grant would have taken off the bill as it was made at the exit."""
    stay = Stay(min(session.entered.wall_ms, session.exited_ms), session.exited_ms, session.plate)
    if not fits(grant, stay):
        return 0

    def price(from_ms: int, to_ms: int) -> int:
        return priced(memory, session, from_ms, to_ms).amount_minor

    return session.amount_minor - lower_once(session.amount_minor, stay, grant, price).amount_minor
