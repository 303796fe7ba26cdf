"""Checks a driver's single bill, from the text of its QR code: one file, in need of Python 3.11 and `cryptography` only.

    python bill_verifier.py --bill FILE --anchor CITY.pub [--json]

Exit 0: the city has this bill in its books, and its numbers agree. 1: a line is bad; it is named with the reason. 3: nothing
contradicts itself, but without the city's public key that proves nothing. 2: the command or a file cannot be used.
docs/VERIFY.md describes the text. It shows one record and no other driver's. Shares no code with the gateway.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

BEGIN, END = "LOTGATE1:", "."
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
"""RFC 9285, the signs of a QR code's alphanumeric mode."""
TEXT_CHARS_MAX = 4296
"""What the largest QR code holds."""
BYTES_MAX = 16_384
"""Bytes of the unpacked text; a packed one could claim to be a thousand times longer than it is."""
PAYLOAD_BYTES_MAX = 4096
INTEGER_MAX = 2**53 - 1
DEPTH_MAX = 8
HEAD_DOMAIN, PLATE_DOMAIN = b"lotgate-tree-v1\n", b"lotgate-plate-v1\n"
FORMS = {
    "lotgate-bill-v1": "v chain size root at_ms",
    "record": "v chain epoch n prev boot mono wall clock key dn type body",
    "disclosure": "plate salt",
}
"""The members of each kind's payload, no more and no less: INTEGERS, the body an object, all others text."""
INTEGERS = {"v", "size", "at_ms", "epoch", "n", "mono", "wall", "dn"}


@dataclass
class Report:
    """What a bill's text shows, up to the bad line if there is one (0: the packing). Amounts in minor units of `currency`;
    `size` is how many records the city's tree held at `at_ms`; `lines` are (Chinese, English, amount)."""

    anchored: bool
    bad_line: int | None = None
    reason: str = ""
    chain: str = ""
    size: int = 0
    at_ms: int = 0
    n: int = 0
    session: str = ""
    outcome: str = ""
    currency: str = ""
    amount_minor: int = 0
    lines: list[tuple[str, str, int]] = field(default_factory=list)
    plate: str = ""

    @property
    def exit_code(self) -> int:
        """0 good, 1 bad, 3 self-consistent only."""
        return 1 if self.bad_line is not None else 0 if self.anchored else 3


def verify_bill(text: str, anchor: bytes | None) -> Report:
    """Check the text of a QR code against the city's public key (32 bytes; None: check what can be checked without)."""
    report = Report(anchored=anchor is not None)
    at = 0
    try:
        raw = _unpacked(text)
        lines = raw.split(b"\n")
        if lines.pop() or not 2 <= len(lines) <= 3:
            raise _Bad("not two or three lines, each ended by LF")
        reading = _Reading(report, anchor)
        for at, line in enumerate(lines, 1):
            reading.line(at, line)
    except _Bad as bad:
        report.bad_line, report.reason = at, str(bad)
    return report


def read_anchor(data: bytes) -> bytes:
    """The 32 bytes of a public key from a PEM file, or from one line of 44 base64 characters. ValueError if it is neither."""
    if data.startswith(b"-----BEGIN"):
        key = load_pem_public_key(data)
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("the anchor is a public key of another kind than Ed25519")
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    raw = _base64(data.decode("ascii").rstrip("\r\n"))
    if raw is None or len(raw) != 32:
        raise ValueError("the anchor is neither a PEM public key nor the base64 of 32 bytes")
    return raw


