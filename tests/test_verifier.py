"""The stranger's check: every changed byte is found and its line named, and the document's openssl commands work.

The exports are made with signing code of their own (tests/books.py), after docs/VERIFY.md and not after the gateway.
"""

from __future__ import annotations

import base64
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
from tests.books import CHAIN, CITY, GATEWAY, GOOD, SOUND, STRANGER, WRONG, Book, name, opened, raw

DOCUMENT = Path(__file__).parents[1] / "docs" / "VERIFY.md"


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


def test_the_old_key_hands_over_to_the_new_one() -> None:
    book = opened().exit().rotate(STRANGER).paid()
    report = check(book.export())
    assert (report.exit_code, report.keys) == (0, [(name(GATEWAY), 1), (name(STRANGER), 5)])
    book.gateway = GATEWAY
    assert check(book.record("left", {"session": "1.2"}).export()).bad_line == 9


def test_a_new_epoch_goes_on_where_the_citys_chain_ends() -> None:
    book = opened().exit().receipt()
    later = book.restored().record("start", {"version": "1"}, epoch=2)
    report = check(later.export())
    assert (report.exit_code, report.epoch, report.records, report.witnessed) == (0, 2, 5, 3)
    alone = Book().key(from_n=42)
    alone.n, alone.prev = 41, "ab" * 32
    assert check(alone.restored().record("start", {"version": "1"}, epoch=2).export()).exit_code == 0


@pytest.mark.parametrize(("book", "owed", "paid", "back"), SOUND, ids=range(len(SOUND)))
def test_money_that_holds_is_counted(book: Book, owed: int, paid: int, back: int) -> None:
    report = check(book.export())
    assert (report.reason, report.exit_code) == ("", 0)
    assert (report.owed_minor, report.paid_minor, report.refunded_minor) == (owed, paid, back)


def test_a_tail_without_receipt_is_reported() -> None:
    for book in (opened().exit(), opened().exit().receipt(n=0, hash="0" * 64)):
        report = check(book.export())
        assert (report.exit_code, report.witnessed, report.unwitnessed) == (0, 0, 3)


def test_a_later_stretch_of_the_ledger() -> None:
    book = Book().key()
    book.n, book.prev = 41, "ab" * 32
    report = check(book.record("heartbeat", {}).record("heartbeat", {}).receipt().record("heartbeat", {}).export())
    assert (report.exit_code, report.first, report.last, report.witnessed, report.unwitnessed) == (0, 42, 44, 43, 1)


@pytest.mark.parametrize(("book", "line", "reason"), WRONG)
def test_what_is_signed_must_also_be_right(book: Book | bytes, line: int, reason: str) -> None:
    report = check(book if isinstance(book, bytes) else book.export())
    assert (report.bad_line, report.exit_code) == (line, 1)
    assert reason in report.reason


def test_an_export_after_another_is_refused() -> None:
    assert check(GOOD * 2).exit_code == 1


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
    text = DOCUMENT.read_text().split("## A driver's single bill\n", 1)[0]
    assert dict(re.findall(r"^\| `([\w-]+)` \| `([\w ]+)` \|", text, re.MULTILINE)) == FORMS
