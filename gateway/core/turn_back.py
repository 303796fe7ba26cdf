"""At an exit: a vehicle that was decided backs out again, so its exit did not take place.

Owns the reversal. Rules: an exit that was written is reversed by a record that names it, its postings are booked back, and the
stay is inside again, to be billed once at its true exit; a held stay stays held for the bill that it was told; a bill that was
paid meanwhile stands. Refuses to know prices and how money is returned.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import bleed
from gateway.core.answer import Answer, LaneState
from gateway.core.commands import PublishNotice, RaiseAlarm, Severity
from gateway.core.events import VehicleBackedOut
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.posting import billed
from gateway.core.record import Draft, Value
from gateway.core.session import Session, State, Trigger, may, moved
from gateway.core.wording import masked


def vehicle_backed_out(memory: LotMemory, event: VehicleBackedOut, now: Moment, answer: Answer) -> None:
    """Take back what was decided for the vehicle at the barrier, if anything was."""
    leaving = memory.lanes[event.lane].leaving
    if not leaving or (event.behind and len(leaving) < 2):
        # Nobody read it: what stands in the lane's state is the vehicle that passes ahead of it.
        return
    memory.set_lane(event.lane, LaneState(leaving=leaving[:-1]), answer)
    session = memory.session(leaving[-1])
    if session is not None and session.state is State.HELD:
        # It may have come from here to the lane where it was read since.
        return
    bleed.stands_only_at(memory, event.lane, leaving[-1], answer)
    if session is None:
        return
    at_ms = now.earlier(event.source.age_ms).wall_ms
    if not session.lane_in:
        _review_exit_back(memory, session, event.lane, at_ms, answer)
    else:
        _stay_back(memory, session, event.lane, at_ms, answer)


def wanted(memory: LotMemory, event: VehicleBackedOut) -> tuple[str, ...]:
    """Id of the stay that the review exit at this barrier is paired with, '' for none."""
    leaving = memory.lanes[event.lane].leaving
    session = memory.session(leaving[-1]) if leaving else None
    return (session.pair,) if session is not None and not session.lane_in else ()


def _review_exit_back(memory: LotMemory, stray: Session, lane: str, at_ms: int, answer: Answer) -> None:
    """A review exit did not take place, nor did what followed from it for the stay that it was paired with."""
    stay = memory.session(stray.pair)
    if stay is None or stay.pair != stray.id:
        stay = None
    elif stay.exited_ms:
        # It was billed by this exit. What became of the bill decides; the exit itself was one with it, and goes the same way.
        if _stay_back(memory, stay, lane, at_ms, answer) and may(stray, Trigger.TAKEN_BACK):
            _take_back(memory, stray, {"lane": lane, "at": at_ms}, answer)
        return
    if not may(stray, Trigger.TAKEN_BACK):
        _paid_and_back(memory, stray, lane, at_ms, answer)
        return
    memory.exits -= 1
    if stay is None or not may(stay, Trigger.TURNED_BACK):
        _take_back(memory, stray, {"lane": lane, "at": at_ms}, answer)
        memory.recount(memory.unlisted + 1, answer)
        return
    _take_back(memory, stray, {"lane": lane, "at": at_ms, "stay": stay.id}, answer)
    _inside_again(memory, replace(stay, pair=""), lane, answer)


def _take_back(memory: LotMemory, stray: Session, told: dict[str, Value], answer: Answer) -> None:
    body: dict[str, Value] = {"session": stray.id, "exited": stray.exited_ms, "amount_minor": 0}
    answer.write(Draft("reversed", {**body, **told}))
    memory.put(moved(stray, Trigger.TAKEN_BACK), answer)


def _stay_back(memory: LotMemory, session: Session, lane: str, at_ms: int, answer: Answer) -> bool:
    """The stay as it was before its exit, if nothing of its bill was settled; whether it is."""
    settled = session.paid_minor or session.lowered_minor or session.written_off_minor
    if not may(session, Trigger.TURNED_BACK) or settled:
        _paid_and_back(memory, session, lane, at_ms, answer)
        return False
    body: dict[str, Value] = {"session": session.id, "lane": lane, "at": at_ms, "exited": session.exited_ms}
    n = answer.write(Draft("reversed", {**body, "amount_minor": session.amount_minor}))
    answer.postings += billed(n, session.id, -session.amount_minor)
    memory.exits -= 1
    memory.billed_minor -= session.amount_minor
    memory.book.restore(session.plate.identity, session.exited_ms, answer)
    trusted = memory.debts.distrust(session.id, answer)
    lease = None if trusted else session.lease
    back = replace(session, lane_out="", exited_ms=0, amount_minor=0, priced_n=0, lease=lease, pair="")
    _inside_again(memory, back, lane, answer)
    return True


def _inside_again(memory: LotMemory, stay: Session, lane: str, answer: Answer) -> None:
    again = memory.session_of(stay.plate.identity)
    back = moved(stay, Trigger.TURNED_BACK)
    memory.put(back, answer)
    answer.commands.append(PublishNotice("exit-reversed", lane, back.id, masked(back.plate.text), 0))
    if again is not None and again.state is State.INSIDE:
        bleed.inside_twice(memory, (back, again), answer)


def _paid_and_back(memory: LotMemory, session: Session, lane: str, at_ms: int, answer: Answer) -> None:
    """Whoever paid and stays is inside without a stay; it leaves in review, and only a person may ask for more."""
    memory.recount(memory.unlisted + 1, answer)
    alarm, cause = f"turned-back/{lane}", f"turned back after session {session.id} was {session.state}"
    answer.write(Draft("alarm", {"alarm": alarm, "severity": "warning", "cause": cause, "at": at_ms}))
    told = "A vehicle turned back at the exit after its stay was paid."
    answer.commands.append(RaiseAlarm(alarm, Severity.WARNING, told, "Agree with the driver on the rest of the stay."))
