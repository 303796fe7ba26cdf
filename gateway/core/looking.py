"""What an operator asks to see: stays by plate or by their state, and one stay's bill with all that happened to it.

Owns which stays answer a question, and how stays and records become rows of a reply. Rules: looking changes nothing; at most
STAYS_MAX stays; a whole plate is sought everywhere, a part of one only inside. Knows no table: what the store has found is
held in memory for the length of the step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.core.charge import Charge, charge
from gateway.core.deeds import Explain, Look
from gateway.core.memory import Looked, LotMemory, Told
from gateway.core.moment import Moment, is_measurable, stay_ms
from gateway.core.near_plates import NEAR_MAX
from gateway.core.plate import Colour
from gateway.core.plate_form import normalised
from gateway.core.session import Session, State
from gateway.core.tariff_table import TariffError
from gateway.findings import STAYS_MAX, Charged, Happened, Stay, Which

REASON_LETTERS_MAX = 60
MORE = f"only the newest {STAYS_MAX}"


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a reply, and what is to be said beside them."""

    stays: tuple[Stay, ...] = ()
    lines: tuple[Charged, ...] = ()
    records: tuple[Happened, ...] = ()
    detail: str = ""


def identities(asked: str) -> tuple[str, ...]:
    """The identities that a plate as asked for may stand under: its own colour's, or any."""
    colour, _, text = asked.partition(" ")
    return (asked,) if colour != Colour.UNKNOWN else tuple(f"{any_colour} {text}" for any_colour in Colour)


def spelled(typed: str) -> str:
    """What a person typed, as an identity: 'blue 浙A12345' as it is; without a colour it is under the colour 'unknown'."""
    colour, _, rest = typed.strip().partition(" ")
    known = colour in tuple(Colour) and bool(rest)
    return f"{colour if known else Colour.UNKNOWN} {normalised(rest if known else typed)}"


def objection(memory: LotMemory, deed: Explain) -> str:
    """Why a bill can't be explained, '' if it can."""
    return "" if _stay(memory, deed) is not None else "unknown session"


def find(memory: LotMemory, deed: Look | Explain, now: Moment) -> Found:
    """The answer; call `objection` before."""
    if isinstance(deed, Look):
        stays = _stays(memory, deed)
        return Found(tuple(_row(memory, s) for s in stays[:STAYS_MAX]), detail=MORE if len(stays) > STAYS_MAX else "")
    session = _stay(memory, deed)
    assert session is not None
    records = memory.looked.get(deed, Looked()).records
    happened = tuple(_happened(told) for told in records)
    if session.state is not State.INSIDE:
        return Found((_row(memory, session),), _lines(records), happened)
    until, detail = _price_until(memory, session, now)
    if until is None:
        return Found((_row(memory, session),), (), happened, detail)
    row = replace(_row(memory, session), amount_minor=until.amount_minor, owed_minor=until.amount_minor)
    return Found((row,), _charged(until.lines), happened, detail)


def _stays(memory: LotMemory, deed: Look) -> list[Session]:
    """The stays that a question is about, the newest first."""
    inside = memory.inside_sessions()
    found = {session.id: session for session in memory.looked.get(deed, Looked()).stays}
    match deed.which:
        case Which.INSIDE:
            found = inside
        case Which.PLATE:
            wanted, text = identities(deed.plate), deed.plate.partition(" ")[2]
            whole = len(wanted) > 1
            found |= {
                session.id: session
                for session in inside.values()
                if session.plate.identity in wanted or (whole and text in session.plate.text)
            }
    return sorted(found.values(), key=_newness, reverse=True)


def _newness(session: Session) -> tuple[int, int]:
    return max(session.exited_ms, session.entered.wall_ms), session.plate_n


def _stay(memory: LotMemory, deed: Explain) -> Session | None:
    found = memory.looked.get(deed, Looked()).stays
    return memory.session(deed.session) or (found[0] if found else None)


def _price_until(memory: LotMemory, session: Session, now: Moment) -> tuple[Charge | None, str]:
    """What a stay that is inside would cost if it left now, and what to say of it."""
    if not is_measurable(session.entered, now):
        return None, "its length is not known"
    try:
        return charge(memory, session, *stay_ms(session.entered, now)), "if it left now"
    except TariffError as error:
        return None, str(error)


def _row(memory: LotMemory, session: Session) -> Stay:
    near: Iterable[Session] = ()
    if session.state is State.REVIEW and not session.lane_in:
        near = memory.near(session.plate)[:NEAR_MAX]
    return Stay(
        session=session.id,
        plate=session.plate.identity if session.plate.text else "",
        confidence=session.plate.confidence,
        state=str(session.state),
        lane_in=session.lane_in,
        lane_out=session.lane_out,
        entered_ms=session.entered.wall_ms,
        exited_ms=session.exited_ms,
        amount_minor=session.amount_minor,
        lowered_minor=session.lowered_minor + session.written_off_minor,
        paid_minor=session.paid_minor,
        refunded_minor=session.refunded_minor,
        owed_minor=session.owed_minor,
        due_back_minor=session.credit_minor,
        stage=str(session.stage),
        near=tuple(f"{stay.id} {stay.plate.identity}" for stay in near),
    )


def _lines(records: tuple[Told, ...]) -> tuple[Charged, ...]:
    """The lines of the newest bill."""
    bills = [told.body["lines"] for told in records if told.body.get("lines")]
    return _charged(bills[-1]) if bills else ()


def _charged(lines: Iterable[Mapping[str, Any]]) -> tuple[Charged, ...]:
    return tuple(Charged(**{name: line[name] for name in Charged.FORM}) for line in lines)


def _happened(told: Told) -> Happened:
    body = told.body
    args = body.get("args", {})
    what = f"{body['verb']} {body['state']}" if told.type == "command" else told.type
    by = body.get("key") or body.get("attendant") or ""
    why = str(body.get("reason") or body.get("place") or "")[:REASON_LETTERS_MAX]
    return Happened(told.n, what, told.at_ms, body.get("amount_minor", args.get("amount_minor", 0)), str(by), why)
