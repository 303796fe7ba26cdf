"""Prices of stays: the published results, every reading of every ambiguity, and what must hold of every bill."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest

from gateway.core.calendar import Calendar
from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff import Bill, Coupon, Discount, EarlierStay, Tariff, TariffError, load_tariff
from gateway.core.tariff_file import LINES_MAX
from gateway.core.tariff_plan import Text
from gateway.core.tariff_settings import Falls
from tests.tariff_cases import CHINA, MINUTE_MS, engine_bill, grounds, local_ms, stays
from tests.tariff_texts import MADE_UP, NEW_YORK, ODD, shipped_text

CORE, CLASS1, CLASS2 = (f"hangzhou-2014-street-{area}" for area in ("core", "class1", "class2"))
GARAGE6, PLAIN = "hangzhou-2012-garage-6", "plain-garage"
SEED = 20140825


def shipped(name: str) -> Tariff:
    return load_tariff(shipped_text(name), name)


def bill(tariff: Tariff, entry: str, exit: str, vehicle: Vehicle = Vehicle.SMALL, energy: Energy = Energy.FUEL) -> Bill:
    zone = tariff.rules.zone
    calendar = CHINA if tariff.rules.needs_calendar else None
    return tariff.bill(local_ms(zone, entry), local_ms(zone, exit), vehicle, energy, calendar=calendar)


def length_ms(text: str) -> int:
    """MINUTES:SECONDS, or HOURS h MINUTES."""
    if "h" in text:
        hours, minutes = text.split("h")
        return (int(hours) * 60 + int(minutes or 0)) * MINUTE_MS
    minutes, seconds = text.split(":")
    return int(minutes) * MINUTE_MS + int(seconds) * 1000


def minutes_bill(name: str, length: str, energy: Energy = Energy.FUEL, vehicle: Vehicle = Vehicle.SMALL) -> int:
    """What a car owes that comes at 09:00 on a Monday."""
    tariff = shipped(name)
    entry_ms = local_ms(tariff.rules.zone, "2026-03-02T09:00")
    return tariff.bill(entry_ms, entry_ms + length_ms(length), vehicle, energy).amount_minor


@pytest.mark.parametrize(
    ("row", "tariff", "length", "energy", "owed"),
    [
        ("A1", "hangzhou-2014-street-core  ", "15:00",  Energy.FUEL, 0),
        ("A1", "hangzhou-2014-street-class1", "15:00",  Energy.FUEL, 0),
        ("A1", "hangzhou-2014-street-class2", "15:00",  Energy.FUEL, 0),
        ("A2", "hangzhou-2014-street-core  ", "45:00",  Energy.FUEL, 500),
        ("A2", "hangzhou-2014-street-class1", "45:00",  Energy.FUEL, 300),
        ("A2", "hangzhou-2014-street-class2", "45:00",  Energy.FUEL, 200),
        ("A2", "hangzhou-2014-street-core  ", "46:00",  Energy.FUEL, 1000),
        ("A2", "hangzhou-2014-street-class1", "46:00",  Energy.FUEL, 600),
        ("A2", "hangzhou-2014-street-class2", "46:00",  Energy.FUEL, 400),
        ("A3", "hangzhou-2014-street-core  ", "75:00",  Energy.FUEL, 1000),
        ("A3", "hangzhou-2014-street-class1", "75:00",  Energy.FUEL, 600),
        ("A3", "hangzhou-2014-street-class2", "75:00",  Energy.FUEL, 400),
        ("A3", "hangzhou-2014-street-core  ", "76:00",  Energy.FUEL, 1600),
        ("A3", "hangzhou-2014-street-class1", "76:00",  Energy.FUEL, 1000),
        ("A3", "hangzhou-2014-street-class2", "76:00",  Energy.FUEL, 700),
        ("B1", "hangzhou-2012-garage-6     ", "75:00",  Energy.FUEL, 600),
        ("D1", "changi-block               ", "14h",    Energy.FUEL, 3640),
        ("D2", "changi-per-minute          ", "24h",    Energy.FUEL, 5760),
        ("D2", "changi-capped              ", "24h",    Energy.FUEL, 3500),
        ("D3", "jewel-b2                   ", "100:00", Energy.FUEL, 890),
        ("E1", "waterlooplein              ", "60:00",  Energy.FUEL, 500),
        ("E1", "waterlooplein              ", "65:00",  Energy.FUEL, 1000),
        ("G1", "gatwick-2021               ", "10:00",  Energy.FUEL, 500),
        ("G1", "gatwick-2021               ", "15:00",  Energy.FUEL, 1000),
        ("G1", "gatwick-2021               ", "30:00",  Energy.FUEL, 2500),
        ("I1", "short-free                 ", "5h10",   Energy.FUEL, 900),
        ("I1", "short-free                 ", "5h10",   Energy.EV,   450),
    ],
)  # fmt: skip
def test_the_acceptance_cases(row: str, tariff: str, length: str, energy: Energy, owed: int) -> None:
    assert minutes_bill(tariff.strip(), length, energy) == owed, row


@pytest.mark.parametrize(
    ("tariff", "entry", "exit", "vehicle", "owed"),
    [
        # C1: a night is 7.20 without its cap; grace; a cap for each night; minutes are charged as minutes
        ("singapore-hdb            ", "2026-03-02T00:00", "2026-03-02T06:00", Vehicle.SMALL, 500),
        ("singapore-hdb            ", "2026-03-02T00:00", "2026-03-02T04:09", Vehicle.SMALL, 498),
        ("singapore-hdb            ", "2026-03-02T12:00", "2026-03-02T12:10", Vehicle.SMALL, 0),
        ("singapore-hdb            ", "2026-03-02T12:00", "2026-03-02T12:11", Vehicle.SMALL, 22),
        ("singapore-hdb            ", "2026-03-02T12:00", "2026-03-02T12:15", Vehicle.SMALL, 30),
        ("singapore-hdb            ", "2026-03-02T22:00", "2026-03-04T07:30", Vehicle.SMALL, 60 + 500 + 1860 + 500 + 60),
        # half a cent is rounded up once: 15 minutes at 0.035 are 0.525
        ("changi-capped            ", "2026-03-02T12:00", "2026-03-02T12:15", Vehicle.SMALL, 53),
        ("changi-capped            ", "2026-03-02T12:00", "2026-03-02T12:16", Vehicle.SMALL, 56),
        ("changi-capped            ", "2026-03-02T12:00", "2026-03-03T12:03", Vehicle.SMALL, 3511),
        # the day's maximum is until midnight
        ("de-kwakel                ", "2026-03-02T20:00", "2026-03-02T22:30", Vehicle.SMALL, 500),
        ("de-kwakel                ", "2026-03-02T20:00", "2026-03-03T00:16", Vehicle.SMALL, 600),
        ("de-kwakel                ", "2026-03-02T23:50", "2026-03-03T00:01", Vehicle.SMALL, 100),
        # 47.50, 47.50, then 25.00 a day
        ("schiphol-1999            ", "2026-03-02T12:00", "2026-03-02T15:00", Vehicle.SMALL, 2100),
        ("schiphol-1999            ", "2026-03-02T12:00", "2026-03-02T15:01", Vehicle.SMALL, 2500),
        ("schiphol-1999            ", "2026-03-02T12:00", "2026-03-04T12:00", Vehicle.SMALL, 9500),
        ("schiphol-1999            ", "2026-03-02T12:00", "2026-03-06T12:00", Vehicle.SMALL, 9500 + 5000),
        # a day's maximum, nothing at night, the next day anew, the last quarter of an hour dropped after the first hour
        ("taizhou-2023-class1      ", "2026-03-02T09:00", "2026-03-02T10:15", Vehicle.SMALL, 500),
        ("taizhou-2023-class1      ", "2026-03-02T09:00", "2026-03-02T10:16", Vehicle.SMALL, 700),
        ("taizhou-2023-class1      ", "2026-03-02T08:00", "2026-03-02T20:00", Vehicle.SMALL, 2000),
        ("taizhou-2023-class1      ", "2026-03-02T19:00", "2026-03-03T08:30", Vehicle.SMALL, 1000),
        # up to an hour is an hour, then half hours at half price; the night once
        ("hangzhou-westlake-holiday", "2026-02-17T10:00", "2026-02-17T10:01", Vehicle.SMALL, 3000),
        ("hangzhou-westlake-holiday", "2026-02-17T10:00", "2026-02-17T11:31", Vehicle.SMALL, 6000),
        ("hangzhou-westlake-holiday", "2026-02-17T10:00", "2026-02-17T11:31", Vehicle.LARGE, 2000),
        ("hangzhou-westlake-holiday", "2026-02-17T19:00", "2026-02-17T23:00", Vehicle.SMALL, 3500),
        ("linping-2025             ", "2026-03-02T09:00", "2026-03-02T10:31", Vehicle.SMALL, 1100),
        ("short-free               ", "2026-03-02T09:00", "2026-03-02T14:10", Vehicle.LARGE, 600 + 4 * 200),
        ("short-free               ", "2026-03-02T09:00", "2026-03-03T09:00", Vehicle.LARGE, 3000),
        ("gatwick-2021             ", "2026-03-02T09:00", "2026-03-02T19:00", Vehicle.SMALL, 2500),
        ("jewel-b2                 ", "2026-03-02T09:00", "2026-03-02T10:30", Vehicle.SMALL, 390),
    ],
)  # fmt: skip
def test_shipped_tariffs_by_clock(tariff: str, entry: str, exit: str, vehicle: Vehicle, owed: int) -> None:
    assert bill(shipped(tariff.strip()), entry, exit, vehicle).amount_minor == owed


@pytest.mark.parametrize(
    ("length", "core", "class1", "class2"),
    [
        # A1: up to 15 minutes
        ("  0:00",    0,    0,    0),
        (" 15:00",    0,    0,    0),
        (" 15:59",    0,    0,    0),
        (" 16:00",  500,  300,  200),
        # A2: 45 and 46 minutes
        (" 45:00",  500,  300,  200),
        (" 45:59",  500,  300,  200),
        (" 46:00", 1000,  600,  400),
        # A3: 75 and 76 minutes
        (" 75:00", 1000,  600,  400),
        (" 75:59", 1000,  600,  400),
        (" 76:00", 1600, 1000,  700),
        # the rest of the published quick table
        ("105:00", 1600, 1000,  700),
        ("106:00", 2200, 1400, 1000),
        ("135:00", 2200, 1400, 1000),
        ("136:00", 2800, 1800, 1300),
        ("165:00", 2800, 1800, 1300),
        ("166:00", 3400, 2200, 1600),
        ("180:00", 3400, 2200, 1600),
    ],
)  # fmt: skip
def test_hangzhou_street_by_length(length: str, core: int, class1: int, class2: int) -> None:
    assert [minutes_bill(name, length) for name in (CORE, CLASS1, CLASS2)] == [core, class1, class2]


@pytest.mark.parametrize(
    ("entry", "exit", "vehicle", "owed"),
    [
        ("2026-03-02T09:00:00", "2026-03-02T10:15:00", Vehicle.SMALL, 1000),
        ("2026-03-02T09:00:00", "2026-03-02T10:16:00", Vehicle.SMALL, 1600),
        ("2026-03-02T09:00:00", "2026-03-02T10:16:00", Vehicle.LARGE, 3200),
        # the day band ends at 20:00:00 and the night's charge comes with the first whole minute after it
        ("2026-03-02T19:00:00", "2026-03-02T20:00:00", Vehicle.SMALL, 1000),
        ("2026-03-02T19:00:00", "2026-03-02T20:00:59", Vehicle.SMALL, 1000),
        ("2026-03-02T19:00:00", "2026-03-02T20:01:00", Vehicle.SMALL, 1500),
        ("2026-03-02T19:44:59", "2026-03-02T20:14:59", Vehicle.SMALL, 1000),
        ("2026-03-02T19:45:00", "2026-03-02T20:15:00", Vehicle.SMALL,  500),
        ("2026-03-02T19:50:00", "2026-03-02T20:05:00", Vehicle.SMALL,    0),
        ("2026-03-02T19:50:00", "2026-03-02T20:06:00", Vehicle.SMALL,  500),
        # a night, and the morning after it from its own first hour
        ("2026-03-02T20:00:00", "2026-03-03T08:00:00", Vehicle.SMALL,  500),
        ("2026-03-02T20:00:00", "2026-03-03T08:15:00", Vehicle.SMALL,  500),
        ("2026-03-02T20:00:00", "2026-03-03T08:16:00", Vehicle.SMALL, 1000),
        ("2026-03-02T20:00:00", "2026-03-03T08:16:00", Vehicle.LARGE, 2000),
        # 24 half hours of each day, the night once a visit: 2x5 + 22x6 = 142 a day
        ("2026-03-02T08:00:00", "2026-03-02T20:00:00", Vehicle.SMALL, 14200),
        ("2026-03-02T08:00:00", "2026-03-03T20:00:00", Vehicle.SMALL, 28900),
        ("2026-03-02T08:00:00", "2026-03-04T08:00:00", Vehicle.SMALL, 28900),
    ],
)  # fmt: skip
def test_hangzhou_street_core_by_clock(entry: str, exit: str, vehicle: Vehicle, owed: int) -> None:
    assert bill(shipped(CORE), entry, exit, vehicle).amount_minor == owed


@pytest.mark.parametrize(
    ("length", "before_2012", "rule_2012"),
    [
        (" 14:59",    0,    0),
        (" 15:00",  600,  600),
        (" 60:00",  600,  600),
        (" 60:59",  600,  600),
        (" 61:00",  900,  600),
        # B1: the published example
        (" 75:00",  900,  600),
        (" 75:59",  900,  600),
        (" 76:00",  900,  900),
        ("105:00", 1200,  900),
        ("106:00", 1200, 1200),
    ],
)  # fmt: skip
def test_hangzhou_garage_before_and_after_2012(length: str, before_2012: int, rule_2012: int) -> None:
    stay_ms = length_ms(length)
    old = load_tariff(shipped_text(GARAGE6).replace("tail_min = 15", "tail_min = 0"), "before-2012")
    new = shipped(GARAGE6)
    assert [t.bill(0, stay_ms, Vehicle.SMALL, Energy.EV).amount_minor for t in (old, new)] == [before_2012, rule_2012]


@pytest.mark.parametrize(
    ("length", "small", "large"),
    [
        ("  30:00",    0,     0),
        ("  30:59",    0,     0),
        ("  31:00",  500,  1000),
        ("  60:00",  500,  1000),
        ("  61:00",  700,  1400),
        (" 120:00",  700,  1400),
        (" 121:00",  900,  1800),
        # 5 + 7x2 = 19 for 8 hours, then the cap
        (" 480:00", 1900,  3800),
        (" 481:00", 2000,  4000),
        ("1440:00", 2000,  4000),
        ("1440:59", 2000,  4000),
        # the next 24 hours are priced afresh, without free time
        ("1441:00", 2500,  5000),
        ("1501:00", 2700,  5400),
        ("2880:00", 4000,  8000),
        ("2881:00", 4500,  9000),
    ],
)  # fmt: skip
def test_plain_garage(length: str, small: int, large: int) -> None:
    tariff = shipped(PLAIN)
    entry_ms = local_ms(tariff.rules.zone, "2026-03-02T23:17:21")
    exit_ms = entry_ms + length_ms(length)
    assert [tariff.bill(entry_ms, exit_ms, v, Energy.FUEL).amount_minor for v in Vehicle] == [small, large]


@pytest.mark.parametrize(
    ("tariff", "setting", "changed", "entry", "length", "as_shipped", "as_changed"),
    [
        # seconds
        (PLAIN, 'seconds = "truncate"', 'seconds = "ceil"', "09:00", " 30:00", 0, 0),
        (PLAIN, 'seconds = "truncate"', 'seconds = "ceil"', "09:00", " 30:01", 0, 500),
        (PLAIN, 'seconds = "truncate"', 'seconds = "exact"', "09:00", " 30:00", 0, 0),
        (PLAIN, 'seconds = "truncate"', 'seconds = "exact"', "09:00", " 30:01", 0, 500),
        # boundary
        (PLAIN, 'boundary = "inclusive"\ncharged', 'boundary = "exclusive"\ncharged', "09:00", " 29:59", 0, 0),
        (PLAIN, 'boundary = "inclusive"\ncharged', 'boundary = "exclusive"\ncharged', "09:00", " 30:00", 0, 500),
        (GARAGE6, 'tail_min = 15\ntail_boundary = "inclusive"',
         'tail_min = 15\ntail_boundary = "exclusive"', "09:00", " 75:00", 600, 900),
        # charged from entry, or from the end of the free time
        (PLAIN, 'charged_from = "entry"', 'charged_from = "end"', "09:00", " 61:00", 700, 500),
        (PLAIN, 'charged_from = "entry"', 'charged_from = "end"', "09:00", " 90:00", 700, 500),
        (PLAIN, 'charged_from = "entry"', 'charged_from = "end"', "09:00", " 91:00", 700, 700),
        (PLAIN, "limit_min = 30", "limit_min = 0", "09:00", "  1:00", 0, 500),
        # a unit over the edge at 20:00: cut there, or one unit until its own end, or the day's share of it and the night
        (CLASS1, 'straddle = "restart"', 'straddle = "start-band"', "19:45", " 30:00", 500, 300),
        (CLASS1, 'straddle = "restart"', 'straddle = "start-band"', "19:45", " 31:00", 500, 800),
        (CLASS1, 'straddle = "restart"', 'straddle = "pro-rata"', "19:50", " 30:00", 500, 600),
        # free time for each visit, day, band
        (CORE, 'entry"\nper = "visit"', 'entry"\nper = "band"', "19:50", " 30:00", 500, 500),
        (CORE, 'entry"\nper = "visit"', 'entry"\nper = "band"', "19:40", " 30:00", 1000, 500),
        (PLAIN, 'entry"\nper = "visit"', 'entry"\nper = "day"', "23:20", " 70:00", 700, 500),
        (PLAIN, 'entry"\nper = "visit"', 'entry"\nper = "day"', "23:40", " 51:00", 500, 500),
        (PLAIN, 'entry"\nper = "visit"', 'entry"\nper = "day"', "23:40", " 50:00", 500, 0),
        # what a cap limits
        (PLAIN, 'per = "from-entry"\nperiod_min = 1440',
         'per = "calendar-day"\nbegins = "00:00"', "20:00", "18h", 2000, 1100 + 2000),
        (PLAIN, 'per = "from-entry"\nperiod_min = 1440',
         'per = "calendar-day"\nbegins = "08:00"', "20:00", "18h", 2000, 2000 + 1300 + 200),
        (PLAIN, "period_min = 1440", "period_min = 720", "09:00", "24h", 2000, 4000),
        (PLAIN, 'next_period = "restart"', 'next_period = "continue"', "09:00", "25h", 2500, 2200),
        # a charge for each night, or once
        (CORE, 'flat]\nper = "visit"', 'flat]\nper = "band"', "20:00", "48h", 500 + 2 * 14200, 1000 + 2 * 14200),
        # proportion, and its rounding
        ("changi-capped", 'rounding = "half-up"', 'rounding = "down"', "09:00", " 15:00", 53, 52),
        ("changi-capped", 'rounding = "half-up"', 'rounding = "up"', "09:00", " 17:00", 60, 60),
        ("changi-capped", 'rounding = "half-up"', 'rounding = "up"', "09:00", " 13:00", 46, 46),
        ("changi-capped", 'charge = "prorated"',
         'charge = "begun"\ntail_min = 0\ntail_boundary = "inclusive"', "09:00", " 13:00", 46, 70),
    ],
)  # fmt: skip
def test_each_setting_changes_the_price(
    tariff: str, setting: str, changed: str, entry: str, length: str, as_shipped: int, as_changed: int
) -> None:
    text = shipped_text(tariff)
    assert text.count(setting) >= 1
    tariffs = load_tariff(text, tariff), load_tariff(text.replace(setting, changed), "changed")
    entry_ms = local_ms(tariffs[0].rules.zone, f"2026-03-02T{entry}")
    exit_ms = entry_ms + length_ms(length)
    owed = [t.bill(entry_ms, exit_ms, Vehicle.SMALL, Energy.FUEL).amount_minor for t in tariffs]
    assert owed == [as_shipped, as_changed]


@pytest.mark.parametrize(
    ("order", "percent", "coupon_minor", "owed"),
    [
        # 12 hours of the plain garage are 27.00, capped at 20.00
        ('["discount", "cap", "coupon"]',  0,    0, 2000),
        ('["discount", "cap", "coupon"]', 50,    0, 1350),
        ('["cap", "discount", "coupon"]', 50,    0, 1000),
        ('["discount", "cap", "coupon"]', 10,  500, 1500),
        ('["coupon", "discount", "cap"]', 10,  500, 1980),
        ('["cap", "coupon", "discount"]', 10,  500, 1350),
        ('["cap", "discount", "coupon"]', 10, 9999,    0),
    ],
)  # fmt: skip
def test_the_order_of_discount_cap_and_coupon(order: str, percent: int, coupon_minor: int, owed: int) -> None:
    tariff = load_tariff(shipped_text(PLAIN).replace('["discount", "cap", "coupon"]', order), "ordered")
    discounts = [Discount(percent, Text("折", "off"))] if percent else []
    coupons = [Coupon(coupon_minor, Text("券", "coupon"))]
    made = tariff.bill(
        0, 12 * 60 * MINUTE_MS, Vehicle.SMALL, Energy.FUEL, discounts=discounts, coupons=coupons
    )  # fmt: skip
    assert made.amount_minor == owed == sum(line.amount_minor for line in made.lines)


@pytest.mark.parametrize(
    ("earlier", "entry", "exit", "owed"),
    [
        # at most 20.00 for all stays of a plate in 24 hours from the first entry
        ("                           ", "10:00", "22:00", 2000),
        ("06:00-09:00 900            ", "10:00", "22:00", 1100),
        ("06:00-09:00 0              ", "10:00", "22:00", 2000),
        ("06:00-09:00 900            ", "10:00", "10:30", 0),
        ("06:00-08:00 700 08:30-09:30 700", "10:00", "22:00", 600),
        # what an earlier stay owed beyond what this plan would have asked counts too
        ("06:00-09:00 1900           ", "10:00", "22:00", 100),
    ],
)  # fmt: skip
def test_a_cap_over_several_stays_of_a_plate(earlier: str, entry: str, exit: str, owed: int) -> None:
    tariff = load_tariff(shipped_text(PLAIN).replace('stays = "one"', 'stays = "plate"'), "plate")
    words = earlier.split()
    ms = {clock: local_ms(tariff.rules.zone, f"2026-03-02T{clock}") for clock in (entry, exit)}
    before = [
        EarlierStay(*(local_ms(tariff.rules.zone, f"2026-03-02T{clock}") for clock in span.split("-")), int(amount))
        for span, amount in zip(words[::2], words[1::2], strict=True)
    ]
    made = tariff.bill(ms[entry], ms[exit], Vehicle.SMALL, Energy.FUEL, earlier=before)
    assert made.amount_minor == owed
    assert shipped(PLAIN).bill(ms[entry], ms[exit], Vehicle.SMALL, Energy.FUEL, earlier=before).amount_minor in (
        0,
        2000,
    )


@pytest.mark.parametrize(
    ("entry", "exit", "vehicle", "energy", "owed"),
    [
        # Spring Festival 30, other holidays and peak weekends 20, other days 10 by the minute; night 5
        ("2026-02-17T10:00", "2026-02-17T12:00", Vehicle.SMALL, Energy.FUEL, 6000),
        ("2026-05-04T10:00", "2026-05-04T12:00", Vehicle.SMALL, Energy.FUEL, 4000),
        ("2026-03-21T10:00", "2026-03-21T12:00", Vehicle.SMALL, Energy.FUEL, 4000),
        ("2026-03-14T10:00", "2026-03-14T12:00", Vehicle.SMALL, Energy.FUEL, 2000),
        ("2026-03-23T10:00", "2026-03-23T12:00", Vehicle.SMALL, Energy.FUEL, 2000),
        # a Saturday and a Sunday that are worked
        ("2026-05-09T10:00", "2026-05-09T12:00", Vehicle.SMALL, Energy.FUEL, 2000),
        ("2026-09-20T10:00", "2026-09-20T12:00", Vehicle.SMALL, Energy.FUEL, 2000),
        # the night after the last free day still belongs to it, and the price changes at 08:00
        ("2026-02-23T19:00", "2026-02-24T09:00", Vehicle.SMALL, Energy.FUEL, 3000 + 500 + 1000),
        # the price of another plan for who comes after 17:00
        ("2026-03-23T16:59", "2026-03-23T18:59", Vehicle.LARGE, Energy.EV, 2000),
        ("2026-03-23T17:00", "2026-03-23T19:00", Vehicle.LARGE, Energy.EV, 1351),
    ],
)  # fmt: skip
def test_holidays_seasons_and_the_time_of_entry(
    entry: str, exit: str, vehicle: Vehicle, energy: Energy, owed: int
) -> None:
    assert bill(load_tariff(MADE_UP["year"], "year"), entry, exit, vehicle, energy).amount_minor == owed


def test_a_tariff_with_holidays_refuses_to_price_without_their_calendar() -> None:
    tariff = load_tariff(MADE_UP["year"], "year")
    with pytest.raises(TariffError, match="tariff file year: day = 'no calendar': give a calendar"):
        tariff.bill(0, 0, Vehicle.SMALL, Energy.FUEL)
    short = Calendar("short", 1, "made up", date(2026, 3, 1), date(2026, 3, 2), {}, {})
    times = [local_ms(tariff.rules.zone, f"2026-03-0{day}T12:00") for day in (1, 2, 3)]
    assert tariff.bill(times[0], times[1], Vehicle.SMALL, Energy.FUEL, calendar=short).amount_minor > 0
    with pytest.raises(TariffError, match="calendar short: 2026-03-03 lies outside"):
        tariff.bill(times[1], times[2], Vehicle.SMALL, Energy.FUEL, calendar=short)


@pytest.mark.parametrize(
    ("entry", "exit", "energy", "owed"),
    [
        # four hours are 7.20 and the whole day 7.00, for who comes from 05:00 to 17:00
        ("2026-03-10T09:00", "2026-03-10T13:00", Energy.FUEL, 720),
        ("2026-03-10T09:00", "2026-03-10T13:01", Energy.FUEL, 700),
        ("2026-03-10T16:59", "2026-03-11T12:00", Energy.FUEL, 700),
        # 2 hours free in each band, then 10 % off: 19:00-23:00 are two hours of charged half hours
        ("2026-03-10T17:00", "2026-03-10T23:00", Energy.FUEL, 4 * 99),
        # the first version holds on its last day, by the exit
        ("2026-03-04T09:00", "2026-03-04T12:00", Energy.FUEL, 180),
        # the clock is put forward over 02:30: the band's two free hours are over at 04:30 by the wall, after 90 minutes
        ("2026-03-08T01:00", "2026-03-08T04:30", Energy.EV, 0),
        ("2026-03-08T01:00", "2026-03-08T04:31", Energy.EV, 585),
    ],
)  # fmt: skip
def test_published_fragments(entry: str, exit: str, energy: Energy, owed: int) -> None:
    assert bill(load_tariff(MADE_UP["fragments"], "fragments"), entry, exit, energy=energy).amount_minor == owed


@pytest.mark.parametrize(
    ("tariff", "vehicle", "owed"),
    [("de-kwakel", Vehicle.SMALL, 2000), ("plain-garage", Vehicle.SMALL, None), ("overlap", Vehicle.SMALL, 4000)],
)
def test_a_lost_ticket(tariff: str, vehicle: Vehicle, owed: int | None) -> None:
    text = MADE_UP[tariff] if tariff in MADE_UP else shipped_text(tariff)
    made = load_tariff(text, tariff).lost_bill(1772413200000, vehicle, Energy.FUEL)
    assert (made.amount_minor if made else None) == owed


def test_an_open_cap_is_told_and_not_applied() -> None:
    made = bill(shipped("linping-2025"), "2026-03-02T08:00", "2026-03-05T20:00")
    assert made.amount_minor == 4 * (2 * 250 + 22 * 300)
    assert [cap.en for cap in made.open] == ["cap per vehicle in 24 hours on end"]
    assert bill(shipped(PLAIN), "2026-03-02T08:00", "2026-03-05T20:00").open == ()


@pytest.mark.parametrize(
    ("entry", "exit", "energy", "owed"),
    [
        # 02:00 EST to 03:00 EDT is no time at all on the spring day, and an hour longer than it looks on the autumn day
        ("2026-03-08T01:00", "2026-03-08T03:00", Energy.EV, 6 * 7),
        ("2026-11-01T01:00", "2026-11-01T03:00", Energy.EV, 18 * 7),
        # small hours 01:30-02:30, cut short by the jump: 01:40 (10 minutes free) to 03:00 is 10 minutes of them
        ("2026-03-08T01:40", "2026-03-08T03:00", Energy.FUEL, 333),
        # and lasting 2 hours when the clock repeats an hour: 01:30 EDT (10 minutes free) to 02:30 EST is 110 minutes
        ("2026-11-01T01:30", "2026-11-01T02:30", Energy.FUEL, 8 * 333),
    ],
)
def test_clock_changes(entry: str, exit: str, energy: Energy, owed: int) -> None:
    assert bill(load_tariff(NEW_YORK, "new-york"), entry, exit, energy=energy).amount_minor == owed


@pytest.mark.parametrize(
    ("entry", "exit", "by_exit"),
    [
        ("2026-11-01T22:00", "2026-11-01T23:59", 1 * 800 * 3),
        ("2026-11-01T22:00", "2026-11-02T00:30", 1 * 800 * 2),
        ("1970-01-01T22:00", "1970-01-01T23:00", 1 * 800 * 3),
    ],
)
def test_the_exit_date_chooses_the_version_and_the_first_one_holds_before_its_date(
    entry: str, exit: str, by_exit: int
) -> None:
    assert bill(load_tariff(ODD, "odd"), entry, exit, Vehicle.LARGE).amount_minor == by_exit


def test_the_lines_of_a_bill_say_what_a_driver_understands() -> None:
    lines = bill(shipped(CORE), "2026-03-02T19:00", "2026-03-03T09:30", Vehicle.LARGE).lines
    assert [(line.text_zh, line.units, line.unit_minor, line.amount_minor) for line in lines] == [
        ("白天首小时，每半小时", 4, 1000, 4000),
        ("夜间，每次", 1, 1000, 1000),
        ("白天首小时后，每半小时", 1, 1200, 1200),
    ]
    capped = bill(shipped(PLAIN), "2026-03-02T00:00", "2026-03-03T00:30").lines
    assert [(line.text_en, line.units, line.unit_minor, line.amount_minor) for line in capped] == [
        ("first hour", 2, 500, 1000),
        ("each further hour", 23, 200, 4600),
        ("over the 24-hour cap", 1, -3100, -3100),
    ]
    free = bill(shipped(PLAIN), "2026-03-02T00:00", "2026-03-02T00:30").lines
    assert [(line.text_en, line.amount_minor) for line in free] == [("free up to 30 minutes", 0)]


def test_time_in_proportion_is_one_line_that_tells_its_minutes() -> None:
    lines = bill(shipped("singapore-hdb"), "2026-03-02T21:30", "2026-03-03T06:00").lines
    assert [(line.text_zh, line.units, line.unit_minor, line.amount_minor) for line in lines] == [
        ("白天，每30分钟0.60，按分钟 60分钟", 1, 120, 120),
        ("夜间，每30分钟0.60，按分钟 450分钟", 1, 900, 900),
        ("夜间封顶优惠", 1, -400, -400),
    ]


def test_an_exit_before_the_entry_is_a_stay_of_no_length() -> None:
    for name in (CORE, GARAGE6, PLAIN, "waterlooplein", "singapore-hdb"):
        assert bill(shipped(name), "2026-03-02T10:00", "2026-03-02T09:00").amount_minor == 0


def test_every_bill_adds_up_and_stays_short() -> None:
    draw = random.Random(SEED)
    for ground in grounds(1, draw):
        for stay in stays(ground, 120, draw):
            made = engine_bill(ground, stay)
            handed = len(stay.offer.percents) + len(stay.offer.coupons_minor)
            context = f"seed {SEED}, {ground.tariff.name}, {stay}"
            assert made.amount_minor == sum(line.amount_minor for line in made.lines) >= 0, context
            assert len(made.lines) <= LINES_MAX + handed, context
            for line in made.lines:
                assert line.units * line.unit_minor == line.amount_minor, context
                assert stay.entry_ms <= line.from_ms <= line.to_ms <= stay.exit_ms, context


def test_a_longer_stay_never_costs_less() -> None:
    draw = random.Random(SEED)
    for ground in grounds(2, draw):
        if ground.tariff.rules.falls is Falls.ALLOWED:
            continue
        for stay in stays(ground, 60, draw):
            ends = sorted(stay.exit_ms + draw.choice((draw.randrange(5000), draw.randrange(10**8))) for _ in range(8))
            owed = [engine_bill(ground, replace(stay, exit_ms=end)).amount_minor for end in ends]
            assert owed == sorted(owed), f"seed {SEED}, {ground.tariff.name}, {stay}, ends {ends}"


def test_the_hash_tells_the_exact_text() -> None:
    text = shipped_text(PLAIN)
    assert load_tariff(text, PLAIN).hash == shipped(PLAIN).hash != load_tariff(text + "\n", PLAIN).hash
