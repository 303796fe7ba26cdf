"""Which band rules when: ordinary days, the hour that is skipped, and the hour that comes twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.core.tariff import load_tariff
from gateway.core.tariff_plan import Band, Boundary, Flat, FlatPer, Run, Tail, Text, runs
from tests.tariff_texts import NEW_YORK, shipped_text

STREET = load_tariff(shipped_text("hangzhou-2014-street-core"), "street").rules
EDGES = load_tariff(NEW_YORK, "new-york").rules


@pytest.mark.parametrize(
    ("tariff", "from_utc", "to_utc", "pieces"),
    [
        # Shanghai is 8 hours ahead; band 0 is the day from 08:00, band 1 the night from 20:00
        ("street", "2026-03-02T01:00", "2026-03-02T01:00", ""),
        ("street", "2026-03-02T01:00", "2026-03-02T12:00", "0 01:00-12:00"),
        ("street", "2026-03-02T01:00", "2026-03-02T12:01", "0 01:00-12:00, 1 12:00-12:01"),
        ("street", "2026-03-01T23:59", "2026-03-02T12:00", "1 23:59-00:00, 0 00:00-12:00"),
        ("street", "2026-03-02T11:00", "2026-03-03T13:00", "0 11:00-12:00, 1 12:00-00:00, 0 00:00-12:00, 1 12:00-13:00"),
        # New York: band 0 from 01:30, 1 from 02:30, 2 from 20:00 local; on 8 March the clock jumps at 07:00 UTC over 02:30
        ("edges ", "2026-03-07T06:00", "2026-03-07T08:00", "2 06:00-06:30, 0 06:30-07:30, 1 07:30-08:00"),
        ("edges ", "2026-03-08T06:00", "2026-03-08T08:00", "2 06:00-06:30, 0 06:30-07:00, 1 07:00-08:00"),
        # on 1 November it is put back at 06:00 UTC; 01:30 comes first at 05:30 UTC, 02:30 at 07:30 UTC
        ("edges ", "2026-11-01T05:00", "2026-11-01T08:00", "2 05:00-05:30, 0 05:30-07:30, 1 07:30-08:00"),
        ("edges ", "2026-11-01T06:10", "2026-11-01T06:20", "0 06:10-06:20"),
    ],
)  # fmt: skip
def test_runs(tariff: str, from_utc: str, to_utc: str, pieces: str) -> None:
    rules = {"street": STREET, "edges": EDGES}[tariff.strip()]
    bands = next(iter(rules.versions[0].classes.values())).plan.bands
    found = runs(bands, rules.zone, _utc_ms(from_utc), _utc_ms(to_utc))
    assert ", ".join(f"{run.band} {_clock(run.from_ms)}-{_clock(run.to_ms)}" for run in found) == pieces


def test_one_band_is_never_cut() -> None:
    garage = load_tariff(shipped_text("plain-garage"), "garage").rules
    bands = next(iter(garage.versions[0].classes.values())).plan.bands
    from_ms, to_ms = _utc_ms("2026-03-02T01:00"), _utc_ms("2026-03-09T01:00")
    assert runs(bands, garage.zone, from_ms, to_ms) == [Run(0, from_ms, to_ms)]


def test_a_band_that_the_clock_jumps_over_leaves_its_neighbour_whole() -> None:
    flat = Flat(FlatPer.BAND, Tail(0, Boundary.INCLUSIVE), 1, Text("一", "one"))
    bands = Band(135, 165, flat), Band(165, 135, flat)  # 02:15 to 02:45, and the rest of the day
    from_ms, to_ms = _utc_ms("2026-03-08T06:00"), _utc_ms("2026-03-08T08:00")
    assert runs(bands, EDGES.zone, from_ms, to_ms) == [Run(1, from_ms, to_ms)]


@pytest.mark.parametrize(
    ("limit_ms", "boundary", "used_ms", "dropped"),
    [
        (0,      Boundary.INCLUSIVE, 0,      True),
        (0,      Boundary.INCLUSIVE, 1,      False),
        (900000, Boundary.INCLUSIVE, 900000, True),
        (900000, Boundary.INCLUSIVE, 900001, False),
        (900000, Boundary.EXCLUSIVE, 899999, True),
        (900000, Boundary.EXCLUSIVE, 900000, False),
    ],
)  # fmt: skip
def test_tail(limit_ms: int, boundary: Boundary, used_ms: int, dropped: bool) -> None:
    assert Tail(limit_ms, boundary).drops(used_ms) is dropped


def _utc_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%H:%M")
