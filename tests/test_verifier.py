"""The stranger's check: every changed byte is found and its line named, and the document's openssl commands work.

The export is made here with signing code of its own, after docs/VERIFY.md and not after the gateway.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway import verifier
from gateway.verifier import FORMS, Report, main, read_anchor, verify_lines

CITY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
GATEWAY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
DOCUMENT = Path(__file__).parents[1] / "docs" / "VERIFY.md"
SALT = base64.b64encode(b"0123456789abcdef").decode()
PLATE = "blue 浙A12345"
CHAIN = "gw-1"


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def name(key: Ed25519PrivateKey) -> str:
    return hashlib.sha256(raw(key)).hexdigest()[:16]


def dump(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def signed(kind: str, payload: str, key: Ed25519PrivateKey) -> str:
    signature = key.sign(f"lotgate-{kind}-v1\n{payload}".encode())
    return "\t".join((kind, payload, base64.b64encode(signature).decode(), name(key)))


class Book:
    """An export being written; every part can be written wrongly on purpose."""

    def __init__(self, city: Ed25519PrivateKey = CITY, gateway: Ed25519PrivateKey = GATEWAY) -> None:
        self.city, self.gateway = city, gateway
        self.lines: list[str] = []
        self.n = 0
        self.prev = "0" * 64

    def key(self, **change: Any) -> Book:
        pub = base64.b64encode(raw(self.gateway)).decode()
        content = {
            "v": 1,
            "chain": CHAIN,
            "key": name(self.gateway),
            "alg": "Ed25519",
            "pub": pub,
            "from_n": 1,
            "lot": "l1",
        }
        return self.add(signed("key", dump(content | change), self.city))

    def record(self, type: str, body: dict[str, Any], **change: Any) -> Book:
        self.n += 1
        clock = {"boot": "b1", "mono": 1000 * self.n, "wall": 1772413200000 + self.n, "clock": "S"}
        links = {"v": 1, "chain": CHAIN, "epoch": 1, "n": self.n, "prev": self.prev, "key": name(self.gateway), "dn": 0}
        content = links | clock | {"type": type, "body": body} | change
        self.n, payload = content["n"], dump(content)
        self.prev = hashlib.sha256(b"\x00" + payload.encode()).hexdigest()
        return self.add(signed("record", payload, self.gateway))

    def genesis(self, **change: Any) -> Book:
        pub = base64.b64encode(raw(self.gateway)).decode()
        return self.record("genesis", {"lot": "l1", "currency": "CNY", "pub": pub, "instance": "i1"}, **change)

    def entry(self, session: str = "1.2") -> Book:
        plate = hashlib.sha256(b"lotgate-plate-v1\n" + base64.b64decode(SALT) + PLATE.encode()).hexdigest()
        return self.record("entry", {"session": session, "lane": "in", "plate": plate})

    def exit(self, session: str = "1.2", **change: Any) -> Book:
        lines = [{"text_zh": "首小时", "units": 2, "unit_minor": 500, "amount_minor": 1000}]
        body = {"session": session, "currency": "CNY", "lines": lines, "amount_minor": 1000, "outcome": "lease"}
        return self.record("exit", body | change)

    def reversed(self, session: str = "1.2", amount_minor: int = 1000) -> Book:
        return self.record("reversed", {"session": session, "amount_minor": amount_minor})

    def paid(self, payment: str = "p1") -> Book:
        return self.record("paid", {"session": "1.2", "payment": payment, "amount_minor": 1000, "dn": 1}, dn=1)

    def money(self, kind: str, **members: Any) -> Book:
        return self.record(kind, {"session": "1.2", "amount_minor": 500} | members, dn=1)

    def cash(self) -> Book:
        return self.money("cash", cash="k1", shift="s1")

    def day(self, *, last: int = 3, **change: int) -> Book:
        names = ("entries", "exits", "billed_minor", "paid_minor", "cash_minor", "refunded_minor")
        figures = dict.fromkeys(names, 0) | {"entries": 1, "exits": 1, "billed_minor": 1000} | change
        return self.record("day", {"day": "2026-03-02", "first": 1, "last": last, "figures": figures}, dn=1)

    def attached(self) -> Book:
        body = {"session": "1.2", "currency": "CNY", "lines": [], "amount_minor": 0, "corrects": 9, "stray": "1.9"}
        return self.record("attached", body, dn=1)

    def disclosure(self, **change: Any) -> Book:
        return self.add(f"disclosure\t{dump({'n': self.n, 'plate': PLATE, 'salt': SALT} | change)}\t\t")

    def receipt(self, **change: Any) -> Book:
        content = {"v": 1, "chain": CHAIN, "epoch": 1, "n": self.n, "hash": self.prev, "at_ms": 1772413300000}
        return self.add(signed("receipt", dump(content | change), self.city))

    def add(self, line: str) -> Book:
        self.lines.append(line)
        return self

    def export(self, **change: Any) -> bytes:
        records = [json.loads(line.split("\t")[1])["n"] for line in self.lines if line.startswith("record")]
        content = {"chain": CHAIN, "first": records[0], "last": records[-1], "lines": len(self.lines)}
        return "".join(
            f"{line}\n" for line in (f"lotgate-export-v1\t{dump(content | change)}\t\t", *self.lines)
        ).encode()


def opened() -> Book:
    return Book().key().genesis().entry().disclosure()


GOOD = opened().exit().receipt().export()


def check(data: bytes, anchor: Ed25519PrivateKey | None = CITY) -> Report:
    return verify_lines(data, None if anchor is None else raw(anchor))


def test_a_good_export_and_its_totals() -> None:
    report = check(opened().exit().receipt().paid().export())
    assert report == Report(
        anchored=True,
        chain=CHAIN,
        epoch=1,
        lines=8,
        records=4,
        first=1,
        last=4,
        sessions=1,
        currency="CNY",
        owed_minor=1000,
        paid_minor=1000,
        disclosed=1,
        witnessed=3,
        unwitnessed=1,
        keys=[(name(GATEWAY), 1)],
    )
    assert report.exit_code == 0


def _other(byte: int) -> int:
    return ord("7") if byte != ord("7") else ord("q")


@pytest.mark.parametrize(
    "change", [lambda b: b ^ 1, lambda b: 10 if b != 10 else 32, _other], ids=["xor 1", "LF", "other"]
)
def test_any_changed_byte_is_found_in_its_line(change: Any) -> None:
    """A changed LF belongs to the line that it ends."""
    missed = []
    for at, byte in enumerate(GOOD):
        report = check(GOOD[:at] + bytes([change(byte)]) + GOOD[at + 1 :])
        if report.bad_line != GOOD.count(b"\n", 0, at) + 1 or not report.reason:
            missed.append((at, byte, report.bad_line, report.reason))
    assert missed == []


def test_a_file_cut_anywhere_is_bad() -> None:
    for length in range(len(GOOD)):
        report = check(GOOD[:length])
        whole = GOOD[:length].endswith(b"\n")
        assert report.bad_line == (1 if whole else GOOD.count(b"\n", 0, length) + 1), length


def test_a_dropped_line_is_found_where_it_is_missed() -> None:
    lines = GOOD.splitlines(keepends=True)
    found = [check(b"".join(lines[:drop] + lines[drop + 1 :])).bad_line for drop in range(len(lines))]
    #        header, key, genesis, entry, disclosure, exit, receipt; what the lines themselves do not miss, the header does
    assert found == [1, 2, 1, 4, 1, 6, 1]


def test_a_doubled_line_is_bad() -> None:
    lines = GOOD.splitlines(keepends=True)
    found = [check(b"".join(lines[: twice + 1] + lines[twice:])).bad_line for twice in range(len(lines))]
    assert found == [2, 3, 4, 5, 6, 7, 1]


def test_swapped_lines_are_bad() -> None:
    lines = GOOD.splitlines(keepends=True)
    for at in range(len(lines) - 1):
        swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
        assert check(b"".join(swapped)).bad_line in (at + 1, at + 2), at


def test_without_an_anchor_an_export_is_self_consistent_only() -> None:
    """An export made whole by a stranger looks as good as any, until the city's key is asked."""
    forged = Book(STRANGER, STRANGER).key().genesis().entry().exit().receipt().export()
    assert check(forged, None).exit_code == check(GOOD, None).exit_code == 3
    assert (check(forged, None).witnessed, check(GOOD, None).witnessed) == (0, 0)
    assert (check(forged).exit_code, check(forged).bad_line) == (1, 2)
    assert check(GOOD, STRANGER).bad_line == 2


