"""The city's books read from beside: one row a session, with exits that had no entry."""

from __future__ import annotations

import json
from pathlib import Path

from sim.books import sessions
from sim.city_store import CityStore, Payment
from sim.city_verifier import Line
from sim.summary import CitySession


def record(n: int, kind: str, body: dict[str, object]) -> Line:
    text = json.dumps({"epoch": 1, "n": n, "type": kind, "body": body})
    return Line(text, bytes(64), "", 1, n, "", 0, 0, kind, body)


def test_sessions(tmp_path: Path) -> None:
    path = tmp_path / "city.db"
    store = CityStore(str(path))
    with store.transaction():
        store.add_record("gw", record(2, "entry", {"session": "1.2", "at": 1_000}))
        store.add_disclosure("gw", 2, "blue A", "")
        store.add_record("gw", record(3, "entry", {"session": "1.3", "at": 2_000}))
        store.add_disclosure("gw", 3, "blue B", "")
        store.add_record("gw", record(4, "exit", {"session": "1.2", "at": 3_000, "outcome": "lease"}))
        store.add_stay("gw", "1.2", 500, "lease")
        store.add_payment("gw", Payment("p", "1.2", 500, True))
        store.add_record("gw", record(5, "exit", {"session": "1.5", "at": 4_000, "outcome": "review"}))
        store.add_disclosure("gw", 5, "blue C", "")
        store.add_stay("gw", "1.5", 0, "review")
        store.add_record("gw", record(6, "entry", {"session": "1.6", "at": 5_000}))
        store.add_record("gw", record(7, "exit", {"session": "1.6", "at": 6_000, "outcome": "lease"}))
        store.add_stay("gw", "1.6", 700, "lease")
        store.add_record("gw", record(8, "reversed", {"session": "1.6", "at": 6_500}))
        store.take_back("gw", "1.6")
        store.add_record("gw", record(9, "exit", {"session": "1.9", "at": 7_000, "outcome": "review"}))
        store.add_record("gw", record(10, "paired", {"session": "1.3", "exit": "1.9", "evidence": "no plate"}))
        store.add_record("gw", record(11, "reversed", {"session": "1.9", "stay": "1.3", "at": 7_500}))
    assert sessions(path) == (
        CitySession("1.2", "blue A", 1_000, 3_000, 500, "lease", 500, "paid"),
        CitySession("1.3", "blue B", 2_000, 0, 0, "", 0, "inside"),
        CitySession("1.5", "blue C", 4_000, 4_000, 0, "review", 0, "open"),
        CitySession("1.6", "", 5_000, 0, 0, "", 0, "inside"),
    )
    store.close()
