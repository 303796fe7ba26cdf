"""`lotgate quote` and `lotgate tariff` as their users type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.__main__ import main
from tests.tariff_texts import MADE_UP, shipped_text


def lotgate(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def year(tmp_path: Path) -> str:
    path = tmp_path / "year.toml"
    path.write_text(MADE_UP["year"], encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "owed"),
    [
        ("hangzhou-2014-street-core 2026-03-02T09:00 2026-03-02T10:15",                                  1000),
        ("hangzhou-2014-street-core 2026-03-02T09:00 2026-03-02T10:15 --vehicle large",                  2000),
        ("short-free 2026-03-02T09:00 2026-03-02T14:10 --energy ev",                                      450),
        ("plain-garage 2026-03-02T09:00 2026-03-02T10:15 --discount 10 --coupon 100",                     530),
        ("overlap.toml 2026-03-02T09:00 2026-03-02T12:00 --earlier 2026-03-02T06:30 2026-03-02T08:30 1100", 0),
        ("year.toml 2026-02-17T10:00 2026-02-17T11:00 --calendar china-2026",                            3000),
    ],
)  # fmt: skip
def test_quotes(arguments: str, owed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("overlap", "year"):
        (tmp_path / f"{name}.toml").write_text(MADE_UP[name], encoding="utf-8")
    done = lotgate("quote", *arguments.split(), "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["amount_minor"] == owed


def test_an_open_cap_is_told_in_both_languages() -> None:
    arguments = ("quote", "linping-2025", "2026-03-02T09:00", "2026-03-02T10:15")
    assert "note: cap per vehicle in 24 hours on end: the source does not tell the sum" in lotgate(*arguments).output
    assert "注意：同一车辆连续24小时封顶" in lotgate(*arguments, "--language", "zh").output
    assert json.loads(lotgate(*arguments, "--json").output)["open"][0]["text_zh"] == "同一车辆连续24小时封顶"


@pytest.mark.parametrize(
    ("calendar", "reason"),
    [
        ([], "give a calendar; this tariff has prices for holidays"),
        (["--calendar", "china-2099"], "no calendar 'china-2099'"),
        (["--calendar", "../tariffs/plain-garage"], "no calendar"),
        (["--calendar", "china-2025"], "2026-02-17 lies outside 2025-01-01 to 2025-12-31"),
    ],
)
def test_a_quote_with_holidays_needs_their_calendar(year: str, calendar: list[str], reason: str) -> None:
    done = lotgate("quote", year, "2026-02-17T10:00", "2026-02-17T11:00", *calendar)
    assert (done.exit_code, reason in done.output) == (1, True), done.output


def test_good_tariffs_are_told_to_be_good(year: str) -> None:
    done = lotgate("tariff", "check", "singapore-hdb", "linping-2025", year, "--calendar", "china-2026")
    assert done.exit_code == 0, done.output
    names = ("singapore-hdb", "linping-2025", year)
    assert all(line.startswith(f"{name}: good, ") for name, line in zip(names, done.output.splitlines(), strict=True))
    assert "its source leaves open: cap per vehicle in 24 hours on end" in done.output


def test_a_bad_tariff_is_refused_with_file_key_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "gap.toml"
    text = shipped_text("hangzhou-2014-street-core").replace('to = "08:00"', 'to = "07:00"')
    path.write_text(text, encoding="utf-8")
    done = lotgate("tariff", "check", "plain-garage", str(path), "--json")
    assert done.exit_code == 1
    good, bad = [json.loads(line) for line in done.output.splitlines()]
    assert good["good"]
    assert not bad["good"]
    for part in (str(path), "plan.street.band", "20:00-07:00", "the next begins at 08:00"):
        assert part in bad["reason"]
    assert lotgate("tariff", "check", "nowhere").exit_code == 1


@pytest.mark.parametrize(("name", "head"), [("a.svg", b"<svg "), ("a.png", b"\x89PNG")])
def test_a_plot_is_written(name: str, head: bytes, tmp_path: Path) -> None:
    done = lotgate("tariff", "plot", "jewel-b2", "--hours", "3", "--out", str(tmp_path / name))
    assert (done.exit_code, done.output) == (0, "")
    assert (tmp_path / name).read_bytes().startswith(head)


def test_a_plot_without_a_file_is_text_or_json(tmp_path: Path) -> None:
    assert lotgate("tariff", "plot", "jewel-b2", "--hours", "3").output.startswith("Jewel Changi, basement 2 (SGD)\n")
    steps = json.loads(lotgate("tariff", "plot", "jewel-b2", "--hours", "2", "--json").output)["steps"]
    assert steps[-1] == {"minute": 91, "amount_minor": 890}
    assert lotgate("tariff", "plot", "jewel-b2", "--out", str(tmp_path / "a.pdf")).exit_code == 2
