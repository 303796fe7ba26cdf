"""The city's own reading of a record: written from the format's description, apart from the gateway's code.

Rules: a line is taken only if its bytes are the one canonical spelling of its content; the signature covers the line under the
record domain; the hash is the RFC 6962 leaf. Every fault has a name. Knows no chain state: what follows what is for `city`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ZERO_HASH = "00" * 32
LARGEST = (1 << 53) - 1
LINE_BYTES = 4096
DEPTH = 8
"""Objects and lists inside one another: a bill's lines are the deepest, at three."""
NAMES = frozenset(("v", "chain", "epoch", "n", "prev", "boot", "mono", "wall", "clock", "key", "dn", "type", "body"))
TO_ESCAPE = re.compile(r'[\x00-\x1f"\\]')
SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


class Fault(StrEnum):
    """Why a line or a message was not taken."""

    MESSAGE = "message"
    FORM = "form"
    NOT_CANONICAL = "not-canonical"
    CHAIN = "chain"
    KEY = "key"
    SIGNATURE = "signature"
    COMMITMENT = "commitment"
    GAP = "gap"
    FORK = "fork"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class Line:
    """A record whose form and signature hold. `leaf`: its hash in hex."""

    text: str
    signature: bytes
    leaf: str
    epoch: int
    n: int
    prev: str
    wall_ms: int
    dn: int
    type: str
    body: dict[str, Any]


class ChainKey:
    """The public key under which one chain's records stand: 32 bytes."""

    def __init__(self, public: bytes) -> None:
        self.id = hashlib.sha256(public).hexdigest()[:16]
        self._key = Ed25519PublicKey.from_public_bytes(public)

    def covers(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is over this message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def leaf_hash(line: str) -> str:
    """Hex of the RFC 6962 leaf hash of a line."""
    digest = hashlib.sha256(bytes(1))
    digest.update(line.encode("utf-8"))
    return digest.hexdigest()


def read_line(text: str, signature: bytes, chain: str, key: ChainKey) -> Line | Fault:
    """The record in a line of this chain under this key, or the first thing wrong with it."""
    if not 0 < utf8_bytes(text) <= LINE_BYTES:
        return Fault.FORM
    value = load(text)
    if isinstance(value, Fault):
        return value
    if not isinstance(value, dict) or not _has_form(value):
        return Fault.FORM
    if write(value) != text:
        return Fault.NOT_CANONICAL
    if value["chain"] != chain:
        return Fault.CHAIN
    if value["key"] != key.id:
        return Fault.KEY
    if not key.covers(b"lotgate-record-v1\n" + text.encode("utf-8"), signature):
        return Fault.SIGNATURE
    return Line(
        text=text,
        signature=signature,
        leaf=leaf_hash(text),
        epoch=value["epoch"],
        n=value["n"],
        prev=value["prev"],
        wall_ms=value["wall"],
        dn=value["dn"],
        type=value["type"],
        body=value["body"],
    )


def opens(line: Line, plate: str, salt: str) -> bool:
    """Whether plate and salt open the commitment of the record."""
    return commits(line.body, plate, salt)


def commits(body: dict[str, Any], plate: str, salt: str) -> bool:
    """Whether plate and salt open the commitment that a record's body carries as `plate`."""
    if utf8_bytes(plate) == 0:
        return False
    try:
        raw = base64.b64decode(salt, validate=True)
    except ValueError:
        return False
    found = hashlib.sha256(b"lotgate-plate-v1\n" + raw + plate.encode("utf-8")).hexdigest()
    return len(raw) == 16 and body.get("plate") == found


def utf8_bytes(text: str) -> int:
    """Length in UTF-8; 0 also for a text with half a surrogate pair, which UTF-8 cannot carry."""
    try:
        return len(text.encode("utf-8"))
    except UnicodeEncodeError:
        return 0


def load(text: str) -> Any:
    """The JSON value of a text, or Fault.FORM: floats, null and keys that stand twice have no place in it."""
    try:
        return json.loads(text, parse_float=_refuse, parse_constant=_refuse, object_pairs_hook=_pairs)
    except (ValueError, RecursionError):
        return Fault.FORM


def write(value: Any, depth: int = 0) -> str:
    """The canonical spelling of a value; '' when it has none (null, float, large integer, too deep)."""
    if depth > DEPTH:
        return ""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if -LARGEST <= value <= LARGEST else ""
        case str():
            return '"' + TO_ESCAPE.sub(_escape, value) + '"'
        case list():
            items = [write(item, depth + 1) for item in value]
            return "[" + ",".join(items) + "]" if all(items) else ""
        case dict():
            pairs = [(write(name), write(value[name], depth + 1)) for name in sorted(value)]
            if not all(text and name.isascii() for name, text in pairs):
                return ""
            return "{" + ",".join(f"{name}:{text}" for name, text in pairs) + "}"
        case _:
            return ""


def _has_form(value: dict[str, Any]) -> bool:
    counts = all(
        type(value.get(name)) is int and 0 <= value[name] <= LARGEST for name in ("epoch", "n", "mono", "wall", "dn")
    )
    texts = all(isinstance(value.get(name), str) for name in ("chain", "prev", "boot", "clock", "key", "type"))
    return (
        value.keys() == NAMES
        and counts
        and texts
        and type(value["v"]) is int
        and value["v"] == 1
        and value["epoch"] >= 1
        and value["n"] >= 1
        and value["clock"] in ("S", "I", "U")
        and re.fullmatch("[0-9a-f]{64}", value["prev"]) is not None
        and isinstance(value["body"], dict)
    )


def _escape(found: re.Match[str]) -> str:
    return SHORT.get(found[0], f"\\u{ord(found[0]):04x}")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("twice the same key")
    return dict(pairs)


def _refuse(literal: str) -> Any:
    raise ValueError(literal)
