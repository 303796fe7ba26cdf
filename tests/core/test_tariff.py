"""Prices of stays: published results, every edge to the second, and what must hold of every bill."""

from __future__ import annotations

import random

import pytest

from gateway.core.plate import Energy, Vehicle
from gateway.core.tariff import Bill, Tariff, load_tariff
from gateway.core.tariff_file import LINES_MAX
from tests.tariff_cases import MINUTE_MS, grounds, local_ms, stays
from tests.tariff_texts import NEW_YORK, ODD, shipped_text

CORE, CLASS1, CLASS2 = (f"hangzhou-2014-street-{area}" for area in ("core", "class1", "class2"))
GARAGE6, PLAIN = "hangzhou-2012-garage-6", "plain-garage"
SEED = 20140825


def shipped(name: str) -> Tariff:
    return load_tariff(shipped_text(name), name)


def bill(tariff: Tariff, entry: str, exit: str, vehicle: Vehicle = Vehicle.SMALL, energy: Energy = Energy.FUEL) -> Bill:
    zone = tariff.rules.zone
    return tariff.bill(local_ms(zone, entry), local_ms(zone, exit), vehicle, energy)


def minutes_bill(name: str, length: str) -> int:
    """What a small car owes that comes at 09:00 on a Monday and stays for MINUTES:SECONDS."""
    minutes, seconds = (int(part) for part in length.split(":"))
    tariff = shipped(name)
    entry_ms = local_ms(tariff.rules.zone, "2026-03-02T09:00")
    return tariff.bill(
        entry_ms, entry_ms + minutes * MINUTE_MS + seconds * 1000, Vehicle.SMALL, Energy.FUEL
    ).amount_minor


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
    minutes, seconds = (int(part) for part in length.split(":"))
    stay_ms = minutes * MINUTE_MS + seconds * 1000
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
    minutes, seconds = (int(part) for part in length.split(":"))
    tariff = shipped(PLAIN)
    entry_ms = local_ms(tariff.rules.zone, "2026-03-02T23:17:21")
    exit_ms = entry_ms + minutes * MINUTE_MS + seconds * 1000
    assert [tariff.bill(entry_ms, exit_ms, v, Energy.FUEL).amount_minor for v in Vehicle] == [small, large]


@pytest.mark.parametrize(
    ("setting", "changed", "length_ms", "as_shipped", "as_changed"),
    [
        ('seconds = "truncate"', 'seconds = "ceil"', 30 * MINUTE_MS, 0, 0),
        ('seconds = "truncate"', 'seconds = "ceil"', 30 * MINUTE_MS + 1, 0, 500),
        ('seconds = "truncate"', 'seconds = "exact"', 30 * MINUTE_MS, 0, 0),
        ('seconds = "truncate"', 'seconds = "exact"', 30 * MINUTE_MS + 1, 0, 500),
        ('boundary = "inclusive"\ncharged', 'boundary = "exclusive"\ncharged', 30 * MINUTE_MS - 1, 0, 0),
        ('boundary = "inclusive"\ncharged', 'boundary = "exclusive"\ncharged', 30 * MINUTE_MS, 0, 500),
        ('charged_from = "entry"', 'charged_from = "end"', 61 * MINUTE_MS, 700, 500),
        ('charged_from = "entry"', 'charged_from = "end"', 90 * MINUTE_MS, 700, 500),
        ('charged_from = "entry"', 'charged_from = "end"', 91 * MINUTE_MS, 700, 700),
        ("limit_min = 30", "limit_min = 0", MINUTE_MS, 0, 500),
    ],
)
def test_each_setting_changes_the_price(
    setting: str, changed: str, length_ms: int, as_shipped: int, as_changed: int
) -> None:
    text = shipped_text(PLAIN)
    assert text.count(setting) == 1
    tariffs = load_tariff(text, PLAIN), load_tariff(text.replace(setting, changed), "changed")
    owed = [t.bill(0, length_ms, Vehicle.SMALL, Energy.FUEL).amount_minor for t in tariffs]
    assert owed == [as_shipped, as_changed]


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


def test_an_exit_before_the_entry_is_a_stay_of_no_length() -> None:
    for name in (CORE, GARAGE6, PLAIN):
        assert bill(shipped(name), "2026-03-02T10:00", "2026-03-02T09:00").amount_minor == 0


def test_every_bill_adds_up_and_stays_short() -> None:
    draw = random.Random(SEED)
    for ground in grounds():
        for stay in stays(ground, 400, draw):
            made = ground.tariff.bill(stay.entry_ms, stay.exit_ms, stay.vehicle, stay.energy)
            context = f"seed {SEED}, {ground.tariff.name}, {stay}"
            assert made.amount_minor == sum(line.amount_minor for line in made.lines) >= 0, context
            assert len(made.lines) <= LINES_MAX, context
            for line in made.lines:
                assert line.units * line.unit_minor == line.amount_minor, context
                assert stay.entry_ms <= line.from_ms <= line.to_ms <= stay.exit_ms, context


def test_a_longer_stay_never_costs_less() -> None:
    draw = random.Random(SEED)
    for ground in grounds():
        if ground.tariff.name == "odd":  # its versions are chosen by the exit, and the later one is cheaper
            continue
        for stay in stays(ground, 120, draw):
            ends = sorted(stay.exit_ms + draw.choice((draw.randrange(5000), draw.randrange(10**8))) for _ in range(12))
            owed = [ground.tariff.bill(stay.entry_ms, end, stay.vehicle, stay.energy).amount_minor for end in ends]
            assert owed == sorted(owed), f"seed {SEED}, {ground.tariff.name}, {stay}, ends {ends}"


def test_the_hash_tells_the_exact_text() -> None:
    text = shipped_text(PLAIN)
    assert load_tariff(text, PLAIN).hash == shipped(PLAIN).hash != load_tariff(text + "\n", PLAIN).hash
