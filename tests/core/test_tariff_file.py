"""Tariff files that must be refused, and the language's document, which must say what the reader reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.core.tariff import load_tariff
from gateway.core.tariff_file import DECIMALS, FORMAT, KEYS, TariffError
from gateway.quote import shipped_names
from tests.tariff_texts import NEW_YORK, shipped_text

PLAIN = shipped_text("plain-garage")
STREET = shipped_text("hangzhou-2014-street-core")
BAND_STEPS = STREET[STREET.index("[[plan.street.band.step]]") : STREET.index('[[plan.street.band]]\nfrom = "20:00"')]
STEP, REST = "plan.garage.band[0].step[0]", "plan.garage.band[0].step[1]"
NINE_STEPS = BAND_STEPS.replace('"rest"', "1") * 4 + BAND_STEPS
SECOND_CAP = '{ per = "24h-from-entry", next_period = "restart", amount_minor = 1, zh = "a", en = "b" }, {'
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
        (PLAIN, "times = 2", "times = 2, colour = 1", "version[0].class[1].colour", "vehicle, energy, plan, times"),
        # plans
        (PLAIN, "[plan.garage]", "[plan.unused]\n[plan.garage]", "plan.unused.durations", "text in quotes"),
        (NEW_YORK, 'plan = "electric"', 'plan = "day"', "plan.electric", "name it in a class"),
        (PLAIN, 'durations = "elapsed"', 'durations = "wall"', "plan.garage.durations", '"elapsed"'),
        (PLAIN, 'seconds = "truncate"', 'seconds = "round"', "plan.garage.seconds", "truncate or ceil or exact"),
        (PLAIN, 'seconds = "truncate"', 'second = "truncate"', "plan.garage.second", "the keys here are durations, seconds"),
        (PLAIN, 'seconds = "truncate"', 'seconds = "truncate"\nstraddle = "restart"', "plan.garage.straddle", "leave it out"),
        (STREET, 'straddle = "restart"', 'straddle = "pro-rata"', "plan.street.straddle", '"restart"'),
        (STREET, 'straddle = "restart"', "", "plan.street.straddle", "text in quotes"),
        (STREET, "cap = []", "", "plan.street.cap", "tables [[plan.street.cap]]"),
        (STREET, "cap = []", "cap = [1]", "plan.street.cap[0]", "a table"),
        (NEW_YORK, "cap = [{", f"cap = [{SECOND_CAP}", "plan.day.cap", "0 to 1"),
        # free time
        (PLAIN, "limit_min = 30", "limit_min = -1", "plan.garage.free.limit_min", "from 0 to 10080"),
        (PLAIN, "limit_min = 30", 'limit_min = "30"', "plan.garage.free.limit_min", "whole number"),
        (PLAIN, "limit_min = 30", "", "plan.garage.free.limit_min", "whole number"),
        (PLAIN, 'boundary = "inclusive"', 'boundary = "upto"', "plan.garage.free.boundary", "inclusive or exclusive"),
        (PLAIN, 'charged_from = "entry"', 'charged_from = "exit"', "plan.garage.free.charged_from", "entry or end"),
        (PLAIN, 'per = "visit"', 'per = "day"', "plan.garage.free.per", '"visit"'),
        # bands
        (PLAIN, 'to = "24:00"', 'to = "23:00"', "plan.garage.band", "cover the day once"),
        (PLAIN, 'from = "00:00"', 'from = "24:00"', "plan.garage.band[0].from", '"00:00"'),
        (PLAIN, 'from = "00:00"', 'from = "0:00"', "plan.garage.band[0].from", "HH:MM"),
        (PLAIN, 'from = "00:00"', 'from = "00:60"', "plan.garage.band[0].from", "HH:MM"),
        (PLAIN, 'to = "24:00"', 'to = "24:01"', "plan.garage.band[0].to", "HH:MM"),
        (PLAIN, 'to = "24:00"', 'to = "00:00"', "plan.garage.band[0].to", "differs"),
        (PLAIN, 'to = "24:00"', 'to = "²4:00"', "plan.garage.band[0].to", "HH:MM"),
        (STREET, 'from = "20:00"', 'from = "21:00"', "plan.street.band", "the next begins at 21:00"),
        (STREET, 'from = "20:00"', 'from = "19:00"', "plan.street.band", "the next begins at 19:00"),
        (STREET, 'to = "08:00"', 'to = "07:59"', "plan.street.band", "the next begins at 08:00"),
        (STREET, BAND_STEPS, "", "plan.street.band[0].step", "either step tables or one flat"),
        (STREET, BAND_STEPS, "step = []\n\n", "plan.street.band[0].step", "1 to 100"),
        (STREET, "[plan.street.band.flat]", "[[plan.street.band.flat]]", "plan.street.band[1].flat", "a table"),
        (STREET, BAND_STEPS, NINE_STEPS, "plan.street.band", "at most 8 steps"),
        # what a band charges
        (PLAIN, "units = 1", 'units = "rest"', f"{STEP}.units", "last step only"),
        (PLAIN, 'units = "rest"', "units = 5", f"{REST}.units", "last step only"),
        (PLAIN, 'units = "rest"', 'units = "all"', f"{REST}.units", 'or "rest"'),
        (PLAIN, "amount_minor = 500", "amount_minor = 5.00", f"{STEP}.amount_minor", "whole number"),
        (PLAIN, "amount_minor = 500", "amount_minor = -500", f"{STEP}.amount_minor", "from 0 to 10000000"),
        (PLAIN, "amount_minor = 500", "amount_minor = 10000001", f"{STEP}.amount_minor", "from 0 to 10000000"),
        (PLAIN, "amount_minor = 500", "amount = 500", f"{STEP}.amount", "remove it"),
        (PLAIN, "unit_min = 60", "unit_min = 0", f"{STEP}.unit_min", "from 1 to 10080"),
        (PLAIN, "tail_min = 0", "tail_min = 60", f"{STEP}.tail_min", "from 0 to 59"),
        (STREET, 'tail_min = 0\ntail_boundary = "inclusive"', 'tail_min = 0\ntail_boundary = "exclusive"',
         "plan.street.band[1].flat.tail_boundary", "never charged"),
        (STREET, 'flat]\nper = "visit"', 'flat]\nper = "night"', "plan.street.band[1].flat.per", "visit or band"),
        (PLAIN, 'per = "24h-from-entry"', 'per = "calendar-day"', "plan.garage.cap[0].per", '"24h-from-entry"'),
        (PLAIN, 'next_period = "restart"', 'next_period = "continue"', "plan.garage.cap[0].next_period", '"restart"'),
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


def test_the_document_names_the_shipped_tariffs_the_format_and_the_currencies() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert re.findall(r"^\| `([\w-]+-[\w-]+)` \|", text, re.MULTILINE) == [
        "hangzhou-2014-street-core",
        "hangzhou-2014-street-class1",
        "hangzhou-2014-street-class2",
        "hangzhou-2012-garage-6",
        "plain-garage",
    ]
    assert set(re.findall(r"^\| `([\w-]+-[\w-]+)` \|", text, re.MULTILINE)) == set(shipped_names())
    assert all(f'`"{word}"`' in text for word in (FORMAT, *DECIMALS))


def test_the_documents_refusal_is_what_the_reader_says() -> None:
    (example,) = re.findall(r"^    (tariff file .*)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    with pytest.raises(TariffError, match=f"^{re.escape(example)}$"):
        load_tariff(PLAIN.replace('boundary = "inclusive"', 'boundary = "upto"', 1), "plain-garage")
