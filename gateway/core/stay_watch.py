"""Since when each open stay is open, on this boot's monotonic clock, the longest first.

Owns the index by which ghosts are found without looking at every stay, and the two facts that make a lot empty: a count of
0, and bays that are all free. Rules: an unknown length counts from the first moment that this process saw the stay; nothing of
it is stored, so a restart makes a ghost live longer, never shorter. Refuses to know what follows.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.moment import Moment, elapsed_ms, is_measurable
from gateway.core.session import IN_THE_LOT, Session


class StayWatch:
    """Begin of the open stays. `emptied_ms`: monotonic ms at which the lot was empty, -1 if it never was."""

    def __init__(self) -> None:
        self.emptied_ms = -1
        self.emptied_by = ""
        self._free_since_ms = -1
        self._new: dict[str, Session] = {}
        self._begun_ms: dict[str, int] = {}

    def follow(self, session: Session) -> None:
        """Take over a stay's new form."""
        if session.state not in IN_THE_LOT:
            self._new.pop(session.id, None)
            self._begun_ms.pop(session.id, None)
        elif session.id not in self._begun_ms:
            self._new[session.id] = session

    def settle(self, now: Moment) -> None:
        """Sort in what began since the last call."""
        begun = [(_begun_ms(session, now), session.id) for session in self._new.values()]
        self._begun_ms.update((session, begun_ms) for begun_ms, session in sorted(begun))
        self._new.clear()

    def begun_before(self, mono_ms: int, limit: int) -> list[str]:
        """Up to `limit` ids of stays that are open since before a moment, from the longest on."""
        found: list[str] = []
        for session, begun_ms in self._begun_ms.items():
            if begun_ms >= mono_ms or len(found) == limit:
                break
            found.append(session)
        return found

    def put_off(self, session: str, begun_ms: int) -> None:
        """Let a stay count from a later moment."""
        self._begun_ms.pop(session, None)
        self._begun_ms[session] = begun_ms

    def empty(self, mono_ms: int, by: str) -> None:
        """The lot was empty at a moment; `by` says how that is known."""
        self.emptied_ms, self.emptied_by = mono_ms, by

    def free_for_ms(self, occupied: Iterable[bool], bays: int, now: Moment) -> int:
        """How long all bays of the lot have been known and free; 0 while one is not."""
        known = list(occupied)
        if not bays or len(known) < bays or any(known):
            self._free_since_ms = -1
            return 0
        if self._free_since_ms < 0:
            self._free_since_ms = now.mono_ms
        return now.mono_ms - self._free_since_ms


def _begun_ms(session: Session, now: Moment) -> int:
    known = is_measurable(session.entered, now)
    return now.mono_ms - (elapsed_ms(session.entered, now) if known else 0)
