"""Who may do what: an operator's command is obeyed once, or refused by name; either way it is written down and answered.

Owns the order of the checks, the record of a command, and its reply. Rules: the city's list is the only source of keys and
roles; a number is used once for each key; the same command again gets the same reply and does nothing; a record holds no plate.
Answers with the events that follow from a command, for the lot's own rules. Refuses to know signatures, topics and the clock.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from gateway.core import command_form, granting, holding, looking, refunds, settling
from gateway.core.answer import Answer
from gateway.core.city_events import EntitlementGranted, EntitlementWithdrawn, LotRecounted, Settlement
from gateway.core.command_form import BY_OPERATOR, without_plates
from gateway.core.commands import ClearAlarm, RaiseAlarm, SendReply, Severity
from gateway.core.deeds import (
    Count,
    Deed,
    Explain,
    GiveBack,
    Grant,
    HoldLane,
    Look,
    OpenLane,
    ReleaseLane,
    Settle,
    Unblock,
    Unfit,
)
from gateway.core.entitlement import Kind
from gateway.core.memory import LotMemory
from gateway.core.moment import ClockQuality, Moment
from gateway.core.operator_events import CommandArrived, OperatorsListed, StrangerCommanded
from gateway.core.record import Draft, Value, plate_commitment
from gateway.core.refusal import refused
from gateway.core.roster import Given, Known
from gateway.core.session import Session
from gateway.orders import AT_THE_BARRIER, CLOCK_ERROR_MS, Code, Reply, Verb, may

KEPT_MS = 86_400_000
"""How long a command that comes again gets its reply again; after it, its number is a replayed one."""
REFUSALS_MAX = 60
REFUSALS_MS = 3_600_000
"""Refusals that an old command, another gateway's or a key without rights can provoke: beyond so many an hour only counted."""
STRANGERS_MS = 600_000
"""Strangers are written down at most so often, with their number."""

STRANGERS_ALARM = "operators/strangers"

Follows = EntitlementGranted | EntitlementWithdrawn | LotRecounted | Settlement


def operators_listed(memory: LotMemory, event: OperatorsListed, answer: Answer) -> None:
    """Take a newer list of the city; an older one, or the same again, changes nothing.

    Another under the same version is refused, and written down once, since the broker hands it out again and again.
    """
    roster, version = memory.roster, event.listed.version
    if version <= roster.version:
        if version == roster.version and event.line != roster.line and not roster.contradicted:
            roster.contradicted = True
            answer.write(refused("operators", "", str(version), "version has another content", 0))
        return
    memory.roster.replace(event, answer.roster)
    keys = sorted(operator.key for operator in event.listed.operators)
    digest = hashlib.sha256(event.line.encode()).hexdigest()
    answer.write(Draft("operators", {"version": event.listed.version, "keys": keys, "hash": digest}))


def commanded(memory: LotMemory, event: CommandArrived, now: Moment, answer: Answer) -> tuple[Follows, ...]:
    """Obey a command or refuse it; what the lot's other rules must do about it is returned, and follows in the same step."""
    command = event.command
    given = memory.roster.recalled(command.key, command.n)
    if given is not None and given.line == event.line and now.wall_ms - given.at_ms <= KEPT_MS:
        answer.commands.append(_again(memory, given, event.deed, now))
        return ()
    known = memory.roster.find(command.key)
    if known is None:
        stranger_commanded(
            memory, StrangerCommanded(event.gateway, command.key, command.n, Code.UNKNOWN_KEY), now, answer
        )
        return ()
    refusal = judge(memory, known, event, now)
    if refusal is not None and _is_flood(memory, refusal.code, now):
        memory.roster.strangers += 1
        if now.mono_ms >= memory.roster.strangers_due_ms:
            _tell_strangers(memory, now, answer)
        _reply(event, Unfit(refusal.code, "too many of these to write down"), 0, now, answer)
        return ()
    n = _write(memory, event, refusal, answer)
    follows = _obey(memory, event, now, answer) if refusal is None else ()
    reply = _reply(event, refusal, n, now, answer)
    if refusal is None:
        _show(memory, event.deed, now, answer)
    if refusal is None or refusal.code not in (Code.WRONG_GATEWAY, Code.WRONG_LOT, Code.REPLAYED):
        opened = event.deed.lane if refusal is None and isinstance(event.deed, OpenLane) else ""
        kept = Given(
            command.key, command.n, event.line, event.signature, reply, now.wall_ms, opened, command.expires_ms
        )
        memory.roster.use(known, kept, answer.roster)
    return follows


