"""Each checker can fail: a sound ledger of the world passes, and each tampering breaks the invariant that it should."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sim.city_store import Head
from tests.checked_world import CheckedWorld
from tests.faults import QUIET
from tests.invariants import chain, money, outside
from tests.invariants.facts import Broken, Facts
from tests.invariants.table import CHECKS, Auditor
from tests.world import CHAIN

CARS = 5
EXIT = "SELECT min(n) FROM record WHERE json_extract(line, '$.type') = 'exit'"
PLATE = "UPDATE record SET line = json_set(line, '$.body.lane', '浙A12345') WHERE n = (SELECT max(n) FROM record)"


@dataclass
class Kept:
    """A ledger that was found good, and what its world knew."""

    path: Path
    public: bytes
    head: Head
    price: Callable[[int, int, str, str], int]

    def facts(self, folder: Path, change: str = "") -> Facts:
        """The facts of a copy that a statement changed."""
        path = folder / "tampered.db"
        shutil.copy(self.path, path)
        if change:
            with sqlite3.connect(path) as db:
                db.execute(change)
            db.close()
        found = Facts(path, CHAIN, self.public, lambda: self.head, self.price)
        found.open()
        return found


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("world")
    seed = 5
    print(f"seed {seed}")
    world = CheckedWorld(seed, folder, cars=CARS, faults=QUIET)
    world.run()
    assert world.verdict() == 0
    path = folder / "kept.db"
    with sqlite3.connect(folder / "ledger.db") as source, sqlite3.connect(path) as target:
        source.backup(target)
    source.close()
    target.close()
    world.close()
    return Kept(path, base64.b64decode(world.signer.public_base64), world.city.head(CHAIN), world.owed)


@pytest.fixture
def facts(kept: Kept, tmp_path: Path) -> Iterator[Facts]:
    found = kept.facts(tmp_path)
    yield found
    found.close()


def test_a_sound_ledger_holds(facts: Facts) -> None:
    auditor = Auditor(facts)
    auditor.step()
    auditor.hour()
    assert facts.n == facts.head().n > 2 * CARS


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (0,  PLATE),
        (1,  f"UPDATE record SET line = replace(line, ',', ', ') WHERE n = ({EXIT})"),
        (1,  f"UPDATE record SET signature = zeroblob(64) WHERE n = ({EXIT})"),
        (1,  f"DELETE FROM record WHERE n = ({EXIT})"),
        (5,  "UPDATE chain SET receipted = 99999"),
        (6,  f"UPDATE posting SET amount_minor = amount_minor + 1 WHERE n = ({EXIT}) AND account = 'receivable'"),
        (6,  f"UPDATE posting SET amount_minor = 2 * amount_minor WHERE n = ({EXIT})"),
        (7,  "UPDATE session SET state = 'refunded' WHERE state = 'paid'"),
        (11, "UPDATE session SET exited_ms = exited_ms + 1"),
        (13, "CREATE TABLE loose (amount_minor INTEGER)"),
    ],
)  # fmt: skip
def test_a_changed_ledger_is_found(kept: Kept, tmp_path: Path, number: int, change: str) -> None:
    changed = kept.facts(tmp_path, change)
    auditor = Auditor(changed)
    with pytest.raises(Broken, match=rf"invariant \({number}\)"):
        _all(auditor)
    changed.close()


def _all(auditor: Auditor) -> None:
    auditor.step()
    auditor.hour()


def exit_body(facts: Facts) -> dict[str, Any]:
    return next(record.body for record in facts.look.records if record.kind == "exit" and record.body["lines"])


def spoil_price(facts: Facts) -> None:
    exit_body(facts)["elapsed_s"] += 24 * 3600


def spoil_lines(facts: Facts) -> None:
    exit_body(facts)["amount_minor"] += 1


def spoil_order(facts: Facts) -> None:
    exit_body(facts)["at"] = exit_body(facts)["entered"] - 60_000


def spoil_currency(facts: Facts) -> None:
    facts.genesis = {"currency": "EUR"}


def spoil_float(facts: Facts) -> None:
    exit_body(facts)["amount_minor"] = 7.0


def spoil_wall(facts: Facts) -> None:
    facts.look.records[-1].content["wall"] -= 10**9


def spoil_mono(facts: Facts) -> None:
    facts.look.records[-1].content["mono"] = 0


def spoil_twice(facts: Facts) -> None:
    facts.look.records.append(next(record for record in facts.look.records if record.kind == "exit"))


def spoil_state(facts: Facts) -> None:
    facts.states = dict.fromkeys(facts.look.sessions, "voided")


def spoil_head(facts: Facts) -> None:
    facts.read()
    facts.remember()
    head = replace(facts.head(), leaf="00" * 32)
    facts.head = lambda: head


def spoil_committed(facts: Facts) -> None:
    facts.n += 1000


@pytest.mark.parametrize(
    ("check", "spoil"),
    [
        (money.i09_one_price_that_recomputes, spoil_price),
        (money.i09_one_price_that_recomputes, spoil_lines),
        (money.i10_times_are_in_order, spoil_order),
        (chain.i13_integers_and_one_currency, spoil_currency),
        (chain.i13_integers_and_one_currency, spoil_float),
        (chain.i12_time_is_marked, spoil_wall),
        (chain.i12_time_is_marked, spoil_mono),
        (money.i07_money_is_within_bounds, spoil_twice),
        (money.i08_repeats_change_nothing, spoil_twice),
        (money.i08_listed_transitions_only, spoil_state),
        (chain.i04_city_head_is_a_prefix, spoil_head),
        (chain.i03_acknowledged_survives, spoil_committed),
    ],
)
def test_a_spoiled_look_is_found(facts: Facts, check: Callable[[Facts], None], spoil: Callable[[Facts], None]) -> None:
    facts.read()
    spoil(facts)
    with pytest.raises(Broken):
        check(facts)


def test_two_open_stays_of_a_plate_are_found(kept: Kept, tmp_path: Path) -> None:
    changed = kept.facts(tmp_path, "UPDATE session SET state = 'inside'")
    with sqlite3.connect(changed.path) as db:
        db.execute("UPDATE disclosure SET plate = 'blue 浙A12345'")
    db.close()
    with pytest.raises(Broken):
        money.i10_one_open_stay_a_plate(changed)
    changed.close()


def test_other_bytes_outside_are_found(facts: Facts) -> None:
    facts.read()
    facts.remember()
    line, signature = facts.ask("SELECT line, signature FROM record WHERE n = 2")[0]
    sent = {"first": 2, "lines": [line], "sigs": [base64.b64encode(signature).decode()]}
    chain.i02_no_self_fork(facts, json.dumps(sent).encode())
    for spoiled in (
        {"lines": [line.replace(",", ", ")]},
        {"first": 10**6},
        {"sigs": [base64.b64encode(bytes(64)).decode()]},
    ):
        with pytest.raises(Broken):
            chain.i02_no_self_fork(facts, json.dumps(sent | spoiled).encode())


def test_the_others_can_fail_too(facts: Facts) -> None:
    uid, log, seq = facts.ask("SELECT uid, log, seq FROM node LIMIT 1")[0]
    broken: list[tuple[Callable[..., None], tuple[object, ...]]] = [
        (chain.i03_nothing_is_acknowledged_before_its_commit, (facts, uid, log, seq + 1)),
        (outside.i08_another_body_is_refused, (facts, {99})),
        (outside.i15_barrier_opens, ("exit-1", 5000, 4000)),
        (outside.i16_nothing_stops_later_records, (7, 6, 0, 0)),
        (outside.i16_nothing_stops_later_records, (7, 7, 3, 2)),
    ]
    for check, known in broken:
        with pytest.raises(Broken):
            check(*known)


def test_a_command_that_is_not_fresh_is_found(facts: Facts) -> None:
    facts.read()
    record = facts.look.records[-1]
    record.content["type"], record.content["body"] = "command", {"key": "k", "n": 3, "code": ""}
    outside.i14_commands_run_once(facts, {("k", 3)})
    for fresh in ({("k", 3)}, {("k", 4)}):
        with pytest.raises(Broken):
            outside.i14_commands_run_once(facts, fresh)


def test_every_checker_is_named_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    by_ledger = {number for number in range(17) if f"\n        ({number}," in text}
    assert {number for number, check, _ in CHECKS if check.__name__ not in text} <= by_ledger
