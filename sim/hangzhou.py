"""The Hangzhou platform: takes calls, pushes authorizations and results, keeps books. A stand-in with its own code, sans-IO.

Rules: a call counts once by its own key, whatever comes twice; a push is repeated until it is confirmed; every call gets an
answer with a resultCode, and only 200 means yes. What no document tells (four calls and all answer bodies) is this file's
assumption, and the gateway's profile "stand-in" agrees with it. Time is an argument.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from sim.hangzhou_cipher import PrivateNumbers, PublicNumbers, lock_private, sign, signed, unlock_public

OK, BAD_REQUEST, FORGED, UNKNOWN, REFUSED = 200, 400, 403, 404, 409
PAID, FAILED = 1, 2
LEAVE_FIRST = 101
REPEAT_MS = 20_000
ALIPAY = 3

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """A driver who signed up: the limit of one stay in fen, whether the debit goes through, and a discount in fen."""

    limit: int
    pays: bool = True
    discount: int = 0


@dataclass(slots=True)
class Visit:
    """One stay as the platform was told."""

    uid: str
    plate: str
    arrived: str
    entry: Fields
    exit: Fields | None = None
    limit: int = 0
    """What was authorized and confirmed."""


@dataclass(slots=True)
class Bill:
    """One bill of applyPayment and how its debit ended."""

    bill: str
    uid: str
    plate: str
    billed: str
    owed: int
    status: int = 0
    paid: int = 0
    discount: int = 0
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A push to publish with QoS 1."""

    topic: str
    payload: bytes


@dataclass(slots=True)
class _Push:
    """A push that is repeated until it is confirmed."""

    request: str
    name: str
    content: Fields
    due_ms: int
    tries: int = 0


@dataclass(slots=True)
class Faults:
    """What the stand-in does wrong on purpose. `doubled`: each push also goes out again, every third under a new request.

    `result_first`: the result of a debit is pushed before the call for it is answered. `refuse`: calls answered with 409.
    `short`: fen that a debit pays too little, as a peer does that counts in floats.
    """

    doubled: bool = False
    result_first: bool = False
    refuse: set[str] = field(default_factory=set)
    short: int = 0


