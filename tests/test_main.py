"""The command line: output, exit codes, and errors that say what to do."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.__main__ import EXIT_CONFIG, main
from gateway.core.record import canonical
from gateway.shell.signer import Signer
from tests import bills
from tests.hangzhou_keys import PRIVATE, PUBLIC
from tests.lots import KEY, SmallLot
from tests.records import OTHER_KEY, public
from tests.sites import prepared
from tests.test_config import GOOD
from tests.test_export import CITY
from tests.test_hangzhou_config import STAND_IN


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, list(arguments), prog_name="lotgate")
    return done.exit_code, done.output


@pytest.mark.parametrize("command", [name for name in main.commands if name != "verify"])
def test_help_has_an_example(command: str) -> None:
    code, text = run(command, "--help")
    assert code == 0
    assert f"Example: lotgate {command}" in text


@pytest.mark.parametrize(
    ("exit_time", "amount", "lines"),
    [
        ("2026-03-02T10:15", 1000, [(2, 500)]),
        ("2026-03-02T10:16", 1600, [(2, 500), (1, 600)]),
    ],
)
def test_quote_as_json(exit_time: str, amount: int, lines: list[tuple[int, int]]) -> None:
    code, text = run("quote", "hangzhou-2014-street-core", "2026-03-02T09:00", exit_time, "--json")
    found = json.loads(text)
    assert (code, found["amount_minor"], found["currency"]) == (0, amount, "CNY")
    assert [(line["units"], line["unit_minor"]) for line in found["lines"]] == lines


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("quote", "nowhere", "2026-03-02T09:00", "2026-03-02T10:15"), 1, "no tariff 'nowhere'; the shipped ones are"),
        (("quote", "plain-garage", "noon", "2026-03-02T10:15"), 1, "'noon' is no time; write it like"),
        (("quote", "plain-garage", "2026-03-02T10:15", "2026-03-02T09:00"), 1, "lies before the entry"),
        (("quote", "plain-garage"), 2, "Missing argument"),
        (("run", "--config", "nowhere.toml"), EXIT_CONFIG, "nowhere.toml: no such file"),
        (("check-config", "--config", "nowhere.toml"), EXIT_CONFIG, "nowhere.toml: no such file"),
        (("export", "--config", "nowhere.toml"), EXIT_CONFIG, "nowhere.toml: no such file"),
        (("replay", "x", "--config", "nowhere.toml"), EXIT_CONFIG, "nowhere.toml: no such file"),
        (("fly",), 2, "No such command"),
    ],
)
def test_what_is_wrong_is_said(arguments: tuple[str, ...], code: int, told: str) -> None:
    assert run(*arguments)[0] == code
    assert told in run(*arguments)[1]


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "record.pem"
    code, text = run("key", str(path))
    assert (code, path.stat().st_mode & 0o777) == (0, 0o600)
    assert f"key {Signer.load(path).key}" in text
    assert run("key", str(path))[0] == 1
    assert "a key is never overwritten" in run("key", str(path))[1]


def test_check_config_finds_each_missing_file_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(GOOD, encoding="utf-8")
    for missing in ("record.pem", "city.pub"):
        code, text = run("check-config", "--config", str(path))
        assert code == EXIT_CONFIG
        assert f"{missing}: no such" in text
        if missing == "record.pem":
            run("key", str(tmp_path / missing))


def test_completion_knows_the_commands() -> None:
    code, text = run("completion", "bash")
    assert code == 0
    assert "_LOTGATE_COMPLETE=bash_complete" in text


def test_verify_hands_over_its_exit_code(tmp_path: Path) -> None:
    assert run("verify", str(tmp_path / "nothing.export"))[0] == 2


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration with every file that it names; its path."""
    return prepared(tmp_path)


