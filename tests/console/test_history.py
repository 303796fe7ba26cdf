"""The rings of a lot's last hours."""

from __future__ import annotations

import pytest

from gateway.console.history import MINUTE_MS, ROWS_MAX, VALUE_MAX, Ring

M = MINUTE_MS


@pytest.mark.parametrize(
    ("heard", "rows"),
    [
        # when, value                              -> rows
        ([],                                          []),
        ([(M, 4)],                                    [(M, 4)]),
        ([(M, 4), (M + 1, 5)],                        [(M, 5)]),
        ([(M, 4), (3 * M + 1, 5)],                    [(M, 4), (3 * M, 5)]),
        ([(3 * M, 4), (M, 5)],                        [(3 * M, 5)]),
        ([(M, -1)],                                   [(M, 0)]),
        ([(M, 2**40)],                                [(M, VALUE_MAX)]),
    ],
)  # fmt: skip
def test_the_newest_value_of_a_minute_stands(heard: list[tuple[int, int]], rows: list[tuple[int, ...]]) -> None:
    ring = Ring(1)
    for now_ms, value in heard:
        ring.put(now_ms, value)
    assert ring.rows() == rows


def test_amounts_of_a_minute_are_added_up() -> None:
    ring = Ring(2)
    for now_ms, amount in ((M, 300), (M + 9, 200), (2 * M, 100)):
        ring.add(now_ms, amount, 1)
    assert ring.rows() == [(M, 500, 2), (2 * M, 100, 1)]
    assert ring.since(0) == (600, 3)
    assert ring.since(2 * M) == (100, 1)
    assert ring.since(3 * M) == (0, 0)


def test_the_oldest_row_makes_room() -> None:
    ring = Ring(1)
    for minute in range(ROWS_MAX + 5):
        ring.put(minute * M, minute)
    rows = ring.rows()
    assert len(rows) == ROWS_MAX
    assert (rows[0], rows[-1]) == ((5 * M, 5), ((ROWS_MAX + 4) * M, ROWS_MAX + 4))
