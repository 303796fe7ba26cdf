"""At an entry lane: a read waits for its passage, and the passage opens the stay.

Owns what counts as an entry. Rules: the stay begins when the vehicle is through; a vehicle that backs out was never in; a
plate that enters while it is still inside makes the older stay a ghost: it ends in review and is never debited, or, if it was
priced and held at an exit, in arrears.
"""

from __future__ import annotations

from gateway.core import admission, alarms, bleed, ghosts, pairing, wording
from gateway.core.answer import Answer, LaneState
from gateway.core.bleed import UNREAD
from gateway.core.commands import PublishNotice
from gateway.core.events import PlateRead, VehicleBackedOut, VehiclePassed
from gateway.core.matching import is_certain
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.record import Draft, plate_commitment
from gateway.core.session import Session, State


def plate_read(memory: LotMemory, event: PlateRead, now: Moment, answer: Answer) -> None:
    """Let the vehicle in, unless the house bars it; another read of the same vehicle replaces the waiting one, unless it is the
    first to be in doubt."""
    read_at = now.earlier(event.source.age_ms)
    at_ms = read_at.wall_ms
    memory.recent.note_read(event.plate.identity, event.lane, read_at)
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
    entered = now.earlier(event.source.age_ms)
    if state.waiting:
        memory.lane_watch.regular(event.lane, answer)
    else:
        alarms.unread(event.lane, "in", entered.wall_ms, answer)
    plate = bleed.at_entry(memory, plate, event.lane, event.source, entered, answer)
    known = memory.session_of(plate.identity) if plate.text else None
    copied = known is not None and bleed.is_copy(memory, known, entered)
    if known is not None and not copied:
        ghosts.entered_again(memory, known, answer)
    salt = memory.salt()
    session, commitment = answer.upcoming_id, plate_commitment(plate.identity, salt)
    n = answer.write(
        Draft(
            "entry",
            {
                "session": session,
                "lane": event.lane,
                "plate": commitment,
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
    stay = Session(session, State.INSIDE, event.lane, plate, n, entered, commitment=commitment)
    memory.put(stay, answer)
    answer.commands.append(PublishNotice("entry", event.lane, session, wording.masked(plate.text), 0))
    if known is not None and copied:
        return bleed.inside_twice(memory, (known, stay), answer)
    if plate.text:
        bleed.came_in(memory, stay, entered, event.source, answer)
    pairing.entry_heard_late(memory, stay, answer)
    pairing.stray_is_back(memory, stay, answer)
    return None


def vehicle_backed_out(memory: LotMemory, event: VehicleBackedOut, answer: Answer) -> None:
    """Forget the newest read, unless nobody read the vehicle and the read is that of the one which passes ahead."""
    waiting = memory.lanes[event.lane].waiting
    if waiting and not (event.behind and len(waiting) < 2):
        memory.set_lane(event.lane, LaneState(waiting=waiting[:-1]), answer)
