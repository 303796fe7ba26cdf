"""The page's JavaScript against the Python verifiers: the same report of every good and bad vector, word for number."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway import bill_verifier, verifier
from tests import bills, books
from tests.bills import Bill
from tests.books import CITY, GOOD, STRANGER, Book, opened, raw
from tests.page import PAGE, bill_case, export_case, reports

ANCHOR = raw(CITY)


def export_report(data: bytes, anchor: bytes | None) -> dict[str, Any]:
    """Python's report as JSON would show it, without the words."""
    report = verifier.verify_lines(data, anchor)
    return bare({**asdict(report), "exit": report.exit_code})


def bill_report(text: str, anchor: bytes | None) -> dict[str, Any]:
    """Python's report of a bill, likewise."""
    report = bill_verifier.verify_bill(text, anchor)
    return bare({**asdict(report), "exit": report.exit_code})


def bare(report: dict[str, Any]) -> dict[str, Any]:
    """Without the reasons, which each language words for itself, and with lists as JSON has them."""
    rest = {name: value for name, value in report.items() if not name.startswith("reason")}
    return {name: [list(item) for item in value] if isinstance(value, list) else value for name, value in rest.items()}


def exports() -> list[bytes]:
    """Every export of the tables, and the good ones."""
    wrong = [book if isinstance(book, bytes) else book.export() for book, _, _ in books.WRONG]
    rotated = opened().exit().rotate(STRANGER).paid()
    restored = opened().exit().receipt().restored().record("start", {"version": "1"}, epoch=2)
    later = Book().key()
    later.n, later.prev = 41, "ab" * 32
    later.record("heartbeat", {}).receipt().record("heartbeat", {})
    good = [book for book, *_ in books.SOUND]
    good += [opened().exit().receipt().paid(), rotated, restored, later, Book(STRANGER, STRANGER).key().genesis()]
    return [GOOD, GOOD * 2, *(book.export() for book in good), *wrong]


def compare(found: Sequence[dict[str, Any]], wanted: Sequence[dict[str, Any]]) -> None:
    """Every report is the same, and every bad one gives a reason in both languages."""
    for at, (one, other) in enumerate(zip(found, wanted, strict=True)):
        assert bare(one) == other, f"case {at}: {one['reason']}"
        assert bool(one["reason"]) == bool(one["reason_zh"]) == (one["exit"] == 1)


@pytest.mark.parametrize("anchor", [ANCHOR, None], ids=["anchor", "no anchor"])
def test_exports_are_judged_alike_in_both_languages(tmp_path: Path, anchor: bytes | None) -> None:
    given = exports()
    found = reports(tmp_path, [export_case(data, anchor) for data in given])
    compare(found, [export_report(data, anchor) for data in given])
    assert {report["exit"] for report in found} == ({0, 1} if anchor else {1, 3})


@pytest.mark.parametrize("anchor", [ANCHOR, None], ids=["anchor", "no anchor"])
def test_bills_are_judged_alike_in_both_languages(tmp_path: Path, anchor: bytes | None) -> None:
    shapes = [Bill(n=n, size=size).text() for size in (1, 2, 3, 7, 8, 9) for n in range(1, size + 1)]
    given = [bills.GOOD, bills.GOOD + "\r\n", *shapes, Bill(opened=None).text(), *(text for _, text, _ in bills.BAD)]
    found = reports(tmp_path, [bill_case(text, anchor) for text in given])
    compare(found, [bill_report(text, anchor) for text in given])


def test_every_changed_byte_is_found_in_its_line_by_the_page_too(tmp_path: Path) -> None:
    changed = [GOOD[:at] + bytes([byte ^ 1]) + GOOD[at + 1 :] for at, byte in enumerate(GOOD)]
    found = reports(tmp_path, [export_case(data, ANCHOR) for data in changed])
    assert [report["bad_line"] for report in found] == [GOOD.count(b"\n", 0, at) + 1 for at in range(len(GOOD))]


def test_every_changed_byte_of_a_bill_is_found_by_the_page_too(tmp_path: Path) -> None:
    inside = bills.INSIDE.encode()
    changed = [bills.repacked(inside[:at] + bytes([byte ^ 1]) + inside[at + 1 :]) for at, byte in enumerate(inside)]
    found = reports(tmp_path, [bill_case(text, ANCHOR) for text in changed])
    assert {report["exit"] for report in found} == {1}


def test_the_page_reads_the_citys_key_as_the_verifiers_do(tmp_path: Path) -> None:
    pem = CITY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    line = base64.b64encode(ANCHOR).decode()
    given = [pem, line, line + "\n", line[:-1], "no key", pem.replace("MCow", "MCox"), "-----BEGIN"]
    cases: list[dict[str, str | None]] = [{"anchor_text": text, "anchor": None} for text in given]
    assert reports(tmp_path, cases) == [ANCHOR.hex()] * 3 + [None] * 4


def test_the_page_stands_alone_and_speaks_both_languages() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r"\b(src|href)=|https?:|fetch\(|XMLHttpRequest|import\(", text)
    assert text.count('class="zh"') == text.count('class="en"') > 5
