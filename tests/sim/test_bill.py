"""The gateway's bill against the one that walks through the stay minute by minute."""

from __future__ import annotations

import random

import pytest

from gateway.core.plate import Energy, Vehicle
from sim.bill import owed_minor
from tests.soak_tariff import SEED, compare
from tests.tariff_texts import shipped_text

STAYS = 20_500
VARIANTS = 1


def test_both_bills_agree_on_every_stay() -> None:
    """Longer, and with more variants of the settings: python -m tests.soak_tariff --stays 100000 --seed SEED."""
    found = compare(STAYS, random.Random(SEED), VARIANTS)
    assert found.disagreements == [], f"seed {SEED}"
    assert found.stays == STAYS
    assert found.at_step > STAYS // 2
    assert found.owing > STAYS // 2


@pytest.mark.parametrize(
    ("name", "minutes", "owed"),
    [
        ("hangzhou-2014-street-core  ", 75, 1000),
        ("hangzhou-2014-street-core  ", 76, 1600),
        ("hangzhou-2014-street-class1", 46, 600),
        ("hangzhou-2014-street-class2", 45, 200),
        ("hangzhou-2012-garage-6     ", 75, 600),
        ("plain-garage               ", 30, 0),
        ("plain-garage               ", 31, 500),
        ("jewel-b2                   ", 100, 890),
        ("changi-block               ", 840, 3640),
        ("changi-capped              ", 1440, 3500),
        ("short-free                 ", 310, 900),
        ("gatwick-2021               ", 15, 1000),
    ],
)
def test_the_slow_bill_knows_the_published_results(name: str, minutes: int, owed: int) -> None:
    entry_ms = 1772413200000
    text = shipped_text(name.strip())
    assert owed_minor(text, entry_ms, entry_ms + minutes * 60_000, Vehicle.SMALL, Energy.FUEL) == owed
