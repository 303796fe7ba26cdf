"""The calendar tool: the shipped calendars are what it makes, and the city's key can sign them."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path

import pytest

from gateway.calendar_tool import china, main
from gateway.core.calendar import CALENDAR_DOMAIN, CalendarError, Kind, read_calendar
from gateway.shell.signer import Signer
from gateway.sync.signature import DOWN_DOMAIN, CityKey

CALENDARS = Path(__file__).parents[1] / "seeds" / "calendars"


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_shipped_calendars_are_what_the_tool_makes(year: int, tmp_path: Path) -> None:
    out = tmp_path / "china.toml"
    assert main([str(year), "--out", str(out)]) == 0
    made = read_calendar(out.read_text(encoding="utf-8"), "made")
    shipped = read_calendar((CALENDARS / f"china-{year}.toml").read_text(encoding="utf-8"), "shipped")
    assert (made.first, made.last) == (date(year, 1, 1), date(year, 12, 31))
    assert (made.holidays, made.workdays) == (shipped.holidays, shipped.workdays)


def test_two_years_make_one_calendar(tmp_path: Path) -> None:
    out = tmp_path / "china.toml"
    assert main(["2026", "2025", "--number", "3", "--out", str(out)]) == 0
    made = read_calendar(out.read_text(encoding="utf-8"), "made")
    assert (made.first, made.last, made.version) == (date(2025, 1, 1), date(2026, 12, 31), 3)
    assert made.kind(date(2025, 10, 6)) is made.kind(date(2026, 10, 6)) is Kind.HOLIDAY


def test_the_citys_key_signs_the_very_text(tmp_path: Path) -> None:
    signer = Signer.create(tmp_path / "city.pem")
    out = tmp_path / "china.toml"
    assert main(["2026", "--out", str(out), "--key", str(tmp_path / "city.pem")]) == 0
    signature = base64.b64decode((tmp_path / "china.toml.sig").read_bytes().strip(), validate=True)
    key, text = CityKey(base64.b64decode(signer.public_base64)), out.read_text(encoding="utf-8")
    assert key.signed(CALENDAR_DOMAIN, text, signature)
    assert not key.signed(CALENDAR_DOMAIN, text.replace("2026-01-02", "2026-01-05"), signature)
    assert not key.signed(DOWN_DOMAIN, text, signature)


def test_a_year_that_the_library_does_not_know_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["2199", "--out", str(tmp_path / "china.toml")]) == 1
    assert "2199 is not known to chinesecalendar" in capsys.readouterr().err
    assert not (tmp_path / "china.toml").exists()


def test_a_holiday_without_a_name_is_refused() -> None:
    with pytest.raises(CalendarError, match="'Moon Day' is a new holiday"):
        china((2026, 2026), 1, lambda _: (True, "Moon Day"), "a library")
