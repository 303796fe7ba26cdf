"""The stranger's check of one bill: what the city issued holds, every change is found, and nobody else's record is shown."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway import bill_verifier
from gateway.bill_verifier import FORMS, main, verify_bill
from tests.bills import BAD, CITY, GOOD, INSIDE, PLATE, STRANGER, Bill, leaves, repacked

ANCHOR = CITY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
DOCUMENT = Path(__file__).parents[1] / "docs" / "VERIFY.md"


def test_a_good_bill_and_what_it_shows() -> None:
    report = verify_bill(GOOD, ANCHOR)
    assert (report.exit_code, report.reason, report.bad_line) == (0, "", None)
    assert (report.n, report.size, report.session, report.amount_minor, report.currency) == (6, 11, "1.2", 1000, "CNY")
    assert (report.lines, report.plate) == ([("首小时", "first hour", 1000)], PLATE)


@pytest.mark.parametrize("size", [*range(1, 20), 255, 256, 257])
def test_every_place_in_trees_of_every_shape(size: int) -> None:
    for n in {1, 2, size // 2, size - 1, size} & set(range(1, size + 1)) if size > 20 else range(1, size + 1):
        assert verify_bill(Bill(n=n, size=size).text(), ANCHOR).reason == "", n


@pytest.mark.parametrize(("text", "line"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_an_attack_is_found_in_its_line(text: str, line: int) -> None:
    report = verify_bill(text, ANCHOR)
    assert (report.bad_line, report.exit_code) == (line, 1)
    assert report.reason


def test_any_changed_byte_inside_is_found() -> None:
    raw = INSIDE.encode()
    for at, byte in enumerate(raw):
        text = repacked(raw[:at] + bytes([byte ^ 1]) + raw[at + 1 :])
        assert verify_bill(text, ANCHOR).exit_code == 1, at


def test_any_changed_sign_of_the_text_is_found() -> None:
    for at in range(len(GOOD)):
        other = "B" if GOOD[at] != "B" else "C"
        assert verify_bill(GOOD[:at] + other + GOOD[at + 1 :], ANCHOR).exit_code == 1, at


def test_without_an_anchor_a_bill_is_self_consistent_only() -> None:
    forged = Bill(key=STRANGER).text()
    assert verify_bill(forged, None).exit_code == verify_bill(GOOD, None).exit_code == 3
    assert verify_bill(forged, ANCHOR).bad_line == 1


def test_a_bill_without_its_plate_holds() -> None:
    report = verify_bill(Bill(opened=None).text(), ANCHOR)
    assert (report.exit_code, report.plate) == (0, "")


def test_no_other_record_is_in_it() -> None:
    """Of the others there are hashes, and only as many as the tree is high."""
    assert INSIDE.count('"type"') == 1
    path = base64.b64decode(INSIDE.splitlines()[1].split("\t")[2])
    assert len(path) == 4 * 32
    assert path[:32] == leaves(11)[4]


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bill, line = tmp_path / "bill.txt", tmp_path / "city.pub"
    bill.write_text(GOOD + "\n")
    line.write_text(base64.b64encode(ANCHOR).decode())
    pem = tmp_path / "city.pem"
    pem.write_bytes(CITY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert main(["--bill", str(bill), "--anchor", str(line)]) == 0
    assert "owed       1000 minor units CNY" in capsys.readouterr().out
    assert main(["--bill", str(bill), "--anchor", str(pem), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plate"] == PLATE
    assert main(["--bill", str(bill)]) == 3
    bill.write_text(BAD[2][1])
    assert main(["--bill", str(bill), "--anchor", str(line)]) == 1
    for usage in ([], ["--bill", str(tmp_path / "none")], ["--bill", str(bill), "--anchor", str(bill)]):
        assert main(usage) == 2


def test_the_file_runs_alone(tmp_path: Path) -> None:
    """Copied away from the repository, by an interpreter that sees none of it."""
    (tmp_path / "bill_verifier.py").write_bytes(Path(bill_verifier.__file__).read_bytes())
    (tmp_path / "bill.txt").write_text(GOOD)
    (tmp_path / "city.pub").write_bytes(base64.b64encode(ANCHOR))
    blocked = "import sys; sys.modules.update(gateway=None, sim=None, firmware=None); import runpy; "
    script = blocked + "sys.argv = sys.argv[1:]; runpy.run_path('bill_verifier.py', run_name='__main__')"
    command = [sys.executable, "-c", script, "bill_verifier.py", "--bill", "bill.txt", "--anchor", "city.pub"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout.split(":")[0], result.stderr) == (0, "good", "")


def test_the_document_lists_the_members_of_every_kind() -> None:
    text = DOCUMENT.read_text(encoding="utf-8").split("## A driver's single bill\n", 1)[1]
    for kind, members in FORMS.items():
        assert f"| `{kind}` | `{members}` |" in text
