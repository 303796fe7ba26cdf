"""What a live lot refuses to charge by: an open cap, a missing calendar, a calendar that the city did not sign."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from gateway.config import ConfigError, load_config
from gateway.core.calendar import CALENDAR_DOMAIN
from gateway.lot_rules import load_rules
from gateway.quote import find_calendar
from tests.core.test_charge import HOLIDAY
from tests.lots import KEY
from tests.test_config import GOOD

CITY = KEY.public_key().public_bytes_raw()
CALENDAR = find_calendar("china-2026", Path()).text()
SIGNED = base64.b64encode(KEY.sign(CALENDAR_DOMAIN + CALENDAR.encode()))
UNSIGNED = base64.b64encode(KEY.sign(CALENDAR.encode()))


def load(folder: Path, lot: str, signature: bytes | None = None) -> object:
    (folder / "gateway.toml").write_text(GOOD.replace('tariff = "plain-garage"', lot, 1), encoding="utf-8")
    (folder / "holiday.toml").write_text(HOLIDAY, encoding="utf-8")
    (folder / "days.toml").write_text(CALENDAR, encoding="utf-8")
    if signature is not None:
        (folder / "days.toml.sig").write_bytes(signature)
    return load_rules(load_config(folder / "gateway.toml"), CITY)


@pytest.mark.parametrize(
    ("lot", "signature"),
    [
        ('tariff = "plain-garage"',                              None),
        ('tariff = "plain-garage"\ncalendar = "china-2026"',     None),
        ('tariff = "holiday.toml"\ncalendar = "china-2026"',     None),
        ('tariff = "holiday.toml"\ncalendar = "days.toml"',      SIGNED),
    ],
)  # fmt: skip
def test_what_a_lot_can_charge_by(tmp_path: Path, lot: str, signature: bytes | None) -> None:
    load(tmp_path, lot, signature)


@pytest.mark.parametrize(
    ("lot", "signature", "told"),
    [
        ('tariff = "linping-2025"',                          None,     "on end: write the sum into a copy of the file"),
        ('tariff = "holiday.toml"',                          None,     "name a calendar in lot.calendar, such as china-2026"),
        ('tariff = "holiday.toml"\ncalendar = "days.toml"',  None,     "sig: No such file or directory; put the city's"),
        ('tariff = "holiday.toml"\ncalendar = "days.toml"',  UNSIGNED, "sig: not the city's signature of this calendar"),
        ('tariff = "holiday.toml"\ncalendar = "days.toml"',  b"?",     "sig: not the city's signature of this calendar"),
    ],
)  # fmt: skip
def test_what_it_can_not_charge_by(tmp_path: Path, lot: str, signature: bytes | None, told: str) -> None:
    with pytest.raises(ConfigError, match="lot") as raised:
        load(tmp_path, lot, signature)
    assert told in str(raised.value)


def test_a_replay_asks_for_no_signature(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load(tmp_path, 'tariff = "holiday.toml"\ncalendar = "days.toml"')
    assert load_rules(load_config(tmp_path / "gateway.toml"), None).calendar is not None
