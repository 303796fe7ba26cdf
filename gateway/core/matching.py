"""Which open stay a read at the exit belongs to.

Owns the question of certainty. Rules: only a certain match may debit; whatever is uncertain is None, opens, and goes to
review with its evidence. Refuses to know prices and lanes.
"""

from __future__ import annotations

from gateway.core.memory import LotMemory
from gateway.core.plate import Plate
from gateway.core.session import Session, State

CONFIDENCE_MIN = 80
"""Below this a read may open but never debit; readers call 80 of 100 the edge of their published accuracy."""


def find(memory: LotMemory, plate: Plate) -> Session | None:
    """The stay that this plate certainly ends, or None."""
    if plate.text == "" or plate.confidence < CONFIDENCE_MIN:
        return None
    session = memory.session_of(plate.identity)
    return session if session is not None and session.state is State.INSIDE else None
