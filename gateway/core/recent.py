"""Who came in or was let out a moment ago, by plate.

Owns the short memory against which near lanes and readers that repeat themselves are judged. Rules: it is of this process
alone, a restart forgets it; the newest RECENT_MAX of each kind are kept. Refuses to know what follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.layout import LaneRole
from gateway.core.moment import Moment, elapsed_ms

RECENT_MAX = 1024
"""A quarter of an hour of a lot with 1,500 vehicles an hour, in and out."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stay's entry passed at a lane, or its exit decided there, or a plate read at an entry, which has no session yet."""

    lane: str
    session: str
    at: Moment

    def apart_ms(self, other: Moment) -> int:
        """Time between the two, whichever was first."""
        return max(elapsed_ms(self.at, other), elapsed_ms(other, self.at))


class Recent:
    """The newest read at an entry, the newest entry and the newest exit of each plate."""

    def __init__(self) -> None:
        self._passages: dict[LaneRole, dict[str, Passage]] = {role: {} for role in LaneRole}
        self._reads: dict[str, Passage] = {}

    def note(self, role: LaneRole, identity: str, passage: Passage) -> None:
        """A plate came in or was let out."""
        _keep(self._passages[role], identity, passage)

    def note_read(self, identity: str, lane: str, at: Moment) -> None:
        """A plate was read at an entry."""
        _keep(self._reads, identity, Passage(lane, "", at))

    def of(self, role: LaneRole, identity: str) -> Passage | None:
        """Its newest passage of that kind."""
        return self._passages[role].get(identity)

    def read_of(self, identity: str) -> Passage | None:
        """Its newest read at an entry."""
        return self._reads.get(identity)


def _keep(passages: dict[str, Passage], identity: str, passage: Passage) -> None:
    passages.pop(identity, None)
    passages[identity] = passage
    if len(passages) > RECENT_MAX:
        del passages[next(iter(passages))]
