"""A stay ends in review: no rule may decide it alone.

Owns the record that says why. Rules: nothing in review is debited, and nothing but a person takes a stay out of it.
"""

from __future__ import annotations

from gateway.core.answer import Answer
from gateway.core.memory import LotMemory
from gateway.core.record import Draft
from gateway.core.session import Session, Trigger, moved


def doubted(memory: LotMemory, session: Session, reason: str, answer: Answer) -> None:
    """End a stay that is inside and write down why."""
    answer.write(Draft("review", {"session": session.id, "reason": reason}))
    memory.put(moved(session, Trigger.DOUBTED), answer)