def main(argv: list[str]) -> int:
    """The command line; the exit code is its result."""
    parser = argparse.ArgumentParser(prog="bill_verifier", description="Check a single bill by its QR code's text.")
    parser.epilog = "Example: bill_verifier --bill bill.txt --anchor city.pub"
    parser.add_argument("--bill", type=Path, required=True, help="a file with the text of the QR code")
    parser.add_argument("--anchor", type=Path, help="the city's Ed25519 public key: PEM, or base64 of its 32 bytes")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    try:
        options = parser.parse_args(argv)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        text = options.bill.read_bytes().decode("utf-8", "replace")
        anchor = None if options.anchor is None else read_anchor(options.anchor.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        print(f"bill_verifier: {error}", file=sys.stderr)
        return 2
    report = verify_bill(text, anchor)
    print(json.dumps({**asdict(report), "exit": report.exit_code}) if options.json else _text(report))
    return report.exit_code


class _Bad(Exception):
    """A line does not hold."""


def _unpacked(text: str) -> bytes:
    text = text.strip("\r\n")
    if not (text.startswith(BEGIN) and text.endswith(END)) or len(text) > TEXT_CHARS_MAX:
        raise _Bad(f"not the text of a bill, which begins with {BEGIN!r} and ends with {END!r}: cut, or something else")
    packed = _base45(text[len(BEGIN) : -len(END)])
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(packed, BYTES_MAX)
    except zlib.error as error:
        raise _Bad(f"the packing is damaged: {error}") from None
    if not unpacker.eof or unpacker.unused_data:
        raise _Bad("the packing does not end where it should")
    return raw


class _Reading:
    """The state of reading a bill's lines."""

    def __init__(self, report: Report, anchor: bytes | None) -> None:
        self.report, self.anchor = report, anchor
        self.root = ""
        self.commitment: object = None

    def line(self, at: int, raw: bytes) -> None:
        fields = raw.split(b"\t")
        if len(fields) != 4:
            raise _Bad(f"{len(fields)} fields instead of 4")
        try:
            kind, payload, third, key = (part.decode() for part in fields)
        except UnicodeDecodeError:
            raise _Bad("not UTF-8") from None
        if kind != list(FORMS)[at - 1]:
            raise _Bad(f"kind {kind[:40]!r} where {list(FORMS)[at - 1]} must stand")
        beside = _base64(third)
        if beside is None:
            raise _Bad("the third field is not canonical base64")
        content = _canonical(fields[1])
        members = {name: int if name in INTEGERS else dict if name == "body" else str for name in FORMS[kind].split()}
        if {name: type(value) for name, value in content.items()} != members or content.get("v", 1) != 1:
            raise _Bad(f"not the members of a {kind}: {FORMS[kind]}, version 1")
        if at == 1:
            self._head(content, payload.encode(), beside, key)
        elif at == 2:
            self._record(content, payload.encode(), beside, key)
        else:
            self._disclosure(content, beside, key)

    def _head(self, content: dict[str, Any], payload: bytes, signature: bytes, key: str) -> None:
        if len(signature) != 64 or not _hex(key, 16) or not _hex(content["root"], 64):
            raise _Bad("a signature, key id or root out of form")
        if self.anchor is not None:
            if key != hashlib.sha256(self.anchor).hexdigest()[:16]:
                raise _Bad(f"the head is in the name of key {key}, which is not the city's")
            try:
                Ed25519PublicKey.from_public_bytes(self.anchor).verify(signature, HEAD_DOMAIN + payload)
            except InvalidSignature:
                raise _Bad("the city's signature of the head is wrong") from None
        report = self.report
        report.chain, report.size, report.at_ms = content["chain"], content["size"], content["at_ms"]
        self.root = content["root"]

    def _record(self, content: dict[str, Any], payload: bytes, path: bytes, key: str) -> None:
        n, body, report = content["n"], content["body"], self.report
        if key or content["chain"] != report.chain or content["type"] not in ("exit", "attached"):
            raise _Bad(f"not the record of an exit of chain {report.chain!r}")
        if not 1 <= n <= report.size:
            raise _Bad(f"record {n} is not among the {report.size} of the head")
        leaf = hashlib.sha256(b"\x00" + payload).digest()
        if root_of(leaf, n - 1, report.size, path) != bytes.fromhex(self.root):
            raise _Bad(f"the proof does not lead from record {n} to the head's root")
        shown: list[tuple[str, str, int]] = []
        for line in _member(body, "lines", list):
            if not isinstance(line, dict):
                raise _Bad("a line of the bill is no object")
            amount_minor = _member(line, "amount_minor", int)
            if _member(line, "units", int) * _member(line, "unit_minor", int) != amount_minor:
                raise _Bad("a line of the bill is not its units times their price")
            shown.append((_member(line, "text_zh", str), _member(line, "text_en", str), amount_minor))
        owed = _member(body, "amount_minor", int)
        made = sum(amount_minor for _, _, amount_minor in shown)
        if owed < 0 or made != owed:
            raise _Bad(f"the lines of the bill make {made}, the bill says {owed}")
        report.session, report.outcome = _member(body, "session", str), _member(body, "outcome", str)
        report.currency = _member(body, "currency", str)
        report.n, report.amount_minor, report.lines = n, owed, shown
        self.commitment = body.get("plate")

    def _disclosure(self, content: dict[str, Any], beside: bytes, key: str) -> None:
        salt = _base64(content["salt"])
        if beside or key or salt is None or len(salt) != 16:
            raise _Bad("a disclosure out of form")
        if hashlib.sha256(PLATE_DOMAIN + salt + content["plate"].encode()).hexdigest() != self.commitment:
            raise _Bad("plate and salt do not open the commitment of the bill")
        self.report.plate = content["plate"]


def root_of(leaf: bytes, index: int, size: int, path: bytes) -> bytes | None:
    """The root to which hashes of 32 bytes lead from a leaf in a tree of `size` (RFC 9162 section 2.1.3.2); None if their
    number is wrong."""
    node, last = leaf, size - 1
    for at in range(0, len(path), 32):
        beside = path[at : at + 32]
        if last == 0 or len(beside) != 32:
            return None
        if index % 2 == 1 or index == last:
            node = hashlib.sha256(b"\x01" + beside + node).digest()
            while index % 2 == 0 and index != 0:
                index, last = index // 2, last // 2
        else:
            node = hashlib.sha256(b"\x01" + node + beside).digest()
        index, last = index // 2, last // 2
    return node if last == 0 else None


def _canonical(raw: bytes) -> dict[str, Any]:
    """The object that canonical JSON spells: sorted ASCII keys, no spaces, no null, fractions or integers beyond 2^53-1."""
    if len(raw) > PAYLOAD_BYTES_MAX:
        raise _Bad(f"a payload of more than {PAYLOAD_BYTES_MAX} bytes")
    try:
        content = json.loads(raw, parse_float=_refused, parse_constant=_refused, object_pairs_hook=_unique)
        again = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _Bad(f"not JSON of the allowed kind: {error}") from None
    if again != raw or not isinstance(content, dict) or not _plain(content, 0):
        raise _Bad("not canonical JSON")
    return content


def _refused(number: str) -> None:
    raise ValueError(f"the number {number[:40]}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs) or not all(name.isascii() for name in content):
        raise ValueError("a key that comes twice or is not ASCII")
    return content


def _plain(value: object, depth: int) -> bool:
    match value:
        case bool() | str():
            return True
        case int():
            return abs(value) <= INTEGER_MAX
        case list():
            return depth < DEPTH_MAX and all(_plain(item, depth + 1) for item in value)
        case dict():
            return depth < DEPTH_MAX and all(_plain(item, depth + 1) for item in value.values())
        case _:
            return False


def _member(body: dict[str, Any], name: str, kind: type) -> Any:
    if type(body.get(name)) is not kind:
        raise _Bad(f"{name} is missing or of the wrong type")
    return body[name]


def _base45(text: str) -> bytes:
    raw = bytearray()
    for at in range(0, len(text), 3):
        digits = [ALPHABET.find(sign) for sign in text[at : at + 3]]
        value = sum(digit * 45**place for place, digit in enumerate(digits))
        if min(digits) < 0 or len(digits) == 1 or value >= 256 ** (len(digits) - 1):
            raise _Bad("not base45 text")
        raw += value.to_bytes(len(digits) - 1, "big")
    return bytes(raw)


def _base64(text: str) -> bytes | None:
    """The bytes, if the text is their one canonical spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def _hex(text: str, digits: int) -> bool:
    return len(text) == digits and set(text) <= set("0123456789abcdef")


def _text(report: Report) -> str:
    verdict = {
        0: "good: the city has this bill in its books",
        1: f"BAD: line {report.bad_line}: {report.reason}; what follows is what holds before it",
        3: "self-consistent only: without --anchor this proves nothing, since the text brings its own head",
    }[report.exit_code]
    return "\n".join(
        (
            verdict,
            f"chain      {report.chain}, {report.size} records in the city's tree",
            f"bill       record {report.n}, session {report.session}, outcome {report.outcome}",
            *(f"line       {amount_minor} {english}" for _, english, amount_minor in report.lines),
            f"owed       {report.amount_minor} minor units {report.currency}",
            f"plate      {report.plate or 'not disclosed'}",
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
