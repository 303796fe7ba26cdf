"""What follows by itself when nobody pays: arrears once the term has passed, then the stages of their collection.

Owns the passing of time over stays that left. Rules: it passes by the lot's own clock, and only by one that was set; each
stage is a record and comes once; a step takes at most a few of them. Refuses to collect anything: the city does.
"""

from __future__ import annotations

from gateway.core.answer import Answer
from gateway.core.memory import LotMemory
from gateway.core.moment import ClockQuality, Moment
from gateway.core.record import Body, Draft
from gateway.core.session import State, Trigger, dunned, moved

PAST_TERM_MAX = 50
"""Stays whose term may pass in one step: it must not write more records than one message up can carry."""


def runs(now: Moment) -> bool:
    """Whether the clock can be believed so far that a term may pass by it."""
    return now.quality is not ClockQuality.UNKNOWN


def woke(memory: LotMemory, now: Moment, answer: Answer) -> None:
    """Let the terms pass of the stays that were adopted for it."""
    if not runs(now):
        return
    for session in memory.past_term(now.wall_ms):
        if session.state is State.DUE:
            body: Body = {"session": session.id, "payment": "", "amount_minor": session.owed_minor}
            answer.write(Draft("arrears", body))
            memory.put(moved(session, Trigger.OVERDUE), answer)
        else:
            after = dunned(session, now.wall_ms)
            told: Body = {"session": session.id, "stage": str(after.stage), "amount_minor": session.owed_minor}
            answer.write(Draft("dunning", told))
            memory.put(after, answer)
