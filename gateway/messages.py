"""What goes over MQTT: one frozen dataclass for each body, with its JSON and the check of what comes in.

Rules: `from_json` never raises: it returns the message or a named Rejection, and takes back what `to_json` gave; money is
integer minor units, times are UTC ms. Lines under a signature are carried as the text that was signed. Imports nothing of the
gateway but `forms`, so that the console can use it alone; knows no topic and no broker.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar, Self

from gateway import forms
from gateway.forms import Form, Reason, Rejection


class Presence(StrEnum):
    """Whether a gateway can be reached; LOST is what the broker says in its stead."""

    ONLINE = "online"
    OFFLINE = "offline"
    LOST = "lost"


class _Flat:
    """A body whose JSON has just the fields of the dataclass, and the version."""

    FORM: ClassVar[Form]

    def to_json(self) -> bytes:
        """The body."""
        return _body({field.name: getattr(self, field.name) for field in fields(self)})  # type: ignore[arg-type]

    @classmethod
    def from_json(cls, payload: bytes) -> Self | Rejection:
        """The message, or why it is none."""
        got = _read(payload, cls.FORM)
        return got if isinstance(got, Rejection) else cls(**got)


@dataclass(frozen=True)
class State(_Flat):
    """Topic state. `boot` rises at each start, `connection` at each connection of one start; an older pair is stale."""

    state: Presence
    boot: int
    connection: int
    version: str
    at_ms: int

    FORM: ClassVar[Form] = {
        "state": forms.Word(tuple(Presence), Presence),
        "boot": forms.count,
        "connection": forms.count,
        "version": forms.text,
        "at_ms": forms.count,
    }


@dataclass(frozen=True)
class Meta(_Flat):
    """Topic meta, the birth: what this gateway is. `lanes`: lane to role; `next` and `receipted` are numbers of its chain.

    `statement`: the city's signed line that says whose the record key is, `statement_sig` its signature in base64;
    '' if the gateway has none.
    """

    lot: str
    lanes: Mapping[str, str]
    bays: int
    chain: str
    epoch: int
    next: int
    receipted: int
    key: str
    currency: str
    tariff: str
    tariff_hash: str
    version: str
    statement: str = ""
    statement_sig: str = ""

    FORM: ClassVar[Form] = {
        "lanes": forms.table(forms.text),
        **dict.fromkeys(("lot", "chain", "key", "currency", "tariff", "tariff_hash", "version"), forms.text),
        **dict.fromkeys(("statement", "statement_sig"), forms.text),
        **dict.fromkeys(("bays", "epoch", "next", "receipted"), forms.count),
    }


@dataclass(frozen=True)
class Occupancy(_Flat):
    """Topic lot/{lot}/occ: absolute numbers. `unknown` bays have not reported since the start; `inside` counts by lane."""

    free: int
    occupied: int
    unknown: int
    total: int
    inside: int
    at_ms: int

    FORM: ClassVar[Form] = dict.fromkeys(("free", "occupied", "unknown", "total", "inside", "at_ms"), forms.count)


@dataclass(frozen=True)
class LaneHealth(_Flat):
    """Topic lane/{lane}: the barrier as read back ('unknown' before the first reading), and whether the node answers."""

    barrier: str
    node: str
    at_ms: int

    FORM: ClassVar[Form] = {
        "barrier": forms.word("unknown", "closed", "open", "moving", "fault"),
        "node": forms.word("joined", "silent", "refused"),
        "at_ms": forms.count,
    }


@dataclass(frozen=True)
class Notice(_Flat):
    """Topic evt/{kind}: the live view, lossy on purpose. The plate is masked; lane, session and plate may be ''."""

    lane: str
    session: str
    plate_masked: str
    amount_minor: int
    at_ms: int

    FORM: ClassVar[Form] = {
        **dict.fromkeys(("lane", "session", "plate_masked"), forms.text),
        **dict.fromkeys(("amount_minor", "at_ms"), forms.count),
    }


@dataclass(frozen=True)
class Alarm(_Flat):
    """Topic alarm/{id} while the alarm is open; an empty body closes it. `cause` says what is, `remedy` what to do."""

    alarm: str
    severity: str
    cause: str
    remedy: str
    since_ms: int

    FORM: ClassVar[Form] = {
        **dict.fromkeys(("alarm", "cause", "remedy"), forms.text),
        "severity": forms.word("info", "warning", "urgent"),
        "since_ms": forms.count,
    }


@dataclass(frozen=True)
class Metrics(_Flat):
    """Topic met: numbers by name, the unit last in the name, e.g. backlog_records, rss_bytes, disk_free_bytes."""

    numbers: Mapping[str, int]
    at_ms: int

    FORM: ClassVar[Form] = {"numbers": forms.table(forms.count), "at_ms": forms.count}


@dataclass(frozen=True)
class Opening(_Flat):
    """A plate and its salt, sent beside record n to open the commitment inside it."""

    n: int
    plate: str
    salt: str

    FORM: ClassVar[Form] = {"n": forms.count, "plate": forms.text, "salt": forms.text}


@dataclass(frozen=True, slots=True)
class SignedLine:
    """A line and its 64 signature bytes as they came or shall go; nothing about either is checked yet."""

    line: str
    signature: bytes


_COLUMNS: Form = {"lines": forms.listing(forms.text), "sigs": forms.listing(forms.signature)}


@dataclass(frozen=True, slots=True)
class Records:
    """Topic rec/{stream}: records `first`, first+1, ... of one epoch under one key, and the plates to disclose beside them."""

    epoch: int
    first: int
    signed: tuple[SignedLine, ...]
    key: str
    disclose: tuple[Opening, ...] = ()

    FORM: ClassVar[Form] = {
        **dict.fromkeys(("epoch", "first"), forms.count),
        "key": forms.text,
        "disclose": forms.listing(forms.Fields(Opening.FORM, Opening)),
        **_COLUMNS,
    }

    def to_json(self) -> bytes:
        """The body."""
        openings = [{"n": o.n, "plate": o.plate, "salt": o.salt} for o in self.disclose]
        head = {"epoch": self.epoch, "first": self.first, "key": self.key, "disclose": openings}
        return _body(head | _columns(self.signed))

    @classmethod
    def from_json(cls, payload: bytes) -> Records | Rejection:
        """The message, or why it is none."""
        got = _read(payload, cls.FORM)
        if isinstance(got, Rejection):
            return got
        signed = _rows(got)
        if isinstance(signed, Rejection):
            return signed
        return cls(got["epoch"], got["first"], signed, got["key"], got["disclose"])


@dataclass(frozen=True, slots=True)
class Receipt:
    """Topic ack/{stream}: the city's signed receipt."""

    signed: SignedLine

    FORM: ClassVar[Form] = {"line": forms.text, "sig": forms.signature}

    def to_json(self) -> bytes:
        """The body."""
        return _body({"line": self.signed.line, "sig": _base64(self.signed.signature)})

    @classmethod
    def from_json(cls, payload: bytes) -> Receipt | Rejection:
        """The message, or why it is none."""
        got = _read(payload, cls.FORM)
        return got if isinstance(got, Rejection) else cls(SignedLine(got["line"], got["sig"]))


