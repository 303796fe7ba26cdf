"""Texts of tariff files for tests: the shipped ones, made-up ones full of edges, and random variants of those."""

from __future__ import annotations

import random
import re
from pathlib import Path

from gateway.core.tariff import TariffError, load_tariff

ROOT = Path(__file__).parent.parent
TARIFFS = ROOT / "seeds" / "tariffs"
CALENDAR = (ROOT / "seeds" / "calendars" / "china-2026.toml").read_text(encoding="utf-8")
"""The calendar that every tariff with holidays is priced by in tests."""


def shipped_text(name: str) -> str:
    """The text of a shipped tariff."""
    return (TARIFFS / f"{name}.toml").read_text(encoding="utf-8")


def made_up_text(name: str) -> str:
    """The text of a made-up tariff of these tests."""
    return (Path(__file__).parent / "tariffs" / f"{name}.toml").read_text(encoding="utf-8")


NEW_YORK = made_up_text("new-york")

ODD = (
    NEW_YORK.replace('version_by = "entry"', 'version_by = "exit"')
    .replace(
        "[plan.day]",
        """[[version]]
from = 2026-11-02
class = [{ vehicle = ["small", "large"], energy = ["fuel", "ev"], plan = "day", times = 2 }]

[plan.day]""",
    )
    .replace('seconds = "exact"', 'seconds = "truncate"')
    .replace('charged_from = "end"', 'charged_from = "entry"')
    .replace('per = "band"', 'per = "visit"')
    .replace('falls = "never"', 'falls = "allowed"')
)
"""The same with two versions, the exit deciding for the cheaper one, and the other reading of each setting."""

MADE_UP = {
    "new-york": NEW_YORK,
    "odd": ODD,
    "overlap": made_up_text("overlap"),
    "year": made_up_text("year"),
    "fragments": made_up_text("fragments"),
}

SETTINGS: dict[str, tuple[str, ...]] = {
    r'(?<=seconds = ")[\w-]+(?=")': ("truncate", "ceil", "exact"),
    r'(?<=straddle = ")[\w-]+(?=")': ("restart", "start-band", "pro-rata"),
    r'(?<= boundary = ")[\w-]+(?=")': ("inclusive", "exclusive"),
    r'(?<=charged_from = ")[\w-]+(?=")': ("entry", "end"),
    r'(?<=charged_from = "entry", per = ")[\w-]+(?=")': ("visit", "first-of-day", "day", "band"),
    r'(?<=charged_from = "end", per = ")[\w-]+(?=")': ("visit", "first-of-day", "day", "band"),
    r'(?<=next_period = ")[\w-]+(?=")': ("restart", "continue"),
    r'(?<=stays = ")[\w-]+(?=")': ("one", "plate"),
    r'(?<=rounding = ")[\w-]+(?=")': ("down", "half-up", "up"),
    r"(?<=order = )\[.*\](?=\n)": (
        '["discount", "cap", "coupon"]',
        '["cap", "discount", "coupon"]',
        '["coupon", "cap", "discount"]',
        '["cap", "coupon", "discount"]',
    ),
}
"""Where a file says how it reads a price, and the words that may stand there."""


def variant(text: str, draw: random.Random) -> str:
    """The text with every setting drawn anew, as often as needed until the reader takes it."""
    while True:
        found = text
        for pattern, words in SETTINGS.items():
            found = re.sub(pattern, lambda _, words=words: draw.choice(words), found)  # type: ignore[misc]
        try:
            load_tariff(found, "variant")
        except TariffError:
            continue
        return found
