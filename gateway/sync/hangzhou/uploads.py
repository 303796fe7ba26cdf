"""From a committed record to the calls that tell the city about it.

Owns which record makes which calls, in which order, and what the fields hold. Rules: what the record says is sent, not what is
true now; a call keeps its idempotency keys (uid, billID) for ever and gets only a new time of sending; a stay that the city
was never told to have begun is not told to have ended; an exit is told once its vehicle is through, and never if it turned
back. Refuses to know when and how often a call is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.core.pairing import IN_REVIEW
from gateway.core.plate import Vehicle
from gateway.core.platform_state import Entry, PlatformBill, PlatformStay
from gateway.core.session import Session
from gateway.sync.hangzhou import tables
from gateway.sync.hangzhou.envelope import date_text
from gateway.sync.hangzhou.pushes import COLOURS
from gateway.sync.hangzhou.terms import Photos, Terms

Values = Mapping[str, Any]

COLOUR_CODES = {colour: code for code, colour in COLOURS.items()}
CAR_TYPES = {Vehicle.SMALL: 1, Vehicle.LARGE: 3}
TEMPORARY = 1
"""Kind of stay; the facts say 2 for monthly, but our records do not tell a permit's stay by that word."""
HELD = ("pay-here", "attendant")
PASSING_MS = 30_000
"""So long an exit waits for its passage: several times what a vehicle needs, since a lost passage must not stop the rest."""
IN, OUT = 1, 2


@dataclass(frozen=True, slots=True)
class Call:
    """One call to make: its name and its values; `n`: the record it comes from. `session`, `bill`: '' if it is about none.

    `pays`: without it nobody pays the bill. `photo`: the file that has to be read first, '' if none.
    """

    name: str
    values: Values
    n: int = 0
    session: str = ""
    pays: bool = False
    photo: str = ""
    bill: str = ""


def waits(entry: Entry, now_ms: int) -> bool:
    """Whether this record and all behind it wait: the vehicle stands under the raised barrier and may still turn back."""
    bill = entry.bill
    if bill is None or bill.passed or bill.reversed:
        return False
    line = json.loads(entry.record.line)
    opened = line["type"] == "released" or (line["type"] == "exit" and line["body"]["outcome"] not in HELD)
    return opened and 0 <= now_ms - line["wall"] < PASSING_MS


def calls(entry: Entry, terms: Terms) -> list[Call]:
    """The calls of one record in their order; none for most."""
    session, stay = entry.session, entry.stay
    if session is None or stay is None:
        return []
    plate = session.plate.text or terms.unlicensed
    if not plate:
        return []
    line = json.loads(entry.record.line)
    found = _named(line["type"], line["body"], entry)
    values = {**_stay_values(entry, session, stay, terms), "plate": plate}
    made = [
        Call(name, {**values, **more}, line["n"], session.id, name == tables.APPLY, _photo(name, more), values["bill"])
        for name, more in found
    ]
    return [call for call in made if call.name in terms.calls and (call.name != tables.PHOTO or _photographs(terms))]


def fields(call: str, values: Values, terms: Terms) -> dict[str, Any]:
    """The call's fields by its table."""
    return {name: int(value[1:]) if value[0] == "=" else values[value] for name, value in terms.calls[call].items()}