def test_records_under_a_key_that_the_city_did_not_name_are_bad() -> None:
    book = Book().key()
    book.gateway = STRANGER
    assert check(book.genesis().export()).bad_line == 3


def test_a_record_must_name_the_key_that_signed_it() -> None:
    for inside, beside in ((STRANGER, GATEWAY), (GATEWAY, STRANGER), (STRANGER, STRANGER)):
        book = opened().record("left", {"session": "1.2"}, key=name(inside))
        book.lines[-1] = book.lines[-1].removesuffix(name(GATEWAY)) + name(beside)
        assert check(book.export()).bad_line == 6


def test_a_new_key_holds_from_its_record_on() -> None:
    book = opened().exit()
    book.gateway = STRANGER
    assert check(book.key(from_n=4).paid().export()).exit_code == 0
    book.gateway = GATEWAY
    assert check(book.record("left", {"session": "1.2"}).export()).bad_line == 9
    late = opened().exit()
    late.gateway = STRANGER
    assert check(late.key(from_n=3).paid().export()).bad_line == 7


def test_a_reversed_exit_is_owed_no_more_and_may_come_again() -> None:
    assert check(opened().exit().reversed().export()).owed_minor == 0
    again = check(opened().exit().reversed().exit(amount_minor=0, lines=[]).export())
    assert (again.exit_code, again.owed_minor) == (0, 0)
    book = Book().key()
    book.n, book.prev = 41, "ab" * 32
    assert check(book.record("heartbeat", {}).reversed().export()).exit_code == 0, "its exit lies before this stretch"


