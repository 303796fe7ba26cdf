"""Who stands on a permit's spaces: several plates may share fewer spaces.

Owns the rule of the spaces: a vehicle takes a free one when it enters; without one it pays like a stranger until a vehicle of
the same permit leaves, and then takes that space from that moment. The longest inside goes first. Knows no shift and no price.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.answer import Answer
from gateway.core.book import EntitlementBook
from gateway.core.entitlement import Permit, Space
from gateway.core.session import IN_THE_LOT, Session


class Spaces:
    """Spaces taken, by session and by permit."""

    def __init__(self, book: EntitlementBook, spaces: Iterable[Space] = ()) -> None:
        self._book = book
        self._taken: dict[str, Space] = {}
        self._by_permit: dict[str, set[str]] = {}
        for space in spaces:
            self._set(space)

    def of(self, session: str) -> Space | None:
        """The space on which this stay stands."""
        return self._taken.get(session)

    def follow(self, session: Session, inside: Iterable[Session], answer: Answer) -> None:
        """Take over a stay's new form: a new one looks for a space, one that has left gives its space on."""
        if session.state in IN_THE_LOT:
            if session.id not in self._taken:
                self._take(session, self._book.permits(session.plate.identity), 0, answer)
            return
        space = self._taken.pop(session.id, None)
        if space is None:
            return
        self._by_permit[space.permit].discard(session.id)
        answer.spaces[session.id] = None
        permit = self._book.permit(space.permit)
        if permit is not None:
            self.settle(permit, inside, session.exited_ms, answer)

    def settle(self, permit: Permit, inside: Iterable[Session], from_ms: int, answer: Answer) -> None:
        """Give a permit's free spaces to its vehicles that are inside and have none, the longest inside first."""
        waiting = [s for s in inside if s.plate.identity in permit.plates and s.id not in self._taken]
        for session in sorted(waiting, key=lambda s: (s.entered.wall_ms, s.plate_n)):
            self._take(session, (permit,), from_ms, answer)

    def _take(self, session: Session, permits: Iterable[Permit], from_ms: int, answer: Answer) -> None:
        for permit in permits:
            if len(self._by_permit.get(permit.id, ())) < permit.spaces:
                space = Space(session.id, permit.id, from_ms)
                self._set(space)
                answer.spaces[session.id] = space
                return

    def _set(self, space: Space) -> None:
        self._taken[space.session] = space
        self._by_permit.setdefault(space.permit, set()).add(space.session)