def _named(kind: str, body: dict[str, Any], entry: Entry) -> list[tuple[str, dict[str, Any]]]:
    """(call, values of its own) for a record."""
    bill = entry.bill
    exit_body = json.loads(entry.exit_line)["body"] if entry.exit_line else {}
    held = exit_body.get("outcome") in HELD
    match kind:
        case "entry":
            photo = {"photo_id": f"{body['session']}-1", "photo_type": IN, "photo_time": date_text(body["at"])}
            return [(tables.CAR_IN, {}), (tables.PHOTO, photo)]
        case "exit" | "attached" if bill is not None and not held and not bill.reversed:
            return _ended(body, bill)
        case "left" if bill is not None and held:
            return _out(exit_body, bill)
        case "released" if bill is not None and body["dn"] == 0 and not bill.reversed:
            return [(tables.APPLY, {})]
        case "reversed" if bill is not None and bill.told:
            return [(tables.ABNORMAL, {"reason": "turned back"})]
        case "paid" | "lowered" if entry.push_text:
            push = json.loads(entry.push_text)
            # A bill that is discounted to nothing has no payment, and is settled all the same.
            settles = kind == "paid" or not int(push["actualPay"])
            paid_minor = body["amount_minor"] if kind == "paid" else 0
            return [(tables.PAY_RECORD, _payment(paid_minor, exit_body, push))] if settles else []
        case "arrears":
            return [(tables.ABNORMAL, {"reason": "payment failed" if body["payment"] else "not paid"})]
        case "review" | "unfinished":
            return [(tables.ABNORMAL, {"reason": body["reason"]})]
        case "paired" if body["evidence"] in IN_REVIEW:
            return [(tables.ABNORMAL, {"reason": body["evidence"]})]
    return []


def _ended(body: dict[str, Any], bill: PlatformBill) -> list[tuple[str, dict[str, Any]]]:
    """A stay ended: who pays is asked first, and who did not is told."""
    promised = body["outcome"] == "lease" and body["lease"]["dn"] == 0
    asked: list[tuple[str, dict[str, Any]]] = [(tables.APPLY, {})] if promised else []
    unpaid = [(tables.ABNORMAL, {"reason": "no authorization"})] if body["outcome"] == "arrears" else []
    return [*asked, *_out(body, bill), *unpaid]


def _out(exit_body: dict[str, Any], bill: PlatformBill) -> list[tuple[str, dict[str, Any]]]:
    photo = {"photo_id": f"{exit_body['session']}-2", "photo_type": OUT, "photo_time": date_text(exit_body["at"])}
    return [(tables.CAR_OUT, {"free": bill.free_out}), (tables.PHOTO, photo)]


def _payment(paid_minor: int, exit_body: dict[str, Any], push: dict[str, Any]) -> dict[str, Any]:
    lines = exit_body.get("lines", [])
    return {
        "charge": sum(line["amount_minor"] for line in lines if line["amount_minor"] > 0),
        "paid": paid_minor,
        "dealt": push.get("dealTime", ""),
        "paid_type": push.get("paidType", 0),
        "pay_type": push.get("payType", 0),
    }


def _stay_values(entry: Entry, session: Session, stay: PlatformStay, terms: Terms) -> dict[str, Any]:
    bill = entry.bill or PlatformBill("", session.id, 0, 0, 0, 0)
    exit_body = json.loads(entry.exit_line)["body"] if entry.exit_line else {}
    return {
        "code": terms.lot.code,
        "uid": stay.uid,
        "colour": COLOUR_CODES.get(str(session.plate.colour), terms.unknown_colour),
        "car_type": CAR_TYPES[session.vehicle],
        "stay_type": TEMPORARY,
        "lane_in": terms.lot.lanes.get(session.lane_in, ""),
        "lane_out": terms.lot.lanes.get(exit_body.get("lane", session.lane_out), ""),
        "entry_id": session.id,
        "exit_id": f"{entry.record.epoch}.{bill.exit_n}",
        "total": terms.lot.total_bays,
        "open": terms.open_bays,
        "free": stay.free_in,
        "arrived": date_text(session.entered.wall_ms),
        "ended": date_text(bill.at_ms),
        "billed": date_text(bill.at_ms),
        "bill": bill.bill,
        "amount": bill.owed_minor,
        "photo_name": f"{stay.uid}.jpg",
    }


def _photo(call: str, more: dict[str, Any]) -> str:
    return f"{more['photo_id']}.jpg" if call == tables.PHOTO else ""


def _photographs(terms: Terms) -> bool:
    return terms.photos is not Photos.NEVER