def test_check_config_warns_of_plates_that_leave_in_the_clear(site: Path) -> None:
    site.write_text(site.read_text(encoding="utf-8") + STAND_IN, encoding="utf-8")
    for name, text in (("own.b64", PRIVATE), ("city.b64", PUBLIC), ("secret", "s")):
        (site.parent / name).write_text(text, encoding="utf-8")
    code, text = run("check-config", "--config", str(site))
    assert code == 0
    assert "warning: hangzhou: plates leave signed but not secret" in text
    (site.parent / "own.b64").unlink()
    code, text = run("check-config", "--config", str(site))
    assert (code, "hangzhou.private_key" in text) == (78, True)


def test_check_config_tells_what_it_found(site: Path) -> None:
    code, text = run("check-config", "--config", str(site), "--json")
    assert (code, json.loads(text)) == (
        0,
        {
            "gateway": "gw-1",
            "lot": "lot-1",
            "lanes": {"in": "entry"},
            "bays": 2,
            "tariff": "plain-garage",
            "currency": "CNY",
            "key": Signer(KEY).key,
            "warnings": [],
        },
    )
    code, text = run("check-config", "--config", str(site))
    assert (code, text) == (0, f"{site}: good. Lot lot-1: lanes in (entry); 2 bays; tariff plain-garage.\n")
    assert sorted(path.name for path in site.parent.iterdir()) == [
        "city.pub",
        "gateway.toml",
        "record.pem",
        "site.key",
        "statement.json",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"plain-garage"', '"nowhere"',          "lot.tariff: no tariff 'nowhere'; the shipped ones are"),
        ("port = 8883",    'port = 1\nca = "x"', "broker.ca = "),
        ('id = "gw-1"',    'id = "gw-2"',        "the key statement is of chain 'gw-1'"),
        ('"site.key"',     '"nothing"',          "nothing: no such site key; write the 32 hex digits"),
        ('"site.key"',     '"gateway.toml"',     "gateway.toml: a site key is 32 hex digits"),
        ('"site.key"',     '"."',                "can't be read (Is a directory); give it to the gateway's user"),
        ('"record.pem"',   '"."',                "cannot be read (Is a directory); give it to the gateway's user"),
        ('"city.pub"',     '"site.key"',         "site.key: no public key in PEM form"),
        ('"statement.json"', '"site.key"',       "site.key: no key statement"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_check_config_refuses_what_would_not_run(
    site: Path, old: str, new: str, told: str, options: tuple[str, ...]
) -> None:
    site.write_text(site.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    code, text = run("check-config", "--config", str(site), *options)
    assert code == EXIT_CONFIG
    assert told in text
    assert text.startswith("Error: ")


def test_an_export_is_what_verify_accepts(site: Path) -> None:
    code, text = run("export", "--config", str(site))
    assert code == 1
    assert "no ledger; name the folder in gateway.data" in text
    (site.parent / "data").mkdir()
    lot = SmallLot(site.parent / "data")
    lot.enter()
    lot.engine.close()
    out = site.parent / "ledger.export"
    assert run("export", "--config", str(site), "--out", str(out)) == (0, "")
    assert run("verify", str(out), "--anchor", str(site.parent / "city.pub"))[0] == 0
    assert run("verify", str(out))[0] == 3
    assert run("export", "--config", str(site)) == (0, out.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "--config", "gateway.toml", "--capture", "no/x"), "no/x: No such file or directory; name a file in"),
        (("run", "--config", "gateway.toml", "--capture", "."),    ".: Is a directory; name a file in a folder"),
        (("export", "--config", "gateway.toml"),                   "data/ledger.db: no ledger; name the folder"),
        (("replay", "no.capture", "--config", "gateway.toml"),     "no.capture: No such file or directory; name a file"),
        (("replay", "site.key", "--config", "gateway.toml"),       "site.key: line 1 is no line of a capture"),
        (("key", "no/record.pem"),                                 "no/record.pem"),
        (("watch", "--host", "127.0.0.1", "--port", "1", "--city", "c"), "refused"),
    ],
)  # fmt: skip
def test_what_can_not_be_done_is_one_line_and_exit_code_1(
    site: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(site.parent)
    code, text = run(*arguments)
    assert (code, text.count("\n")) == (1, 1)
    assert text.startswith("Error: ")
    assert told in text


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE chain SET chain = 'gw-9'",                                         "belongs to chain 'gw-9', not 'gw-1'"),
        ("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('lotgate', 'schema_99', '')",
         "written by a newer release (steps ['schema_99']); install that release or newer"),
        ("PRAGMA application_id = 7",                                               "is no lotgate ledger; name another"),
    ],
)  # fmt: skip
def test_a_ledger_that_is_not_ours_ends_the_gateway_for_good(site: Path, statement: str, told: str) -> None:
    (site.parent / "data").mkdir()
    lot = SmallLot(site.parent / "data")
    lot.engine.close()
    with sqlite3.connect(lot.path) as connection:
        connection.execute(statement)
    connection.close()
    code, text = run("run", "--config", str(site))
    assert code == EXIT_CONFIG
    assert f"{lot.path}: " in text
    assert told in text


