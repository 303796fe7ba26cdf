"""What a stay would cost, for people and programs: `lotgate quote`.

Owns the reading of local times and how a bill is shown; finds the tariffs that ship with the product. Prices nothing itself.
"""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Literal
from unicodedata import east_asian_width

from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff import Bill, Tariff, load_tariff
from gateway.core.tariff_file import DECIMALS
from gateway.core.tariff_plan import local_time, utc_ms

Language = Literal["zh", "en"]


class UnknownTariffError(ValueError):
    """No tariff has this name; the text lists those that ship."""


_HEADINGS = {"zh": ("计费", "数量", "单价", "金额", "合计"), "en": ("charge", "units", "each", "amount", "total")}


def shipped_names() -> list[str]:
    """Names of the tariffs that ship with the product, in order."""
    folder = files("seeds").joinpath("tariffs")
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def shipped_tariff(name: str) -> Tariff:
    """A tariff that ships with the product. Raises UnknownTariffError if there is none of this name."""
    if name not in shipped_names():
        raise UnknownTariffError(f"no tariff {name!r}; the shipped ones are {', '.join(shipped_names())}")
    text = files("seeds").joinpath("tariffs").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return load_tariff(text, name)


def find_tariff(name: str, folder: Path) -> Tariff:
    """A tariff by a shipped name, or by the path of its file, taken from `folder`. UnknownTariffError or TariffError."""
    path = folder / name
    if name in shipped_names() or not path.is_file():
        return shipped_tariff(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnknownTariffError(f"{path}: can't be read ({error}); save it as UTF-8 text") from None
    return load_tariff(text, str(path))


def quote(tariff: Tariff, entry: str, exit: str, vehicle: Vehicle, energy: Energy) -> Bill:
    """The bill between two local times such as 2026-03-02T09:00 in the tariff's zone; ValueError if they are not such times."""
    entry_ms, exit_ms = _local_ms(tariff, entry), _local_ms(tariff, exit)
    if exit_ms < entry_ms:
        raise ValueError(f"the exit {exit} lies before the entry {entry}")
    return tariff.bill(entry_ms, exit_ms, vehicle, energy)


def quote_text(tariff: Tariff, bill: Bill, language: Language) -> str:
    """The bill as lines of text: one a charge, the total last."""
    charge, units, each, amount, total = _HEADINGS[language]
    title = tariff.rules.title
    rows = [
        (
            f"{_clock(tariff, line.from_ms)} - {_clock(tariff, line.to_ms)}",
            str(line.units),
            _money(line.unit_minor, bill.currency),
            _money(line.amount_minor, bill.currency),
            line.text_zh if language == "zh" else line.text_en,
        )
        for line in bill.lines
    ]
    head = ("", units, each, amount, charge)
    foot = (total, "", bill.currency, _money(bill.amount_minor, bill.currency), "")
    lines = [title.zh if language == "zh" else title.en]
    for span, count, price, money, text in (head, *rows, foot):
        cells = _padded(span, -31), _padded(count, 6), _padded(price, 10), _padded(money, 10), "  ", text
        lines.append("".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def quote_json(tariff: Tariff, bill: Bill) -> dict[str, object]:
    """The bill as JSON values; amounts in minor units, times in UTC ms."""
    return {
        "tariff": tariff.name,
        "tariff_hash": tariff.hash,
        "amount_minor": bill.amount_minor,
        "currency": bill.currency,
        "lines": [
            {
                "text_zh": line.text_zh,
                "text_en": line.text_en,
                "from_ms": line.from_ms,
                "to_ms": line.to_ms,
                "units": line.units,
                "unit_minor": line.unit_minor,
                "amount_minor": line.amount_minor,
            }
            for line in bill.lines
        ],
    }


def _local_ms(tariff: Tariff, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write it like 2026-03-02T09:00 or 2026-03-02T09:00:00") from None
    if moment.tzinfo is not None:
        return utc_ms(moment)
    at_ms = utc_ms(moment.replace(tzinfo=tariff.rules.zone))
    if local_time(tariff.rules.zone, at_ms).replace(tzinfo=None) != moment:
        raise ValueError(f"{text} does not exist in {tariff.rules.zone.key}: the clock is put forward over it")
    return at_ms


def _padded(text: str, columns: int) -> str:
    """The text on a terminal's columns, to the left if negative; a Chinese character takes two."""
    blank = " " * (abs(columns) - sum(2 if east_asian_width(c) in "WF" else 1 for c in text))
    return text + blank if columns < 0 else blank + text


def _clock(tariff: Tariff, at_ms: int) -> str:
    return local_time(tariff.rules.zone, at_ms).strftime("%m-%d %H:%M:%S")


def _money(amount_minor: int, currency: str) -> str:
    digits = DECIMALS[currency]
    whole, rest = divmod(abs(amount_minor), 10**digits)
    return f"{'-' if amount_minor < 0 else ''}{whole}.{rest:0{digits}d}"