def judge(memory: LotMemory, known: Known, event: CommandArrived, now: Moment) -> Unfit | None:
    """Why a command is refused, None if it is obeyed.

    A used number comes before the key's own state: only an unused one may be used up, also by a refusal.
    """
    command, deed = event.command, event.deed
    if isinstance(deed, Unfit) and deed.code is Code.WRONG_GATEWAY:
        return deed
    if command.lot != memory.lot.lot:
        return Unfit(Code.WRONG_LOT, f"this is lot {memory.lot.lot}")
    if memory.roster.is_used(known, command.n):
        return Unfit(Code.REPLAYED, f"numbers up to {max(known.counter, command.n)} are used")
    if known.revoked:
        return Unfit(Code.REVOKED, f"not in the city's list {memory.roster.version}")
    if known.operator.expires_ms <= now.wall_ms:
        return Unfit(Code.EXPIRED_KEY, "ask the city for a new term")
    late = _untimely(event, now)
    if late is not None:
        return late
    if isinstance(deed, Unfit):
        return deed
    if not may(known.operator.roles, Verb(command.verb)):
        return Unfit(Code.FORBIDDEN, f"{command.verb} is not for {', '.join(known.operator.roles) or 'nobody'}")
    objection = _objection(memory, deed)
    return Unfit(Code.NOT_POSSIBLE, objection) if objection else None


def stranger_commanded(memory: LotMemory, event: StrangerCommanded, now: Moment, answer: Answer) -> None:
    """Refuse a command that no listed key signed: count it, and tell and write now and then how many there were."""
    memory.roster.strangers += 1
    if now.mono_ms >= memory.roster.strangers_due_ms:
        _tell_strangers(memory, now, answer)
    reply = Reply(event.gateway, event.key, event.n, "refused", str(event.code), "", 0, now.wall_ms)
    answer.commands.append(SendReply(event.key, reply.line()))


def _untimely(event: CommandArrived, now: Moment) -> Unfit | None:
    """An unset clock knows no time: then the broker's own expiry must do for a barrier, since our fault must hold nobody."""
    command = event.command
    if now.quality is ClockQuality.UNKNOWN and command.verb in AT_THE_BARRIER:
        return None
    if now.wall_ms > command.expires_ms + CLOCK_ERROR_MS:
        return Unfit(Code.EXPIRED, f"{now.wall_ms - command.expires_ms} ms ago by this gateway's clock")
    if command.issued_ms > now.wall_ms + CLOCK_ERROR_MS:
        return Unfit(Code.NOT_YET, f"{command.issued_ms - now.wall_ms} ms ahead of this gateway's clock")
    return None


def _objection(memory: LotMemory, deed: Deed) -> str:
    match deed:
        case OpenLane(lane=lane) | HoldLane(lane=lane) | ReleaseLane(lane=lane) if lane not in memory.lanes:
            return f"no lane {lane:.64}; there are {', '.join(memory.lanes)}"[:200]
        case OpenLane(lane=lane) | HoldLane(lane=lane) if lane in memory.silent:
            return f"the node of {lane} does not answer"
        case ReleaseLane(lane=lane) if lane not in memory.roster.holds:
            return f"{lane} is not held open"
        case Unblock() if not _blocks(memory, deed.plate):
            others = [block.id for block in memory.book.blocks(deed.plate)]
            return f"blocked by the city ({others[0]})" if others else "not blocked"
        case GiveBack():
            return _not_given_back(memory.session(deed.session), deed.amount_minor)
        case Explain():
            return looking.objection(memory, deed)
        case Settle(event=event):
            return settling.objection(memory, event)
        case _:
            return ""


def _not_given_back(session: Session | None, amount_minor: int) -> str:
    """Only what was paid, is kept, and is not due back already can be given back: the city pays it, and says so."""
    reason = refunds.objection(session, amount_minor)
    if session is None or reason:
        return reason
    left_minor = session.kept_minor - session.credit_minor
    if left_minor == 0:
        return "all of it is due back already"
    return "" if amount_minor <= left_minor else f"more than the {left_minor} that are not due back already"


def _obey(memory: LotMemory, event: CommandArrived, now: Moment, answer: Answer) -> tuple[Follows, ...]:
    match event.deed:
        case OpenLane(lane=lane):
            holding.open_lane(memory, lane, answer)
        case HoldLane(lane=lane):
            holding.hold(memory, lane, event.command.key, now, answer)
        case ReleaseLane(lane=lane):
            holding.release(memory, lane, answer)
        case GiveBack(session=id_) if (session := memory.session(id_)) is not None:
            granting.lower(memory, session, ("refund", event.deed.id), event.deed.amount_minor, 0, answer)
        case Settle(event=settlement):
            return (settlement,)
        case Count():
            return (LotRecounted(BY_OPERATOR, event.deed.id, event.deed.inside),)
        case Grant():
            return (EntitlementGranted(BY_OPERATOR, event.deed.entitlement),)
        case Unblock(plate=plate):
            return tuple(EntitlementWithdrawn(BY_OPERATOR, Kind.BLOCK, id_) for id_ in _blocks(memory, plate))
    return ()


