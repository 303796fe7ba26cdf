"""Reads that are not of the vehicle that stands there: near lanes, readers that repeat themselves, copied plates.

Owns which read has no effect. Rules: one vehicle is at one place, so of two reads of a plate within seconds the one without a
passage loses its effect, and the vehicle that stands there counts as not read; it is let through, and debits nobody. A plate
that can't have left and comes in again is there twice: both stays go to review. Refuses to know bills.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core.answer import Answer
from gateway.core.events import PlateRead, Source
from gateway.core.layout import LaneRole
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from gateway.core.recent import Passage
from gateway.core.record import Draft, Value
from gateway.core.review import doubted
from gateway.core.session import Session, State

UNREAD = Plate("", Colour.UNKNOWN, Vehicle.SMALL, Energy.FUEL, 0)
"""Stands for a vehicle that drove in with no read; priced as the cheapest class until a person looks."""

BLEED_MS = 15_000
"""Two lanes side by side read one vehicle within the time that it stands there; nobody drives from one to another so fast."""

REENTRY_MS = 60_000
"""Nobody parks, leaves unseen and is back within a minute."""

REREAD_MS = 15 * 60_000
"""So long after it left, a plate that never came in again is read by mistake: the time that live systems take."""


def at_exit(memory: LotMemory, event: PlateRead, exited: Moment, *, fits: bool, answer: Answer) -> str | None:
    """None if the read is of the vehicle that stands there. Otherwise it is written down without effect, and the answer is the
    stay whose vehicle may stand there too, because its exit was decided at a near lane ('' for an unread vehicle)."""
    identity, recent = event.plate.identity, memory.recent
    if not event.plate.text:
        return None
    waits = recent.read_of(identity)
    if waits is not None and waits.apart_ms(exited) < BLEED_MS and _waits_at(memory, waits.lane, identity):
        return _ignored(answer, event.source, event.lane, exited, "waits at an entry", waits)
    entered = recent.of(LaneRole.ENTRY, identity)
    if entered is not None and entered.apart_ms(exited) < BLEED_MS:
        return _ignored(answer, event.source, event.lane, exited, "has just come in", entered)
    left = recent.of(LaneRole.EXIT, identity)
    if fits or left is None or memory.session_of(identity) is not None or left.apart_ms(exited) >= REREAD_MS:
        return None
    stands = left.session in memory.lanes[left.lane].leaving
    if stands and left.lane != event.lane and left.apart_ms(exited) < BLEED_MS:
        _ignored(answer, event.source, event.lane, exited, "leaves at another lane", left)
        return left.session
    return None if stands else _ignored(answer, event.source, event.lane, exited, "has just left", left)


def held_elsewhere(session: Session, event: PlateRead, at: Moment, answer: Answer) -> None:
    """A vehicle that is held at another exit was read at one where another is held."""
    _ignored(answer, event.source, event.lane, at, "is held at another lane", Passage(session.lane_out, session.id, at))


def at_entry(memory: LotMemory, plate: Plate, lane: str, source: Source, entered: Moment, answer: Answer) -> Plate:
    """The plate under which the vehicle that passed an entry is inside: UNREAD if the read was not of it."""
    identity, recent = plate.identity, memory.recent
    if not plate.text:
        return plate
    left = recent.of(LaneRole.EXIT, identity)
    if left is not None and left.apart_ms(entered) < BLEED_MS and left.session in memory.lanes[left.lane].leaving:
        _ignored(answer, source, lane, entered, "leaves at another lane", left)
        return UNREAD
    before = recent.of(LaneRole.ENTRY, identity)
    known = memory.session_of(identity)
    if before is None or known is None or known.id != before.session:
        return plate
    near_ms = REENTRY_MS if before.lane == lane else BLEED_MS
    if before.apart_ms(entered) < near_ms:
        _ignored(answer, source, lane, entered, "has just come in", before)
        return UNREAD
    return plate


def is_copy(memory: LotMemory, known: Session, entered: Moment) -> bool:
    """Whether the vehicle of an open stay can't have left before this entry of its plate: there are two of it."""
    before = memory.recent.of(LaneRole.ENTRY, known.plate.identity)
    return before is not None and before.session == known.id and before.apart_ms(entered) < REENTRY_MS


def inside_twice(memory: LotMemory, stays: tuple[Session, ...], answer: Answer) -> None:
    """Two stays of one plate, both certainly inside: both in review, and both vehicles still there."""
    for stay in stays:
        if stay.state is State.INSIDE:
            doubted(memory, stay, "plate inside twice", answer)
            memory.recount(memory.unlisted + 1, answer)


def came_in(memory: LotMemory, session: Session, entered: Moment, source: Source, answer: Answer) -> None:
    """A vehicle is in: at the other entries its plate was read by mistake."""
    memory.recent.note(LaneRole.ENTRY, session.plate.identity, Passage(session.lane_in, session.id, entered))
    for lane, state in memory.lanes.items():
        mine = [plate.text != "" and plate.identity == session.plate.identity for plate in state.waiting]
        if lane != session.lane_in and any(mine):
            waiting = tuple(UNREAD if own else plate for own, plate in zip(mine, state.waiting, strict=True))
            memory.set_lane(lane, replace(state, waiting=waiting), answer)
            _ignored(answer, source, lane, entered, "has just come in", Passage(session.lane_in, session.id, entered))


def stands_only_at(memory: LotMemory, lane: str, session: str, answer: Answer) -> None:
    """A stay's vehicle was at this lane: whoever stands at a near one under its name was not read."""
    for other, state in memory.lanes.items():
        if other != lane and session and session in state.leaving:
            leaving = tuple("" if one == session else one for one in state.leaving)
            memory.set_lane(other, replace(state, leaving=leaving), answer)


def _waits_at(memory: LotMemory, lane: str, identity: str) -> bool:
    return any(plate.identity == identity for plate in memory.lanes[lane].waiting)


def _ignored(answer: Answer, source: Source, lane: str, at: Moment, reason: str, other: Passage) -> str:
    body: dict[str, Value] = {"lane": lane, "at": at.wall_ms, "reason": reason}
    named: dict[str, Value] = {"uid": source.uid, "log": source.log, "seq": source.seq}
    answer.write(Draft("ignored", {**body, "other": other.lane, "session": other.session, "source": named}))
    return ""
