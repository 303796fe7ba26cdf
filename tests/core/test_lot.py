"""The rules of a lot together: random days in which only legal things happen, and what must hold after each of them."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.city_events import ExitAttached
from gateway.core.commands import OpenBarrier, PublishOccupancy
from gateway.core.events import BaysReported, Event, Woke
from gateway.core.exit import WithoutLease
from gateway.core.lot import occupancy, wanted_sessions
from gateway.core.memory import LotMemory
from gateway.core.session import IN_THE_LOT
from tests.lots import HOUR_MS, LOT, SmallLot, plate, state_of

PLATES = ("浙A11111", "浙A22222", "浙A2222Z", "沪B33333")
DAY = settings(derandomize=True, max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MOVES = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "in",
                "in",
                "out",
                "out",
                "out-2",
                "back",
                "bay",
                "lease",
                "pay",
                "fail",
                "odd",
                "again",
                "restart",
                "wait",
            )
        ),
        st.integers(0, 11),
    ),
    min_size=20,
    max_size=50,
)


class Day:
    """Turns the moves of one day into events; `again` repeats the whole last step under the same numbers."""

    def __init__(self, lot: SmallLot) -> None:
        self.lot = lot
        self.last: tuple[Event, ...] = ()

    def move(self, kind: str, dice: int) -> None:
        lot = self.lot
        if kind == "restart":
            lot.restart()
        elif kind == "wait":
            lot.wait(dice * HOUR_MS // 2)
        elif kind == "again":
            # The heartbeat alone may come with a repeat, if it is due.
            before, done = lot.lines(), lot.step(*self.last)
            added = [line["type"] for line in lot.lines()[len(before) :]]
            assert (set(added) - {"heartbeat"}, done.acked) == (set(), {})
        else:
            self.last = self._events(kind, dice)
            lot.step(*self.last)

    def _events(self, kind: str, dice: int) -> tuple[Event, ...]:
        lot = self.lot
        read = plate(PLATES[dice % 4], confidence=99 if dice < 9 else 60)
        known = [row[0] for row in lot.rows("SELECT id FROM session ORDER BY plate_n")] or ["1.99"]
        session = known[dice % len(known)]
        owed = lot.rows(f"SELECT amount_minor FROM session WHERE id = '{session}'") or [(0,)]
        moves: dict[str, Callable[[], tuple[Event, ...]]] = {
            "in": lambda: (lot.read("in", read), lot.passed("in")),
            "out": lambda: (lot.read("out", read), lot.passed("out")) if dice % 2 else (lot.read("out", read),),
            "out-2": lambda: (lot.read("out-2", read), lot.passed("out-2")),
            "back": lambda: (lot.backed_out("out"),),
            "bay": lambda: (lot.bay(f"b{dice % 4 + 1}", dice < 6),),
            "lease": lambda: (lot.lease(session, 500 + 100 * dice),),
            "pay": lambda: (lot.payment(session, owed[0][0]),),
            "fail": lambda: (lot.payment(session, owed[0][0], paid=False),),
            "odd": lambda: (lot.payment(session, owed[0][0] + dice + 1),),
        }
        return moves[kind]()


def check(lot: SmallLot) -> None:
    """What must hold after every step, from the records, from the tables, and in memory."""
    memory = lot.engine.memory
    inside = memory.inside_sessions()
    plates = Counter(session.plate.identity for session in inside.values() if session.plate.text)
    assert [identity for identity, count in plates.items() if count > 1] == []
    assert all(session.state in IN_THE_LOT for session in inside.values())
    fresh = LotMemory(LOT, memory.rules, lot.journal.remembered(), lambda: "")
    assert state_of(fresh) == state_of(memory)
    assert lot.rows("SELECT n FROM posting GROUP BY n HAVING sum(amount_minor) <> 0") == []
    billed: dict[str, int] = {}
    for line in lot.lines():
        body = line["body"]
        if line["type"] == "exit":
            assert body["session"] not in billed, "charged twice"
            billed[body["session"]] = body["amount_minor"]
        elif line["type"] == "reversed":
            assert billed.pop(body["session"]) == body["amount_minor"]
    payments = [line["body"] for line in lot.lines("paid")]
    assert len({body["payment"] for body in payments}) == len(payments), "one payment booked twice"
    paid: dict[str, int] = {}
    for body in payments:
        paid[body["session"]] = paid.get(body["session"], 0) + body["amount_minor"]
    assert sum(billed.values()) == memory.billed_minor
    rows = lot.rows(
        "SELECT id, amount_minor, paid_minor, (SELECT coalesce(sum(amount_minor), 0) FROM posting"
        " WHERE posting.session = session.id AND account = 'receivable') FROM session"
    )
    replayed = [(id_, billed.get(id_, 0), paid.get(id_, 0), billed.get(id_, 0) - paid.get(id_, 0)) for id_, *_ in rows]
    assert replayed == rows


@pytest.mark.parametrize("policy", list(WithoutLease))
@given(moves=MOVES)
@DAY
def test_any_legal_day_bills_once_and_survives_a_kill_at_every_step(
    policy: WithoutLease, moves: list[tuple[str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lot = SmallLot(Path(folder), policy=policy)
        day = Day(lot)
        for kind, dice in moves:
            day.move(kind, dice)
            check(lot)
        lot.engine.close()


def test_a_snapshot_sets_all_bays_of_its_node(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.bay("b1", True))
    report = BaysReported(lot.source("bays"), (("b1", False), ("b2", True), ("b3", False), ("b4", False)))
    assert lot.step(report).commands == (PublishOccupancy(free=3, occupied=1, unknown=0, inside=0),)
    lot.restart()
    assert occupancy(lot.engine.memory) == PublishOccupancy(free=3, occupied=1, unknown=0, inside=0)


def test_only_the_citys_lines_name_a_session(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    attach = lot.line(ExitAttached, "a-1", "1.5", "1.6", "entry", "seen on the picture")
    events = (lot.lease("1.3", 1), lot.payment("1.4", 1), attach, lot.receipt(1), Woke())
    assert [wanted_sessions(lot.engine.memory, event) for event in events] == [
        ("1.3",),
        ("1.4",),
        ("1.5", "1.6"),
        (),
        (),
    ]


@pytest.mark.parametrize(
    ("lane", "policy", "opens"),
    [
        ("in",  WithoutLease.PAY_HERE,     True),   # a read waits for its passage
        ("out", WithoutLease.OPEN_ARREARS, True),   # was let out
        ("out", WithoutLease.PAY_HERE,     False),  # is held
    ],
)  # fmt: skip
def test_a_start_opens_for_whoever_was_let_through(
    tmp_path: Path, lane: str, policy: WithoutLease, opens: bool
) -> None:
    lot = SmallLot(tmp_path, policy=policy)
    if lane == "out":
        lot.enter()
        lot.wait(2 * HOUR_MS)
    lot.step(lot.read(lane))
    assert (OpenBarrier(lane) in lot.restart().commands) is opens
