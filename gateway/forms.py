"""How JSON from outside is checked: strict parsing, and small readers that say what a value must be.

Rules: integers only, unique keys, text that UTF-8 can carry, exactly the keys that are known, every size limited. A reader
returns the value as the program wants it or raises ValueError; `shape` turns that into a named Rejection, so callers never see
it. Knows no message: `messages` and `sync` say which fields they have.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

BODY_BYTES_MAX = 65_536
"""A body: far below every broker's limit, and a hundred short records fit."""
LINES_MAX = 100
"""Lines of one message: less than a second's work for a slow city, so its answer comes before the resend timer."""
TEXT_BYTES_MAX = 4_096
"""Any text inside a body; a record's line is the longest."""
LIST_BYTES_MAX = 49_152
"""The line with the list of operators: a hundred of them take 25 kB, and a body has room for it and its signature."""
NAMES_MAX = 256
"""Members of a table: the lanes of a lot, the counters of a gateway."""
INTEGER_MAX = 2**53 - 1
MONEY_MAX = 1_000_000_000
"""Minor units of one bill, payment or till: ten millions of a currency with hundredths. A record holds sums of them within
INTEGER_MAX, for as many as nine millions."""
VEHICLES_MAX = 1_000_000
"""Vehicles that a count may find in a lot: more than the largest lots hold."""
SIGNATURE_BYTES = 64


class Reason(StrEnum):
    """Why something from outside was not taken; it is counted under this name."""

    TOPIC = "topic"
    TOO_LONG = "too-long"
    NOT_JSON = "not-json"
    FORM = "form"
    NOT_CANONICAL = "not-canonical"
    CHAIN = "chain"
    SIGNATURE = "signature"
    UNKNOWN_TYPE = "unknown-type"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Something from outside that was wrong: the name to count it under, and a detail for the log (no plate, no secret)."""

    reason: Reason
    detail: str


Reader = Callable[[object], Any]
Form = Mapping[str, Reader]


def read_object(text: str | bytes, form: Form) -> dict[str, Any] | Rejection:
    """The object in a JSON text, each field passed through its reader, or why it is none."""
    value = parse(text)
    return value if isinstance(value, Rejection) else shape(value, form)


def parse(text: str | bytes) -> object | Rejection:
    """The value of a JSON text, or why there is none."""
    if len(text) > BODY_BYTES_MAX:
        return Rejection(Reason.TOO_LONG, f"{len(text)} bytes")
    try:
        plain = text if isinstance(text, str) else text.decode()
        return cast(object, _DECODER.decode(plain))
    except RecursionError:
        return Rejection(Reason.NOT_JSON, "nested too deep")
    except ValueError as fault:
        return Rejection(Reason.NOT_JSON, str(fault)[:200])


def shape(value: object, form: Form) -> dict[str, Any] | Rejection:
    """The value as an object of this form, or why it is none."""
    try:
        return _object(value, form)
    except ValueError as fault:
        return Rejection(Reason.FORM, str(fault)[:200])


def text(value: object) -> str:
    """Reader of a text of at most TEXT_BYTES_MAX bytes."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    if len(value.encode()) > TEXT_BYTES_MAX:
        raise ValueError("text too long")
    return value


def long_text(value: object) -> str:
    """Reader of a text of at most LIST_BYTES_MAX bytes, for the one line that is longer than a record's."""
    if not isinstance(value, str) or len(value.encode()) > LIST_BYTES_MAX:
        raise ValueError("not a text, or too long")
    return value


@dataclass(frozen=True, slots=True)
class Short:
    """Reader of a printable text of at most so many bytes."""

    bytes_max: int

    def __call__(self, value: object) -> str:
        found = text(value)
        if len(found.encode()) > self.bytes_max or not found.isprintable():
            raise ValueError(f"not printable text of at most {self.bytes_max} bytes")
        return found


def short_text(bytes_max: int) -> Reader:
    """Reader of a printable text of at most so many bytes."""
    return Short(bytes_max)


def key_id(value: object) -> str:
    """Reader of a key's id: 16 lower-case hex digits."""
    found = text(value)
    if len(found) != 16 or not set(found) <= set("0123456789abcdef"):
        raise ValueError("not 16 lower-case hex digits")
    return found