def test_verify_tells_how_it_is_called() -> None:
    # It prints by itself, as it does where nothing else of the gateway is installed.
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "verify", "--help"], capture_output=True, text=True, check=True
    )
    assert "--anchor" in done.stdout
    assert "Example" in done.stdout


def test_one_changed_byte_is_exit_code_1(site: Path) -> None:
    (site.parent / "data").mkdir()
    lot = SmallLot(site.parent / "data")
    lot.enter()
    lot.engine.close()
    out = site.parent / "ledger.export"
    run("export", "--config", str(site), "--out", str(out))
    text = out.read_text(encoding="utf-8")
    out.write_text(text.replace('"entry"', '"entrx"', 1), encoding="utf-8")
    assert run("verify", str(out), "--anchor", str(site.parent / "city.pub"))[0] == 1


def test_a_bill_is_verified_by_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "bill.txt").write_text(bills.GOOD, encoding="utf-8")
    (tmp_path / "city.pub").write_text(base64.b64encode(public(bills.CITY)).decode(), encoding="ascii")
    assert run("verify", "--bill", str(tmp_path / "bill.txt"), "--anchor", str(tmp_path / "city.pub"))[0] == 0
    assert run("verify", f"--bill={tmp_path / 'bill.txt'}")[0] == 3
    assert run("verify", "--bill", str(tmp_path / "none"))[0] == 2


def test_check_config_knows_the_statement_of_a_key_that_was_rotated(site: Path) -> None:
    (site.parent / "data").mkdir()
    lot = SmallLot(site.parent / "data")
    lot.restart(successor=OTHER_KEY)
    lot.engine.close()
    pem = OTHER_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (site.parent / "record.pem").write_bytes(pem)
    assert run("check-config", "--config", str(site))[0] == 0
    (site.parent / "data" / "ledger.db").unlink()
    assert "ask the city for the statement of this key" in run("check-config", "--config", str(site))[1]


def test_restore_begins_the_epoch_that_the_city_permits(site: Path) -> None:
    line = canonical({"v": 1, "chain": "gw-1", "epoch": 2, "n": 5, "hash": "ab" * 32, "at_ms": 7})
    permit = site.parent / "permit.json"
    signature = CITY.sign(b"lotgate-epoch-v1\n" + line.encode())
    permit.write_text(json.dumps({"line": line, "sig": base64.b64encode(signature).decode()}), encoding="utf-8")
    (site.parent / "data").mkdir()
    SmallLot(site.parent / "data").engine.close()
    code, text = run("restore", "--config", str(site), "--permit", str(permit))
    assert (code, text.split(";")[0]) == (0, "epoch 2 of chain gw-1 begins after record 5")
    assert "up to epoch 1 record 2 is kept as" in text
    code, text = run("restore", "--config", str(site), "--permit", "none.json")
    assert (code, "no permit; the city gives it" in text) == (EXIT_CONFIG, True)


def test_no_command_imports_what_it_does_not_need() -> None:
    # The console and the quote start at once on the smallest board: no database, no serial port, no broker.
    code = (
        "import sys, gateway.__main__; print(*sorted({'sqlite3', 'serial', 'paho', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
