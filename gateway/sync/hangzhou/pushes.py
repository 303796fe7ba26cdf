"""What the city pushes: topic and sealed message in, an event out; and the fields by which a push is answered.

Rules: nothing counts without the city's signature; a push for another lot of the same accessID is another box's; what can't be
read is named and counted. Every push becomes one event, also one that authorizes nothing: the lot writes down why not.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Any

from gateway.core.platform_events import AuthorizationPushed, FeeAsked, PaymentPushed, Push, PushOrigin
from gateway.core.platform_state import KeptPush, PushState
from gateway.forms import MONEY_MAX, Reason, Rejection
from gateway.sync.hangzhou.envelope import Fields, read_push
from gateway.sync.hangzhou.terms import Refusal, Terms

TOPIC = re.compile(r"/?hzcity/(?:v2/)?(?P<name>departurePayInfo|fee|payResult)/(?P<access>[^/]+)(?:/(?P<code>[^/]+))?")
COLOURS = {1: "blue", 2: "yellow", 3: "white", 4: "black", 5: "green"}
PAID = 1
"""The only payStatus that anybody explains."""
ID_BYTES_MAX = 64


class Pushes:
    """Reader of one lot's pushes."""

    def __init__(self, terms: Terms) -> None:
        self.rejected: Counter[Reason] = Counter()
        self.elsewhere = 0
        """Pushes for other lots of the accessID."""
        self._terms = terms

    def receive(self, topic: str, payload: bytes) -> Push | Rejection | None:
        """The event of one message; None: it is for another lot."""
        found = self._read(topic, payload)
        if isinstance(found, Rejection):
            self.rejected[found.reason] += 1
        elif found is None:
            self.elsewhere += 1
        return found

    def again(self, kept: KeptPush) -> Push | Rejection:
        """The event of a push that waited in the ledger when the gateway ended."""
        return self._event(kept.name, kept.request, json.loads(kept.text), kept.text)

    def pulled(self, name: str, request: str, fields: Fields) -> Push | Rejection:
        """The event of an answer to a pull, which has the content of a push."""
        return self._event(name, request, fields, _canonical(fields))

    def answer(self, kept: KeptPush) -> dict[str, Any] | None:
        """Values by which a push is confirmed or refused; None: silence is the answer."""
        if kept.state is PushState.REFUSED and (self._terms.refusal is Refusal.SILENT or kept.name == "fee"):
            return None
        return {
            "request": kept.request,
            "success": kept.state is PushState.OWED,
            "params": json.loads(kept.text),
            "amount": kept.amount_minor,
        }

    def _read(self, topic: str, payload: bytes) -> Push | Rejection | None:
        place = TOPIC.fullmatch(topic)
        if place is None or place["access"] != self._terms.access_id:
            return Rejection(Reason.TOPIC, f"topic {topic:.64}")
        if place["code"] not in (None, self._terms.lot.code):
            return None
        push = read_push(payload, self._terms.seal)
        if isinstance(push, Rejection):
            return push
        # The topic is not signed; the code inside is.
        if str(push.fields.get("parkingCode", self._terms.lot.code)) != self._terms.lot.code:
            return None
        return self._event(place["name"], push.request, push.fields, push.text)

    def _event(self, name: str, request: str, fields: Fields, text: str) -> Push | Rejection:
        origin = PushOrigin(request, name, text, hashlib.sha256(f"{name}\n{text}".encode()).hexdigest())
        try:
            if name == "departurePayInfo":
                return self._authorization(origin, fields)
            if name == "fee":
                return FeeAsked(origin, _text(fields, "plateNo"), _colour(fields))
            return self._payment(origin, fields)
        except ValueError as fault:
            return Rejection(Reason.FORM, str(fault)[:200])

    def _authorization(self, origin: PushOrigin, fields: Fields) -> AuthorizationPushed:
        cap_minor = _count(fields, "moneyLimit")
        allowed = _count(fields, "noSense") == 1 and _count(fields, "departurePay") == 1 and cap_minor > 0
        life_ms = self._terms.authorization_life_s * 1000
        return AuthorizationPushed(origin, _text(fields, "plateNo"), _colour(fields), allowed, cap_minor, life_ms)

    def _payment(self, origin: PushOrigin, fields: Fields) -> PaymentPushed:
        status = _count(fields, "payStatus")
        paid = True if status == PAID else False if status in self._terms.failed_statuses else None
        return PaymentPushed(
            origin,
            bill=_text(fields, "billID"),
            order=str(fields.get("orderCode") or "")[:ID_BYTES_MAX],
            status=status,
            paid=paid,
            amount_minor=_count(fields, "actualPay") if paid else 0,
            discount_minor=_count(fields, "discountAmount") if paid and "discountAmount" in fields else 0,
        )


def _canonical(fields: Fields) -> str:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _text(fields: Fields, name: str) -> str:
    found = fields.get(name)
    if not isinstance(found, str) or not 0 < len(found.encode()) <= ID_BYTES_MAX:
        raise ValueError(f"{name}: not a text of 1 to {ID_BYTES_MAX} bytes")
    return found


def _count(fields: Fields, name: str) -> int:
    """A number, which some peers write as a text."""
    value = fields.get(name)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 10:
        value = int(value)
    if type(value) is not int or not 0 <= value <= MONEY_MAX:
        raise ValueError(f"{name}: not a whole number from 0 to {MONEY_MAX}")
    return value


def _colour(fields: Fields) -> str:
    return COLOURS.get(_count(fields, "plateColor"), "") if "plateColor" in fields else ""
