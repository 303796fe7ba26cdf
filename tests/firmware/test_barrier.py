"""The barrier's interlock, by tables and over random walks."""

from __future__ import annotations

import random

import pytest

from firmware.barrier import CLEAR_MS, CLOSED, FAULT, MOVING, OPEN, PAUSE_MS, TRAVEL_MS, Barrier

WAIT = CLEAR_MS + PAUSE_MS + 10


def walk(steps):
    """Steps are (ms to wait, up, occupied, top, bottom); returns (raising, lowering, position) after each."""
    barrier = Barrier()
    now_ms = 0
    seen = []
    for wait_ms, up, occupied, top, bottom in steps:
        now_ms += wait_ms
        barrier.run(bool(up), bool(occupied), bool(top), bool(bottom), now_ms)
        seen.append((int(barrier.raising), int(barrier.lowering), barrier.position))
    return seen


# fmt: off
WALKS = [
    ("rises at once",             [(0, 0, 0, 0, 1), (5, 1, 0, 0, 1)], (1, 0, CLOSED)),
    ("is on its way",             [(0, 1, 0, 0, 1), (500, 1, 0, 0, 0)], (1, 0, MOVING)),
    ("stops at the top",          [(0, 1, 0, 0, 1), (900, 1, 0, 1, 0)], (0, 0, OPEN)),
    ("falls when all is clear",   [(0, 0, 0, 1, 0), (WAIT, 0, 0, 1, 0)], (0, 1, OPEN)),
    ("not yet clear long enough", [(0, 0, 0, 1, 0), (CLEAR_MS - 1, 0, 0, 1, 0)], (0, 0, OPEN)),
    ("never on a vehicle",        [(0, 0, 1, 1, 0), (60_000, 0, 1, 1, 0)], (0, 0, OPEN)),
    ("stops over a vehicle",      [(0, 0, 0, 1, 0), (WAIT, 0, 0, 1, 0), (5, 0, 1, 0, 0)], (0, 0, MOVING)),
    ("turns with a pause",        [(0, 0, 0, 1, 0), (WAIT, 0, 0, 1, 0), (5, 1, 0, 0, 0)], (0, 0, MOVING)),
    ("turns after a pause", [(0, 0, 0, 1, 0), (WAIT, 0, 0, 1, 0), (5, 1, 0, 0, 0), (PAUSE_MS, 1, 0, 0, 0)], (1, 0, MOVING)),
    ("gives up a stuck motor",    [(0, 1, 0, 0, 1), (TRAVEL_MS, 1, 0, 0, 0)], (0, 0, FAULT)),
    ("tries once more", [(0, 1, 0, 0, 1), (TRAVEL_MS, 1, 0, 0, 0), (5, 0, 0, 0, 0), (WAIT, 1, 0, 0, 0)], (1, 0, MOVING)),
    ("two limits are a fault",    [(0, 0, 0, 1, 1)], (0, 0, FAULT)),
]
# fmt: on


@pytest.mark.parametrize(("steps", "last"), [case[1:] for case in WALKS], ids=[case[0] for case in WALKS])
def test_walks(steps, last):
    assert walk(steps)[-1] == last


@pytest.mark.parametrize("seed", range(8))
def test_what_must_never_be(seed):
    dice = random.Random(seed)
    barrier = Barrier()
    now_ms, off_ms, clear_ms = 0, -PAUSE_MS, None
    before = (False, False)
    for _ in range(4000):
        now_ms += dice.choice((1, 5, 5, 50, 400, 3000))
        up, occupied, top, bottom = (dice.random() < 0.5 for _ in range(4))
        clear_ms = None if occupied else (now_ms if clear_ms is None else clear_ms)
        barrier.run(up, occupied, top, bottom, now_ms)
        now = (barrier.raising, barrier.lowering)
        assert now != (True, True), f"seed {seed}"
        assert not (barrier.lowering and (occupied or up)), f"seed {seed}"
        if barrier.lowering and not before[1]:
            assert now_ms - clear_ms >= CLEAR_MS, f"seed {seed}"
        if any(now) and not any(before):
            assert now_ms - off_ms >= PAUSE_MS, f"seed {seed}"
        if any(before) and now != before:
            assert now == (False, False), f"seed {seed}"
            off_ms = now_ms
        before = now
