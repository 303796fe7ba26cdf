"""`lotgate quote`: local times read, bills shown, and the tariffs found where an installation keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff import load_tariff
from gateway.quote import UnknownTariffError, find_tariff, quote, quote_json, quote_text, shipped_names, shipped_tariff
from tests.tariff_texts import NEW_YORK, TARIFFS

CORE = shipped_tariff("hangzhou-2014-street-core")


def test_the_shipped_tariffs_are_the_files_in_seeds() -> None:
    assert shipped_names() == sorted(path.stem for path in TARIFFS.glob("*.toml"))
    assert [shipped_tariff(name).name for name in shipped_names()] == shipped_names()
    with pytest.raises(ValueError, match="the shipped ones are changi-block, "):
        shipped_tariff("../tariffs/plain-garage")


@pytest.mark.parametrize(
    ("entry", "exit", "owed"),
    [
        ("2026-03-02T09:00",       "2026-03-02T10:15",          1000),
        ("2026-03-02T09:00",       "2026-03-02T10:16",          1600),
        ("2026-03-02T09:00:30",    "2026-03-02T10:16:29",       1000),
        ("2026-03-02T01:00+00:00", "2026-03-02T10:16:00+08:00", 1600),
    ],
)  # fmt: skip
def test_quotes(entry: str, exit: str, owed: int) -> None:
    assert quote(CORE, entry, exit, Vehicle.SMALL, Energy.FUEL).amount_minor == owed


@pytest.mark.parametrize(
    ("entry", "exit", "reason"),
    [
        ("yesterday",        "2026-03-08T10:00", "is no time"),
        ("2026-03-08T10:00", "2026-03-08T09:59", "lies before the entry"),
        ("2026-03-08T02:30", "2026-03-08T09:59", "does not exist in America/New_York"),
    ],
)  # fmt: skip
def test_times_that_cannot_be_quoted(entry: str, exit: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        quote(load_tariff(NEW_YORK, "new-york"), entry, exit, Vehicle.SMALL, Energy.FUEL)


def test_a_quote_as_text() -> None:
    bill = quote(CORE, "2026-03-02T09:00", "2026-03-02T10:16", Vehicle.SMALL, Energy.FUEL)
    assert quote_text(CORE, bill, "en").splitlines() == [
        "Hangzhou on-street, core area",
        "                                units      each    amount  charge",
        "03-02 09:00:00 - 03-02 10:00:00     2      5.00     10.00  day, first hour, per half hour",
        "03-02 10:00:00 - 03-02 10:16:00     1      6.00      6.00  day, after the first hour, per half hour",
        "total                                       CNY     16.00",
    ]
    assert quote_text(CORE, bill, "zh").splitlines()[-1] == "合计                                        CNY     16.00"


def test_a_quote_as_json() -> None:
    bill = quote(CORE, "2026-03-02T09:00", "2026-03-02T10:15", Vehicle.LARGE, Energy.EV)
    assert json.loads(json.dumps(quote_json(CORE, bill))) == {
        "tariff": "hangzhou-2014-street-core",
        "tariff_hash": CORE.hash,
        "amount_minor": 2000,
        "currency": "CNY",
        "lines": [
            {
                "text_zh": "白天首小时，每半小时",
                "text_en": "day, first hour, per half hour",
                "from_ms": 1772413200000,
                "to_ms": 1772416800000,
                "units": 2,
                "unit_minor": 1000,
                "amount_minor": 2000,
            }
        ],
        "open": [],
    }


def test_a_tariff_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UnknownTariffError, match=r"mine\.toml: can't be read .*; save it as UTF-8"):
        find_tariff("mine.toml", tmp_path)
