"""Makes a calendar file from the library chinesecalendar: python -m gateway.calendar_tool 2026 --out china-2026.toml.

Owns the names that holidays bear in tariffs. It needs the extra `lotgate[calendar]` and runs where calendars are made, never in
a gateway: the library is asked here only, and only for years that have been announced. With --key the file is signed.
"""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Callable
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

from gateway.core.calendar import CALENDAR_DOMAIN, Calendar, CalendarError, read_calendar

NAMES = {
    "New Year's Day": "new-year",
    "Spring Festival": "spring-festival",
    "Tomb-sweeping Day": "qingming",
    "Labour Day": "labour-day",
    "Dragon Boat Festival": "dragon-boat",
    "Mid-autumn Festival": "mid-autumn",
    "National Day": "national-day",
}
"""Holidays as the library names them, and as calendars and tariffs do."""

Detail = Callable[[date], tuple[bool, str | None]]
"""Whether a date is free, and the holiday that it belongs to or makes up for."""


def china(years: tuple[int, int], number: int, detail: Detail, source: str) -> Calendar:
    """The years from first to last as the library tells them. CalendarError for a year that it does not know, or a holiday that
    has no name here."""
    first, last = date(years[0], 1, 1), date(years[1], 12, 31)
    holidays: dict[date, str] = {}
    workdays: dict[date, str] = {}
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        try:
            free, name = detail(day)
        except NotImplementedError:
            raise CalendarError(f"{day.year} is not known to {source}: take a release that knows it") from None
        if name is None:
            continue
        if name not in NAMES:
            raise CalendarError(f"{day}: {name!r} is a new holiday: give it a name in the calendar tool")
        (holidays if free else workdays)[day] = NAMES[name]
    calendar = Calendar("china", number, source, first, last, holidays, workdays)
    return read_calendar(calendar.text(), "china")


def main(argv: list[str]) -> int:
    """Write the file, and its signature if a key is given."""
    parser = argparse.ArgumentParser(prog="python -m gateway.calendar_tool", description=__doc__.splitlines()[0])
    parser.add_argument("years", type=int, nargs="+", help="one year, or the first and the last")
    parser.add_argument(
        "--number", type=int, default=1, help="the calendar's version; a corrected one has a higher number"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--key", type=Path, help="the city's private key; writes the signature beside the file")
    options = parser.parse_args(argv)
    try:
        from chinese_calendar import get_holiday_detail
    except ModuleNotFoundError:
        print("the library is missing: pip install lotgate[calendar]", file=sys.stderr)
        return 1
    try:
        years = min(options.years), max(options.years)
        found = china(years, options.number, get_holiday_detail, f"chinesecalendar {version('chinesecalendar')}")
    except CalendarError as error:
        print(error, file=sys.stderr)
        return 1
    options.out.write_text(found.text(), encoding="utf-8")
    if options.key is not None:
        from gateway.shell.signer import Signer

        signature = Signer.load(options.key).sign(CALENDAR_DOMAIN + found.text().encode())
        options.out.with_name(f"{options.out.name}.sig").write_bytes(base64.b64encode(signature) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
