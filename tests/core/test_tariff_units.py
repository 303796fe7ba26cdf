"""Units along the bands: cut at an edge, carried over it, or shared by it; and parted where a cap begins anew."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gateway.core.tariff import load_tariff
from gateway.core.tariff_plan import MINUTE_MS, Plan
from gateway.core.tariff_time import Run
from gateway.core.tariff_units import Stretch, charges

TEXT = """
format = "lotgate-tariff-1"
currency = "EUR"
zone = "UTC"
zh = "一"
en = "one"
version_by = "entry"
falls = "never"
rounding = "down"
order = ["discount", "cap", "coupon"]
day = []
version = [{ from = 2026-01-01, class = [{ vehicle = ["small", "large"], energy = ["fuel", "ev"], plan = "p", times = 1 }] }]

[plan.p]
durations = "elapsed"
seconds = "exact"
straddle = "STRADDLE"
cap = []
discount = []
lost = []
free = { limit_min = 0, boundary = "inclusive", charged_from = "entry", per = "visit", zh = "一", en = "one" }

[[plan.p.band]]
from = "00:00"
to = "10:00"
step = [
  { units = 1, unit_min = 60, BEGUN, tail_min = 10, amount_minor = 600, zh = "a", en = "a" },
  { units = "rest", unit_min = 30, BEGUN, tail_min = 0, amount_minor = 200, zh = "b", en = "b" },
]

[[plan.p.band]]
from = "10:00"
to = "14:00"
step = [{ units = "rest", unit_min = 20, BEGUN, tail_min = 0, amount_minor = 30, zh = "c", en = "c" }]

[[plan.p.band]]
from = "14:00"
to = "18:00"
flat = { per = "visit", tail_min = 5, tail_boundary = "inclusive", amount_minor = 1000, zh = "d", en = "d" }

[[plan.p.band]]
from = "18:00"
to = "24:00"
step = [{ units = "rest", unit_min = 60, charge = "prorated", amount_minor = 90, zh = "e", en = "e" }]
""".replace("BEGUN", 'charge = "begun", tail_boundary = "inclusive"')
EDGES = (0, 600, 840, 1080, 1440)


def plan(straddle: str) -> Plan:
    rules = load_tariff(TEXT.replace("STRADDLE", straddle), "p").rules
    return next(iter(rules.versions[0].classes.values())).plan(0)


@pytest.mark.parametrize(
    ("straddle", "stay", "marks", "found"),
    [
        # minutes of the day; text, when it falls due, units or minutes used, hundredths of the amount
        ("restart   ", "480-540",   "",    "a@480x1=600"),
        ("restart   ", "480-490",   "",    ""),
        ("restart   ", "480-491",   "",    "a@480x1=600"),
        ("restart   ", "480-601",   "",    "a@480x1=600 b@540x2=400 c@600x1=30"),
        ("restart   ", "590-621",   "",    "c@600x2=60"),
        ("restart   ", "830-846",   "",    "c@830x1=30 d@840x1=1000"),
        ("restart   ", "830-845",   "",    "c@830x1=30"),
        ("restart   ", "1070-1100", "",    "d@1070x1=1000 e@1080:20=30"),
        ("start-band", "590-621",   "",    "a@590x1=600"),
        ("start-band", "590-651",   "",    "a@590x1=600 c@650x1=30"),
        # a unit that began before the edge and is dropped leaves nothing to the next band either
        ("start-band", "595-604",   "",    ""),
        ("start-band", "830-846",   "",    "c@830x1=30"),
        ("start-band", "835-861",   "",    "c@835x1=30 d@855x1=1000"),
        # 10 of 60 minutes at 6.00, 50 minutes at 0.30 for 20
        ("pro-rata  ", "590-601",   "",    "a@590:10=100 c@590:50=75"),
        ("pro-rata  ", "590-651",   "",    "a@590:10=100 c@590:50=75 c@650x1=30"),
        ("pro-rata  ", "595-604",   "",    ""),
        # a flat charge ends the unit, also one that is dropped
        ("pro-rata  ", "835-846",   "",    "c@835:5=7 d@840x1=1000"),
        # units belong to the period in which they begin, time in proportion is parted
        ("restart   ", "480-600",   "545", "a@480x1=600 b@540x1=200 b@570x1=200"),
        ("restart   ", "480-600",   "541 542", "a@480x1=600 b@540x1=200 b@570x1=200"),
        ("restart   ", "1080-1140", "1100", "e@1080:20=30 e@1100:40=60"),
    ],
)  # fmt: skip
def test_charges(straddle: str, stay: str, marks: str, found: str) -> None:
    begin, end = (int(minute) for minute in stay.split("-"))
    priced = plan(straddle.strip())
    runs = [
        Run(band, max(first, begin) * MINUTE_MS, last * MINUTE_MS, first * MINUTE_MS)
        for band, (first, last) in enumerate(pairwise(EDGES))
        if last > begin
    ]
    stretch = Stretch(begin * MINUTE_MS, end * MINUTE_MS, runs, [int(mark) * MINUTE_MS for mark in marks.split()])
    shown = [
        f"{charge.text.en}@{charge.due_ms // MINUTE_MS}"
        + (f"x{charge.units}" if charge.used_ms is None else f":{charge.used_ms // MINUTE_MS}")
        + f"={charge.amount // priced.shares}"
        for charge in charges(priced, priced.shares, stretch, set())
    ]
    assert " ".join(shown) == found


def test_a_charge_per_visit_falls_due_once() -> None:
    priced, seen = plan("restart"), set[int]()
    span = 900 * MINUTE_MS, 960 * MINUTE_MS
    stretch = Stretch(*span, [Run(2, *span, 840 * MINUTE_MS)], ())
    assert [len(list(charges(priced, priced.shares, stretch, seen))) for _ in range(2)] == [1, 0]
