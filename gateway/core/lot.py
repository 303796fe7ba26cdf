"""The rules of a lot: events in, an answer out; nothing outside memory changes here.

Owns which rule applies to which event. Rules: one open stay per plate; a repeated read repeats the command and charges
nothing; whatever the outside got wrong is written down, not guessed away. Refuses to know clocks, storage, signatures,
wires and the broker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.core import (
    admission,
    alarms,
    charge,
    commissioning,
    dunning,
    entry,
    ghosts,
    granting,
    holding,
    leases,
    leaving,
    matching,
    operators,
    payments,
    platform,
    platform_money,
    settling,
    turn_back,
)
from gateway.core.answer import Answer
from gateway.core.city_events import (
    DayTallied,
    EntitlementGranted,
    EntitlementWithdrawn,
    ExitAttached,
    LeaseGranted,
    LotRecounted,
    PaymentReported,
    ReceiptArrived,
    Settlement,
)
from gateway.core.commands import OpenBarrier, PublishOccupancy
from gateway.core.deeds import Explain, GiveBack, Grant, Settle
from gateway.core.events import (
    BarrierMoved,
    BarrierSelfOpened,
    BayChanged,
    BaysReported,
    BudgetSpent,
    Commissioned,
    Event,
    EventsLost,
    FireAlarmChanged,
    GatewayStarted,
    HelpCalled,
    MainsChanged,
    NodeJoined,
    NodeRefused,
    NodeWentSilent,
    PlateRead,
    VehicleBackedOut,
    VehiclePassed,
    Woke,
)
from gateway.core.layout import LaneNode, LaneRole
from gateway.core.memory import LotMemory, PastStays
from gateway.core.moment import Moment
from gateway.core.once import Key, key_of
from gateway.core.operator_events import CommandArrived, OperatorsListed, StrangerCommanded
from gateway.core.platform_events import FeeAsked, PaymentPushed, UploadRefused
from gateway.core.record import Draft
from gateway.core.session import State

HEARTBEAT_MS = 3_600_000
"""An idle lot still signs its totals once an hour, so that a missing tail shows within that time."""


def wanted_sessions(memory: LotMemory, event: Event) -> tuple[str, ...]:
    """Ids of the sessions that an event names or takes back: the engine adopts them from the store beforehand."""
    match event:
        case CommandArrived(deed=Settle(event=asked)):
            return wanted_sessions(memory, asked)
        case CommandArrived(deed=GiveBack(session=session)):
            return (session,)
        case LeaseGranted() | PaymentReported() | UploadRefused():
            return (event.session,)
        case VehicleBackedOut():
            return turn_back.wanted(memory, event)
        case _:
            return settling.sessions_of(event) if isinstance(event, Settlement) else ()


def wanted_stays(memory: LotMemory, event: Event, now: Moment) -> list[PastStays]:
    """The ended stays that an event may still change, or that a price depends on: the engine adopts them beforehand,
    and the sessions that the event names before that. Every way to a bill is here, or its price misses the caps."""
    match event:
        case CommandArrived(deed=Settle(event=asked)):
            return wanted_stays(memory, asked, now)
        case EntitlementGranted(entitlement=granted) | CommandArrived(deed=Grant(entitlement=granted)):
            past = granting.past_stays(granted)
            before = charge.wanted_before(memory, past) if past else None
            return [stays for stays in (past, before) if stays]
        case PlateRead() if memory.rules.tariff.rules.counts_earlier:
            # The other half of its stay may be among the events of this very step.
            found = matching.find(memory, event.plate)
            read = now.earlier(event.source.age_ms)
            begun = found.session.entered if found is not None else read
            return charge.wanted_earlier(memory, [event.plate], begun.wall_ms)
        case VehiclePassed() if memory.lot.lanes[event.lane] is LaneRole.ENTRY:
            # Whoever comes in may have left already, and is billed at once.
            late = [plate for plate in memory.lanes[event.lane].waiting if memory.strays.of(plate)]
            return charge.wanted_earlier(memory, late, now.earlier(event.source.age_ms).wall_ms)
        case ExitAttached():
            session, stray = memory.session(event.session), memory.session(event.stray)
            if session is None or stray is None:
                return []
            return charge.wanted_earlier(memory, [session.plate, stray.plate], session.entered.wall_ms)
        case CommandArrived(deed=Explain(session=id_)):
            session = memory.session(id_)
            return charge.wanted_earlier(memory, [session.plate], session.entered.wall_ms) if session else []
        case FeeAsked():
            session = platform.find_stay(memory, event.plate, event.colour)
            return charge.wanted_earlier(memory, [session.plate], session.entered.wall_ms) if session else []
        case _:
            return []


def wanted_ids(event: Event) -> tuple[Key, ...]:
    """Ids about which an event's rule asks whether they were used: the engine adopts them from the store beforehand."""
    if isinstance(event, PaymentPushed):
        return (platform_money.wanted_id(event),)
    asked = event.deed.event if isinstance(event, CommandArrived) and isinstance(event.deed, Settle) else event
    return (key_of(asked),) if isinstance(asked, PaymentReported | Settlement) else ()


