"""The check of a tariff: what is good, and what nobody should charge by."""

from __future__ import annotations

import pytest

from gateway.core.tariff import TariffError, load_tariff
from gateway.core.tariff_check import check
from gateway.quote import shipped_names
from tests.tariff_cases import CHINA
from tests.tariff_texts import MADE_UP, ODD, shipped_text

CHEAPER_BY_EXIT = ODD.replace('falls = "allowed"', 'falls = "never"')


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_tariff_is_good(name: str) -> None:
    found = check(load_tariff(shipped_text(name), name), None)
    assert found.stays > 500
    assert [cap.en for cap in found.open] == (
        ["cap per vehicle in 24 hours on end"] if name == "linping-2025" else []
    )  # fmt: skip


def test_a_price_that_may_fall_is_not_tried() -> None:
    assert check(load_tariff(MADE_UP["fragments"], "fragments"), None).stays == 0


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        (CHEAPER_BY_EXIT, "falls", "large fuel from 2026-10-31 23:37: 135.00 until 2026-11-01"),
        (MADE_UP["year"].replace('"spring-festival"', '"moon-day"'), "day[0].holidays", "moon-day"),
    ],
)
def test_a_price_that_falls_and_a_holiday_that_nobody_has_are_refused(text: str, key: str, value: str) -> None:
    with pytest.raises(TariffError) as refused:
        check(load_tariff(text, "bad"), CHINA)
    assert (refused.value.file, refused.value.key) == ("bad", key)
    assert str(refused.value.value).startswith(value)


def test_a_tariff_with_holidays_is_tried_with_their_calendar_or_not_at_all() -> None:
    tariff = load_tariff(MADE_UP["year"], "year")
    with pytest.raises(TariffError, match="give a calendar"):
        check(tariff, None)
    assert check(tariff, CHINA).stays > 10_000