@dataclass(frozen=True, slots=True)
class Down:
    """Topic dn/{stream}: 1 to 100 signed lines of the city, in the order of their numbers."""

    signed: tuple[SignedLine, ...]

    FORM: ClassVar[Form] = _COLUMNS

    def to_json(self) -> bytes:
        """The body."""
        return _body(_columns(self.signed))

    @classmethod
    def from_json(cls, payload: bytes) -> Down | Rejection:
        """The message, or why it is none."""
        got = _read(payload, cls.FORM)
        signed = got if isinstance(got, Rejection) else _rows(got)
        return signed if isinstance(signed, Rejection) else cls(signed)


def _columns(signed: tuple[SignedLine, ...]) -> dict[str, Any]:
    return {"lines": [s.line for s in signed], "sigs": [_base64(s.signature) for s in signed]}


def _rows(got: dict[str, Any]) -> tuple[SignedLine, ...] | Rejection:
    if not got["lines"] or len(got["lines"]) != len(got["sigs"]):
        return Rejection(Reason.FORM, "lines and sigs differ in number, or there are none")
    return tuple(SignedLine(line, raw) for line, raw in zip(got["lines"], got["sigs"], strict=True))


def _read(payload: bytes, form: Form) -> dict[str, Any] | Rejection:
    got = forms.read_object(payload, {"v": forms.version, **form})
    return got if isinstance(got, Rejection) else {name: value for name, value in got.items() if name != "v"}


def _body(values: Mapping[str, Any]) -> bytes:
    return json.dumps({"v": 1, **values}, separators=(",", ":"), ensure_ascii=False).encode()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
