"""Tariff files that must be refused, and the language's document, which must say what the reader reads."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest

from gateway.core import tariff_settings
from gateway.core.calendar import Kind
from gateway.core.tariff import load_tariff
from gateway.core.tariff_file import DECIMALS, FORMAT, KEYS, TariffError, Weekday, amount_text
from gateway.core.tariff_plan_file import Charge
from gateway.quote import shipped_names
from tests.tariff_texts import NEW_YORK, made_up_text, shipped_text

PLAIN = shipped_text("plain-garage")
YEAR = made_up_text("year")
DOCUMENT = Path(__file__).parents[2] / "docs" / "TARIFFS.md"


@pytest.mark.parametrize(
    ("text", "old", "new", "key", "remedy"),
    [
        # the file as such
        (PLAIN, 'zone = "Asia', "zone = Asia", "the file", "valid TOML"),
        (PLAIN, "[[version]]", "[version]", "version", "tables [[version]]"),
        (PLAIN, "lotgate-tariff-1", "lotgate-tariff-2", "format", "lotgate-tariff-1"),
        (PLAIN, '"CNY"', '"JPY"', "currency", "CNY, EUR"),
        (PLAIN, '"CNY"', "1", "currency", "text in quotes"),
        (PLAIN, '"Asia/Shanghai"', '"Asia/Nowhere"', "zone", "IANA time zone"),
        (PLAIN, '"Asia/Shanghai"', '"../etc/passwd"', "zone", "IANA time zone"),
        (PLAIN, '"Asia/Shanghai"', '""', "zone", "IANA time zone"),
        (PLAIN, 'version_by = "entry"', 'version_by = "both"', "version_by", "entry or exit"),
        (PLAIN, 'en = "Plain garage"', "", "en", "text in quotes"),
        (PLAIN, 'en = "Plain garage"', 'en = ""', "en", "1 to 60 UTF-8 bytes"),
        (PLAIN, 'en = "Plain garage"', 'en = "two\\nlines"', "en", "printable text"),
        (PLAIN, 'zh = "示范停车库"', f'zh = "{"库" * 21}"', "zh", "60 UTF-8 bytes"),
        # versions and classes
        (PLAIN, "from = 2026-01-01", 'from = "2026-01-01"', "version[0].from", "without quotes"),
        (PLAIN, "from = 2026-01-01", "from = 2026-01-01T00:00:00", "version[0].from", "a date such as"),
        (PLAIN, "[plan.garage]", '[[version]]\nfrom=2026-01-01\nclass=[{vehicle=["small","large"],energy=["fuel","ev"],'
                                 'plan="garage",times=1}]\n[plan.garage]', "version", "rising order"),
        (PLAIN, 'energy = ["fuel", "ev"]', 'energy = ["fuel"]', "version[0].class", "this pair too"),
        (PLAIN, 'vehicle = ["large"]', 'vehicle = ["large", "small"]', "version[0].class[1].vehicle", "one class only"),
        (PLAIN, 'vehicle = ["large"]', 'vehicle = ["huge"]', "version[0].class[1].vehicle", "small or large"),
        (PLAIN, 'vehicle = ["large"]', 'vehicle = "large"', "version[0].class[1].vehicle", "a list"),
        (PLAIN, 'vehicle = ["large"]', "vehicle = []", "version[0].class[1].vehicle", "at least one"),
        (PLAIN, '"garage", times = 2', '"garden", times = 2', "version[0].class[1].plan", "plans of this file: garage"),
        (PLAIN, "times = 2", "times = 0", "version[0].class[1].times", "from 1 to 100"),
        (PLAIN, "times = 2", "times = 1.5", "version[0].class[1].times", "whole number"),
        (PLAIN, "times = 2", "times = true", "version[0].class[1].times", "whole number"),
        (PLAIN, "times = 2", "times = 2, colour = 1",
         "version[0].class[1].colour", "vehicle, energy, plan, entry, times"),
        # plans
        (PLAIN, "[plan.garage]", "[plan.unused]\n[plan.garage]", "plan.unused.durations", "text in quotes"),
        (NEW_YORK, 'plan = "electric"', 'plan = "day"', "plan.electric", "name it in a class"),
        # what the whole file decides
        (PLAIN, 'falls = "never"', 'falls = "sometimes"', "falls", "never or allowed"),
        (PLAIN, 'rounding = "half-up"', 'rounding = "half-even"', "rounding", "down or half-up or up"),
        (PLAIN, '"cap", "coupon"]', '"cap"]', "order", "each of discount, cap and coupon once"),
        (PLAIN, '"cap", "coupon"]', '"cap", "cap"]', "order", "each of discount, cap and coupon once"),
        (PLAIN, '"cap", "coupon"]', '"cap", "gift"]', "order", "discount or cap or coupon"),
        # days
        (PLAIN, "day = []", "", "day", "tables [[day]]"),
        (YEAR, 'every = true', 'weekdays = ["sun"]', "day[4].every", "every = true in the last day"),
        (YEAR, 'every = true', 'every = false', "day[4].every", "every = true beside a name"),
        (YEAR, 'every = true', 'every = true\nkinds = ["weekend"]', "day[4].every", "nothing else"),
        (YEAR, 'kinds = ["holiday"]', 'every = true', "day[1].every", "only there"),
        (YEAR, 'kinds = ["holiday"]', 'kinds = ["feast"]', "day[1].kinds", "workday or weekend or holiday"),
        (YEAR, 'kinds = ["holiday"]', "", "day[1].kinds", "at least one of kinds, holidays, weekdays, dates"),
        (YEAR, 'kinds = ["holiday"]', "kinds = []", "day[1].kinds", "none of them empty"),
        (YEAR, 'weekdays = ["wed"]', 'weekdays = ["wednesday"]', "day[3].weekdays", "mon or tue"),
        (YEAR, '"12-20..01-10"', '"12-20"', "day[3].dates", "03-15..05-31"),
        (YEAR, '"12-20..01-10"', '"12-20..02-30"', "day[3].dates", "days that a year has"),
        (YEAR, '["spring-festival", "national-day"]', "[1]", "day[0].holidays", "text in quotes"),
        # the time of entry
        (YEAR, 'from = "17:00", to = "05:00", plan', 'from = "18:00", to = "05:00", plan', "version[0].class[2].entry",
         "the next begins at 18:00"),
        (YEAR, 'plan = "evening" }', 'plan = "night" }', "version[0].class[2].entry[1].plan", "year, evening"),
        (YEAR, 'plan = "year"\ntimes = 2', "times = 2", "version[0].class[1].plan", "either one plan, or entry tables"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_by_name(text: str, old: str, new: str, key: str, remedy: str) -> None:
    assert old in text
    with pytest.raises(TariffError) as refused:
        load_tariff(text.replace(old, new, 1), "lot-7.toml")
    assert (refused.value.file, refused.value.key) == ("lot-7.toml", key)
    assert remedy in refused.value.remedy
    assert all(part in str(refused.value) for part in ("lot-7.toml", key, repr(refused.value.value), remedy))


def test_every_key_is_required() -> None:
    """Taking any single line out of a shipped file, or one key of the other made-up one, leaves a file that is refused."""
    for name in shipped_names():
        lines = shipped_text(name).splitlines()
        for number, line in enumerate(lines):
            if line and not line.startswith("#"):
                with pytest.raises(TariffError):
                    load_tariff("\n".join(lines[:number] + lines[number + 1 :]), f"{name} without line {number + 1}")


def test_the_document_lists_the_keys_that_the_reader_knows() -> None:
    sections = re.split(
        r"^### (\w+)$", DOCUMENT.read_text(encoding="utf-8").split("## The shipped")[0], flags=re.MULTILINE
    )
    described = {
        table: tuple(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
        for table, text in zip(sections[1::2], sections[2::2], strict=True)
    }
    assert described == KEYS


@pytest.mark.parametrize("setting", [*vars(tariff_settings).values(), Kind, Weekday, Charge])
def test_the_document_explains_every_word_of_a_setting(setting: object) -> None:
    if isinstance(setting, type) and issubclass(setting, StrEnum) and setting is not StrEnum:
        text = DOCUMENT.read_text(encoding="utf-8")
        missing = [word for word in setting if f'`"{word}"`' not in text]
        assert missing == [], setting.__name__


def test_the_document_names_the_shipped_tariffs_the_format_and_the_currencies() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([\w-]+)` \|", text.split("## The shipped tariffs")[1].split("\n## ")[0], re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == set(shipped_names())
    assert all(f'`"{word}"`' in text for word in (FORMAT, *DECIMALS))


@pytest.mark.parametrize(
    ("amount_minor", "text"), [(0, "0.00"), (5, "0.05"), (1250, "12.50"), (-5, "-0.05"), (-1250, "-12.50")]
)
def test_amounts_as_people_write_them(amount_minor: int, text: str) -> None:
    assert amount_text(amount_minor, "CNY") == text


def test_the_documents_refusal_is_what_the_reader_says() -> None:
    (example,) = re.findall(r"^    (tariff file .*)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    with pytest.raises(TariffError, match=f"^{re.escape(example)}$"):
        load_tariff(PLAIN.replace('boundary = "inclusive"', 'boundary = "upto"', 1), "plain-garage")