def count(value: object) -> int:
    """Reader of an integer from 0 to 2^53-1."""
    if type(value) is not int or not 0 <= value <= INTEGER_MAX:
        raise ValueError("not a whole number from 0 to 2^53-1")
    return value


def whole(value: object) -> int:
    """Reader of an integer from -(2^53-1) to 2^53-1."""
    if type(value) is not int or abs(value) > INTEGER_MAX:
        raise ValueError("not a whole number of at most 2^53-1")
    return value


def money(value: object) -> int:
    """Reader of an amount that records sum up: minor units from 0 to MONEY_MAX."""
    return _at_most(value, MONEY_MAX)


def vehicles(value: object) -> int:
    """Reader of a count of vehicles, from 0 to VEHICLES_MAX."""
    return _at_most(value, VEHICLES_MAX)


def version(value: object) -> int:
    """Reader of a body's version: 1 is the only one there is."""
    if type(value) is not int or value != 1:
        raise ValueError("not version 1")
    return value


def _at_most(value: object, most: int) -> int:
    if count(value) > most:
        raise ValueError(f"not a whole number from 0 to {most}")
    return count(value)


def anything(value: object) -> object:
    """Reader of what is read elsewhere."""
    return value


@dataclass(frozen=True, slots=True)
class Word:
    """Reader of one of these words, turned into what it means."""

    words: tuple[str, ...]
    make: Callable[[str], Any] = str

    def __call__(self, value: object) -> Any:
        if value not in self.words:
            raise ValueError(f"not one of {', '.join(self.words)}")
        return self.make(str(value))


def word(*words: str) -> Reader:
    """Reader of one of these words."""
    return Word(words)


def signature(value: object) -> bytes:
    """Reader of 64 bytes in base64, written the one canonical way."""
    raw = base64.b64decode(text(value), validate=True)
    if len(raw) != SIGNATURE_BYTES or base64.b64encode(raw).decode() != value:
        raise ValueError("not a signature of 64 bytes in canonical base64")
    return raw


def hash_hex(value: object) -> bytes:
    """Reader of a SHA-256 in 64 lower-case hex digits."""
    raw = bytes.fromhex(text(value))
    if raw.hex() != value or len(raw) != 32:
        raise ValueError("not 64 lower-case hex digits")
    return raw


@dataclass(frozen=True, slots=True)
class Table:
    """Reader of an object with any names and values of one kind."""

    of: Reader

    def __call__(self, value: object) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > NAMES_MAX:
            raise ValueError(f"not a table of at most {NAMES_MAX}")
        return {text(name): self.of(item) for name, item in value.items()}


def table(reader: Reader) -> Reader:
    """Reader of an object with any names and values of one kind."""
    return Table(reader)


@dataclass(frozen=True, slots=True)
class Listing:
    """Reader of a list of at most LINES_MAX values of one kind, as a tuple."""

    of: Reader

    def __call__(self, value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > LINES_MAX:
            raise ValueError(f"not a list of at most {LINES_MAX}")
        return tuple(self.of(item) for item in value)


def listing(reader: Reader) -> Reader:
    """Reader of a list of at most LINES_MAX values of one kind, as a tuple."""
    return Listing(reader)


@dataclass(frozen=True, slots=True)
class Fields:
    """Reader of an object with exactly the keys of a form, turned into what it means."""

    form: Form
    make: Callable[..., Any] = dict

    def __call__(self, value: object) -> Any:
        return self.make(**_object(value, self.form))


def fields(form: Form) -> Reader:
    """Reader of an object with exactly the keys of a form."""
    return Fields(form)


def _object(value: object, form: Form) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    if value.keys() != form.keys():
        raise ValueError(f"missing or unknown: {sorted(value.keys() ^ form.keys())!r}")
    read = {}
    for name, reader in form.items():
        try:
            read[name] = reader(value[name])
        except ValueError as fault:
            raise ValueError(f"{name}: {fault}") from fault
    return read


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _never(literal: str) -> Any:
    raise ValueError(f"number {literal[:20]} is no integer")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_never, parse_constant=_never)
"""Made once: to make one for each text costs as much as a short text itself."""
