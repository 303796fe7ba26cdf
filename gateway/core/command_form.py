"""How the arguments of each verb read, and how they stand in a record.

Owns one table. Rules: exactly the members of the form; a grant gets its id from the command, so that it is the same grant
however often the command comes; a record's arguments hold no plate. Knows neither signatures nor who may do what.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from gateway import forms
from gateway.core import entitlement_form
from gateway.core.city_events import BillVoided, CashTaken, ExitAttached, Origin, ShiftClosed, ShiftOpened
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
from gateway.core.entitlement import Benefit, Block, Kind, Validation
from gateway.core.looking import spelled
from gateway.core.record import Value
from gateway.findings import ASKED_BYTES_MAX, FRAGMENT_LETTERS_MIN, Which
from gateway.forms import Form, Rejection
from gateway.orders import Code, Command, Verb, lifetime_ms

OPERATORS_ID = "op/"
"""Begins the id of every grant by an operator; what follows is the key and the command's number."""
BY_OPERATOR = Origin(0, "", b"")
"""Stands for the city's line where the lot's rules ask for one."""

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
PLATE_LIKE = re.compile(rf"[{PROVINCES}]\s?[A-Za-z][\s·.-]?[A-Za-z0-9]{{3,6}}")


def deed_id(command: Command) -> str:
    """Id of what a command grants or counts."""
    return f"{OPERATORS_ID}{command.key}/{command.n}"


def read(command: Command, gateway: str) -> Deed | Unfit:
    """What a command to this gateway asks for, or why nothing can be read in it."""
    if command.gw != gateway:
        return Unfit(Code.WRONG_GATEWAY, f"for {command.gw:.64}")
    if command.verb not in tuple(Verb):
        return Unfit(Code.UNKNOWN_VERB, command.verb)
    if command.expires_ms - command.issued_ms > lifetime_ms(command.verb):
        return Unfit(Code.BAD_ARGS, f"{command.verb} may live {lifetime_ms(command.verb)} ms at most")
    deed = VERBS[Verb(command.verb)](command)
    return Unfit(Code.BAD_ARGS, deed.detail) if isinstance(deed, Rejection) else deed


def written(deed: Deed) -> tuple[Mapping[str, Value], str]:
    """A deed's arguments as a record holds them, and the plate that they name, '' if none."""
    match deed:
        case OpenLane() | HoldLane() | ReleaseLane():
            return {"lane": deed.lane}, ""
        case Count():
            return {"inside": deed.inside}, ""
        case Unblock():
            return {}, deed.plate
        case GiveBack():
            return {"session": deed.session, "amount_minor": deed.amount_minor}, ""
        case Look():
            return {"which": str(deed.which)}, deed.plate
        case Explain():
            return {"session": deed.session}, ""
        case Grant():
            return _granted(deed.entitlement)
        case Settle(event=event):
            return {field.name: getattr(event, field.name) for field in fields(event) if field.name in TOLD}, ""


def without_plates(reason: str, plate: str = "") -> str:
    """A person's words without what looks like a plate, or is this plate's: the chain must not hold one."""
    text = plate.partition(" ")[2]
    return PLATE_LIKE.sub("***", reason.replace(text, "***") if text else reason)


def _granted(given: Validation | Benefit | Block) -> tuple[Mapping[str, Value], str]:
    match given:
        case Block():
            return {"entry": str(given.entry), "exit": str(given.exit)}, given.plate
        case Validation():
            lowers: dict[str, Value] = {"way": str(given.way), "value": given.value, "single": given.single}
            return {**lowers, "from_ms": given.from_ms, "to_ms": given.to_ms}, given.plate
        case Benefit():
            whom: dict[str, Value] = {"energy": str(given.energy or ""), "vehicle": str(given.vehicle or "")}
            what: dict[str, Value] = {"way": str(given.way), "value": given.value, "order": given.order}
            return {**whom, **what, "from_ms": given.from_ms, "to_ms": given.to_ms}, "".join(given.plates)


def _lane(make: Callable[[str], Deed]) -> Callable[[Command], Deed | Rejection]:
    form: Form = {"lane": entitlement_form.identifier}

    def read_lane(command: Command) -> Deed | Rejection:
        args = forms.shape(command.args, form)
        return args if isinstance(args, Rejection) else make(args["lane"])

    return read_lane


def _count(command: Command) -> Deed | Rejection:
    args = forms.shape(command.args, {"inside": forms.vehicles})
    return args if isinstance(args, Rejection) else Count(deed_id(command), args["inside"])


def _unblock(command: Command) -> Deed | Rejection:
    args = forms.shape(command.args, {"plate": entitlement_form.identity})
    return args if isinstance(args, Rejection) else Unblock(args["plate"])


def _refund(command: Command) -> Deed | Rejection:
    args = forms.shape(command.args, {"session": entitlement_form.identifier, "amount_minor": forms.money})
    return args if isinstance(args, Rejection) else GiveBack(deed_id(command), args["session"], args["amount_minor"])