def test_a_tail_without_receipt_is_reported() -> None:
    for book in (opened().exit(), opened().exit().receipt(n=0, hash="0" * 64)):
        report = check(book.export())
        assert (report.exit_code, report.witnessed, report.unwitnessed) == (0, 0, 3)


def test_a_later_stretch_of_the_ledger() -> None:
    book = Book().key()
    book.n, book.prev = 41, "ab" * 32
    report = check(book.record("heartbeat", {}).record("heartbeat", {}).receipt().record("heartbeat", {}).export())
    assert (report.exit_code, report.first, report.last, report.witnessed, report.unwitnessed) == (0, 42, 44, 43, 1)


INVOICE = {"session": "1.2", "invoice": "i1", "total_minor": 109, "net_minor": 100, "tax_minor": 9}


def closed(expected: int, **change: int) -> dict[str, Any]:
    return {"shift": "s1", "expected_minor": expected, "counted_minor": expected, "difference_minor": 0} | change


def shift() -> Book:
    return opened().record("shift-opened", {"shift": "s1", "float_minor": 200})


def test_a_shift_and_a_day_that_add_up() -> None:
    book = opened().record("shift-opened", {"shift": "s1", "float_minor": 200}).exit().cash()
    book.record("shift-closed", closed(700, counted_minor=690, difference_minor=-10), dn=1)
    assert check(book.day(last=6, cash_minor=500).export()).exit_code == 0


def corrected() -> Book:
    return opened().exit().money("corrected", corrects=3, before_minor=1000)


def refunded() -> Book:
    return opened().exit().paid().money("refunded", refund="r1", due_minor=0)


