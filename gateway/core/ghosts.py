"""Ghosts: stays that are open although their vehicle is gone.

Owns the evidence that ends one: its plate enters again, it exceeds the lot's maximum stay, or the lot is empty by a count or
by its bays. Rules: nobody is debited for a ghost, it goes to review; one that was priced and held at an exit is in arrears; a
tick ends at most ENDED_MAX of them; the number of vehicles inside follows. Refuses to know lanes and prices.
"""

from __future__ import annotations

from gateway.core import pairing
from gateway.core.answer import Answer
from gateway.core.city_events import LotRecounted
from gateway.core.leaving import release_unpaid
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment, elapsed_ms
from gateway.core.record import Draft
from gateway.core.review import doubted
from gateway.core.session import Session, State, Trigger, moved

ENDED_MAX = 50
"""Ghosts that one tick ends: half of what one message up can carry, and no barrier waits for it."""

COUNT_MARGIN_MS = 15 * 60_000
"""A count takes a while: a stay that began so shortly before its end may have been missed by it."""

BAYS_FREE_MS = 6 * 3_600_000
"""Bays must all be free for so long before the lot counts as empty: longer than anybody waits in a lane or drives about."""


def entered_again(memory: LotMemory, session: Session, answer: Answer) -> None:
    """The plate of an open stay is in again, so the older stay's vehicle left unseen."""
    if pairing.ghost_explained(memory, session, answer):
        return
    _make_good(memory, answer)
    if session.state is State.HELD:
        release_unpaid(memory, session.id, answer)
    else:
        doubted(memory, session, "plate entered again", answer)


def lot_recounted(memory: LotMemory, event: LotRecounted, now: Moment) -> None:
    """A count of 0 makes ghosts of the stays that were open well before it."""
    if event.inside == 0:
        late_ms = max(0, now.wall_ms - event.origin.at_ms) if event.origin.at_ms else 0
        memory.watch.empty(now.mono_ms - late_ms - COUNT_MARGIN_MS, "lot counted empty")


def tick(memory: LotMemory, now: Moment, answer: Answer) -> None:
    """End the ghosts that are due, as far as one step may."""
    watch = memory.watch
    watch.settle(now)
    room = ENDED_MAX
    free_ms = watch.free_for_ms(memory.bays.values(), len(memory.lot.bays), now)
    if free_ms >= BAYS_FREE_MS:
        watch.empty(now.mono_ms - free_ms, "all bays free")
    if watch.emptied_ms >= 0:
        gone = watch.begun_before(watch.emptied_ms, room)
        for session in gone:
            _end(memory, session, watch.emptied_by, now, answer)
        if len(gone) < room:
            watch.emptied_ms = -1
        room -= len(gone)
    for session in watch.begun_before(now.mono_ms - memory.rules.max_stay_ms, room):
        _end(memory, session, "longer than the maximum stay", now, answer)


def _end(memory: LotMemory, session_id: str, reason: str, now: Moment, answer: Answer) -> None:
    session = memory.session(session_id)
    assert session is not None, "the watch forgets what has ended"
    if session.state is State.HELD and memory.stands_at(session):
        # It waits for its payment under our eyes: whatever the count says, it is there.
        memory.watch.put_off(session_id, now.mono_ms)
        return
    if pairing.ghost_explained(memory, session, answer):
        return
    _make_good(memory, answer)
    if session.state is State.HELD:
        release_unpaid(memory, session_id, answer)
        return
    open_s = elapsed_ms(session.entered, now) // 1000
    answer.write(Draft("unfinished", {"session": session_id, "reason": reason, "open_s": open_s}))
    memory.put(moved(session, Trigger.UNFINISHED), answer)


def _make_good(memory: LotMemory, answer: Answer) -> None:
    """A count, or an exit that fitted no stay, took this vehicle off the number inside; with its stay it would go twice."""
    if memory.unlisted < 0:
        memory.recount(memory.unlisted + 1, answer)