def wanted_day(event: Event) -> str:
    """The closed day that an event is about, '' if none: the engine adopts its figures from the store beforehand."""
    return event.day if isinstance(event, DayTallied) else ""


def wanted_past_term(event: Event, now: Moment) -> int:
    """Up to how many stays whose term has passed the engine adopts from the store beforehand."""
    return dunning.PAST_TERM_MAX if isinstance(event, Woke) and dunning.runs(now) else 0


def answer_events(memory: LotMemory, events: Sequence[Event], now: Moment, answer: Answer) -> None:
    """Apply the rules to each event in turn. `now` is when they were read; what happened earlier says so by its age."""
    for event in events:
        _answer_event(memory, event, now, answer)
        let_through = isinstance(event, BarrierMoved) and _is_let_through(memory, event.lane)
        memory.lane_watch.follow(event, let_through, now, answer)
    holding.keep_open(memory, events, now, answer)
    admission.let_waiting_in(memory, now.wall_ms, answer)
    memory.lane_watch.took(answer.commands, now)
    if now.mono_ms >= memory.heartbeat_due_ms:
        _heartbeat(memory, now, answer)
    if memory.platform is not None:
        platform.follow(memory, memory.platform, now, answer)
    memory.days.take(answer.drafts, now)
    if any(isinstance(event, Woke) for event in events):
        memory.days.close(now, answer)
    if answer.bays or answer.sessions or answer.unlisted is not None:
        answer.commands.append(occupancy(memory))


def occupancy(memory: LotMemory) -> PublishOccupancy:
    """The lot's absolute numbers."""
    occupied = sum(memory.bays.values())
    unknown = len(memory.lot.bays) - len(memory.bays)
    free = len(memory.lot.bays) - occupied - unknown
    return PublishOccupancy(free=free, occupied=occupied, unknown=unknown, inside=memory.inside)


