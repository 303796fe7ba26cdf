"""The calls as tables: path, fields, and what each field is filled with; what no document tells is a table too.

Owns the names of the protocol's calls and fields. Rules: a field's value is one of VALUES or a fixed integer written '=1'; what
the facts mark unknown stands only in STAND_IN, an assumption towards our own stand-in, and has to be given for a real city.
Refuses to know where values come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Table = Mapping[str, str]

CAR_IN, CAR_OUT, PHOTO = "uploadCarInData", "uploadCarOutData", "uploadPhoto"
APPLY, PAY_RECORD, ABNORMAL = "applyPayment", "uploadPayRecord", "uploadAbnormalBill"
STATE, HEARTBEAT, DAILY, FEE = "uploadParkingState", "uploadHeartbeat", "checkDailyBill", "uploadFee"
CONFIRM_AUTHORIZATION, CONFIRM_PAYMENT = "confirmDeparturePayInfo", "confirmPayResult"
PULL_AUTHORIZATION, PULL_PAYMENT = "getDeparturePayInfo", "getPayResult"

CONFIRMS = {"departurePayInfo": CONFIRM_AUTHORIZATION, "payResult": CONFIRM_PAYMENT}
UNKNOWN = (PULL_AUTHORIZATION, FEE, PULL_PAYMENT, ABNORMAL)
"""Calls of which the facts know the name alone."""

PATHS = {HEARTBEAT: "/api/v2/tcjg/uploadHeartbeat"}
"""All others lie under /api/v2/cp; the heartbeat was left in an older folder."""

_STAY = {
    "uid": "uid",
    "plateNo": "plate",
    "parkingCode": "code",
    "entryNum": "lane_in",
    "totalBerthNum": "total",
    "openBerthNum": "open",
    "freeBerthNum": "free",
    "arriveTime": "arrived",
    "parkingType": "stay_type",
    "plateColor": "colour",
    "carType": "car_type",
    "uploadTime": "now",
}

KNOWN: Mapping[str, Table] = {
    CAR_IN: {**_STAY, "arriveID": "entry_id"},
    CAR_OUT: {**_STAY, "endID": "exit_id", "endTime": "ended", "outNum": "lane_out"},
    PHOTO: {
        "parkingCode": "code",
        "uid": "uid",
        "photoID": "photo_id",
        "time": "photo_time",
        "type": "photo_type",
        "name": "photo_name",
        "file": "photo_file",
        "uploadTime": "now",
    },
    APPLY: {
        "parkingCode": "code",
        "uid": "uid",
        "plateNo": "plate",
        "plateColor": "colour",
        "arriveTime": "arrived",
        "endTime": "ended",
        "billTime": "billed",
        "billID": "bill",
        "shouldPay": "amount",
        "payStatus": "=0",
        "carStock": "=1",
    },
    PAY_RECORD: {
        "billID": "bill",
        "uid": "uid",
        "plateNo": "plate",
        "parkingCode": "code",
        "chargeFee": "charge",
        "shouldPay": "amount",
        "actualPay": "paid",
        "billTime": "billed",
        "dealTime": "dealt",
        "paidType": "paid_type",
        "payType": "pay_type",
        "billWay": "=1",
        "uploadTime": "now",
    },
    STATE: {
        "parkingCode": "code",
        "totalBerthNum": "total",
        "openBerthNum": "open",
        "freeBerthNum": "free",
        "uploadTime": "now",
    },
    HEARTBEAT: {"parkingCode": "code", "uploadTime": "now"},
    DAILY: {"parkingCode": "code", "checkBillTime": "day"},
    CONFIRM_AUTHORIZATION: {"requestId": "request", "success": "success", "params": "params"},
    CONFIRM_PAYMENT: {"requestId": "request", "success": "success", "params": "params"},
}

STAND_IN: Mapping[str, Table] = {
    FEE: {"parkingCode": "code", "plateNo": "plate", "shouldPay": "amount", "requestId": "request"},
    ABNORMAL: {
        "parkingCode": "code",
        "uid": "uid",
        "billID": "bill",
        "plateNo": "plate",
        "shouldPay": "amount",
        "reason": "reason",
    },
    PULL_AUTHORIZATION: {"parkingCode": "code", "plateNo": "plate", "plateColor": "colour"},
    PULL_PAYMENT: {"parkingCode": "code", "billID": "bill"},
}

VALUES = frozenset(
    {value for table in (*KNOWN.values(), *STAND_IN.values()) for value in table.values() if value[0] != "="}
)
"""What a field may be filled with."""


@dataclass(frozen=True, slots=True)
class DayForm:
    """Where the answer to checkDailyBill holds the day's bills, and their fields."""

    list: str
    bill: str
    owed: str
    paid: str


STAND_IN_DAY = DayForm(list="data", bill="billID", owed="shouldPay", paid="actualPay")


def path(call: str) -> str:
    """Path of a call below the base URL."""
    return PATHS.get(call, f"/api/v2/cp/{call}")
