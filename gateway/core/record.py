"""One line of the ledger: restricted canonical JSON, chained by hash, signed elsewhere.

Owns the line's fields, their canonical bytes, the record hash (RFC 6962 leaf: SHA-256 over 0x00 and the line, not the
signature), the bytes that a signature covers, and the salted commitment that stands for a plate. Rules: integers only
(at most 2^53-1), no null, no float, no plate, at most LINE_BYTES_MAX. Knows neither keys nor storage.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.core.moment import Moment

RECORD_DOMAIN = b"lotgate-record-v1\n"
"""Prefix of what a record's signature covers, so that no other signed thing can pass for a record."""

PLATE_DOMAIN = b"lotgate-plate-v1\n"
ROTATE_DOMAIN = b"lotgate-rotate-v1\n"
"""Prefix of the place in the chain that a new record key signs for itself."""

LINE_BYTES_MAX = 4096
"""Bytes of a record's line: a bill of 12 lines takes about 3 kB, and 15 such lines still fit one MQTT message."""
GENESIS_PREV = "0" * 64
INTEGER_MAX = 2**53 - 1
SALT_BYTES = 16

Value = str | int | bool | Sequence["Value"] | Mapping[str, "Value"]
Body = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Plate identity and salt that open a record's commitment; kept beside the chain, erasable."""

    n: int
    plate: str
    salt: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A record that the lot wants written: its type, its body, and the plate to disclose beside it, if any."""

    type: str
    body: Body
    disclose: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A signed line as it is stored and sent: the exact text, 64 signature bytes, and the key's id."""

    epoch: int
    n: int
    line: str
    signature: bytes
    key: str
    disclosure: Disclosure | None = None


def canonical(value: Value) -> str:
    """Canonical JSON text: keys sorted, no spaces, UTF-8 as is. ValueError on a float, a null, a big integer."""
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def record_line(draft: Draft, *, chain: str, epoch: int, n: int, prev: str, key: str, dn: int, now: Moment) -> str:
    """The line of record n, after the record whose hash is `prev`; `dn` is the last applied number of the stream down.

    Raises ValueError if the line is longer than LINE_BYTES_MAX.
    """
    line = canonical(
        {
            "v": 1,
            "chain": chain,
            "epoch": epoch,
            "n": n,
            "prev": prev,
            "boot": now.boot,
            "mono": now.mono_ms,
            "wall": now.wall_ms,
            "clock": str(now.quality),
            "key": key,
            "dn": dn,
            "type": draft.type,
            "body": draft.body,
        }
    )
    if len(line.encode()) > LINE_BYTES_MAX:
        raise ValueError(f"record {n} of type {draft.type} has more than {LINE_BYTES_MAX} bytes")
    return line


def record_hash(line: str) -> bytes:
    """SHA-256 over 0x00 and the line's bytes (RFC 6962 section 2.1, leaf)."""
    return hashlib.sha256(b"\x00" + line.encode()).digest()


def signed_bytes(line: str) -> bytes:
    """What the signature of a record covers."""
    return RECORD_DOMAIN + line.encode()


def plate_commitment(plate_identity: str, salt: str) -> str:
    """Hex SHA-256 that stands for a plate in the chain; `salt` is base64 of SALT_BYTES bytes."""
    return hashlib.sha256(PLATE_DOMAIN + base64.b64decode(salt) + plate_identity.encode()).hexdigest()


def key_id(public_bytes: bytes) -> str:
    """Id of an Ed25519 key: the first 16 hex digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(public_bytes).hexdigest()[:16]


def _check(value: object) -> None:
    if isinstance(value, str | bool):
        return
    if isinstance(value, int):
        if abs(value) > INTEGER_MAX:
            raise ValueError(f"{value} is beyond 2^53-1")
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if not (isinstance(name, str) and name.isascii()):
                raise ValueError(f"key {name!r} is not ASCII text")
            _check(item)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        for item in value:
            _check(item)
    else:
        raise ValueError(f"{type(value).__name__} {value!r}: a record holds text, integers, booleans, lists, objects")
