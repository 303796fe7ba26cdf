"""The end of a demo as numbers: what the truth says, what the city has, what the gateway's ledger says, and whether they agree.

Owns the final check. Rules: lost, doubled and owed come from the truth and the city's own books alone; every amount is
compared stay by stay as well as in sum; a check that fails is named. Knows no process and no file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sim.drivers import Owed, Stay

EXITS_IN_OUTAGE_SHARE = 5
"""The broker's outage must span at least one exit in so many."""


@dataclass(frozen=True, slots=True)
class CitySession:
    """One stay in the city's books; `exit_ms` 0 = still inside. Money in minor units, times UTC ms."""

    session: str
    plate: str
    entered_ms: int
    exit_ms: int
    amount_minor: int
    outcome: str
    paid_minor: int
    state: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the gateway's export says."""

    records: int
    receipted: int
    owed_minor: int
    chain_ok: bool


@dataclass(frozen=True, slots=True)
class Course:
    """What happened on the way. `kills`: SIGKILLs with an unacknowledged event and an unreceipted record, both seen."""

    seed: int
    broker_outages: int
    exits_in_outage: int
    kills: int
    duplicated: int
    exit_latencies_us: Sequence[int]
    bare_commits_us: Sequence[int]
    clock_error_s: float
    margin_s: int
    unfinished: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    """Truth against the city's books."""

    cars: int
    settled: int
    lost: int
    doubled: int
    mismatched: tuple[str, ...]
    owed_truth_minor: int
    owed_city_minor: int


def balance(stays: Sequence[Stay], sessions: Sequence[CitySession], owed: Owed) -> Balance:
    """Pair each plate's stays with the city's sessions of that plate in order of entry, and compare the bills."""
    billed: dict[str, list[CitySession]] = defaultdict(list)
    for entered in sorted(sessions, key=lambda s: s.entered_ms):
        billed[entered.plate].append(entered)
    settled, lost, truth_minor = 0, 0, 0
    mismatched = []
    for stay in sorted(stays, key=lambda s: s.entered_ms):
        due_minor = owed(stay.entered_ms, stay.at_exit_ms, stay.car.vehicle, stay.car.energy) if stay.at_exit_ms else 0
        truth_minor += due_minor
        mine = billed[stay.car.identity]
        session = mine.pop(0) if mine else None
        if session is None or not session.exit_ms:
            lost += 1
            continue
        settled += 1
        if session.amount_minor != due_minor:
            mismatched.append(f"stay {stay.number}: owes {due_minor}, the city was told {session.amount_minor}")
    return Balance(
        cars=len(stays),
        settled=settled,
        lost=lost,
        doubled=sum(len(rest) for rest in billed.values()),
        mismatched=tuple(mismatched),
        owed_truth_minor=truth_minor,
        owed_city_minor=sum(session.amount_minor for session in sessions),
    )


def percentile(values: Sequence[int], percent: int) -> int:
    """Nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0


def failures(found: Balance, ledger: Ledger, course: Course) -> tuple[str, ...]:
    """What does not hold; empty if the demo may exit 0."""
    stalled = course.clock_error_s >= course.margin_s
    excuse = (
        f" (this machine stalled for {course.clock_error_s} s of lot time, more than the drivers keep)"
        if stalled
        else ""
    )
    checks = {
        f"{found.lost} stays are lost": found.lost == 0,
        f"{found.doubled} sessions have no stay": found.doubled == 0,
        f"{len(found.mismatched)} bills differ: {'; '.join(found.mismatched[:3])}{excuse}": not found.mismatched,
        f"the truth owes {found.owed_truth_minor}, the ledger says {ledger.owed_minor}": (
            found.owed_truth_minor == ledger.owed_minor
        ),
        f"the truth owes {found.owed_truth_minor}, the city has {found.owed_city_minor}": (
            found.owed_truth_minor == found.owed_city_minor
        ),
        f"{found.cars} cars, {found.settled} settled": found.cars == found.settled,
        "the chain does not verify": ledger.chain_ok,
        f"{ledger.records} records, {ledger.receipted} receipted": ledger.records == ledger.receipted,
        "the broker was never away": course.broker_outages > 0,
        f"only {course.exits_in_outage} exits while the broker was away": (
            course.exits_in_outage * EXITS_IN_OUTAGE_SHARE >= found.cars
        ),
        "the gateway was never killed at the moment meant": course.kills > 0,
        "not finished: " + ", ".join(course.unfinished): not course.unfinished,
    }
    return tuple(text for text, holds in checks.items() if not holds)


def as_json(found: Balance, ledger: Ledger, course: Course) -> dict[str, object]:
    """The summary for --json."""
    latencies, commits = course.exit_latencies_us, course.bare_commits_us
    return {
        "seed": course.seed,
        "cars": found.cars,
        "settled": found.settled,
        "owed_truth_minor": found.owed_truth_minor,
        "owed_ledger_minor": ledger.owed_minor,
        "owed_city_minor": found.owed_city_minor,
        "records": ledger.records,
        "receipted": ledger.receipted,
        "lost": found.lost,
        "doubled": found.doubled,
        "mismatched": len(found.mismatched),
        "duplicated": course.duplicated,
        "broker_outages": course.broker_outages,
        "exits_in_outage": course.exits_in_outage,
        "kills": course.kills,
        "chain_ok": ledger.chain_ok,
        "exit_latency_ms": {
            "count": len(latencies),
            "p50": _ms(percentile(latencies, 50)),
            "p99": _ms(percentile(latencies, 99)),
            "bare_commit": {"p50": _ms(percentile(commits, 50)), "p99": _ms(percentile(commits, 99))},
            "ratio": round(percentile(latencies, 50) / max(1, percentile(commits, 50)), 2),
        },
        "clock_error_s": course.clock_error_s,
        "margin_s": course.margin_s,
        "failures": list(failures(found, ledger, course)),
    }


def table(found: Balance, ledger: Ledger, course: Course, money: Callable[[int], str]) -> str:
    """The summary for people; `money` writes minor units."""
    latencies, commits = course.exit_latencies_us, course.bare_commits_us
    ratio = percentile(latencies, 50) / max(1, percentile(commits, 50))
    rows = {
        "cars by the ground truth": str(found.cars),
        "stays settled": str(found.settled),
        "lost / doubled": f"{found.lost} / {found.doubled}",
        "owed by the truth": money(found.owed_truth_minor),
        "owed by the ledger": money(ledger.owed_minor),
        "owed by the city's books": money(found.owed_city_minor),
        "records signed / receipted": f"{ledger.records} / {ledger.receipted}",
        "records the city got twice": str(course.duplicated),
        "broker outages": f"{course.broker_outages}, spanning {course.exits_in_outage} exits",
        "gateway killed (SIGKILL)": f"{course.kills}, with an unacknowledged event and an unreceipted record",
        "chain verified by a stranger": "yes" if ledger.chain_ok else "NO",
        "exit report to open command": (
            f"p50 {_ms(percentile(latencies, 50))} ms, p99 {_ms(percentile(latencies, 99))} ms"
            f" ({len(latencies)} exits, wire not paced)"
        ),
        "one bare commit on this disk": f"p50 {_ms(percentile(commits, 50))} ms, p99 {_ms(percentile(commits, 99))} ms",
        "ratio of the two p50": f"{ratio:.1f}",
        "clock error at most": f"{course.clock_error_s} s of lot time (drivers keep {course.margin_s} s)",
        "seed": str(course.seed),
    }
    return "\n".join(f"  {name:<30}{value}" for name, value in rows.items())


def _ms(us: int) -> float:
    return round(us / 1000, 2)
