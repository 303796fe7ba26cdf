"""At an exit lane: find the stay, price it, decide, write the exit record, open.

Owns the order of an exit. Rules: only a certain read of a plate that is inside, after a stay of known length, is billed; the
bill's time is the read's, so nobody pays for waiting at our barrier; a passage after an unpaid hold is arrears, never a
locked-in car.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import alarms, bleed, exit, letting, matching, pairing, wording
from gateway.core.answer import Answer, LaneState
from gateway.core.commands import OpenBarrier, PublishNotice
from gateway.core.departure import Departure, settle, source_body
from gateway.core.events import BarrierSelfOpened, BudgetSpent, PlateRead, SelfOpening, VehiclePassed
from gateway.core.exit import Outcome
from gateway.core.layout import LaneRole
from gateway.core.matching import Match
from gateway.core.memory import LotMemory
from gateway.core.moment import ClockQuality, Moment, ends_before, is_measurable
from gateway.core.near_plates import NEAR_MAX, is_near
from gateway.core.recent import Passage
from gateway.core.record import Draft, Value, plate_commitment
from gateway.core.review import doubted
from gateway.core.session import Session, State, Trigger, moved
from gateway.core.tariff import TariffError


def plate_read(memory: LotMemory, event: PlateRead, now: Moment, answer: Answer) -> None:
    """Decide an exit; another read of a vehicle that was already decided only repeats the command."""
    match = matching.find(memory, event.plate)
    decided = _decided(memory, event, match)
    if decided is not None:
        return _repeat(memory, event, decided, now, answer)
    exited = now.earlier(event.source.age_ms)
    misread = bleed.at_exit(memory, event, exited, fits=match is not None, answer=answer)
    if misread is not None:
        _stand(memory, event, misread, answer)
        answer.commands += [OpenBarrier(event.lane), wording.exit_text(event.lane, Outcome.REVIEW, 0, "")]
        return None
    if match is None:
        doubted_before = _doubted_here(memory, event)
        if doubted_before is not None and not (
            matching.is_certain(event.plate) and not matching.is_certain(doubted_before.plate)
        ):
            return _repeat(memory, event, doubted_before, now, answer)
        _one_less(memory, answer)
        _let_out_unmatched(memory, event, exited, answer)
        return None
    session = match.session
    # An early read is older than its age says: the driver would pay for the time that the node was without power. An early
    # entry is older too, which costs nobody anything, unless it then seems to follow its exit.
    if event.source.early or not is_measurable(session.entered, exited) or ends_before(session.entered, exited):
        doubted(memory, session, "length of the stay not known", answer)
        _let_out_unmatched(memory, event, exited, answer, pairs=False)
        return None
    if match.doubt is not None:
        stray = _let_out_unmatched(memory, event, exited, answer, pairs=False)
        return pairing.in_doubt(memory, session, stray, match.doubt, answer)
    departure = Departure(event.lane, exited, source=event.source)
    try:
        bill, verdict = settle(memory, session, departure, answer)
    except TariffError as error:
        # A calendar that ended must not hold the vehicle, nor charge it by a guess.
        doubted(memory, session, "price not known", answer)
        answer.commands.append(alarms.unpriced(error))
        _let_out_unmatched(memory, event, exited, answer, pairs=False)
        return None
    outcome = verdict.outcome
    memory.recent.note(LaneRole.EXIT, session.plate.identity, Passage(event.lane, session.id, exited))
    _supersede(memory, event, session.id, answer)
    _stand(memory, event, session.id, answer)
    if outcome not in exit.HOLDS:
        answer.commands.append(OpenBarrier(event.lane))
    letting.warn(event.lane, verdict, exited.wall_ms, answer)
    answer.commands += [
        wording.exit_text(event.lane, outcome, bill.amount_minor, bill.currency),
        PublishNotice(f"exit-{outcome}", event.lane, session.id, wording.masked(event.plate.text), bill.amount_minor),
    ]
    return None


def vehicle_passed(memory: LotMemory, event: VehiclePassed, now: Moment, answer: Answer) -> None:
    """The vehicle is out. A passage that no decision let out is an alarm: a tailgater or a manual opening."""
    leaving = memory.lanes[event.lane].leaving
    at_ms = now.earlier(event.source.age_ms).wall_ms
    if not leaving or not leaving[0]:
        memory.set_lane(event.lane, LaneState(leaving=leaving[1:]), answer)
        memory.exits += 1
        _one_less(memory, answer)
        alarms.unread(event.lane, "out", at_ms, answer)
        return
    memory.lane_watch.regular(event.lane, answer)
    answer.write(Draft("left", {"session": leaving[0], "lane": event.lane, "at": at_ms}))
    memory.set_lane(event.lane, LaneState(leaving=leaving[1:]), answer)
    _open_elsewhere(memory, event.lane, leaving[0], answer)
    bleed.stands_only_at(memory, event.lane, leaving[0], answer)
    release_unpaid(memory, leaving[0], answer)


def barrier_self_opened(memory: LotMemory, event: BarrierSelfOpened, now: Moment, answer: Answer) -> None:
    """The node opened by itself: write the outage; a vehicle held for payment there is let go in arrears."""
    body: dict[str, Value] = {
        "lane": event.lane,
        "kind": f"node-opened-{event.reason}",
        "at": now.earlier(event.source.age_ms).wall_ms,
    }
    answer.write(Draft("outage", body))
    if event.reason is not SelfOpening.UNANSWERED:
        for session in memory.lanes[event.lane].leaving:
            _open_elsewhere(memory, event.lane, session, answer)
            release_unpaid(memory, session, answer)


def budget_spent(event: BudgetSpent, now: Moment, answer: Answer) -> None:
    """The shell opened because a commit was late: write it down."""
    body: dict[str, Value] = {
        "lane": event.lane,
        "kind": "commit-late",
        "waited_ms": event.waited_ms,
        "at": now.wall_ms,
    }
    answer.write(Draft("outage", body))


def release_unpaid(memory: LotMemory, session_id: str, answer: Answer) -> None:
    """A vehicle held for payment is gone without it: what it owes is arrears. Nothing for any other stay."""
    session = memory.session(session_id)
    if session is not None and session.state is State.HELD:
        answer.write(Draft("arrears", {"session": session.id, "amount_minor": session.owed_minor, "payment": ""}))
        memory.put(moved(session, Trigger.RELEASED_UNPAID), answer)


def _open_elsewhere(memory: LotMemory, lane: str, session_id: str, answer: Answer) -> None:
    """The stay of a held vehicle that stands at two lanes ends at this one: at the other nothing is waited for any more."""
    session = memory.session(session_id)
    if session is not None and session.state is State.HELD:
        answer.commands += [OpenBarrier(other) for other in memory.stands_at(session) if other != lane]


def _one_less(memory: LotMemory, answer: Answer) -> None:
    """A vehicle left that fits no open stay: it had none, or its stay is open for nothing and is found as a ghost later."""
    if memory.inside > 0:
        memory.recount(memory.unlisted - 1, answer)


def _decided(memory: LotMemory, event: PlateRead, match: Match | None) -> Session | None:
    """The stay of this vehicle if its exit was decided before: it stands under this barrier, or was held at another."""
    leaving = _standing(memory, event)
    if leaving is None or leaving.plate.trace != event.plate.trace:
        return matching.held(memory, event.plate)
    # The same plate with a stay that is still open came in again, or was let out before on a read of doubt.
    open_again = match is not None and match.session.plate.identity == event.plate.identity == leaving.plate.identity
    return None if open_again else leaving


def _repeat(memory: LotMemory, event: PlateRead, session: Session, now: Moment, answer: Answer) -> None:
    lane = event.lane
    if session.state is State.HELD:
        if not _holds_here(memory, session, event, now, answer):
            return
        asked = letting.held_outcome(memory, session)
        answer.commands.append(wording.exit_text(lane, asked, session.owed_minor, memory.rules.currency))
    else:
        answer.commands.append(OpenBarrier(lane))


def _holds_here(memory: LotMemory, session: Session, event: PlateRead, now: Moment, answer: Answer) -> bool:
    """Whether a held vehicle may stand at this lane. A near lane's camera may have read it, now or before, so it stands at both
    until it passes or backs out at one: the lane that is shut when it has paid must not be the one where it is."""
    lanes = memory.stands_at(session)
    if event.lane in lanes:
        return True
    there = [memory.session(other) for other in memory.lanes[event.lane].leaving]
    if lanes and any(other is not None and other.state is State.HELD for other in there):
        # There is no room: who is held there has not backed out, and would be forgotten.
        bleed.held_elsewhere(session, event, now.earlier(event.source.age_ms), answer)
        return False
    memory.put(replace(session, lane_out=event.lane), answer)
    _stand(memory, event, session.id, answer)
    return True


def _ahead(memory: LotMemory, event: PlateRead) -> tuple[str, ...]:
    """The session that is still passing ahead of the vehicle that was read; '' for one that nobody decided."""
    return (memory.lanes[event.lane].leaving[:1] or ("",)) if event.behind else ()


def _stand(memory: LotMemory, event: PlateRead, session: str, answer: Answer) -> None:
    """This session's vehicle stands at the lane's barrier now, behind one that still passes."""
    memory.set_lane(event.lane, LaneState(leaving=(*_ahead(memory, event), session)), answer)


def _standing(memory: LotMemory, event: PlateRead) -> Session | None:
    """The stay decided before at this lane that this read may repeat: the one at the barrier, or the one that passes."""
    leaving = memory.lanes[event.lane].leaving
    candidates = [memory.session(session) for session in reversed(leaving)]
    alike = [session for session in candidates if session is not None and session.plate.trace == event.plate.trace]
    return alike[0] if alike else None


def _doubted_here(memory: LotMemory, event: PlateRead) -> Session | None:
    """The vehicle at this barrier if it was let out by a read that fitted no stay, and has not passed since."""
    leaving = memory.lanes[event.lane].leaving
    newest = memory.session(leaving[-1]) if leaving and not event.behind else None
    return newest if newest is not None and newest.state is State.REVIEW else None


def _supersede(memory: LotMemory, event: PlateRead, session: str, answer: Answer) -> None:
    """The exit that was just written is that of the vehicle which a worse read let out before."""
    before = _doubted_here(memory, event)
    if before is not None and (not matching.is_certain(before.plate) or is_near(before.plate, event.plate)):
        pairing.read_again(memory, session, before, answer)


def _let_out_unmatched(
    memory: LotMemory, event: PlateRead, exited: Moment, answer: Answer, *, pairs: bool = True
) -> Session:
    """Open, and write an exit in review; `pairs`: its stay is not known, so it may be one without a plate."""
    session, salt = answer.upcoming_id, memory.salt()
    commitment = plate_commitment(event.plate.identity, salt)
    body: dict[str, Value] = {
        "session": session,
        "lane": event.lane,
        "plate": commitment,
        "confidence": event.plate.confidence,
        "at": exited.wall_ms,
        "currency": memory.rules.currency,
        "lines": [],
        "amount_minor": 0,
        "outcome": str(Outcome.REVIEW),
        "near": [session.id for session in memory.near(event.plate)[:NEAR_MAX]],
        "source": source_body(event.source),
    }
    n = answer.write(Draft("exit", body, disclose=(event.plate.identity, salt)))
    memory.exits += 1
    _supersede(memory, event, session, answer)
    # An early read is older than its age says: nothing can be measured by it later either.
    left = replace(exited, boot="", quality=ClockQuality.UNKNOWN) if event.source.early else exited
    stray = Session(
        session,
        State.REVIEW,
        "",
        event.plate,
        n,
        left,
        lane_out=event.lane,
        exited_ms=exited.wall_ms,
        priced_n=n,
        commitment=commitment,
    )
    memory.put(stray, answer)
    _stand(memory, event, session, answer)
    unread = pairing.plateless_stay(memory, event.plate)
    if unread is not None and pairs:
        pairing.without_plate(memory, unread, stray, answer)
    answer.commands += [
        OpenBarrier(event.lane),
        wording.exit_text(event.lane, Outcome.REVIEW, 0, memory.rules.currency),
        PublishNotice("exit-review", event.lane, session, wording.masked(event.plate.text), 0),
    ]
    return stray
