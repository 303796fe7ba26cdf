"""At an entry lane: a read waits for its passage, and the passage opens the stay.

Owns what counts as an entry. Rules: the stay begins when the vehicle is through; a vehicle that backs out was never in; a
plate that enters while it is still inside makes the older stay a ghost: it ends in review and is never debited, or, if it was
priced and held at an exit, in arrears.
"""

from __future__ import annotations

from gateway.core import admission, wording
from gateway.core.answer import Answer, LaneState
from gateway.core.commands import PublishNotice
from gateway.core.events import PlateRead, VehicleBackedOut, VehiclePassed
from gateway.core.leaving import release_unpaid
from gateway.core.matching import is_certain
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from gateway.core.record import Draft, plate_commitment
from gateway.core.review import doubted
from gateway.core.session import Session, State

UNREAD = Plate("", Colour.UNKNOWN, Vehicle.SMALL, Energy.FUEL, 0)
"""Stands for a vehicle that drove in with no read; priced as the cheapest class until a person looks."""


def plate_read(memory: LotMemory, event: PlateRead, now: Moment, answer: Answer) -> None:
    """Let the vehicle in, unless the house bars it; another read of the same vehicle replaces the waiting one, unless it is the
    first to be in doubt."""
    at_ms = now.earlier(event.source.age_ms).wall_ms
    before = memory.lanes[event.lane]
    waiting = before.waiting
    ahead = (waiting[:1] or (UNREAD,)) if event.behind else ()
    known = waiting[len(ahead) :]
    again = bool(ahead) and ahead[0].trace == event.plate.trace
    if not again and (not known or is_certain(event.plate) or not is_certain(known[0])):
        memory.set_lane(event.lane, LaneState(waiting=ahead), answer)
        bar = admission.judge(memory, event.plate, at_ms)
        memory.set_lane(event.lane, LaneState(waiting=(*ahead, event.plate), barred=bar), answer)
        told = before.barred == bar and bool(known) and known[0].trace == event.plate.trace
    else:
        bar, told = admission.Bar(before.barred if known else ""), True
    admission.tell(memory, event.lane, event.plate, bar, again=told, at_ms=at_ms, answer=answer)


def vehicle_passed(memory: LotMemory, event: VehiclePassed, now: Moment, answer: Answer) -> None:
    """Open the stay of the vehicle that is now inside."""
    state = memory.lanes[event.lane]
    plate = state.waiting[0] if state.waiting else UNREAD
    rest = state.waiting[1:]
    memory.set_lane(event.lane, LaneState(waiting=rest, barred=state.barred if rest else ""), answer)
    _end_ghost(memory, plate, answer)
    entered = now.earlier(event.source.age_ms)
    salt = memory.salt()
    session = answer.upcoming_id
    n = answer.write(
        Draft(
            "entry",
            {
                "session": session,
                "lane": event.lane,
                "plate": plate_commitment(plate.identity, salt),
                "vehicle": str(plate.vehicle),
                "energy": str(plate.energy),
                "confidence": plate.confidence,
                "at": entered.wall_ms,
                "source": {"uid": event.source.uid, "log": event.source.log, "seq": event.source.seq},
            },
            disclose=(plate.identity, salt),
        )
    )
    memory.entries += 1
    memory.put(Session(session, State.INSIDE, event.lane, plate, n, entered), answer)
    answer.commands.append(PublishNotice("entry", event.lane, session, wording.masked(plate.text), 0))


def vehicle_backed_out(memory: LotMemory, event: VehicleBackedOut, answer: Answer) -> None:
    """Forget the newest read; an exit that was let out and turned back stays billed until a person decides."""
    waiting = memory.lanes[event.lane].waiting
    if waiting:
        memory.set_lane(event.lane, LaneState(waiting=waiting[:-1]), answer)


def _end_ghost(memory: LotMemory, plate: Plate, answer: Answer) -> None:
    ghost = memory.session_of(plate.identity) if plate.text else None
    if ghost is None:
        return
    if memory.unlisted < 0:
        # A count found fewer vehicles than stays; this stay was one of those too many.
        memory.recount(memory.unlisted + 1, answer)
    if ghost.state is State.HELD:
        release_unpaid(memory, ghost.id, answer)
    else:
        doubted(memory, ghost, "plate entered again", answer)