def _blocks(memory: LotMemory, plate: str) -> list[str]:
    """Ids of the blocks that operators put on a plate; the city's are the city's to end."""
    return [block.id for block in memory.book.blocks(plate) if block.id.startswith(command_form.OPERATORS_ID)]


def _write(memory: LotMemory, event: CommandArrived, refusal: Unfit | None, answer: Answer) -> int:
    command = event.command
    args, plate = ({}, "") if isinstance(event.deed, Unfit) else command_form.written(event.deed)
    body: dict[str, Value] = {
        "key": command.key,
        "n": command.n,
        "verb": without_plates(command.verb),
        "args": args,
        "reason": without_plates(command.reason, plate),
        "state": "done" if refusal is None else "refused",
        "code": str(refusal.code) if refusal is not None else "",
    }
    if not plate:
        return answer.write(Draft("command", body))
    salt = memory.salt()
    return answer.write(Draft("command", {**body, "plate": plate_commitment(plate, salt)}, disclose=(plate, salt)))


def _reply(event: CommandArrived, refusal: Unfit | None, record: int, now: Moment, answer: Answer) -> str:
    command = event.command
    granted = event.deed.entitlement.id if refusal is None and isinstance(event.deed, Grant) else ""
    done = Reply(event.gateway, command.key, command.n, "done", "", granted, record, now.wall_ms)
    if refusal is not None:
        done = replace(done, state="refused", code=str(refusal.code), detail=refusal.detail[:200])
    line = done.line()
    answer.commands.append(SendReply(command.key, line))
    return line


def _show(memory: LotMemory, deed: Deed | Unfit, now: Moment, answer: Answer) -> None:
    """Put what a question asks for into its reply, which stands last."""
    said = answer.commands[-1]
    if isinstance(deed, Look | Explain) and isinstance(said, SendReply):
        answer.commands[-1] = replace(said, line=_shown(memory, said.line, deed, now))


def _again(memory: LotMemory, given: Given, deed: Deed | Unfit, now: Moment) -> SendReply:
    """The reply that a command was given; to a question, what can be seen now, under the same record."""
    reply = Reply.from_line(given.reply)
    if isinstance(deed, Look | Explain) and isinstance(reply, Reply) and reply.state == "done":
        return SendReply(given.key, _shown(memory, given.reply, deed, now))
    return SendReply(given.key, given.reply, given.reply_signature)


def _shown(memory: LotMemory, line: str, deed: Look | Explain, now: Moment) -> str:
    reply, found = Reply.from_line(line), looking.find(memory, deed, now)
    assert isinstance(reply, Reply)
    return replace(reply, detail=found.detail, stays=found.stays, lines=found.lines, records=found.records).line()


def _is_flood(memory: LotMemory, code: Code, now: Moment) -> bool:
    """Whether so many refusals of what may not command here were written down this hour that one more helps only a flooder."""
    if code not in (Code.WRONG_GATEWAY, Code.WRONG_LOT, Code.REPLAYED, Code.REVOKED, Code.EXPIRED_KEY):
        return False
    roster = memory.roster
    if now.mono_ms - roster.refusals_from_ms >= REFUSALS_MS:
        roster.refusals, roster.refusals_from_ms = 0, now.mono_ms
    roster.refusals += 1
    return roster.refusals > REFUSALS_MAX


def tick(memory: LotMemory, now: Moment, answer: Answer) -> None:
    """Withdraw the alarm about strangers once none came for as long as they are counted together."""
    roster = memory.roster
    if not roster.strangers_due_ms or now.mono_ms < roster.strangers_due_ms:
        return
    if roster.strangers:
        _tell_strangers(memory, now, answer)
    else:
        roster.strangers_due_ms = 0
        answer.commands.append(ClearAlarm(STRANGERS_ALARM))


def _tell_strangers(memory: LotMemory, now: Moment, answer: Answer) -> None:
    cause = f"{memory.roster.strangers} commands that no listed key signed, or too many old ones."
    body: dict[str, Value] = {"alarm": STRANGERS_ALARM, "severity": "warning", "cause": cause, "at": now.wall_ms}
    answer.write(Draft("alarm", body))
    remedy = "Look for a lost tablet, or a console with an old key."
    answer.commands.append(RaiseAlarm(STRANGERS_ALARM, Severity.WARNING, cause, remedy))
    memory.roster.strangers, memory.roster.strangers_due_ms = 0, now.mono_ms + STRANGERS_MS
