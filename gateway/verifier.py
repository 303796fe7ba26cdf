"""Checks an export of a lot's ledger: one file for a stranger, in need of Python 3.11 and `cryptography` and nothing of ours.

    python verifier.py EXPORT --anchor CITY.pub [--json]

Exit 0: every line holds. 1: a line is bad; it is named with the reason. 3: nothing contradicts itself, but without the city's
public key that proves nothing, since an export brings its own keys. 2: the command or a file cannot be used. docs/VERIFY.md
describes the format. Shares no code with the gateway, so that no mistake of the gateway can agree with itself here.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

PAYLOAD_BYTES_MAX, INTEGER_MAX, DEPTH_MAX = 4096, 2**53 - 1, 8
FORMS = {
    "lotgate-export-v1": "chain first last lines",
    "key": "v chain key alg pub from_n lot",
    "record": "v chain epoch n prev boot mono wall clock key dn type body",
    "disclosure": "n plate salt",
    "receipt": "v chain epoch n hash at_ms",
}
"""The members of each kind's payload, no more and no less: INTEGERS, the body an object, all others text. The signature of a
SIGNED kind covers `lotgate-KIND-v1`, LF, and the payload."""
SIGNED = {"record", "key", "receipt"}
INTEGERS = {"v", "first", "last", "lines", "from_n", "epoch", "n", "mono", "wall", "dn", "at_ms"}


@dataclass
class Report:
    """What an export holds, up to the bad line if there is one. Amounts in minor units of `currency`; `witnessed` is the last
    record that the city's receipt covers, 0 for none; `keys` are (key id, first record)."""

    anchored: bool
    bad_line: int | None = None
    reason: str = ""
    chain: str = ""
    epoch: int = 0
    lines: int = 0
    records: int = 0
    first: int = 0
    last: int = 0
    gaps: int = 0
    sessions: int = 0
    currency: str = ""
    owed_minor: int = 0
    paid_minor: int = 0
    refunded_minor: int = 0
    disclosed: int = 0
    witnessed: int = 0
    unwitnessed: int = 0
    keys: list[tuple[str, int]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 good, 1 bad, 3 self-consistent only."""
        return 1 if self.bad_line is not None else 0 if self.anchored else 3


def verify_lines(data: bytes, anchor: bytes | None) -> Report:
    """Check an export's bytes against the city's public key (32 bytes; None: check what can be checked without)."""
    reading = _Reading(anchor)
    report = reading.report
    lines = data.split(b"\n")
    rest = lines.pop()
    try:
        for raw in lines:
            report.lines += 1
            reading.line(raw)
        if rest or not lines:
            report.lines += 1
            raise _Bad("the file is cut: this line does not end with LF")
        reading.end()
    except _Bad as bad:
        report.bad_line = report.lines if bad.line is None else bad.line
        report.reason = bad.reason
    report.sessions, report.keys = len(reading.plates), [(key, first) for first, key, _ in reading.keys]
    purses = reading.books.purses.values()
    report.owed_minor = sum(purse.net for purse in purses)
    report.paid_minor = sum(purse.paid for purse in purses)
    report.refunded_minor = sum(purse.refunded for purse in purses)
    report.unwitnessed = max(0, report.last - max(report.witnessed, report.first - 1)) if report.records else 0
    return report


def read_anchor(data: bytes) -> bytes:
    """The 32 bytes of a public key from a PEM file, or from one line of 44 base64 characters. ValueError if it is neither."""
    if data.startswith(b"-----BEGIN"):
        key = load_pem_public_key(data)
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("the anchor is a public key of another kind than Ed25519")
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    raw = _base64(data.decode("ascii").rstrip("\r\n"), 32)
    if raw is None:
        raise ValueError("the anchor is neither a PEM public key nor the base64 of 32 bytes")
    return raw


def main(argv: list[str]) -> int:
    """The command line; the exit code is its result."""
    parser = argparse.ArgumentParser(prog="verifier", description="Check an export of a parking lot's ledger.")
    parser.epilog = "Example: verifier ledger.export --anchor city.pub"
    parser.add_argument("export", type=Path, help="the export, LF text")
    parser.add_argument("--anchor", type=Path, help="the city's Ed25519 public key: PEM, or base64 of its 32 bytes")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    try:
        options = parser.parse_args(argv)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        data = options.export.read_bytes()
        anchor = None if options.anchor is None else read_anchor(options.anchor.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        print(f"verifier: {error}", file=sys.stderr)
        return 2
    report = verify_lines(data, anchor)
    print(json.dumps({**asdict(report), "exit": report.exit_code}) if options.json else _text(report))
    return report.exit_code


class _Bad(Exception):
    """A line does not hold; `line` if it is not the one being read."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


class _Reading:
    """The state of reading an export from the top."""

    def __init__(self, anchor: bytes | None) -> None:
        self.report = Report(anchored=anchor is not None)
        self.anchor = anchor
        self.city = "" if anchor is None else _key_id(anchor)
        self.header: dict[str, Any] = {}
        self.record: dict[str, Any] = {}
        self.keys: list[tuple[int, str, bytes]] = []
        self.hashes: dict[int, str] = {}
        self.disclosed = False
        self.plates: dict[str, object] = {}
        self.books = _Books()

    def line(self, raw: bytes) -> None:
        fields = raw.split(b"\t")
        if len(fields) != 4:
            raise _Bad(f"{len(fields)} fields instead of 4")
        try:
            kind, payload, signature, key = (part.decode() for part in fields)
        except UnicodeDecodeError:
            raise _Bad("not UTF-8") from None
        if (kind == "lotgate-export-v1") != (self.report.lines == 1) or kind not in FORMS:
            raise _Bad(f"unexpected kind {kind[:40]!r}")
        raw_signature = _base64(signature, 64 if kind in SIGNED else 0)
        if raw_signature is None or (key and kind not in SIGNED):
            raise _Bad("not the canonical base64 of a signature of 64 bytes, or, where none belongs, not empty")
        content = _canonical(fields[1])
        members = {name: int if name in INTEGERS else dict if name == "body" else str for name in FORMS[kind].split()}
        if {name: type(value) for name, value in content.items()} != members:
            raise _Bad(f"not the members of a {kind}: {FORMS[kind]}")
        if content.get("v", 1) != 1:
            raise _Bad(f"version {content['v']} of a {kind}")
        if self.report.lines == 1:
            self.header = content
        elif kind == "disclosure":
            self._disclosure(content)
        else:
            check = {"key": self._key, "record": self._record, "receipt": self._receipt}[kind]
            check(content, payload.encode(), raw_signature, key)

    def end(self) -> None:
        header, report = self.header, self.report
        found = {"chain": report.chain, "first": report.first, "last": report.last, "lines": report.lines - 1}
        for name in found:
            if header[name] != found[name]:
                raise _Bad(f"the header says {name} {header[name]!r}, the file has {found[name]!r}: cut, or changed", 1)

    def _key(self, content: dict[str, Any], payload: bytes, signature: bytes, key: str) -> None:
        public = _base64(content["pub"], 32)
        if content["alg"] != "Ed25519" or public is None or content["key"] != _key_id(public):
            raise _Bad("not an Ed25519 key under its own id")
        self._by_city("key", payload, signature, key)
        self._same_chain(content)
        floor = max(self.report.last + 1 if self.report.records else 1, self.keys[-1][0] + 1 if self.keys else 1)
        if content["from_n"] < floor:
            raise _Bad(f"a key from record {content['from_n']} on comes too late, where {floor} is the earliest")
        self.keys.append((content["from_n"], content["key"], public))

    def _record(self, content: dict[str, Any], payload: bytes, signature: bytes, key: str) -> None:
        n, report = content["n"], self.report
        valid = [known for known in self.keys if known[0] <= n]
        if not valid or key != content["key"] or key != valid[-1][1]:
            raise _Bad(f"record {n} is not under the key that holds for it")
        if not _signed("record", payload, signature, valid[-1][2]):
            raise _Bad(f"the signature of record {n} is wrong")
        self._same_chain(content)
        opens_epoch = content["type"] == "restored"
        if report.records:
            if content["type"] == "genesis":
                raise _Bad(f"record {n} is a second genesis")
            if n != report.last + 1:
                raise _Bad(f"record {n} where record {report.last + 1} must follow")
            if content["epoch"] != report.epoch + opens_epoch:
                raise _Bad(f"record {n} is of epoch {content['epoch']}, the one before it of {report.epoch}")
            if content["prev"] != self.hashes[report.last]:
                raise _Bad(f"record {n} does not continue record {report.last}")
            if content["dn"] < self.record["dn"] and not opens_epoch:
                raise _Bad(f"record {n} takes back a line of the city that record {report.last} confirmed")
        elif n < 1 or (n == 1) != (content["prev"] == "0" * 64) or (n == 1) != (content["type"] == "genesis"):
            raise _Bad(f"record {n} is no beginning: record 1, and no other, is the genesis and follows nothing")
        if not _hex(content["prev"]) or content["clock"] not in ("S", "I", "U") or content["dn"] < 0:
            raise _Bad(f"record {n} has a prev, clock or dn out of form")
        if opens_epoch:
            self._restored(content, content["body"])
        if content["type"] == "rotate":
            self._rotated(content, content["body"])
        if opens_epoch or not report.records:
            self.books.begin(n, content["epoch"], whole=opens_epoch or n == 1)
        self._money(n, content["type"], content["body"])
        report.first = report.first or n
        report.last, report.epoch, report.records = n, content["epoch"], report.records + 1
        self.hashes[n] = hashlib.sha256(b"\x00" + payload).hexdigest()
        self.record, self.disclosed = content, False

    def _restored(self, content: dict[str, Any], body: dict[str, Any]) -> None:
        """A new epoch needs the city's word that its chain ends where this record continues it."""
        payload, signature = _member(body, "permit", str).encode(), _base64(_member(body, "permit_sig", str), 64)
        permit = _canonical(payload)
        wanted = {name: content[name] for name in ("v", "chain", "epoch")} | {"n": content["n"] - 1}
        if permit != wanted | {"hash": content["prev"], "at_ms": permit.get("at_ms")} or signature is None:
            raise _Bad(f"the city's permit in record {content['n']} is not for this place of the chain")
        self._by_city("epoch", payload, signature, self.city)

    def _rotated(self, content: dict[str, Any], body: dict[str, Any]) -> None:
        """The old key names the new one, which signs for itself; it holds from the next record on."""
        public, proof = _base64(_member(body, "pub", str), 32), _base64(_member(body, "proof", str), 64)
        if public is None or proof is None or body.get("key") != _key_id(public):
            raise _Bad(f"record {content['n']} names no Ed25519 key under its own id")
        if not _signed("rotate", content["prev"].encode(), proof, public):
            raise _Bad("the new key did not sign for itself")
        self.keys.append((content["n"] + 1, body["key"], public))

    def _money(self, n: int, kind: str, body: dict[str, Any]) -> None:
        report = self.report
        if kind in ("entry", "exit", "attached", "paid"):
            self._plate(kind, body)
        if kind in ("genesis", "restored", "exit", "attached"):
            currency = _member(body, "currency", str)
            if report.currency not in ("", currency):
                raise _Bad(f"an amount in {currency} in a ledger of {report.currency}")
            report.currency = currency
        self.books.record(n, kind, body)

    def _plate(self, kind: str, body: dict[str, Any]) -> None:
        """A bill is under the plate of its entry, or of the exit in review that it says was the same vehicle's."""
        session, plate = _member(body, "session", str), body.get("plate")
        right = [self.plates.setdefault(session, plate if kind in ("entry", "exit") else None)]
        if kind == "exit" and "pairs" in body:
            pairs = _member(body, "pairs", str)
            if self.books.whole and pairs not in self.plates:
                raise _Bad(f"session {session} is paired with exit {pairs}, which is not there")
            right.append(self.plates.get(pairs))
        if kind == "attached" and _member(body, "whose", str) == "exit":
            right = [self.plates.get(_member(body, "stray", str))]
        if kind in ("exit", "attached") and None not in right and plate not in right:
            raise _Bad(f"the bill of session {session} is under another plate than the read that it rests on")

    def _disclosure(self, content: dict[str, Any]) -> None:
        salt = _base64(content["salt"], 16)
        if self.disclosed or content["n"] != self.record.get("n"):
            raise _Bad("a disclosure that does not follow its record")
        if salt is None:
            raise _Bad("the salt is not the canonical base64 of 16 bytes")
        opened = hashlib.sha256(b"lotgate-plate-v1\n" + salt + content["plate"].encode()).hexdigest()
        if opened != self.record["body"].get("plate"):
            raise _Bad(f"plate and salt do not open the commitment of record {content['n']}")
        self.disclosed = True
        self.report.disclosed += 1

    def _receipt(self, content: dict[str, Any], payload: bytes, signature: bytes, key: str) -> None:
        n, report = content["n"], self.report
        self._by_city("receipt", payload, signature, key)
        self._same_chain(content)
        if not report.records or content["epoch"] != report.epoch or not report.witnessed <= n <= report.last:
            raise _Bad(f"a receipt for record {n} of epoch {content['epoch']}, not among the records before it")
        if n < report.first and not (n == 0 and report.first == 1):
            raise _Bad(f"a receipt for record {n}, before the first record of the export")
        if content["hash"] != self.hashes.get(n, "0" * 64):
            raise _Bad(f"the city's receipt is for another record {n} than the one here: one of the two was forked")
        report.witnessed = n if self.anchor is not None else 0

    def _by_city(self, kind: str, payload: bytes, signature: bytes, key: str) -> None:
        """Signed by the anchor, or, without one, at least always in the name of the same city key."""
        if self.anchor is None:
            self.city = self.city or key
        if key != self.city or not _hex(key, 16):
            raise _Bad(f"this {kind} is in the name of {key[:40]!r}, the city's is {self.city!r}")
        if self.anchor is not None and not _signed(kind, payload, signature, self.anchor):
            raise _Bad(f"the city's signature of this {kind} is wrong")

    def _same_chain(self, content: dict[str, Any]) -> None:
        """All signed lines are of one chain; the header is believed least."""
        self.report.chain = self.report.chain or content["chain"]
        if content["chain"] != self.report.chain:
            raise _Bad(f"of chain {content['chain']!r}, the lines before it of {self.report.chain!r}")


DAY_SUMS = {
    "exit": "billed_minor",
    "attached": "billed_minor",
    "reversed": "billed_minor",
    "corrected": "billed_minor",
    "paid": "paid_minor",
    "cash": "cash_minor",
    "refunded": "refunded_minor",
}
"""Which figure of a day a record's amount belongs to, of those that the verifier counts again."""


@dataclass
class _Purse:
    """One session's money; `priced` is the record that set its bill, 0 if it is not in the export."""

    priced: int = 0
    billed: int = 0
    lowered: int = 0
    given_up: int = 0
    paid: int = 0
    refunded: int = 0

    @property
    def net(self) -> int:
        return self.billed - self.lowered - self.given_up

    @property
    def kept(self) -> int:
        return self.paid - self.refunded


class _Books:
    """The money of an export, record by record. What began before a later stretch of a ledger cannot be checked, and is not."""

    def __init__(self) -> None:
        self.whole, self.epoch = True, 1
        self.purses: dict[str, _Purse] = {}
        self.strays: dict[int, str] = {}
        self.ids: set[tuple[str, str]] = set()
        self.tills: dict[str, int] = {}
        self.moved: dict[str, int] = {}
        self.day_from = 1

    def begin(self, n: int, epoch: int, *, whole: bool) -> None:
        """Record n is the first of the export or of an epoch; `whole`: nothing that it could rest on came before."""
        self.whole, self.epoch, self.day_from = whole, epoch, n
        self.strays, self.tills, self.moved = {}, {}, {}

    def record(self, n: int, kind: str, body: dict[str, Any]) -> None:
        if kind == "day":
            self._day(n, body)
        self._count(kind, body)
        if kind == "entry":
            self._once("session", body)
        elif kind in ("exit", "attached"):
            self._bill(n, kind, body)
        elif kind == "reversed":
            self._reverse(body)
        elif kind in ("corrected", "voided"):
            self._correct(n, kind, body)
        elif kind in ("shift-opened", "shift-closed"):
            self._shift(kind, body)
        elif kind == "invoice":
            self._once("invoice", body)
            if _member(body, "net_minor", int) + _member(body, "tax_minor", int) != _member(body, "total_minor", int):
                raise _Bad(f"the parts of invoice {body['invoice']} do not make its total")
        elif kind in ("paid", "cash", "refunded", "lowered", "written-off", "dispute-closed"):
            purse, amount = self._purse(body), _amount(body)
            if not purse.priced:
                self._entered(body)
            if kind in ("paid", "cash"):
                self._once("payment" if kind == "paid" else "cash", body)
                if kind == "cash" and _member(body, "shift", str) in self.tills:
                    self.tills[body["shift"]] += amount
                purse.paid += amount
                if "recovered_minor" in body:
                    purse.given_up -= _part(body, "recovered_minor", amount, self._limit(purse, purse.given_up))
            elif kind == "refunded":
                self._once("refund", body)
                if self._knows(purse) and amount > purse.kept:
                    raise _Bad(f"{amount} went back to session {body['session']}, which had paid {purse.kept}")
                credit = self._limit(purse, max(0, purse.kept - purse.net))
                purse.lowered += amount - _part(body, "due_minor", amount, credit)
                purse.refunded += amount
            elif kind == "written-off":
                purse.given_up += amount
            elif amount and body.get("verdict") == "rejected":
                raise _Bad(f"a dispute that was rejected takes {amount} off the bill of session {body['session']}")
            else:
                purse.lowered += amount
            if self._knows(purse) and purse.net < 0:
                raise _Bad(f"more is taken off the bill of session {body['session']} than it was")

    def _bill(self, n: int, kind: str, body: dict[str, Any]) -> None:
        lines = _member(body, "lines", list)
        if any(not isinstance(line, dict) for line in lines):
            raise _Bad("a line of the bill is no object")
        amounts = [_member(line, "amount_minor", int) for line in lines]
        if any(
            _member(line, "units", int) * _member(line, "unit_minor", int) != line["amount_minor"] for line in lines
        ):
            raise _Bad("a line of the bill is not its units times their price")
        owed = _member(body, "amount_minor", int)
        if owed < 0 or sum(amounts) != owed:
            raise _Bad(f"the lines of the bill make {sum(amounts)}, the bill says {owed}")
        purse = self._purse(body)
        if purse.priced:
            raise _Bad(f"session {body['session']} is charged a second time")
        if kind == "exit" and body.get("outcome") == "review":
            if owed:
                raise _Bad(f"an exit in review bills {owed}")
            self.strays[n] = body["session"]
        if owed:
            self._entered(body)
        if kind == "attached":
            stray = self.strays.pop(_member(body, "corrects", int), None)
            if self.whole and (stray is None or stray != body.get("stray")):
                raise _Bad(f"record {body['corrects']} is no exit in review of session {body.get('stray')}")
        purse.priced, purse.billed = n, owed

    def _reverse(self, body: dict[str, Any]) -> None:
        """The vehicle backed out: its exit did not take place, and a later one may bill the stay."""
        purse, amount = self._purse(body), _member(body, "amount_minor", int)
        if purse.billed != amount and (self.whole or purse.priced):
            raise _Bad(f"session {body['session']} has no exit of {amount} that could be reversed")
        self.strays.pop(purse.priced, None)
        purse.priced, purse.billed = 0, 0

    def _correct(self, n: int, kind: str, body: dict[str, Any]) -> None:
        purse, amount = self._purse(body), _amount(body)
        corrects = _member(body, "corrects", int)
        if corrects != purse.priced and (self.whole or purse.priced):
            raise _Bad(f"record {corrects} did not set the bill of session {body['session']}")
        self.strays.pop(corrects, None)
        if kind == "voided":
            if self._knows(purse) and amount != purse.net:
                raise _Bad(f"the bill of session {body['session']} is {purse.net}, and {amount} of it are voided")
            purse.lowered += amount
            return
        before = _member(body, "before_minor", int)
        if self._knows(purse) and before != purse.billed:
            raise _Bad(f"the bill of session {body['session']} was {purse.billed}, not {before}")
        purse.billed += amount - before
        purse.priced = n
        if self._knows(purse) and purse.net < 0:
            raise _Bad(f"more is taken off the bill of session {body['session']} than it was")

    def _shift(self, kind: str, body: dict[str, Any]) -> None:
        shift = _member(body, "shift", str)
        if kind == "shift-opened":
            self.tills[shift] = _member(body, "float_minor", int)
            return
        expected, counted = _member(body, "expected_minor", int), _member(body, "counted_minor", int)
        till = self.tills.pop(shift, None if self.whole else expected)
        if till != expected or counted - expected != _member(body, "difference_minor", int):
            raise _Bad(f"shift {shift} should have held {till}: it says {expected}, and {counted} were counted")

    def _count(self, kind: str, body: dict[str, Any]) -> None:
        """What a record moves of a day's figures."""
        one = {"entry": "entries", "exit": "exits", "reversed": "exits"}.get(kind)
        sign = -1 if kind == "reversed" else 1
        if one is not None:
            self.moved[one] = self.moved.get(one, 0) + sign
        into = DAY_SUMS.get(kind)
        if into is None:
            return
        amount = _member(body, "amount_minor", int) - (_member(body, "before_minor", int) if kind == "corrected" else 0)
        self.moved[into] = self.moved.get(into, 0) + sign * amount

    def _day(self, n: int, body: dict[str, Any]) -> None:
        figures, day = _member(body, "figures", dict), _member(body, "day", str)
        if (_member(body, "first", int), _member(body, "last", int)) != (self.day_from, n - 1) and self.whole:
            raise _Bad(f"day {day} is not of records {self.day_from} to {n - 1}")
        for name in (*DAY_SUMS.values(), "entries", "exits"):
            if _member(figures, name, int) != self.moved.get(name, 0) and self.whole:
                raise _Bad(f"day {day} says {name} {figures[name]}, its records {self.moved.get(name, 0)}")
        self.day_from, self.moved = n + 1, {}

    def _purse(self, body: dict[str, Any]) -> _Purse:
        session: str = _member(body, "session", str)
        if session.split(".")[0] != str(self.epoch):
            raise _Bad(f"session {session} is of another epoch than this record, and stays do not cross epochs")
        return self.purses.setdefault(session, _Purse())

    def _entered(self, body: dict[str, Any]) -> None:
        if self.whole and ("session", body["session"]) not in self.ids:
            raise _Bad(f"session {body['session']} has no entry")

    def _knows(self, purse: _Purse) -> bool:
        return self.whole and purse.priced > 0

    def _limit(self, purse: _Purse, amount: int) -> int:
        return amount if self._knows(purse) else 2**53

    def _once(self, name: str, body: dict[str, Any]) -> None:
        key = (name, _member(body, name, str))
        if key in self.ids:
            raise _Bad(f"{name} {key[1]} is counted a second time")
        self.ids.add(key)


def _amount(body: dict[str, Any]) -> int:
    amount: int = _member(body, "amount_minor", int)
    if amount < 0:
        raise _Bad(f"an amount of {amount}")
    return amount


def _part(body: dict[str, Any], name: str, *limits: int) -> int:
    part: int = _member(body, name, int)
    if not 0 <= part <= min(limits):
        raise _Bad(f"{name} of session {body['session']} is {part}, and can be {min(limits)} at most")
    return part


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
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return depth < DEPTH_MAX and all(_plain(item, depth + 1) for item in value)
    return isinstance(value, str | bool) or (isinstance(value, int) and abs(value) <= INTEGER_MAX)


def _member(body: dict[str, Any], name: str, kind: type) -> Any:
    if type(body.get(name)) is not kind:
        raise _Bad(f"{name} is missing or of the wrong type")
    return body[name]


def _base64(text: str, size: int) -> bytes | None:
    """The bytes, if the text is their one canonical spelling and they are `size`."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if len(raw) == size and base64.b64encode(raw).decode() == text else None


def _hex(text: str, digits: int = 64) -> bool:
    return len(text) == digits and set(text) <= set("0123456789abcdef")


def _key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def _signed(kind: str, payload: bytes, signature: bytes, public: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, f"lotgate-{kind}-v1\n".encode() + payload)
    except InvalidSignature:
        return False
    return True


def _text(report: Report) -> str:
    verdict = {
        0: "good: every line holds, under the city's key",
        1: f"BAD: line {report.bad_line}: {report.reason}; what follows is what holds before it",
        3: "self-consistent only: without --anchor this proves nothing, since the export brings its own keys",
    }[report.exit_code]
    return "\n".join(
        (
            verdict,
            f"chain      {report.chain} epoch {report.epoch}",
            f"records    {report.records}, from {report.first} to {report.last}, gaps {report.gaps or 'none'}",
            f"sessions   {report.sessions}, plates disclosed {report.disclosed}",
            f"owed       {report.owed_minor} minor units {report.currency}",
            f"paid       {report.paid_minor} minor units {report.currency}, of which {report.refunded_minor} went back",
            f"witnessed  up to record {report.witnessed}, {report.unwitnessed} after it not yet",
            *(f"key        {key} from record {first}" for key, first in report.keys),
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
