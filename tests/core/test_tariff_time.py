"""Which band, day and period rules when: ordinary days, the hour that is skipped, and the hour that comes twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.core.tariff import load_tariff
from gateway.core.tariff_plan import Band, Flat, Plan, Rules, Tail, Text
from gateway.core.tariff_settings import Boundary, FlatPer
from gateway.core.tariff_time import Local, Run, begin_ms, cut, from_wall_ms, local_time, utc_ms, wall_ms
from tests.tariff_cases import CHINA
from tests.tariff_texts import MADE_UP, NEW_YORK, shipped_text

STREET = load_tariff(shipped_text("hangzhou-2014-street-core"), "street").rules
EDGES = load_tariff(NEW_YORK, "new-york").rules
YEAR = load_tariff(MADE_UP["year"], "year").rules
GARAGE = load_tariff(shipped_text("plain-garage"), "garage").rules


def plan_of(rules: Rules) -> Plan:
    return next(iter(rules.versions[0].classes.values())).plan(0)


def local_of(rules: Rules) -> Local:
    return Local(rules.zone, rules.days, CHINA)


@pytest.mark.parametrize(
    ("tariff", "from_utc", "to_utc", "pieces"),
    [
        # Shanghai is 8 hours ahead; band 0 is the day from 08:00, band 1 the night from 20:00
        ("street", "2026-03-02T01:00", "2026-03-02T01:00", ""),
        ("street", "2026-03-02T01:00", "2026-03-02T12:00", "0 01:00-12:00"),
        ("street", "2026-03-02T01:00", "2026-03-02T12:01", "0 01:00-12:00, 1 12:00-12:01"),
        ("street", "2026-03-01T23:59", "2026-03-02T12:00", "1 23:59-00:00, 0 00:00-12:00"),
        ("street", "2026-03-02T11:00", "2026-03-03T13:00", "0 11:00-12:00, 1 12:00-00:00, 0 00:00-12:00, 1 12:00-13:00"),
        # New York: band 0 from 02:30, 1 from 20:00, 2 from 01:30 local; on 8 March the clock jumps at 07:00 UTC over 02:30
        ("edges ", "2026-03-07T06:00", "2026-03-07T08:00", "1 06:00-06:30, 2 06:30-07:30, 0 07:30-08:00"),
        ("edges ", "2026-03-08T06:00", "2026-03-08T08:00", "1 06:00-06:30, 2 06:30-07:00, 0 07:00-08:00"),
        # on 1 November it is put back at 06:00 UTC; 01:30 comes first at 05:30 UTC, 02:30 at 07:30 UTC
        ("edges ", "2026-11-01T05:00", "2026-11-01T08:00", "1 05:00-05:30, 2 05:30-07:30, 0 07:30-08:00"),
        ("edges ", "2026-11-01T06:10", "2026-11-01T06:20", "2 06:10-06:20"),
        # bands 0 golden, 1 busy, 2 other, all 08:00-20:00, 3 the night of them all, 4 quiet days from 08:00 to 08:00
        ("year  ", "2026-02-22T11:00", "2026-02-24T13:00",
         "0 11:00-12:00, 3 12:00-00:00, 0 00:00-12:00, 3 12:00-00:00, 2 00:00-12:00, 3 12:00-13:00"),
        ("year  ", "2026-12-22T23:00", "2026-12-24T01:00", "3 23:00-00:00, 4 00:00-00:00, 2 00:00-01:00"),
    ],
)  # fmt: skip
def test_runs(tariff: str, from_utc: str, to_utc: str, pieces: str) -> None:
    rules = {"street": STREET, "edges": EDGES, "year": YEAR}[tariff.strip()]
    found = local_of(rules).runs(plan_of(rules), at(from_utc), at(to_utc))
    assert ", ".join(f"{run.band} {clock(run.from_ms)}-{clock(run.to_ms)}" for run in found) == pieces


def test_one_band_is_never_cut() -> None:
    from_ms, to_ms = at("2026-03-02T01:00"), at("2026-03-09T01:00")
    assert local_of(GARAGE).runs(plan_of(GARAGE), from_ms, to_ms) == [Run(0, from_ms, to_ms, 0)]


def test_a_run_knows_when_its_band_had_begun() -> None:
    (run,) = local_of(STREET).runs(plan_of(STREET), at("2026-03-02T14:00"), at("2026-03-02T15:00"))
    assert clock(run.since_ms) == "12:00"


def test_a_band_that_the_clock_jumps_over_leaves_its_neighbour_whole() -> None:
    flat = Flat(FlatPer.BAND, Tail(0, Boundary.INCLUSIVE), 1, Text("一", "one"))
    bands = Band((), 135, 165, flat), Band((), 165, 135, flat)  # 02:15 to 02:45, and the rest of the day
    plan = replace(plan_of(EDGES), bands=bands, begins={"": ((135, 0), (165, 1))})
    from_ms, to_ms = at("2026-03-08T06:00"), at("2026-03-08T08:00")
    (run,) = local_of(EDGES).runs(plan, from_ms, to_ms)
    assert (run.band, run.from_ms, run.to_ms) == (1, from_ms, to_ms)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2026-02-15", "golden"),  # Spring Festival
        ("2026-01-01", "busy"),    # another holiday
        ("2026-03-15", "busy"),    # a Sunday in the season
        ("2026-03-14", "other"),   # a Saturday before it
        ("2026-09-20", "other"),   # a Sunday in the season that is worked
        ("2026-12-23", "quiet"),   # a Wednesday around the turn of the year
        ("2026-01-07", "quiet"),
        ("2026-01-14", "other"),
    ],
)  # fmt: skip
def test_the_first_rule_that_fits_names_the_day(day: str, name: str) -> None:
    assert local_of(YEAR).day_name(date.fromisoformat(day)) == name
    assert local_of(STREET).day_name(date.fromisoformat(day)) == ""


@pytest.mark.parametrize(
    ("zone", "minute", "from_utc", "to_utc", "begins"),
    [
        ("Asia/Shanghai   ",   0, "2026-03-02T01:00", "2026-03-02T02:00", "01 16:00"),
        ("Asia/Shanghai   ",   0, "2026-03-02T16:00", "2026-03-02T16:01", "02 16:00"),
        ("Asia/Shanghai   ", 480, "2026-03-01T23:59", "2026-03-03T01:00", "01 00:00, 02 00:00, 03 00:00"),
        # 02:30 does not come on 8 March, and twice on 1 November
        ("America/New_York", 150, "2026-03-07T12:00", "2026-03-09T12:00", "07 07:30, 08 07:00, 09 06:30"),
        ("America/New_York",  90, "2026-10-31T12:00", "2026-11-02T12:00", "31 05:30, 01 05:30, 02 06:30"),
        # in Havana midnight is skipped on 8 March and comes twice on 1 November
        ("America/Havana  ",   0, "2026-03-07T12:00", "2026-03-08T12:00", "07 05:00, 08 05:00"),
        ("America/Havana  ",   0, "2026-10-31T12:00", "2026-11-02T12:00", "31 04:00, 01 04:00, 02 05:00"),
    ],
)  # fmt: skip
def test_days_turn_once(zone: str, minute: int, from_utc: str, to_utc: str, begins: str) -> None:
    found = Local(ZoneInfo(zone.strip()), (), None).turns(minute, at(from_utc), at(to_utc))
    assert ", ".join(datetime.fromtimestamp(ms // 1000, UTC).strftime("%d %H:%M") for ms in found) == begins


@pytest.mark.parametrize(
    ("utc", "wall"),
    [
        ("2026-03-08T06:59", "01:59"),
        ("2026-03-08T07:00", "03:00"),
        ("2026-11-01T05:30", "01:30"),
        ("2026-11-01T06:30", "01:30"),
    ],
)
def test_the_wall_clock(utc: str, wall: str) -> None:
    zone = EDGES.zone
    assert clock(wall_ms(zone, at(utc))) == wall
    assert from_wall_ms(zone, wall_ms(zone, at(utc))) == at(utc) - (3600_000 if utc == "2026-11-01T06:30" else 0)
    assert utc_ms(local_time(zone, at(utc))) == at(utc)


def test_a_skipped_beginning_is_where_the_clock_lands() -> None:
    assert begin_ms(EDGES.zone, date(2026, 3, 8), 150) == at("2026-03-08T07:00")


def test_spans_are_cut_at_the_marks_within_them() -> None:
    assert cut([(0, 10), (20, 30)], [0, 5, 10, 15, 25, 25, 30]) == [(0, 5), (5, 10), (20, 25), (25, 30)]
    assert cut([(0, 0)], [0]) == [(0, 0)]


def at(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * 1000


def clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%H:%M")
