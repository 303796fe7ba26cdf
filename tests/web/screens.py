"""Pictures of the terminal's screens, taken without a terminal and drawn by the browser: see `pictures`.

Owns the tour through the screens in both sizes. Checks nothing; `tests/console/test_terminal` does.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from selenium.webdriver import Chrome

from gateway.console.board import Board
from gateway.console.terminal import Terminal
from tests.console.clerk import Clerk
from tests.console.told import CITY
from tests.web.browser import picture, screen
from tests.web.day import morning, noon

SIZES = {"80x24": (80, 24), "160x48": (160, 48)}
TOUR = {
    "lots": (), "filter": ("slash", *"hosp"), "lot": ("escape", "ctrl+home", "enter"), "help": ("question_mark",),
    "barrier": ("escape", "o"), "others": ("escape", "a"), "stays": ("escape", "3", "enter"),
    "bill": ("down", "enter"), "bill-zh": ("l",), "refund": ("l", "f"),
}  # fmt: skip
"""Each screen with the keys that lead to it from the one before."""


def terminal_pictures(chrome: Chrome, folder: Path) -> None:
    """Each screen in each size, as PNG."""
    for name, size in SIZES.items():
        asyncio.run(_tour(folder, name, size))
        for path in sorted(folder.glob(f"terminal-*-{name}.svg")):
            screen(chrome, (1100, 700) if name == "80x24" else (2100, 1300))
            chrome.get(path.resolve().as_uri())
            picture(chrome, path.with_suffix(".png"))
            path.unlink()


async def _tour(folder: Path, name: str, size: tuple[int, int]) -> None:
    clock = [int(time.time() * 1000)]
    board = Board(CITY, lambda: clock[0])
    board.link(True)
    morning(board, clock, clock[0])
    for said in noon(clock[0]):
        board.hear(*said)
    app = Terminal(board, perform=Clerk(clock[0]).perform)
    async with app.run_test(size=size) as pilot:
        for shown, keys in TOUR.items():
            await pilot.press(*keys)
            await pilot.pause(0.6)
            (folder / f"terminal-{shown}-{name}.svg").write_text(app.export_screenshot(), encoding="utf-8")