def _answer_event(memory: LotMemory, event: Event, now: Moment, answer: Answer) -> None:
    if isinstance(event, Settlement):
        settling.settle(memory, event, now, answer)
        return
    match event:
        case PlateRead() if memory.lot.lanes[event.lane] is LaneRole.ENTRY:
            entry.plate_read(memory, event, now, answer)
        case PlateRead():
            leaving.plate_read(memory, event, now, answer)
        case VehiclePassed() if memory.lot.lanes[event.lane] is LaneRole.ENTRY:
            entry.vehicle_passed(memory, event, now, answer)
        case VehiclePassed():
            leaving.vehicle_passed(memory, event, now, answer)
        case VehicleBackedOut() if memory.lot.lanes[event.lane] is LaneRole.ENTRY:
            entry.vehicle_backed_out(memory, event, answer)
        case VehicleBackedOut():
            turn_back.vehicle_backed_out(memory, event, now, answer)
        case BarrierSelfOpened():
            leaving.barrier_self_opened(memory, event, now, answer)
        case BudgetSpent():
            leaving.budget_spent(event, now, answer)
        case LeaseGranted():
            leases.lease_granted(memory, event, now, answer)
        case PaymentReported():
            payments.payment_reported(memory, event, answer)
        case EntitlementGranted():
            granting.entitlement_granted(memory, event, answer)
        case EntitlementWithdrawn():
            granting.entitlement_withdrawn(memory, event, now, answer)
        case LotRecounted():
            granting.lot_recounted(memory, event, answer)
            ghosts.lot_recounted(memory, event, now)
        case BayChanged():
            _set_bays(memory, ((event.bay, event.occupied),), answer)
        case BaysReported():
            _set_bays(memory, event.bays, answer)
        case HelpCalled() | FireAlarmChanged() | MainsChanged() | BarrierMoved() | EventsLost():
            alarms.node_event(event, now, answer)
        case NodeJoined() | NodeWentSilent() | NodeRefused():
            _follow_node(memory, event)
            alarms.bus_event(event, answer)
        case OperatorsListed():
            operators.operators_listed(memory, event, answer)
        case CommandArrived():
            for follows in operators.commanded(memory, event, now, answer):
                _answer_event(memory, follows, now, answer)
        case StrangerCommanded():
            operators.stranger_commanded(memory, event, now, answer)
        case Commissioned():
            commissioning.commissioned(event, answer)
        case GatewayStarted():
            _started(memory, event, now, answer)
        case Woke():
            dunning.woke(memory, now, answer)
            ghosts.tick(memory, now, answer)
            operators.tick(memory, now, answer)
        case ReceiptArrived():
            pass
        case _ if memory.platform is not None:
            platform.answer_platform(memory, memory.platform, event, now, answer)


def _started(memory: LotMemory, event: GatewayStarted, now: Moment, answer: Answer) -> None:
    answer.write(Draft("start", {"version": event.version}))
    _resume_lanes(memory, answer)
    answer.commands.append(occupancy(memory))
    holding.resume(memory, now, answer)


def _resume_lanes(memory: LotMemory, answer: Answer) -> None:
    """Open again for whoever was let through: the death may have come between the commit and the command.

    The read is acknowledged, so its node no longer opens by itself; a barrier that opens for nobody lapses in the node.
    """
    answer.commands += [OpenBarrier(lane) for lane in memory.lanes if _is_let_through(memory, lane)]


def _is_let_through(memory: LotMemory, lane: str) -> bool:
    state = memory.lanes[lane]
    leaving = [memory.session(session) for session in state.leaving]
    let_out = any(session is not None and session.state is not State.HELD for session in leaving)
    return len(state.waiting) > bool(state.barred) or let_out


def _follow_node(memory: LotMemory, event: NodeJoined | NodeWentSilent | NodeRefused) -> None:
    """Know which lanes nobody can open for now."""
    lanes = {node.uid: node.lane for nodes in memory.lot.buses.values() for node in nodes if isinstance(node, LaneNode)}
    if isinstance(event, NodeWentSilent) and event.uid in lanes:
        memory.silent.add(lanes[event.uid])
    elif isinstance(event, NodeJoined):
        memory.silent.discard(lanes.get(event.uid, ""))


def _set_bays(memory: LotMemory, bays: Iterable[tuple[str, bool]], answer: Answer) -> None:
    for bay, occupied in bays:
        memory.bays[bay] = occupied
        answer.bays[bay] = occupied


def _heartbeat(memory: LotMemory, now: Moment, answer: Answer) -> None:
    alarms.calendar_ending(memory.rules, now, answer)
    first = memory.heartbeat_due_ms == 0
    memory.heartbeat_due_ms = now.mono_ms + HEARTBEAT_MS
    if first:
        return
    totals = {
        "entries": memory.entries,
        "exits": memory.exits,
        "billed_minor": memory.billed_minor,
        "inside": memory.inside,
        "occupied": sum(memory.bays.values()),
    }
    answer.write(Draft("heartbeat", totals))
    memory.book.forget(now.wall_ms, answer)
