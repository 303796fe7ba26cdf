"""The terminal from a plate to a refund, and to a barrier, by its keys; nothing is sent without reason and name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Static

from gateway.console.terminal import Terminal
from tests.console.clerk import Clerk
from tests.console.test_terminal import SMALL, board_of_a_day, flush
from tests.console.told import T0_MS
from tests.web.day import BUSY, NAMES

Drive = Callable[[Pilot[str], Clerk], Awaitable[None]]
LOT = NAMES[0]


def drive(drive: Drive, refuses: str = "") -> Clerk:
    clerk = Clerk(T0_MS, refuses)
    app = Terminal(board_of_a_day(), perform=clerk.perform)

    async def run() -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("enter")
            await flush(pilot)
            await drive(pilot, clerk)

    asyncio.run(run())
    return clerk


def text(pilot: Pilot[str], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).content)


async def typed(pilot: Pilot[str], *texts: str) -> None:
    """Fill the focused field with each text, and go on by enter."""
    for one in texts:
        assert isinstance(pilot.app.focused, Input)
        pilot.app.focused.value = one
        await pilot.press("enter")


async def settled(pilot: Pilot[str]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def test_find_explain_refund() -> None:
    async def tour(pilot: Pilot[str], clerk: Clerk) -> None:
        await pilot.press("3")
        await typed(pilot, "A12345")
        await settled(pilot)
        assert text(pilot, "#said").startswith("1 stays")
        await pilot.press("enter")
        await settled(pilot)
        bill = text(pilot, "#bill-lines")
        assert "day, first hour, per half hour" in bill
        assert "16.00 CNY" in bill
        await pilot.press("l")
        assert "白天首小时" in text(pilot, "#bill-lines")
        await pilot.press("l", "f")
        await pilot.pause()
        assert "Refund" in str(pilot.app.screen.query(Static).first().content)
        await typed(pilot, "the lift was broken", "Somewhere")
        await settled(pilot)
        assert text(pilot, "#answer") == "Not the lot's name; nothing was sent."
        assert clerk.deeds() == []
        await typed(pilot, LOT)
        await settled(pilot)
        assert text(pilot, "#answer").startswith("done, record")
        await pilot.press("escape")
        await settled(pilot)
        assert "refund done" in text(pilot, "#bill-lines")

    asked = drive(tour).deeds()
    assert asked == [
        {
            "gw": BUSY,
            "lot": LOT,
            "verb": "refund",
            "args": {"session": "1.42", "amount_minor": 1600},
            "reason": "the lift was broken",
        }
    ]


def test_a_barrier_is_moved_at_the_lane_under_the_cursor() -> None:
    async def move(pilot: Pilot[str], _clerk: Clerk) -> None:
        await pilot.press("2", "down", "h")
        await pilot.pause()
        await typed(pilot, "", LOT)
        await settled(pilot)
        assert text(pilot, "#answer") == "A reason is missing; nothing was sent."
        await pilot.press("shift+tab")
        await typed(pilot, "stuck", LOT)
        await settled(pilot)
        assert text(pilot, "#answer").startswith("done")

    (asked,) = drive(move).deeds()
    assert (asked["verb"], asked["args"], asked["reason"]) == ("barrier-hold", {"lane": "exit-1"}, "stuck")


def test_no_is_one_key_and_sends_nothing() -> None:
    async def leave(pilot: Pilot[str], _clerk: Clerk) -> None:
        await pilot.press("o")
        await pilot.pause()
        await pilot.press("w", "escape")
        await pilot.pause()
        assert pilot.app.screen.query("#lanes")

    assert drive(leave).asked == []


def test_a_refusal_is_named() -> None:
    async def count(pilot: Pilot[str], _clerk: Clerk) -> None:
        await pilot.press("a", "enter")
        await pilot.pause()
        await typed(pilot, "12", "counted")
        await settled(pilot)
        assert text(pilot, "#answer").startswith("refused forbidden: recount is not for attendant")

    (asked,) = drive(count, refuses="forbidden").deeds()
    assert asked["args"] == {"inside": 12}


def test_a_stray_is_attached_to_the_stay_that_it_may_be() -> None:
    async def attach(pilot: Pilot[str], _clerk: Clerk) -> None:
        await pilot.press("3")
        await typed(pilot, "A1Z345")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("f")
        assert pilot.app.screen.query("#bill"), "what was never paid can't be given back"
        await pilot.press("t")
        await pilot.pause()
        await typed(pilot, "exit", "seen", LOT)
        await settled(pilot)

    (asked,) = drive(attach).deeds()
    assert asked["args"] == {"session": "1.42", "stray": "1.57", "whose": "exit"}


def test_stays_of_a_kind() -> None:
    async def look(pilot: Pilot[str], _clerk: Clerk) -> None:
        await pilot.press("3", "enter")
        await settled(pilot)
        for key in "uvli":
            await pilot.press(key)
            await settled(pilot)
        assert pilot.app.screen.query_one(DataTable).row_count == 4

    asked = drive(look).asked
    assert [one["args"]["which"] for one in asked] == ["inside", "owing", "review", "recent", "inside"]
