"""What a stay would cost, for people and programs: `lotgate quote`.

Owns the reading of local times and how a bill is shown; finds the tariffs that ship with the product. Prices nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Literal
from unicodedata import east_asian_width

from gateway.core.calendar import Calendar, CalendarError, read_calendar
from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff import Bill, Coupon, Discount, EarlierStay, Tariff, load_tariff
from gateway.core.tariff_file import amount_text
from gateway.core.tariff_plan import Text
from gateway.core.tariff_time import local_time, utc_ms

Language = Literal["zh", "en"]


class UnknownTariffError(ValueError):
    """No tariff has this name; the text lists those that ship."""


_OPEN = {
    "zh": "注意：{}，来源未公布数额，此报价未计入",
    "en": "note: {}: the source does not tell the sum; this quote leaves it out",
}
_DISCOUNT, _COUPON = Text("折扣", "discount"), Text("优惠券", "coupon")
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


def find_calendar(name: str, folder: Path) -> Calendar:
    """A calendar by a shipped name, or by the path of its file, taken from `folder`. CalendarError if it is none."""
    shipped = files("seeds").joinpath("calendars").joinpath(f"{name}.toml")
    path = folder / name
    if path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CalendarError(f"{path}: can't be read ({error}); save it as UTF-8 text") from None
        return read_calendar(text, str(path))
    if not name.isascii() or "/" in name or not shipped.is_file():
        raise CalendarError(
            f"no calendar {name!r}: give the path of a file, or the name of a shipped one such as china-2026"
        )
    return read_calendar(shipped.read_text(encoding="utf-8"), name)


@dataclass(frozen=True, slots=True)
class Extras:
    """What a quote may take into account beside the stay: a calendar, earlier stays of the plate as local times of entry and
    exit with what they owed, a percentage off and money off."""

    calendar: Calendar | None = None
    earlier: tuple[tuple[str, str, int], ...] = ()
    discount_percent: int = 0
    coupon_minor: int = 0


def quote(
    tariff: Tariff, entry: str, exit: str, vehicle: Vehicle, energy: Energy, *, extras: Extras | None = None
) -> Bill:
    """The bill between two local times such as 2026-03-02T09:00 in the tariff's zone; ValueError if they are not such times."""
    extras = extras or Extras()
    entry_ms, exit_ms = _span_ms(tariff, entry, exit)
    return tariff.bill(
        entry_ms,
        exit_ms,
        vehicle,
        energy,
        calendar=extras.calendar,
        earlier=[EarlierStay(*_span_ms(tariff, begin, end), owed) for begin, end, owed in extras.earlier],
        discounts=[Discount(extras.discount_percent, _DISCOUNT)] if extras.discount_percent else [],
        coupons=[Coupon(extras.coupon_minor, _COUPON)] if extras.coupon_minor else [],
    )


def quote_text(tariff: Tariff, bill: Bill, language: Language) -> str:
    """The bill as lines of text: one a charge, the total last."""
    charge, units, each, amount, total = _HEADINGS[language]
    title = tariff.rules.title
    rows = [
        (
            f"{_clock(tariff, line.from_ms)} - {_clock(tariff, line.to_ms)}",
            str(line.units),
            amount_text(line.unit_minor, bill.currency),
            amount_text(line.amount_minor, bill.currency),
            line.text_zh if language == "zh" else line.text_en,
        )
        for line in bill.lines
    ]
    head = ("", units, each, amount, charge)
    foot = (total, "", bill.currency, amount_text(bill.amount_minor, bill.currency), "")
    lines = [title.zh if language == "zh" else title.en]
    for span, count, price, money, text in (head, *rows, foot):
        cells = _padded(span, -31), _padded(count, 6), _padded(price, 10), _padded(money, 10), "  ", text
        lines.append("".join(cells).rstrip())
    for cap in bill.open:
        lines.append(_OPEN[language].format(cap.zh if language == "zh" else cap.en))
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
        "open": [{"text_zh": cap.zh, "text_en": cap.en} for cap in bill.open],
    }


def local_ms(tariff: Tariff, text: str) -> int:
    """UTC ms of a local time such as 2026-03-02T09:00 in the tariff's zone, or of one with an offset; else ValueError."""
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


def _span_ms(tariff: Tariff, entry: str, exit: str) -> tuple[int, int]:
    entry_ms, exit_ms = local_ms(tariff, entry), local_ms(tariff, exit)
    if exit_ms < entry_ms:
        raise ValueError(f"the exit {exit} lies before the entry {entry}")
    return entry_ms, exit_ms


def _padded(text: str, columns: int) -> str:
    """The text on a terminal's columns, to the left if negative; a Chinese character takes two."""
    blank = " " * (abs(columns) - sum(2 if east_asian_width(c) in "WF" else 1 for c in text))
    return text + blank if columns < 0 else blank + text


def _clock(tariff: Tariff, at_ms: int) -> str:
    return local_time(tariff.rules.zone, at_ms).strftime("%m-%d %H:%M:%S")
