"""Which parts of a stay are free, for each way in which free time is given."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from gateway.core.tariff_free import free_and_charged
from gateway.core.tariff_plan import MINUTE_MS, EarlierStay, Free, Text
from gateway.core.tariff_settings import Boundary, ChargedFrom, FreePer
from gateway.core.tariff_time import Local, Run

LOCAL = Local(ZoneInfo("UTC"), (), None)
TEXT = Text("免费", "free")


@pytest.mark.parametrize(
    ("per", "charged_from", "stay", "given", "charged"),
    [
        # minutes; midnight is at 1440, bands begin at 600 and 1500; 30 minutes are free
        (FreePer.VISIT, ChargedFrom.ENTRY, "100-130",   "100-130",            ""),
        (FreePer.VISIT, ChargedFrom.ENTRY, "100-131",   "",                   "100-131"),
        (FreePer.VISIT, ChargedFrom.END,   "100-131",   "100-130",            "130-131"),
        (FreePer.DAY,   ChargedFrom.ENTRY, "1420-1470", "1420-1440 1440-1470", ""),
        (FreePer.DAY,   ChargedFrom.ENTRY, "1400-1480", "",                   "1400-1480"),
        (FreePer.DAY,   ChargedFrom.ENTRY, "1400-1470", "1440-1470",          "1400-1440"),
        (FreePer.DAY,   ChargedFrom.END,   "1400-1480", "1400-1430 1440-1470", "1430-1440 1470-1480"),
        (FreePer.BAND,  ChargedFrom.ENTRY, "580-640",   "580-600",            "600-640"),
        (FreePer.BAND,  ChargedFrom.END,   "500-640",   "500-530 600-630",    "530-600 630-640"),
        (FreePer.FIRST_OF_DAY, ChargedFrom.ENTRY, "100-130", "100-130",       ""),
    ],
)  # fmt: skip
def test_free_and_charged(per: FreePer, charged_from: ChargedFrom, stay: str, given: str, charged: str) -> None:
    free = Free(30 * MINUTE_MS, Boundary.INCLUSIVE, charged_from, per, TEXT)
    (span,) = spans(stay)
    runs = [
        Run(n, b, e, b) for n, (b, e) in enumerate(spans("0-600 600-1500 1500-2000")) if b < span[1] and e > span[0]
    ]
    clipped = [Run(r.band, max(r.from_ms, span[0]), min(r.to_ms, span[1]), r.since_ms) for r in runs]
    assert free_and_charged(free, span, clipped, LOCAL, ()) == (spans(given), spans(charged))


@pytest.mark.parametrize(
    ("earlier", "charged"),
    [("", ""), ("1500-1510", "1600-1620"), ("1439-1590", ""), ("1440-1590", "1600-1620")],
)
def test_the_first_stay_of_a_day_alone_is_free(earlier: str, charged: str) -> None:
    free = Free(30 * MINUTE_MS, Boundary.INCLUSIVE, ChargedFrom.ENTRY, FreePer.FIRST_OF_DAY, TEXT)
    (stay,) = spans("1600-1620")
    before = [EarlierStay(begin, end, 0) for begin, end in spans(earlier)]
    assert free_and_charged(free, stay, [], LOCAL, before)[1] == spans(charged)


def spans(text: str) -> list[tuple[int, int]]:
    return [(int(begin) * MINUTE_MS, int(end) * MINUTE_MS) for begin, end in (span.split("-") for span in text.split())]
