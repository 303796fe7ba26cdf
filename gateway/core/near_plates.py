"""Sessions by plate, and by plates that are at most one character away.

Owns nearness: the same colour, class, drive and length, at most one character apart, whichever it is. Rules: a ticket's number
is exact, a vehicle without a plate is near to nobody; an answer costs the same with one session and with thousands, since an
exit waits for it. Refuses to know what follows from nearness.
"""

from __future__ import annotations

from gateway.core.plate import Plate
from gateway.core.plate_form import is_readable
from gateway.core.session import Session

NEAR_MAX = 4
"""Stays that are named as evidence; with more of them nothing can be told anyway."""
BLOT = "*"
"""Stands for any one character; no plate has it."""


def is_near(plate: Plate, other: Plate) -> bool:
    """Whether a reader may have taken one plate for the other by one character, whichever it is."""
    if (plate.colour, plate.vehicle, plate.energy) != (other.colour, other.vehicle, other.energy):
        return False
    if not plate.text or len(plate.text) != len(other.text):
        return False
    apart = sum(ours != theirs for ours, theirs in zip(plate.text, other.text, strict=True))
    return apart == 0 or (apart == 1 and is_readable(plate.text) and is_readable(other.text))


class NearPlates:
    """Sessions that a plate may mean, the oldest first: each stands under its plate with every one character blotted out."""

    def __init__(self) -> None:
        self._blotted: dict[str, dict[str, Session]] = {}

    def put(self, session: Session) -> None:
        """Remember a session, or its new form; its plate stays the same."""
        for key in _keys(session.plate.text):
            self._blotted.setdefault(key, {})[session.id] = session

    def remove(self, session: Session) -> None:
        """Forget a session; nothing happens if it is not known."""
        for key in _keys(session.plate.text):
            sessions = self._blotted.get(key)
            if sessions is not None and sessions.pop(session.id, None) is not None and not sessions:
                del self._blotted[key]

    def near(self, plate: Plate) -> list[Session]:
        """The sessions whose plate is at most one character from this one."""
        found = {id_: session for key in _keys(plate.text) for id_, session in self._blotted.get(key, {}).items()}
        return sorted(
            (session for session in found.values() if is_near(session.plate, plate)),
            key=lambda session: session.plate_n,
        )

    def of(self, plate: Plate) -> list[Session]:
        """The sessions of this very plate."""
        return [session for session in self.near(plate) if session.plate.identity == plate.identity]


def _keys(text: str) -> list[str]:
    return [text[:place] + BLOT + text[place + 1 :] for place in range(len(text))]
