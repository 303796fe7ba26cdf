"""What a person must know: help calls, fire, mains, lost events, silent or foreign nodes.

Owns which happening is an alarm, how urgent it is, and what to do about it. Rules: each alarm is open once under its id and
is withdrawn by its opposite; whatever came from a node under its key is also written to the ledger.
"""

from __future__ import annotations

from gateway.core.answer import Answer
from gateway.core.commands import ClearAlarm, RaiseAlarm, Severity
from gateway.core.events import (
    BarrierMoved,
    EventsLost,
    FireAlarmChanged,
    HelpCalled,
    MainsChanged,
    NodeJoined,
    NodeRefused,
    NodeWentSilent,
    Position,
)
from gateway.core.memory import Rules
from gateway.core.moment import Moment
from gateway.core.record import Draft
from gateway.core.tariff import TariffError
from gateway.core.tariff_time import local_time

CALENDAR_WARNING_DAYS = 31
"""Time to get the next year's calendar, which is announced in November."""

NodeAlarm = HelpCalled | FireAlarmChanged | MainsChanged | BarrierMoved | EventsLost


def node_event(event: NodeAlarm, now: Moment, answer: Answer) -> None:
    """Raise or withdraw the alarm that a node's event means, and write the raising down."""
    at_ms = now.earlier(event.source.age_ms).wall_ms
    match event:
        case HelpCalled(lane=lane):
            _raise(answer, f"help/{lane}", "Help button pressed.", "Speak to the driver.", at_ms=at_ms)
        case FireAlarmChanged(lane=lane, active=True):
            _raise(answer, f"fire/{lane}", "Fire alarm; the node raised the barrier.", "Clear the lane.", at_ms=at_ms)
        case FireAlarmChanged(lane=lane):
            answer.commands.append(ClearAlarm(f"fire/{lane}"))
        case MainsChanged(lane=lane, present=False):
            _raise(answer, f"mains/{lane}", "Mains power lost; barrier raised.", "Check the supply.", at_ms=at_ms)
        case MainsChanged(lane=lane):
            answer.commands.append(ClearAlarm(f"mains/{lane}"))
        case BarrierMoved(lane=lane, position=Position.FAULT):
            _raise(answer, f"barrier/{lane}", "Barrier contacts disagree.", "Look at the barrier.", at_ms=at_ms)
        case BarrierMoved(lane=lane):
            answer.commands.append(ClearAlarm(f"barrier/{lane}"))
        case EventsLost():
            answer.write(
                Draft("loss", {"uid": event.source.uid, "first": event.first, "last": event.last, "at": at_ms})
            )
            answer.commands.append(
                RaiseAlarm(
                    f"loss/{event.source.uid}",
                    Severity.WARNING,
                    f"Node {event.source.uid} dropped its events {event.first} to {event.last}.",
                    "The count is restored by its snapshot; check why the gateway was away.",
                )
            )


def bus_event(event: NodeJoined | NodeWentSilent | NodeRefused, answer: Answer) -> None:
    """Raise or withdraw what the bus itself shows; nothing of it is signed by a node, so nothing is written."""
    match event:
        case NodeWentSilent(uid=uid):
            answer.commands.append(
                RaiseAlarm(f"silent/{uid}", Severity.URGENT, f"Node {uid} does not answer.", "Check cable and power.")
            )
        case NodeJoined(uid=uid):
            answer.commands.append(ClearAlarm(f"silent/{uid}"))
        case NodeRefused(address=address, reason=reason):
            answer.commands.append(
                RaiseAlarm(
                    f"refused/{address}",
                    Severity.URGENT,
                    f"Address {address} was refused: {reason}.",
                    "Find the foreign or replaced node; commission it, or take it off the bus.",
                )
            )


def unpriced(error: TariffError) -> RaiseAlarm:
    """A stay that nobody can price, which was let out."""
    remedy = "Give lot.calendar the years that run, then restart."
    return RaiseAlarm("tariff/unpriced", Severity.URGENT, str(error)[:200], remedy)


def calendar_ending(rules: Rules, now: Moment, answer: Answer) -> None:
    """Tell a month ahead that holidays beyond a date are not known; withdrawn by a start with a longer calendar."""
    if rules.calendar is None or not rules.tariff.rules.needs_calendar:
        return
    last = rules.calendar.last
    if (last - local_time(rules.tariff.rules.zone, now.wall_ms).date()).days < CALENDAR_WARNING_DAYS:
        cause = f"Calendar {rules.calendar.name} ends on {last}."
        answer.commands.append(
            RaiseAlarm("tariff/calendar", Severity.WARNING, cause, "Install the next one and name it in lot.calendar.")
        )


def unread(lane: str, way: str, at_ms: int, answer: Answer) -> None:
    """A vehicle went 'in' or 'out' behind another, or under an open barrier, and no reader saw it."""
    alarm = f"passage/{lane}"
    answer.write(
        Draft("alarm", {"alarm": alarm, "severity": "warning", "cause": "passage without a read", "at": at_ms})
    )
    told = "A vehicle drove in without a read." if way == "in" else "A vehicle left without a read."
    answer.commands.append(RaiseAlarm(alarm, Severity.WARNING, told, "Look at the lane's pictures."))


def _raise(answer: Answer, alarm: str, cause: str, remedy: str, *, at_ms: int) -> None:
    answer.write(Draft("alarm", {"alarm": alarm, "severity": "urgent", "cause": cause, "at": at_ms}))
    answer.commands.append(RaiseAlarm(alarm, Severity.URGENT, cause, remedy))