class Platform:
    """One lot's platform. `lot`: the public half of the lot's key; `accounts`: plate text to account."""

    def __init__(
        self, *, access: str, code: str, own: PrivateNumbers, lot: PublicNumbers, accounts: Mapping[str, Account]
    ) -> None:
        self.faults = Faults()
        self.visits: dict[str, Visit] = {}
        self.bills: dict[str, Bill] = {}
        self.abnormal: dict[str, Fields] = {}
        self.fees: list[Fields] = []
        self.states: list[tuple[int, int]] = []
        """(now, free) of each upload of absolute counts."""
        self.calls: list[tuple[str, Fields]] = []
        """Every call that was understood, in the order of its coming."""
        self.counts: Counter[str] = Counter()
        self._access, self._code, self._own, self._lot = access, code, own, lot
        self._accounts = dict(accounts)
        self._pushes: dict[str, _Push] = {}
        self._requests = 100_000
        self._out: list[Message] = []

    def post(self, path: str, body: bytes, now_ms: int) -> tuple[int, bytes]:
        """Answer one call: HTTP status and body. What is to be pushed because of it comes with `outgoing`."""
        name = path.rsplit("/", 1)[-1]
        data = self._opened(body)
        if isinstance(data, int):
            self.counts[f"rejected {data}"] += 1
            return self._answer(data, "not understood")
        if path != ("/api/v2/tcjg/" if name == "uploadHeartbeat" else "/api/v2/cp/") + name:
            return self._answer(UNKNOWN, "no such call")
        self.calls.append((name, data))
        if name in self.faults.refuse:
            return self._answer(REFUSED, "refused on purpose")
        return self._take(name, data, now_ms)

    def outgoing(self, now_ms: int) -> list[Message]:
        """What is to be published now: new pushes, and those that are due again."""
        for push in self._pushes.values():
            if push.due_ms <= now_ms:
                self._send(push)
                push.due_ms = now_ms + REPEAT_MS * min(1 << push.tries, 32)
                push.tries += 1
        out, self._out = self._out, []
        return out

    def ask_fee(self, plate: str, colour: int, now_ms: int) -> None:
        """Ask for the running bill of a plate."""
        self._push("fee", {"plateNo": plate, "plateColor": colour, "parkingCode": self._code}, now_ms)

    def raise_limit(self, plate: str, limit: int, now_ms: int) -> None:
        """Authorize again, with another limit."""
        self._accounts[plate] = Account(limit)
        self._authorize(plate, 1, now_ms)

    @property
    def unconfirmed(self) -> int:
        """Pushes that nobody confirmed."""
        return len(self._pushes)

    def totals(self) -> dict[str, int]:
        """The books in figures."""
        return {
            "visits": len(self.visits),
            "ended": sum(visit.exit is not None for visit in self.visits.values()),
            "bills": len(self.bills),
            "owed": sum(bill.owed for bill in self.bills.values()),
            "paid": sum(bill.paid for bill in self.bills.values()),
            "recorded": sum(bill.recorded for bill in self.bills.values()),
            "failed": sum(bill.status == FAILED for bill in self.bills.values()),
            "abnormal": len(self.abnormal),
            "unconfirmed": self.unconfirmed,
            "conflicts": self.counts["conflict"],
            "repeats": self.counts["repeat"],
            "rejected": sum(n for name, n in self.counts.items() if name.startswith("rejected")),
            "disorder": self.counts["disorder"],
        }

    def _opened(self, body: bytes) -> Fields | int:
        form = dict(parse_qsl(body.decode("ascii", "replace")))
        if form.get("accessID") != self._access or not form.keys() >= {"sign", "cipher"}:
            return BAD_REQUEST
        try:
            if not signed(form["cipher"], form["sign"], self._lot):
                return FORGED
            plain = unlock_public(form["cipher"], self._lot)
            data = json.loads(plain.decode("utf-8"))["data"] if plain is not None else None
        except (ValueError, KeyError, TypeError):
            return BAD_REQUEST
        if not isinstance(data, dict):
            return BAD_REQUEST
        return data | ({"file": form["file"]} if "file" in form else {})

    def _take(self, name: str, data: Fields, now_ms: int) -> tuple[int, bytes]:
        if name.startswith("confirm"):
            return self._confirm(data)
        if data.get("parkingCode") != self._code:
            return self._answer(UNKNOWN, "no such lot")
        match name:
            case "uploadCarInData":
                return self._entered(data, now_ms)
            case "uploadCarOutData":
                return self._left(data)
            case "applyPayment":
                return self._apply(data, now_ms)
            case "uploadPayRecord":
                return self._recorded(data)
            case "uploadAbnormalBill":
                self.abnormal[data["billID"] or data["uid"]] = data
            case "uploadFee":
                self.fees.append(data)
                self._pushes.pop(data["requestId"], None)
            case "uploadParkingState":
                self.states.append((now_ms, data["freeBerthNum"]))
            case "checkDailyBill":
                return self._answer(OK, "ok", self._day(data["checkBillTime"]))
            case "getDeparturePayInfo" | "getPayResult":
                return self._pulled(name, data)
            case "uploadHeartbeat" | "uploadPhoto":
                self.counts[name] += 1
            case _:
                return self._answer(UNKNOWN, "no such call")
        return self._answer(OK, "ok")

    def _entered(self, data: Fields, now_ms: int) -> tuple[int, bytes]:
        known = self.visits.get(data["uid"])
        if known is not None:
            return self._again(known.entry, data)
        self.visits[data["uid"]] = Visit(data["uid"], data["plateNo"], data["arriveTime"], data)
        if data["plateNo"] in self._accounts:
            self._authorize(data["plateNo"], data["plateColor"], now_ms)
        return self._answer(OK, "ok")

    def _left(self, data: Fields) -> tuple[int, bytes]:
        visit = self.visits.get(data["uid"])
        if visit is None:
            self.counts["disorder"] += 1
            return self._answer(UNKNOWN, "no entry with this uid")
        if visit.exit is not None:
            return self._again(visit.exit, data)
        visit.exit = data
        # Nobody asks what a stay costs that has ended.
        gone = [r for r, push in self._pushes.items() if push.name == "fee" and push.content["plateNo"] == visit.plate]
        for request in gone:
            del self._pushes[request]
        return self._answer(OK, "ok")

    def _apply(self, data: Fields, now_ms: int) -> tuple[int, bytes]:
        visit, account = self.visits.get(data["uid"]), self._accounts.get(data["plateNo"])
        known = self.bills.get(data["billID"])
        if known is not None:
            same = (known.uid, known.owed, known.billed) == (data["uid"], data["shouldPay"], data["billTime"])
            self.counts["repeat" if same else "conflict"] += 1
            return self._answer(OK if same else REFUSED, "known")
        if visit is None or account is None or data["shouldPay"] > visit.limit:
            self.counts["disorder"] += visit is None
            return self._answer(REFUSED, "not authorized")
        bill = Bill(data["billID"], data["uid"], data["plateNo"], data["billTime"], data["shouldPay"])
        self.bills[bill.bill] = bill
        bill.status = PAID if account.pays else FAILED
        if account.pays:
            bill.discount = min(account.discount, bill.owed)
            bill.paid = bill.owed - bill.discount - self.faults.short
        self._push("payResult", self._result(bill), now_ms)
        if self.faults.result_first:
            self.counts["result first"] += 1
        return self._answer(OK, "ok")

    def _result(self, bill: Bill) -> Fields:
        return {
            "plateNo": bill.plate,
            "billID": bill.bill,
            "billTime": bill.billed,
            "shouldPay": bill.owed,
            "payStatus": bill.status,
            "actualPay": bill.paid,
            "discountAmount": bill.discount,
            "dealTime": bill.billed,
            "orderCode": f"P{bill.bill}" if bill.status == PAID else "",
            "paidType": ALIPAY,
            "payType": LEAVE_FIRST,
        }

    def _recorded(self, data: Fields) -> tuple[int, bytes]:
        bill = self.bills.get(data["billID"])
        if bill is None or (bill.owed, bill.paid) != (data["shouldPay"], data["actualPay"]):
            self.counts["conflict"] += 1
            return self._answer(REFUSED, "not as debited")
        self.counts["repeat"] += bill.recorded
        bill.recorded = True
        return self._answer(OK, "ok")

    def _day(self, day: str) -> list[Fields]:
        found = [bill for bill in self.bills.values() if bill.billed.startswith(day)]
        return [
            {"billID": b.bill, "shouldPay": b.owed, "payStatus": b.status, "actualPay": b.paid, "plateNo": b.plate}
            for b in found
        ]

    def _pulled(self, name: str, data: Fields) -> tuple[int, bytes]:
        wanted = "departurePayInfo" if name == "getDeparturePayInfo" else "payResult"
        key = "plateNo" if wanted == "departurePayInfo" else "billID"
        for push in self._pushes.values():
            if push.name == wanted and push.content[key] == data[key]:
                return self._answer(OK, "ok", {**push.content, "requestId": push.request})
        return self._answer(OK, "nothing", {})

    def _confirm(self, data: Fields) -> tuple[int, bytes]:
        push = self._pushes.get(str(data["requestId"]))
        if push is None:
            self.counts["repeat"] += 1
            return self._answer(OK, "known")
        if data["params"] != push.content:
            self.counts["conflict"] += 1
            return self._answer(REFUSED, "another push")
        del self._pushes[push.request]
        if data["success"] is True and push.name == "departurePayInfo":
            inside = [v for v in self.visits.values() if v.plate == push.content["plateNo"] and v.exit is None]
            for visit in inside[-1:]:
                visit.limit = push.content["moneyLimit"]
        self.counts[f"confirmed {push.name} {data['success']}"] += 1
        return self._answer(OK, "ok")

    def _authorize(self, plate: str, colour: int, now_ms: int) -> None:
        account = self._accounts[plate]
        content = {
            "plateNo": plate,
            "plateColor": colour,
            "parkingCode": self._code,
            "noSense": 1,
            "departurePay": 1,
            "moneyLimit": account.limit,
        }
        self._push("departurePayInfo", content, now_ms)

    def _push(self, name: str, content: Fields, now_ms: int) -> None:
        self._requests += 1
        push = _Push(str(self._requests), name, content, now_ms)
        self._pushes[push.request] = push
        if self.faults.doubled:
            self.counts["doubled"] += 1
            self._send(push)
            if self._requests % 3 == 0:
                # An attacker can repeat what is signed under any request: those two stand outside the signature.
                self._send(_Push(str(self._requests + 900_000), name, content, now_ms))

    def _send(self, push: _Push) -> None:
        cipher = lock_private(json.dumps(push.content).replace("/", "\\/").encode(), self._own)
        message = {"cipher": cipher, "sign": sign(cipher, self._own), "requestId": int(push.request), "timestamp": ""}
        slash = "/" if int(push.request) % 2 else ""
        topic = f"{slash}hzcity/v2/{push.name}/{self._access}/{self._code}"
        self._out.append(Message(topic, json.dumps(message).encode()))

    def _again(self, known: Fields, data: Fields) -> tuple[int, bytes]:
        same = {**known, "uploadTime": ""} == {**data, "uploadTime": ""}
        self.counts["repeat" if same else "conflict"] += 1
        return self._answer(OK if same else REFUSED, "known")

    def _answer(self, code: int, message: str, data: object = None) -> tuple[int, bytes]:
        found: Fields = {"resultCode": code, "msg": message}
        if data is not None:
            found["data"] = data
        return 200, json.dumps(found, ensure_ascii=False).encode()
