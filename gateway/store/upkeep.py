"""What a quiet moment does for the ledger's disk: a look at the room that is left, and at what was written long ago.

Owns when that is done, and the alarms about it. Rules: a little at a time, since a step may come; an alarm is told once and
withdrawn by itself where the cause can go. Refuses to know keys, and to put anything right.
"""

from __future__ import annotations

from gateway.core.commands import ClearAlarm, Command, RaiseAlarm, Severity
from gateway.core.moment import Moment
from gateway.store.journal import Journal
from gateway.store.reserve import Room
from gateway.store.scrub import Signed

ROOM_EVERY_MS = 60_000
"""How often the room for the ledger is looked at: a card fills over hours."""

SCRUB_EVERY_MS = 7 * 86_400_000
"""The whole ledger is read again once a week, and after every start, a little in each quiet moment."""

ROOM_ALARMS = {
    Room.LOW: RaiseAlarm(
        "disk/low", Severity.WARNING, "The ledger's disk is nearly full.", "Make room on it this week."
    ),
    Room.NONE: RaiseAlarm("disk/full", Severity.URGENT, "The ledger's disk is full.", "Make room on it now."),
}


class Upkeep:
    """Of one journal, from a start of the gateway on."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._room = Room.PLENTY
        self._room_due_ms = 0
        self._scrub_due_ms = 0
        self._notices: list[Command] = []

    def go_on(self, now: Moment, signed: Signed) -> None:
        """Do what is due at `now`."""
        if now.mono_ms >= self._room_due_ms:
            self._room_due_ms = now.mono_ms + ROOM_EVERY_MS
            self._look_at_room()
        if now.mono_ms >= self._scrub_due_ms:
            self._scrub(now, signed)

    def notices(self) -> list[Command]:
        """The alarms since this was asked before."""
        told, self._notices = self._notices, []
        return told

    def _look_at_room(self) -> None:
        before, self._room = self._room, self._journal.room()
        if before is self._room:
            return
        if before in ROOM_ALARMS:
            self._notices.append(ClearAlarm(ROOM_ALARMS[before].alarm))
        if self._room in ROOM_ALARMS:
            self._notices.append(ROOM_ALARMS[self._room])

    def _scrub(self, now: Moment, signed: Signed) -> None:
        ended, found = self._journal.scrub(signed)
        if ended:
            self._scrub_due_ms = now.mono_ms + SCRUB_EVERY_MS
        if found is not None:
            cause = f"Record {found.n} of the ledger is damaged: {found.what}."
            remedy = "Replace the card; restore the ledger from its backup and the city's copy."
            self._notices.append(RaiseAlarm("ledger/damaged", Severity.URGENT, cause, remedy))
