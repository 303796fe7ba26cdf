"""What operators and gateways say to each other: the list of operators, commands and replies, each a signed line.

Owns the lines' fields, their canonical text, the prefixes that their signatures cover, the verbs with the least role for each,
and the codes of a refusal. Rules: `from_line` never raises and takes one spelling only; times are UTC ms. Imports nothing of
the gateway but `forms` and `findings`, so that the console can use it alone; knows no key that signs and no topic.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar, Self

from gateway import forms
from gateway.findings import Charged, Happened, Stay
from gateway.forms import Form, Reason, Rejection

OPERATORS_DOMAIN = b"lotgate-operators-v1\n"
COMMAND_DOMAIN = b"lotgate-command-v1\n"
REPLY_DOMAIN = b"lotgate-reply-v1\n"
OPERATORS = "operators"
"""Name of the setting that lists the operators."""

REASON_BYTES_MAX = 200
"""A reason stands in a record, whose line is limited, and on a screen."""
BARRIER_LIFETIME_MS = 10_000
"""Whoever pressed the button stands there and looks; later the barrier would rise for somebody else."""
LIFETIME_MS = 300_000
CLOCK_ERROR_MS = 5_000
"""By how much a console's clock and a gateway's may differ: both follow a time server."""


class Verb(StrEnum):
    """What an operator may ask for."""

    BARRIER_OPEN = "barrier-open"
    BARRIER_HOLD = "barrier-hold"
    BARRIER_RELEASE = "barrier-release"
    RECOUNT = "recount"
    VALIDATE = "validate"
    BENEFIT = "benefit"
    BLOCK = "block"
    UNBLOCK = "unblock"
    REFUND = "refund"
    VOID = "void"
    ATTACH = "attach"
    SHIFT_OPEN = "shift-open"
    CASH = "cash"
    SHIFT_CLOSE = "shift-close"
    SESSIONS = "sessions"
    BILL = "bill"


class Role(StrEnum):
    """What an operator is; each may also do what those before it may."""

    ATTENDANT = "attendant"
    MANAGER = "manager"
    ADMIN = "admin"


LEAST_ROLE: dict[Verb, Role] = {
    Verb.BARRIER_OPEN: Role.ATTENDANT,
    Verb.BARRIER_HOLD: Role.ATTENDANT,
    Verb.BARRIER_RELEASE: Role.ATTENDANT,
    Verb.RECOUNT: Role.MANAGER,
    Verb.VALIDATE: Role.MANAGER,
    Verb.BENEFIT: Role.MANAGER,
    Verb.BLOCK: Role.MANAGER,
    Verb.UNBLOCK: Role.MANAGER,
    Verb.REFUND: Role.MANAGER,
    Verb.VOID: Role.MANAGER,
    Verb.ATTACH: Role.MANAGER,
    Verb.SHIFT_OPEN: Role.ATTENDANT,
    Verb.CASH: Role.ATTENDANT,
    Verb.SHIFT_CLOSE: Role.ATTENDANT,
    Verb.SESSIONS: Role.ATTENDANT,
    Verb.BILL: Role.ATTENDANT,
}

LOOKS = frozenset({Verb.SESSIONS, Verb.BILL})
"""What only asks, and changes nothing."""

AT_THE_BARRIER = frozenset({Verb.BARRIER_OPEN, Verb.BARRIER_HOLD, Verb.BARRIER_RELEASE})


class Code(StrEnum):
    """Why a command was refused; DONE is none."""

    DONE = ""
    UNKNOWN_KEY = "unknown-key"
    REVOKED = "revoked"
    EXPIRED_KEY = "expired-key"
    BAD_SIGNATURE = "bad-signature"
    WRONG_GATEWAY = "wrong-gateway"
    WRONG_LOT = "wrong-lot"
    EXPIRED = "expired"
    NOT_YET = "not-yet"
    REPLAYED = "replayed"
    FORBIDDEN = "forbidden"
    UNKNOWN_VERB = "unknown-verb"
    BAD_ARGS = "bad-args"
    NOT_POSSIBLE = "not-possible"


def may(roles: Iterable[str], verb: Verb) -> bool:
    """Whether one of these roles covers a verb; a role that this release does not know covers none."""
    ranks = list(Role)
    return any(role in ranks and ranks.index(Role(role)) >= ranks.index(LEAST_ROLE[verb]) for role in roles)


def lifetime_ms(verb: str) -> int:
    """How long a command may be under way."""
    return BARRIER_LIFETIME_MS if verb in AT_THE_BARRIER else LIFETIME_MS


class _Line:
    """A line whose JSON has just the fields of the dataclass, and the version."""

    FORM: ClassVar[Form]
    BYTES_MAX: ClassVar[int] = forms.TEXT_BYTES_MAX

    def line(self) -> str:
        """The canonical text, which a signature covers."""
        return _canonical({"v": 1, **asdict(self)})  # type: ignore[call-overload]

    @classmethod
    def from_line(cls, line: str) -> Self | Rejection:
        """What a line says, or why it says nothing."""
        if len(line.encode()) > cls.BYTES_MAX:
            return Rejection(Reason.TOO_LONG, f"line of more than {cls.BYTES_MAX} bytes")
        value = forms.parse(line)
        if isinstance(value, Rejection):
            return value
        if _canonical(value) != line:
            return Rejection(Reason.NOT_CANONICAL, "another spelling of the same content exists")
        got = forms.shape(value, {"v": forms.version, **cls.FORM})
        if isinstance(got, Rejection):
            return got
        return cls(**{field.name: got[field.name] for field in fields(cls)})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Operator:
    """One person's key: its id, the 32 public bytes in base64, a label for people, roles, and when it ends."""

    key: str
    pub: str
    name: str
    roles: tuple[str, ...]
    expires_ms: int

    FORM: ClassVar[Form] = {
        "key": forms.key_id,
        "pub": forms.text,
        "name": forms.short_text(64),
        "roles": forms.listing(forms.short_text(32)),
        "expires_ms": forms.count,
    }


