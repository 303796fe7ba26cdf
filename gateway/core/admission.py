"""May this vehicle come in? House rules and blocks at an entry, before its barrier.

Owns what keeps a barrier down and the record of it. Rules: only a certain read is held against a plate; exempt vehicles enter a
full lot; a vehicle that waits because the lot is full enters as soon as it is not; whoever opens by hand decides for the lot.
Refuses to know what an entry does once the vehicle is through.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.core import benefit, wording
from gateway.core.answer import Answer
from gateway.core.commands import OpenBarrier
from gateway.core.entitlement import Policy, WhenFull
from gateway.core.letting import blocked, hardest
from gateway.core.matching import is_certain
from gateway.core.memory import LotMemory
from gateway.core.plate import Plate
from gateway.core.record import Draft, Value


class Bar(StrEnum):
    """Why an entry stays closed; the word stands in the record and in the lane's state."""

    OPEN = ""
    FULL = "full"
    BLOCKED = "blocked"
    ATTENDANT = "attendant"


BARS: dict[Policy, Bar] = {Policy.BLOCK: Bar.BLOCKED, Policy.ATTENDANT: Bar.ATTENDANT, Policy.NOTIFY: Bar.OPEN}


def judge(memory: LotMemory, plate: Plate, now_ms: int) -> Bar:
    """What keeps this vehicle out now."""
    block = hardest(memory.book.blocks(plate.identity), at_exit=False) if is_certain(plate) else None
    bar = BARS[block.entry] if block is not None else Bar.OPEN
    return Bar.FULL if bar is Bar.OPEN and _is_full_for(memory, plate, now_ms) else bar


def tell(memory: LotMemory, lane: str, plate: Plate, bar: Bar, *, again: bool, at_ms: int, answer: Answer) -> None:
    """Open, or show why not; `again`: this vehicle was told the same before, which is not recorded twice."""
    block = hardest(memory.book.blocks(plate.identity), at_exit=False) if is_certain(plate) else None
    if bar is Bar.OPEN:
        rules = memory.book.rules
        answer.commands += [OpenBarrier(lane), wording.welcome(lane, rules.sign if rules is not None else "")]
    else:
        answer.commands.append(wording.barred_text(lane, bar))
    if again:
        return
    if bar is not Bar.OPEN:
        body: dict[str, Value] = {"lane": lane, "reason": str(bar), "inside": memory.inside, "at": at_ms}
        answer.write(Draft("turned-away", body))
    if block is not None:
        blocked(lane, block, block.entry, at_ms, answer)


def let_waiting_in(memory: LotMemory, now_ms: int, answer: Answer) -> None:
    """Open for vehicles that waited because the lot was full, as far as there is room now."""
    for lane, state in memory.lanes.items():
        if state.barred == Bar.FULL and state.waiting:
            plate = state.waiting[-1]
            if not _is_full_for(memory, plate, now_ms):
                memory.set_lane(lane, state.unbarred(), answer)
                tell(memory, lane, plate, Bar.OPEN, again=True, at_ms=now_ms, answer=answer)


def _is_full_for(memory: LotMemory, plate: Plate, now_ms: int) -> bool:
    rules = memory.book.rules
    if rules is None or rules.full is WhenFull.OPEN or _expected(memory) < rules.capacity:
        return False
    if benefit.exemptions(plate, memory.book):
        return False
    permits = memory.book.permits(plate.identity)
    return rules.full is WhenFull.REFUSE or not any(p.from_ms <= now_ms < p.to_ms for p in permits)


def _expected(memory: LotMemory) -> int:
    """Vehicles inside, and those under way to it through an entry that was opened for them."""
    return memory.inside + sum(len(state.waiting) - bool(state.barred) for state in memory.lanes.values())
