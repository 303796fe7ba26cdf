"""Who asks whom at the exit: the stay's own lease, then a standing lease, then the lot's policy; and what a block adds.

Owns the gathering of what the decision in `core/exit` needs, and what the operators are told about a blocked plate.
Refuses to know bills, lanes' hardware and what an entry does.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core import exit, standing, wording
from gateway.core.answer import Answer
from gateway.core.commands import OpenBarrier, RaiseAlarm, Severity
from gateway.core.entitlement import Block, Policy
from gateway.core.exit import Outcome
from gateway.core.lease import Lease
from gateway.core.memory import LotMemory
from gateway.core.moment import Moment
from gateway.core.record import Body, Draft
from gateway.core.session import Session, State, Trigger, moved

HARDEST = (Policy.BLOCK, Policy.ATTENDANT, Policy.NOTIFY)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an exit ends: the lease on which it leaves or which it had, why no standing lease pays, and the block that spoke."""

    outcome: Outcome
    lease: Lease | None = None
    objection: str = ""
    block: Block | None = None


def judge(memory: LotMemory, session: Session, amount_minor: int, now: Moment) -> Verdict:
    """The verdict for a stay whose bill is `amount_minor`."""
    block = hardest(memory.book.blocks(session.plate.identity), at_exit=True)
    offer = standing.offer(memory, session, amount_minor, now)
    outcome = exit.decide(
        amount_minor,
        session.lease,
        memory.rules.without_lease,
        now,
        standing=offer.lease,
        block=block.exit if block is not None else None,
    )
    lease = offer.lease if outcome is Outcome.STANDING else session.lease
    objection = "" if outcome in (Outcome.FREE, Outcome.LEASE) else offer.objection
    return Verdict(outcome, lease, objection, block)


def release(memory: LotMemory, session: Session, now: Moment, answer: Answer) -> Session:
    """Let a stay out that is held at the exit, if the lease that it has now covers what it owes; returns its form after it."""
    lease = session.lease
    if session.state is not State.HELD or lease is None:
        return session
    if judge(memory, session, session.owed_minor, now).outcome is not Outcome.LEASE:
        return session
    answer.write(Draft("released", applied(session, lease)))
    after = moved(session, Trigger.RELEASED_ON_LEASE)
    memory.put(after, answer)
    for lane in memory.stands_at(after):
        text = wording.exit_text(lane, Outcome.LEASE, after.owed_minor, memory.rules.currency)
        answer.commands += [OpenBarrier(lane), text]
    return after


def applied(session: Session, lease: Lease) -> Body:
    """Body of a record that says that a lease pays a stay after its bill was made."""
    return {"session": session.id, "lease": lease.lease, "cap_minor": lease.cap_minor, "dn": lease.dn}


def held_outcome(memory: LotMemory, session: Session) -> Outcome:
    """As what a stay that is held stands at the exit: told to pay, or to wait for an attendant."""
    block = hardest(memory.book.blocks(session.plate.identity), at_exit=True)
    asked = exit.BLOCKED.get(block.exit) if block is not None else None
    held = asked or exit.WITHOUT_LEASE[memory.rules.without_lease]
    return held if held in exit.HOLDS else Outcome.PAY_HERE


def hardest(blocks: tuple[Block, ...], *, at_exit: bool) -> Block | None:
    """Of several blocks of a plate the one that asks for most, at an exit or at an entry."""
    return min(blocks, key=lambda b: HARDEST.index(b.exit if at_exit else b.entry), default=None)


def warn(lane: str, verdict: Verdict, at_ms: int, answer: Answer) -> None:
    """Tell the operators when a blocked plate is at an exit, or a vehicle waits for an attendant."""
    if verdict.block is not None:
        blocked(lane, verdict.block, verdict.block.exit, at_ms, answer)
    elif verdict.outcome is Outcome.ATTENDANT:
        alarm = f"attendant/{lane}"
        answer.commands.append(
            RaiseAlarm(alarm, Severity.WARNING, "A vehicle waits for an attendant.", "Take the money, or open by hand.")
        )


def blocked(lane: str, block: Block, policy: Policy, at_ms: int, answer: Answer) -> None:
    """Write and tell that a blocked plate is at a lane."""
    alarm = f"blocked/{lane}"
    answer.write(
        Draft("alarm", {"alarm": alarm, "severity": "warning", "cause": f"{policy} by {block.id}", "at": at_ms})
    )
    answer.commands.append(
        RaiseAlarm(alarm, Severity.WARNING, f"A blocked plate is at the lane ({block.id}).", "Look at the lane.")
    )
