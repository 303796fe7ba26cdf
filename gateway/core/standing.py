"""Standing leases: may this stay leave on a promise that was made beforehand, while the city can't be asked?

Owns the limits: the cap of one stay, what may be open on the plate, what may be open on the lot, and the rest while anything is
in arrears. Refuses to know who is asked first and what happens without one.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.entitlement import Kind, Standing
from gateway.core.lease import Lease, covers
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.session import Session


@dataclass(frozen=True, slots=True)
class Offer:
    """A standing lease that pays, or why none does; both empty for a plate that has none."""

    lease: Lease | None = None
    objection: str = ""


def offer(memory: LotMemory, session: Session, amount_minor: int, now: Moment) -> Offer:
    """The first standing lease of the stay's plate that pays its bill now; the objection is that of the last one."""
    identity = session.plate.identity
    found = memory.book.standing(identity)
    if not found:
        return Offer()
    if memory.book.is_suspended(identity):
        return Offer(objection="suspended")
    if memory.debts.has_arrears(identity):
        return Offer(objection="arrears")
    objection = ""
    for standing in found:
        lease = _lease(memory, standing)
        objection = _objection(memory, standing, lease, identity, amount_minor=amount_minor, now=now)
        if not objection:
            return Offer(lease)
    return Offer(objection=objection)


def _objection(
    memory: LotMemory, standing: Standing, lease: Lease, identity: str, *, amount_minor: int, now: Moment
) -> str:
    lot = memory.book.exposure
    if not covers(lease, 0, now):
        return "expired"
    if amount_minor > standing.cap_minor:
        return "cap"
    if memory.debts.standing_of(identity) + amount_minor > standing.exposure_minor:
        return "plate-exposure"
    if lot is not None and memory.debts.standing_minor + amount_minor > lot.cap_minor:
        return "lot-exposure"
    return ""


def _lease(memory: LotMemory, standing: Standing) -> Lease:
    held = memory.book.find(Kind.STANDING, standing.id)
    assert held is not None
    return Lease(standing.id, standing.cap_minor, standing.expires_ms, held.dn)
