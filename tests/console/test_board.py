"""The board: each reader gets what is new to it, once, and a sign of life."""

from __future__ import annotations

from gateway.console.board import HEARTBEAT_MS, WHOLE_MS, Board, Reader
from tests.console import told
from tests.console.told import CITY, T0_MS


class Hand:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_ms = T0_MS

    def __call__(self) -> int:
        return self.now_ms


def test_a_reader_hears_each_change_once_however_often_it_was_told() -> None:
    clock = Hand()
    board, reader = Board(CITY, clock), Reader()
    for said in (told.state("g1"), told.state("g2"), *(told.occupancy("g2", "w", occupied=n) for n in range(50))):
        board.hear(*said)
    first = board.news(reader)
    assert first is not None
    assert [(row["gw"], row["occupied"]) for row in first["rows"]] == [("g1", None), ("g2", 49)]
    assert board.news(reader) is None
    board.hear(*told.occupancy("g1", "e", occupied=7))
    again = board.news(reader)
    assert again is not None
    assert [row["gw"] for row in again["rows"]] == ["g1"]
    late = board.news(Reader())
    assert late is not None
    assert len(late["rows"]) == 2


def test_the_open_lot_comes_whole_when_it_changed() -> None:
    board, reader = Board(CITY, Hand()), Reader("g2")
    board.hear(*told.state("g1"))
    before = board.news(reader)
    assert before is not None
    assert "lot" not in before
    board.hear(*told.state("g2"))
    after = board.news(reader)
    assert after is not None
    assert after["lot"]["gw"] == "g2"


def test_a_silent_city_is_not_a_dead_console() -> None:
    clock = Hand()
    board, reader = Board(CITY, clock), Reader()
    board.hear(*told.state("g1"))
    board.news(reader)
    clock.now_ms += HEARTBEAT_MS
    beat = board.news(reader)
    assert beat is not None
    assert (beat["now_ms"], beat["rows"]) == (clock.now_ms, [])
    clock.now_ms += WHOLE_MS
    whole = board.news(reader)
    assert whole is not None
    assert len(whole["rows"]) == 1


def test_the_brokers_coming_and_going_is_told_at_once() -> None:
    board, reader = Board(CITY, Hand()), Reader()
    board.hear(*told.alarm("g1", "a", "urgent"))
    states = []
    for up in (True, False, True):
        board.link(up)
        news = board.news(reader)
        assert news is not None
        states.append(news["broker"])
    assert states == [True, False, True]
    assert board.whole()["lots"][0]["urgent"] == 0
