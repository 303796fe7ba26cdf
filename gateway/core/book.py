"""The book of entitlements: what the city granted, found by id and by plate, withdrawn by id.

Owns the index and the rule of an id: it means one thing for ever, so the same grant again changes nothing and another grant
under it is refused, withdrawn or not. What ended stays for `KEPT_MS` to keep that rule, then it is forgotten. Refuses to know
who may leave and what a bill is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.core.answer import Answer
from gateway.core.entitlement import (
    KIND_OF,
    Benefit,
    Block,
    Entitlement,
    Exemption,
    Held,
    Kind,
    LotExposure,
    LotRules,
    Permit,
    Standing,
    Suspension,
    Validation,
    plates_of,
    runs_out_ms,
)

KEPT_MS = 30 * 24 * 3_600_000
"""How long an ended entitlement still guards its id: the city repeats for hours, people make mistakes for weeks."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the book says about a grant: `same` as one that it has, or what stands against it ('' for nothing)."""

    same: bool
    objection: str


class EntitlementBook:
    """All entitlements of a lot in memory; changes go into the answer as well."""

    def __init__(self, held: Iterable[Held] = ()) -> None:
        self._held: dict[tuple[Kind, str], Held] = {}
        self._by_plate: dict[str, set[tuple[Kind, str]]] = {}
        for one in held:
            self._keep(one)

    def known(self, entitlement: Entitlement) -> Known:
        """Whether a grant is a repeat, and what stands against it if it is not."""
        found = self._held.get((KIND_OF[type(entitlement)], entitlement.id))
        if found is None:
            return Known(False, "")
        same = found.entitlement == entitlement
        if same and not found.ended_ms:
            return Known(True, "")
        return Known(False, "id has ended" if same else "id has another content")

    def find(self, kind: Kind, id_: str) -> Held | None:
        """What is held under an id, ended or not."""
        return self._held.get((kind, id_))

    def grant(self, entitlement: Entitlement, dn: int, answer: Answer) -> None:
        """Take in what `known` does not object to."""
        self._change(Held(entitlement, dn, 0), answer)

    def end(self, kind: Kind, id_: str, ended_ms: int, answer: Answer) -> None:
        """End what is held under an id: withdrawn, or used up. KeyError if there is nothing."""
        self._change(replace(self._held[kind, id_], ended_ms=max(1, ended_ms)), answer)

    def restore(self, identity: str, ended_ms: int, answer: Answer) -> None:
        """Give back the validations for one exit that an exit at this moment used up: it did not take place."""
        for held in list(self._held.values()):
            grant = held.entitlement
            used = isinstance(grant, Validation) and grant.single and held.ended_ms == ended_ms
            if used and identity in plates_of(grant):
                self._change(replace(held, ended_ms=0), answer)

    def forget(self, now_ms: int, answer: Answer) -> None:
        """Drop what ended so long ago that nobody asks for its id any more."""
        for key, held in list(self._held.items()):
            ended_ms = held.ended_ms or runs_out_ms(held.entitlement)
            if ended_ms and ended_ms + KEPT_MS < now_ms:
                del self._held[key]
                for plate in plates_of(held.entitlement):
                    self._drop(plate, key)
                answer.forgotten.append(key)

    def standing(self, identity: str) -> tuple[Standing, ...]:
        """The standing leases of a plate, by id."""
        return tuple(e for e in self._of(identity) if isinstance(e, Standing))

    def is_suspended(self, identity: str) -> bool:
        """Whether the city told that a plate's standing leases rest."""
        return any(isinstance(e, Suspension) for e in self._of(identity))

    def permits(self, identity: str) -> tuple[Permit, ...]:
        """The permits that name a plate, by id."""
        return tuple(e for e in self._of(identity) if isinstance(e, Permit))

    def permit(self, id_: str) -> Permit | None:
        """A permit by its id; one that was withdrawn ran out at that moment."""
        held = self._held.get((Kind.PERMIT, id_))
        if held is None or not isinstance(held.entitlement, Permit):
            return None
        permit = held.entitlement
        return replace(permit, to_ms=min(permit.to_ms, held.ended_ms)) if held.ended_ms else permit

    def exemptions(self, identity: str) -> tuple[Exemption, ...]:
        """Exemptions that name the plate, and those for a mark, by id."""
        return tuple(e for e in self._of(identity, "") if isinstance(e, Exemption))

    def benefits(self, identity: str) -> tuple[Benefit, ...]:
        """Benefits that name the plate, and those for a class, by id."""
        return tuple(e for e in self._of(identity, "") if isinstance(e, Benefit))

    def validations(self, identity: str) -> tuple[Validation, ...]:
        """The validations of a plate, by id."""
        return tuple(e for e in self._of(identity) if isinstance(e, Validation))

    def blocks(self, identity: str) -> tuple[Block, ...]:
        """The blocks of a plate, by id."""
        return tuple(e for e in self._of(identity) if isinstance(e, Block))

    @property
    def exposure(self) -> LotExposure | None:
        """The limit for the lot's standing debts; the highest id counts."""
        found = [e for e in self._of("") if isinstance(e, LotExposure)]
        return found[-1] if found else None

    @property
    def rules(self) -> LotRules | None:
        """The house rules; the highest id counts."""
        found = [e for e in self._of("") if isinstance(e, LotRules)]
        return found[-1] if found else None

    def _of(self, *identities: str) -> list[Entitlement]:
        """What names one of these plates ('': what names none) and has not ended, by kind and id."""
        keys = sorted({key for identity in identities for key in self._by_plate.get(identity, ())})
        return [self._held[key].entitlement for key in keys]

    def _change(self, held: Held, answer: Answer) -> None:
        self._keep(held)
        answer.held[held.key] = held

    def _keep(self, held: Held) -> None:
        self._held[held.key] = held
        for plate in plates_of(held.entitlement) or ("",):
            if held.ended_ms:
                self._drop(plate, held.key)
            else:
                self._by_plate.setdefault(plate, set()).add(held.key)

    def _drop(self, plate: str, key: tuple[Kind, str]) -> None:
        keys = self._by_plate.get(plate, set())
        keys.discard(key)
        if not keys:
            self._by_plate.pop(plate, None)
