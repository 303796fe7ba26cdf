"""The terminal's screens, driven by their keys without a terminal, at the two sizes that people have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Static

from gateway.console.board import Board
from gateway.console.terminal import FLUSH_S, Terminal
from gateway.messages import Presence
from tests.console import told
from tests.console.told import CITY, T0_MS
from tests.web.day import BUSY, noon

SMALL, LARGE = (80, 24), (160, 48)
Drive = Callable[[Pilot[str], Board], Awaitable[None]]


def board_of_a_day() -> Board:
    board = Board(CITY, lambda: T0_MS)
    board.link(True)
    for said in noon(T0_MS):
        board.hear(*said)
    return board


def drive(drive: Drive, size: tuple[int, int] = SMALL, fault: Callable[[], str] = lambda: "") -> Terminal:
    """Run the terminal over a day's board and let a test drive it."""
    board = board_of_a_day()
    app = Terminal(board, fault)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await drive(pilot, board)

    asyncio.run(run())
    return app


def lots(pilot: Pilot[str]) -> list[str]:
    table = pilot.app.screen.query_one(DataTable)
    return [str(table.get_row_at(at)[0]) for at in range(table.row_count)]


def line(pilot: Pilot[str]) -> str:
    return str(pilot.app.screen.query_one("#line", Static).content)


async def flush(pilot: Pilot[str]) -> None:
    await pilot.pause(FLUSH_S * 2)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_the_lots_worst_first(size: tuple[int, int]) -> None:
    async def see(pilot: Pilot[str], board: Board) -> None:
        assert lots(pilot)[:3] == ["West Lake Garage", "Hospital P2", "Museum"]
        assert line(pilot) == "hz · 14 lots, worst first · reads only · live"
        board.hear(*told.alarm("gw-13", "fire/exit-1", "urgent"))
        await flush(pilot)
        assert "Tea Museum" in lots(pilot)[:3]

    drive(see, size)


def test_the_cursor_stays_on_its_lot_when_another_becomes_worse() -> None:
    async def see(pilot: Pilot[str], board: Board) -> None:
        await pilot.press("down")
        board.hear(*told.alarm("gw-13", "fire/exit-1", "urgent"))
        board.hear(*told.state("gw-13", Presence.LOST))
        await flush(pilot)
        table = pilot.app.screen.query_one(DataTable)
        assert lots(pilot)[table.cursor_row] == "Hospital P2"

    drive(see)


def test_sort_and_filter() -> None:
    async def see(pilot: Pilot[str], _board: Board) -> None:
        await pilot.press("s")
        assert lots(pilot)[:2] == ["Canal Street", "Hospital P1"]
        await pilot.press("s")
        assert lots(pilot)[0] == "湖滨路停车场"
        await pilot.press("slash", *"hosp")
        assert lots(pilot) == ["Hospital P2", "Hospital P1"]
        await pilot.press("enter", "enter")
        assert line(pilot).startswith("hz · Hospital P2")
        await pilot.press("q", "escape")
        assert len(lots(pilot)) == 14
        assert pilot.app.screen.query_one(Input).value == ""

    drive(see)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_one_lot(size: tuple[int, int]) -> None:
    async def see(pilot: Pilot[str], board: Board) -> None:
        await pilot.press("enter")
        await flush(pilot)
        screen = pilot.app.screen
        assert "online 3h · 67 inside · 33/100 free (0s) · 0 waiting · clock good" in str(
            screen.query_one("#state", Static).content
        )
        assert "URGENT Node 12 does not answer. Check cable and power. (3m)" in str(
            screen.query_one("#alarm-lines", Static).content
        )
        assert screen.query_one("#lanes", DataTable).row_count == 2
        board.hear(*told.notice(BUSY, "exit-free", at_ms=T0_MS))
        await flush(pilot)
        assert str(screen.query_one("#notices", DataTable).get_row_at(0)[1]) == "exit-free"
        await pilot.press("2", "5", "question_mark", "escape", "1")
        assert len(lots(pilot)) == 14

    drive(see, size)


def test_a_broker_that_is_gone_is_said() -> None:
    async def see(pilot: Pilot[str], board: Board) -> None:
        board.link(False)
        await flush(pilot)
        assert "NO BROKER for 0s: what you see is old" in line(pilot)
        assert pilot.app.screen.query_one("#line").has_class("lost")

    drive(see)


def test_markup_of_others_is_text() -> None:
    async def see(pilot: Pilot[str], board: Board) -> None:
        board.hear(*told.meta(BUSY, "[red]x[/red]\x1b[2J"))
        await flush(pilot)
        assert lots(pilot)[0] == "[red]x[/red]\ufffd[2J"
        await pilot.press("enter")
        await flush(pilot)
        assert "[red]x[/red]" in line(pilot)

    drive(see)


def test_a_fault_of_the_listener_ends_it() -> None:
    said = ""

    async def see(pilot: Pilot[str], _board: Board) -> None:
        nonlocal said
        said = "127.0.0.1:1: hung up"
        await flush(pilot)

    app = drive(see, fault=lambda: said)
    assert (app.return_value, app.return_code) == ("127.0.0.1:1: hung up", 1)


def test_q_leaves() -> None:
    async def see(pilot: Pilot[str], _board: Board) -> None:
        await pilot.press("question_mark", "q", "q")

    assert drive(see).return_code == 0
