"""Pictures to be looked at: `python -m tests.web.pictures FOLDER`; page and terminal, each screen, size, light and language.

Joins board, server and browser in one process, with a morning that has already passed. Checks nothing; `test_page` does.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from gateway.console.board import Board
from gateway.console.doorman import Doorman
from gateway.console.page_server import PageServer
from tests.console.clerk import Clerk
from tests.web.browser import DESKTOP, PHONE, browser, picture, screen
from tests.web.day import BUSY, morning, noon
from tests.web.screens import terminal_pictures

TOKEN = "a-token-of-the-pictures"
CITY = "hz"


def main(folder: Path) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = [int(time.time() * 1000)]
    board = Board(CITY, lambda: clock[0], acts=True)
    board.link(True)
    morning(board, clock, clock[0])
    for said in noon(clock[0]):
        board.hear(*said)
    server = PageServer(("127.0.0.1", 0), board, acts=Clerk(clock[0]))  # type: ignore[arg-type]
    host = f"127.0.0.1:{server.server_address[1]}"
    server.start(Doorman(TOKEN, scheme="http", hosts=[host], port=1))
    for language in ("en", "zh-CN"):
        with tempfile.TemporaryDirectory() as profile, browser(Path(profile), language=language) as chrome:
            tour(chrome, f"http://{host}/", folder, language[:2])
    server.stop()
    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as chrome:
        terminal_pictures(chrome, folder)


def tour(chrome: Chrome, url: str, folder: Path, language: str) -> None:
    """Each screen in each size and light."""
    for size, name in ((PHONE, "phone"), (DESKTOP, "desktop")):
        for dark in (False, True):
            screen(chrome, size, dark=dark)
            end = f"{name}-{'dark' if dark else 'light'}-{language}.png"
            chrome.delete_all_cookies()
            chrome.get("about:blank")
            chrome.get(url)
            WebDriverWait(chrome, 10).until(lambda page: page.find_element(By.ID, "login").is_displayed())
            picture(chrome, folder / f"login-{end}")
            chrome.get("about:blank")
            chrome.get(f"{url}#token={TOKEN}")
            WebDriverWait(chrome, 10).until(lambda page: len(page.find_elements(By.CSS_SELECTOR, "#lots tr")) > 10)
            picture(chrome, folder / f"lots-{end}")
            chrome.get(f"{url}#lot={BUSY}")
            WebDriverWait(chrome, 10).until(lambda page: page.find_elements(By.CSS_SELECTOR, ".plot .line"))
            picture(chrome, folder / f"lot-{end}")
            chrome.find_element(By.CSS_SELECTOR, "[data-which=recent]").send_keys(Keys.ENTER)
            WebDriverWait(chrome, 10).until(lambda page: page.find_elements(By.CSS_SELECTOR, ".stays li"))
            picture(chrome, folder / f"stays-{end}")
            chrome.find_element(By.CSS_SELECTOR, "[data-session='1.42'] button").send_keys(Keys.ENTER)
            WebDriverWait(chrome, 10).until(lambda page: page.find_elements(By.CSS_SELECTOR, ".bill-lines"))
            picture(chrome, folder / f"bill-{end}")
            chrome.find_element(By.CSS_SELECTOR, ".bill [data-verb=refund]").send_keys(Keys.ENTER)
            picture(chrome, folder / f"act-{end}")
    for line in chrome.get_log("browser"):
        print(line["level"], line["message"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