@dataclass(frozen=True, slots=True)
class OperatorList(_Line):
    """Line of cfg/operators, signed by the city: who may command one chain. A key that is left out is revoked."""

    chain: str
    version: int
    at_ms: int
    operators: tuple[Operator, ...]

    BYTES_MAX: ClassVar[int] = forms.LIST_BYTES_MAX
    FORM: ClassVar[Form] = {
        "chain": forms.text,
        "version": forms.count,
        "at_ms": forms.count,
        "operators": forms.listing(forms.Fields(Operator.FORM, Operator)),
    }


@dataclass(frozen=True, slots=True)
class Command(_Line):
    """Line of cmd/{verb}, signed by an operator: `n` rises for each key and gateway and is the command's id."""

    gw: str
    lot: str
    key: str
    n: int
    verb: str
    args: Mapping[str, Any]
    reason: str
    issued_ms: int
    expires_ms: int

    FORM: ClassVar[Form] = {
        "gw": forms.text,
        "lot": forms.text,
        "key": forms.key_id,
        "n": forms.count,
        "verb": forms.short_text(32),
        "args": forms.table(forms.anything),
        "reason": forms.short_text(REASON_BYTES_MAX),
        "issued_ms": forms.count,
        "expires_ms": forms.count,
    }


@dataclass(frozen=True, slots=True)
class Reply(_Line):
    """Line of a reply, signed by the gateway's record key: `record` names the command's record, 0 if it has none.

    `stays`, `lines` and `records` hold what was asked to be seen, and are empty in every other reply.
    """

    gw: str
    key: str
    n: int
    state: str
    code: str
    detail: str
    record: int
    at_ms: int
    stays: tuple[Stay, ...] = ()
    lines: tuple[Charged, ...] = ()
    records: tuple[Happened, ...] = ()

    BYTES_MAX: ClassVar[int] = forms.LIST_BYTES_MAX
    FORM: ClassVar[Form] = {
        "gw": forms.text,
        "key": forms.key_id,
        "n": forms.count,
        "state": forms.word("done", "refused"),
        "code": forms.word(*Code),
        "detail": forms.text,
        "record": forms.count,
        "at_ms": forms.count,
        "stays": forms.listing(forms.Fields(Stay.FORM, Stay)),
        "lines": forms.listing(forms.Fields(Charged.FORM, Charged)),
        "records": forms.listing(forms.Fields(Happened.FORM, Happened)),
    }


@dataclass(frozen=True, slots=True)
class Signed:
    """Body of cmd/{verb}, cfg/operators and a reply: a line and its 64 signature bytes, nothing of it checked yet."""

    line: str
    signature: bytes

    FORM: ClassVar[Form] = {"v": forms.version, "line": forms.long_text, "sig": forms.signature}

    def to_json(self) -> bytes:
        """The body."""
        sig = base64.b64encode(self.signature).decode()
        return json.dumps({"v": 1, "line": self.line, "sig": sig}, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, payload: bytes) -> Self | Rejection:
        """The message, or why it is none."""
        got = forms.read_object(payload, cls.FORM)
        return got if isinstance(got, Rejection) else cls(got["line"], got["sig"])


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
