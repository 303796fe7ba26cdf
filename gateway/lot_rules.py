"""What the operator decided for this lot, read from the files that the configuration names: tariff, calendar, policy.

Owns what a live lot asks of them beyond a quote: a cap that the tariff's source leaves open is no price to charge by, a tariff
with prices for holidays needs a calendar, and a calendar from outside the product needs the city's signature beside it.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from gateway.config import HOUR_MS, Config, ConfigError
from gateway.core.calendar import CALENDAR_DOMAIN, Calendar
from gateway.core.memory import Rules
from gateway.quote import find_calendar, find_tariff
from gateway.sync.signature import CityKey


def load_rules(config: Config, city_key: bytes | None) -> Rules:
    """The rules of the lot; without the city's key, as in a replay, the calendar's signature is not asked for.

    Raises ConfigError, TariffError, CalendarError or UnknownTariffError for what nobody can charge by.
    """
    lot, folder = config.lot, config.path.parent
    tariff = find_tariff(lot.tariff, folder)
    open_caps = tariff.open_caps()
    if open_caps:
        named = ", ".join(cap.en for cap in open_caps)
        raise ConfigError(f"{config.path}: lot.tariff = {lot.tariff!r}: {named}: write the sum into a copy of the file")
    calendar = find_calendar(lot.calendar, folder) if lot.calendar else None
    if tariff.rules.needs_calendar and calendar is None:
        remedy = "has prices for holidays; name a calendar in lot.calendar, such as china-2026"
        raise ConfigError(f"{config.path}: lot.tariff = {lot.tariff!r}: {remedy}")
    path = folder / lot.calendar
    if calendar is not None and city_key is not None and path.is_file():
        _check_signature(path, calendar, CityKey(city_key))
    return Rules(tariff, lot.without_lease, tariff.currency, calendar, lot.max_stay_h * HOUR_MS)


def _check_signature(path: Path, calendar: Calendar, city: CityKey) -> None:
    """Raise ConfigError unless the file beside the calendar holds the city's signature of it."""
    signature_path = path.with_name(f"{path.name}.sig")
    try:
        signature = base64.b64decode(signature_path.read_bytes())
    except OSError as error:
        raise ConfigError(f"lot.calendar: {signature_path}: {error.strerror}; put the city's signature there") from None
    except binascii.Error:
        signature = b""
    if not city.signed(CALENDAR_DOMAIN, calendar.text(), signature):
        remedy = "get calendar and signature from the city again"
        raise ConfigError(f"lot.calendar: {signature_path}: not the city's signature of this calendar; {remedy}")
