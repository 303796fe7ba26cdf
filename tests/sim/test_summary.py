"""The final check: what must make a demo fail does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.drivers import Car, Stay
from sim.summary import CitySession, Course, Ledger, as_json, balance, failures, percentile, table

HOUR_MS = 3_600_000
CAR = Car("浙A12345", "blue", "small", "fuel")
OTHER = Car("浙B67890", "blue", "small", "fuel")


def owed(enter_ms: int, exit_ms: int, _vehicle: str, _energy: str) -> int:
    return (exit_ms - enter_ms) // HOUR_MS * 100


def stay(number: int, car: Car, enter_h: int, exit_h: int) -> Stay:
    return Stay(
        number, car, None, entered_ms=enter_h * HOUR_MS, at_exit_ms=exit_h * HOUR_MS, left_ms=exit_h * HOUR_MS + 1
    )


def session(plate: str, enter_h: int, exit_h: int, amount_minor: int) -> CitySession:
    return CitySession(f"1.{enter_h}", plate, enter_h * HOUR_MS, exit_h * HOUR_MS, amount_minor, "lease", 0, "due")


A, B = CAR.identity, OTHER.identity
STAYS = [stay(1, CAR, 1, 3), stay(2, OTHER, 2, 3), stay(3, CAR, 5, 6)]
CITY = [session(A, 1, 3, 200), session(B, 2, 3, 100), session(A, 5, 6, 100)]
LEDGER = Ledger(records=9, receipted=9, owed_minor=400, chain_ok=True)
COURSE = Course(
    seed=7,
    broker_outages=1,
    exits_in_outage=1,
    kills=1,
    duplicated=3,
    exit_latencies_us=[5_000, 7_000, 30_000],
    bare_commits_us=[2_000, 2_500, 9_000],
    clock_error_s=4.0,
    margin_s=120,
)


@pytest.mark.parametrize(
    ("sessions", "settled", "lost", "doubled", "mismatched"),
    [
        (CITY, 3, 0, 0, 0),
        (CITY[::-1], 3, 0, 0, 0),
        (CITY[:2], 2, 1, 0, 0),
        ([*CITY, session(B, 8, 9, 0)], 3, 0, 1, 0),
        ([*CITY, session("blue 浙C00000", 8, 9, 0)], 3, 0, 1, 0),
        ([CITY[0], CITY[1], session(A, 5, 0, 0)], 2, 1, 0, 0),
        ([CITY[0], CITY[1], session(A, 5, 6, 200)], 3, 0, 0, 1),
        ([session(A, 1, 3, 100), CITY[1], session(A, 5, 6, 200)], 3, 0, 0, 2),
        ([], 0, 3, 0, 0),
    ],
)
def test_balance(sessions: list[CitySession], settled: int, lost: int, doubled: int, mismatched: int) -> None:
    found = balance(STAYS, sessions, owed)
    assert (found.cars, found.owed_truth_minor) == (3, 400)
    assert (found.settled, found.lost, found.doubled, len(found.mismatched)) == (settled, lost, doubled, mismatched)
    assert found.owed_city_minor == sum(s.amount_minor for s in sessions)


def test_when_all_agree_nothing_fails() -> None:
    assert failures(balance(STAYS, CITY, owed), LEDGER, COURSE) == ()
    assert failures(balance(STAYS, CITY, owed), LEDGER, replace(COURSE, clock_error_s=900.0)) == ()


@pytest.mark.parametrize(
    ("sessions", "ledger", "course", "complaint"),
    [
        (CITY[:2], LEDGER, COURSE, "1 stays are lost"),
        ([*CITY, session(B, 8, 9, 0)], LEDGER, COURSE, "1 sessions have no stay"),
        ([session(A, 1, 3, 100), CITY[1], session(A, 5, 6, 200)], LEDGER, COURSE, "2 bills differ"),
        (CITY, replace(LEDGER, owed_minor=401), COURSE, "the ledger says 401"),
        ([CITY[0], CITY[1], session(A, 5, 6, 101)], LEDGER, COURSE, "the city has 401"),
        (CITY, replace(LEDGER, chain_ok=False), COURSE, "does not verify"),
        (CITY, replace(LEDGER, receipted=8), COURSE, "9 records, 8 receipted"),
        (CITY, LEDGER, replace(COURSE, broker_outages=0), "never away"),
        (CITY, LEDGER, replace(COURSE, exits_in_outage=0), "only 0 exits"),
        (CITY, LEDGER, replace(COURSE, kills=0), "never killed"),
        (
            [CITY[0], CITY[1], session(A, 5, 6, 101)],
            LEDGER,
            replace(COURSE, clock_error_s=120.0),
            "stalled for 120.0 s",
        ),
        (CITY, LEDGER, replace(COURSE, unfinished=("2 cars",)), "not finished: 2 cars"),
    ],
)
def test_each_failure_is_named(sessions: list[CitySession], ledger: Ledger, course: Course, complaint: str) -> None:
    assert complaint in "\n".join(failures(balance(STAYS, sessions, owed), ledger, course))


def test_json_and_table_have_what_is_promised() -> None:
    found = balance(STAYS, CITY, owed)
    summary = as_json(found, LEDGER, COURSE)
    promised = (
        "cars settled owed_truth_minor owed_ledger_minor owed_city_minor records receipted lost doubled duplicated"
        " broker_outages kills chain_ok exit_latency_ms seed clock_error_s"
    )
    assert set(promised.split()) <= set(summary)
    assert summary["exit_latency_ms"] == {
        "count": 3,
        "p50": 7.0,
        "p99": 30.0,
        "bare_commit": {"p50": 2.5, "p99": 9.0},
        "ratio": 2.8,
    }
    text = table(found, LEDGER, COURSE, lambda minor: f"{minor / 100:.2f}")
    assert "4.00" in text
    assert "p50 7.0 ms, p99 30.0 ms (3 exits, wire not paced)" in text


@pytest.mark.parametrize(
    ("values", "percent", "value"), [([], 50, 0), ([4], 99, 4), ([1, 2, 3, 4], 50, 2), (list(range(1, 101)), 99, 99)]
)
def test_percentile(values: list[int], percent: int, value: int) -> None:
    assert percentile(values, percent) == value