def _sessions(command: Command) -> Deed | Rejection:
    form: Form = {"which": forms.Word(tuple(Which), Which), "plate": forms.short_text(ASKED_BYTES_MAX)}
    args = forms.shape(command.args, form)
    if isinstance(args, Rejection):
        return args
    if args["which"] is not Which.PLATE:
        return Rejection(forms.Reason.FORM, "plate: only to find one") if args["plate"] else Look(args["which"], "")
    plate = spelled(args["plate"])
    if len(plate.partition(" ")[2]) < FRAGMENT_LETTERS_MIN:
        return Rejection(forms.Reason.FORM, f"plate: at least {FRAGMENT_LETTERS_MIN} letters of it")
    return Look(args["which"], plate)


def _bill(command: Command) -> Deed | Rejection:
    args = forms.shape(command.args, {"session": entitlement_form.identifier})
    return args if isinstance(args, Rejection) else Explain(args["session"])


def _settle(form: Form, make: Callable[[Command, Any], Settle]) -> Callable[[Command], Deed | Rejection]:
    def read_settle(command: Command) -> Deed | Rejection:
        args = forms.shape(command.args, form)
        return args if isinstance(args, Rejection) else make(command, args)

    return read_settle


def _void(command: Command, args: Any) -> Settle:
    return Settle(BillVoided(BY_OPERATOR, deed_id(command), args["session"], without_plates(command.reason)))


def _attach(command: Command, args: Any) -> Settle:
    reason = without_plates(command.reason)
    return Settle(ExitAttached(BY_OPERATOR, deed_id(command), args["session"], args["stray"], args["whose"], reason))


def _shift_open(command: Command, args: Any) -> Settle:
    return Settle(ShiftOpened(BY_OPERATOR, args["shift"], command.key, args["float_minor"]))


def _cash(command: Command, args: Any) -> Settle:
    taken = (args["session"], args["lane"], args["amount_minor"], command.key, args["shift"])
    return Settle(CashTaken(BY_OPERATOR, deed_id(command), *taken))


def _shift_close(command: Command, args: Any) -> Settle:
    return Settle(ShiftClosed(BY_OPERATOR, args["shift"], command.key, args["counted_minor"]))


def _validate(command: Command) -> Deed | Rejection:
    return _grant(Kind.VALIDATION, {**command.args, "by": command.key}, command, "by" in command.args)


def _block(command: Command) -> Deed | Rejection:
    return _grant(Kind.BLOCK, command.args, command)


def _benefit(command: Command) -> Deed | Rejection:
    """One plate at most, since a record discloses one; '' is every plate."""
    args = dict(command.args)
    plate = args.pop("plate", None)
    if not isinstance(plate, str):
        return Rejection(forms.Reason.FORM, "plate: not a text")
    return _grant(Kind.BENEFIT, {**args, "plates": [plate] if plate else []}, command, "plates" in command.args)


def _grant(kind: Kind, args: Mapping[str, Any], command: Command, more: bool = False) -> Deed | Rejection:
    if more or "id" in args:
        return Rejection(forms.Reason.FORM, "names what only the gateway may name")
    found = entitlement_form.read(kind, {**args, "id": deed_id(command)})
    if isinstance(found, Rejection):
        return found
    assert isinstance(found, Validation | Benefit | Block)
    return Grant(found)


ID = entitlement_form.identifier
PERHAPS = forms.short_text(entitlement_form.ID_BYTES_MAX)
TOLD = frozenset({"session", "stray", "whose", "shift", "lane", "float_minor", "amount_minor", "counted_minor"})
"""Members of an event that are arguments of its command; the others are the command's own."""

VERBS: dict[Verb, Callable[[Command], Deed | Rejection]] = {
    Verb.BARRIER_OPEN: _lane(OpenLane),
    Verb.BARRIER_HOLD: _lane(HoldLane),
    Verb.BARRIER_RELEASE: _lane(ReleaseLane),
    Verb.RECOUNT: _count,
    Verb.VALIDATE: _validate,
    Verb.BENEFIT: _benefit,
    Verb.BLOCK: _block,
    Verb.UNBLOCK: _unblock,
    Verb.REFUND: _refund,
    Verb.VOID: _settle({"session": ID}, _void),
    Verb.ATTACH: _settle({"session": ID, "stray": ID, "whose": forms.word("entry", "exit")}, _attach),
    Verb.SHIFT_OPEN: _settle({"shift": ID, "float_minor": forms.money}, _shift_open),
    Verb.CASH: _settle({"session": PERHAPS, "lane": PERHAPS, "amount_minor": forms.money, "shift": ID}, _cash),
    Verb.SESSIONS: _sessions,
    Verb.BILL: _bill,
    Verb.SHIFT_CLOSE: _settle({"shift": ID, "counted_minor": forms.money}, _shift_close),
}