@pytest.mark.parametrize(
    ("book", "line", "reason"),
    [
        (Book().key().genesis(prev="1" * 64),                          3, "no beginning"),
        (Book().key().record("start", {}),                             3, "no beginning"),
        (opened().record("left", {}, n=4),                             6, "record 4 where record 3 must follow"),
        (opened().record("left", {}, prev="0" * 64),                   6, "does not continue"),
        (opened().record("left", {}, epoch=2),                         6, "epoch 2"),
        (opened().record("left", {}, chain="gw-2"),                    6, "of chain 'gw-2'"),
        (opened().record("left", {}, clock="X"),                       6, "out of form"),
        (opened().record("left", {}, dn=3).record("left", {}, dn=2),   7, "takes back"),
        (opened().record("left", {}, extra=1),                         6, "not the members"),
        (opened().record("left", {}, v=2),                             6, "version 2"),
        (opened().record("left", {}, mono=True),                       6, "not the members"),
        (opened().record("left", {"x": 1.5}),                          6, "the number 1.5"),
        (opened().record("left", {"x": None}),                         6, "not canonical"),
        (opened().record("left", {"x": 2**53}),                        6, "not canonical"),
        (opened().record("left", {"x": "a" * 4096}),                   6, "more than 4096 bytes"),
        (opened().record("left", {"é": 1}),                            6, "not ASCII"),
        (opened().exit(amount_minor=1001),                             6, "make 1000, the bill says 1001"),
        (opened().reversed(),                                          6, "has no exit of 1000 that could be reversed"),
        (opened().exit().reversed(amount_minor=900),                   7, "has no exit of 900"),
        (opened().exit().reversed().reversed(),                        8, "has no exit of 1000"),
        (opened().exit(lines=[]),                                      6, "make 0, the bill says 1000"),
        (opened().exit(lines=[{"units": 3, "unit_minor": 5, "amount_minor": 1000}]), 6, "not its units"),
        (opened().exit(lines=[7]),                                     6, "is no object"),
        (opened().exit(currency="EUR"),                                6, "EUR in a ledger of CNY"),
        (opened().exit().exit(),                                       7, "charged a second time"),
        (opened().exit().paid().paid(),                                8, "counted a second time"),
        (opened().exit().attached(),                                   7, "charged a second time"),
        (opened().attached(),                                          6, "record 9 is no exit in review"),
        (opened().exit().money("corrected", corrects=2, before_minor=1000), 7, "record 2 did not set the bill"),
        (opened().money("corrected", corrects=3, before_minor=1000),   6, "record 3 did not set the bill"),
        (opened().exit().money("corrected", corrects=3, before_minor=9), 7, "was 1000, not 9"),
        (corrected().money("corrected", corrects=3, before_minor=500), 8, "record 3 did not"),
        (opened().exit().money("voided", corrects=3),                  7, "is 1000, and 500 of it"),
        (opened().exit().money("lowered").money("lowered").money("lowered"), 9, "more is taken off"),
        (opened().exit().money("written-off", amount_minor=1001),      7, "more is taken off"),
        (opened().exit().money("written-off", amount_minor=-1),        7, "an amount of -1"),
        (opened().exit().paid().money("refunded", refund="r1", amount_minor=1001, due_minor=0), 8, "had paid 1000"),
        (refunded().money("refunded", refund="r1", due_minor=0),       9, "refund r1 is counted"),
        (refunded().money("refunded", refund="r2", amount_minor=501, due_minor=0), 9, "which had paid 500"),
        (opened().exit().cash().cash(),                                8, "cash k1 is counted a second time"),
        (shift().cash().record("shift-closed", closed(600), dn=1),     8, "should have held 700: it says 600"),
        (shift().record("shift-closed", closed(200, difference_minor=1)), 7, "should have held 200"),
        (opened().record("shift-closed", closed(0)),                   6, "should have held None"),
        (opened().exit().record("invoice", INVOICE | {"tax_minor": 1}), 7, "do not make its total"),
        (opened().exit().record("invoice", INVOICE).record("invoice", INVOICE), 8, "invoice i1 is counted"),
        (opened().exit().day(last=2),                                  7, "is not of records 1 to 3"),
        (opened().exit().day(billed_minor=1),                          7, "says billed_minor 1, its records 1000"),
        (opened().exit().day(exits=2),                                 7, "says exits 2, its records 1"),
        (opened().exit().day().day(),                                  8, "is not of records 5 to 4"),
        (opened().disclosure(),                                        6, "does not follow its record"),
        (opened().exit().disclosure(),                                 7, "do not open"),
        (opened().exit().disclosure(n=2),                              7, "does not follow its record"),
        (opened().receipt(hash="0" * 64),                              6, "forked"),
        (opened().receipt(n=3),                                        6, "not among the records before it"),
        (opened().receipt(epoch=2),                                    6, "not among the records before it"),
        (opened().receipt().receipt(n=0, hash="0" * 64),               7, "not among the records before it"),
        (opened().receipt(chain="gw-2"),                               6, "of chain 'gw-2'"),
        (Book().key(alg="ES256").genesis(),                            2, "not an Ed25519 key"),
        (Book().key(from_n=0).genesis(),                               2, "too late"),
        (Book().key(from_n=2).genesis(),                               3, "key that holds for it"),
        (opened().add('disclosure\t{"n":2}\t\t'),                      6, "not the members"),
        (opened().add("note\t{}\t\t"),                                 6, "unexpected kind 'note'"),
        (opened().add("lotgate-export-v1\t{}\t\t"),                    6, "unexpected kind"),
        (opened().add('disclosure\t{"n":2,"n":2}\t\t'),                6, "comes twice"),
        (opened().add(f"disclosure\t{'[' * 4000}\t\t"),                6, "not JSON"),
        (opened().add("disclosure\t{ }\t\t"),                          6, "not canonical"),
        (opened().add("disclosure\t{}\tAA==\t"),                       6, "not empty"),
        (opened().add(f"receipt\t{{}}\t{'A' * 85}B==\t{name(CITY)}"), 6, "not the canonical base64"),
    ],
)  # fmt: skip
def test_what_is_signed_must_also_be_right(book: Book, line: int, reason: str) -> None:
    report = check(book.export())
    assert (report.bad_line, report.exit_code) == (line, 1)
    assert reason in report.reason


def test_what_follows_an_exit_is_counted() -> None:
    book = opened().exit("1.9", lines=[], amount_minor=0, outcome="review").record("entry", {"session": "1.8"}).exit()
    book.money("corrected", corrects=5, before_minor=1000, amount_minor=900).paid()
    book.money("refunded", refund="r1", amount_minor=150, due_minor=100)
    members = {"currency": "CNY", "lines": [], "amount_minor": 0, "corrects": 3, "stray": "1.9"}
    book.record("attached", {"session": "1.8"} | members, dn=1)
    report = check(book.export())
    assert (report.exit_code, report.owed_minor, report.paid_minor, report.refunded_minor) == (0, 850, 1000, 150)


def test_a_later_stretch_is_not_blamed_for_what_came_before_it() -> None:
    book = Book().key()
    book.n, book.prev = 41, "ab" * 32
    book.money("refunded", refund="r1", due_minor=0).money("lowered").money("corrected", corrects=3, before_minor=7)
    assert check(book.money("voided", corrects=44, amount_minor=9).export()).exit_code == 0


def test_junk_is_refused_and_never_raises() -> None:
    for junk in (
        b"",
        b"\n",
        b"\n\n",
        b"\x00",
        b"\xff\t\xff\t\t\n",
        b"lotgate-export-v1\t{}\t\t\n",
        GOOD * 2,
        GOOD[::-1],
    ):
        assert check(junk).exit_code == 1


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export, pem, line, other = (tmp_path / part for part in ("export.txt", "city.pem", "city.b64", "bad.pub"))
    export.write_bytes(GOOD)
    pem.write_bytes(CITY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    line.write_text(base64.b64encode(raw(CITY)).decode() + "\n")
    other.write_text("no key\n")
    assert read_anchor(pem.read_bytes()) == read_anchor(line.read_bytes()) == raw(CITY)
    assert main([str(export), "--anchor", str(pem)]) == 0
    assert "records    3, from 1 to 3, gaps none" in capsys.readouterr().out
    assert main([str(export), "--anchor", str(line), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["owed_minor"] == 1000
    assert main([str(export)]) == 3
    assert capsys.readouterr().out.startswith("self-consistent only")
    export.write_bytes(GOOD.replace(b"1000", b"1001", 1))
    assert main([str(export), "--anchor", str(pem)]) == 1
    assert re.match(r"BAD: line \d+: ", capsys.readouterr().out)
    for usage in ([], [str(export), "--anchor", str(other)], [str(tmp_path / "none")], [str(export), "--what"]):
        assert main(usage) == 2


def test_the_file_runs_alone(tmp_path: Path) -> None:
    """Copied away from the repository, by an interpreter that sees none of it."""
    alone = tmp_path / "verifier.py"
    alone.write_bytes(Path(verifier.__file__).read_bytes())
    (tmp_path / "export.txt").write_bytes(GOOD)
    (tmp_path / "city.pub").write_bytes(base64.b64encode(raw(CITY)))
    blocked = "import sys; sys.modules.update(gateway=None, sim=None, firmware=None); import runpy; "
    script = blocked + "sys.argv = sys.argv[1:]; runpy.run_path('verifier.py', run_name='__main__')"
    command = [sys.executable, "-c", script, "verifier.py", "export.txt", "--anchor", "city.pub"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout.split(":")[0], result.stderr) == (0, "good", "")


def test_the_documents_openssl_commands(tmp_path: Path) -> None:
    (tmp_path / "export.txt").write_bytes(GOOD)
    pem = CITY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "city.pem").write_bytes(pem)
    script = "set -e\n" + "".join(re.findall(r"^```sh\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL))
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines.count("Signature Verified Successfully") == 3
    digest, prev = (line.split()[-1] for line in lines if "Signature" not in line)
    assert digest == prev
    (tmp_path / "export.txt").write_bytes(GOOD.replace(b'"lane":"in"', b'"lane":"im"'))
    changed = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert changed.returncode != 0


def test_the_document_lists_the_members_of_every_kind() -> None:
    assert dict(re.findall(r"^\| `([\w-]+)` \| `([\w ]+)` \|", DOCUMENT.read_text(), re.MULTILINE)) == FORMS
