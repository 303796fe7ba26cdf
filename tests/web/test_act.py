"""A person raises a barrier from the page: real browser, console, broker and gateway, and the ledger says who and why."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.brokers import Site
from tests.console.acting import profile_of
from tests.operating import ATTENDANT, Console
from tests.test_commanding import operated
from tests.web.browser import DESKTOP, PHONE, browser, picture, screen

LIMIT_S = 20


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site("mosquitto", tmp_path_factory.mktemp("site"))
    found.broker.start()
    yield found
    found.broker.stop()


@contextlib.contextmanager
def page(profile: Path, folder: Path) -> Iterator[Chrome]:
    """A browser before the console of a profile, logged in, with the lot of gw-1 open."""
    command = [
        sys.executable,
        "-m",
        "gateway",
        "console",
        "--web",
        "--listen",
        "127.0.0.1:0",
        "--profile",
        str(profile),
    ]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as console,
        browser(folder / "profile") as chrome,
    ):
        try:
            assert console.stdout is not None
            found = re.search(r"(http://\S+/)#token=(\S+)", console.stdout.readline())
            assert found is not None
            chrome.get(found[0])
            until(chrome, lambda: "lot-1" in chrome.find_element(By.ID, "lots").text)
            chrome.get(f"{found[1]}#lot=gw-1")
            until(chrome, lambda: chrome.find_elements(By.CSS_SELECTOR, ".lanes button"))
            yield chrome
        finally:
            console.terminate()


def until(chrome: Chrome, true: Callable[[], object]) -> None:
    WebDriverWait(chrome, LIMIT_S, 0.05).until(lambda _page: true())


def press(chrome: Chrome, label: str) -> None:
    """Open the question of a button."""
    chrome.find_element(By.CSS_SELECTOR, f"button[aria-label='{label}']").click()
    until(chrome, lambda: chrome.find_element(By.ID, "reason").is_displayed())


def answer(chrome: Chrome) -> str:
    return chrome.find_element(By.CSS_SELECTOR, "#ask .answer").text


def raise_barrier(profile: Path, folder: Path) -> str:
    """A wrong name, then the right one; what the page says in the end."""
    with page(profile, folder) as chrome:
        screen(chrome, PHONE)
        until(chrome, lambda: "Node: answers" in chrome.find_element(By.CSS_SELECTOR, ".lanes").text)
        press(chrome, "Raise barrier: out")
        assert chrome.switch_to.active_element.get_attribute("id") == "reason"
        chrome.find_element(By.ID, "reason").send_keys("the reader is dirty", Keys.TAB, "lot-2", Keys.ENTER)
        until(chrome, lambda: answer(chrome) == "This is not the lot's name.")
        picture(chrome, folder / "ask.png")
        name = chrome.find_element(By.ID, "lot-name")
        name.clear()
        name.send_keys("lot-1", Keys.ENTER)
        until(chrome, lambda: answer(chrome).startswith(("done", "refused", "It is not", "Nothing")))
        said = answer(chrome)
        assert not chrome.find_element(By.ID, "lost").is_displayed(), "acting cost the view its connection"
        picture(chrome, folder / "answered.png")
        chrome.switch_to.active_element.send_keys(Keys.ENTER)
        until(chrome, lambda: said in chrome.find_element(By.CSS_SELECTOR, ".log").text)
        return said


def refused_and_cancelled(profile: Path, folder: Path) -> str:
    """Escape sends nothing; a verb beyond the role is refused by name."""
    with page(profile, folder) as chrome:
        screen(chrome, DESKTOP)
        press(chrome, "Keep up: out")
        chrome.find_element(By.ID, "reason").send_keys("never mind", Keys.ESCAPE)
        until(chrome, lambda: not chrome.find_element(By.ID, "ask").is_displayed())
        chrome.find_element(By.XPATH, "//button[.='Correct the count']").click()
        chrome.find_element(By.ID, "insideField").send_keys("3", Keys.TAB, "counted by hand", Keys.ENTER)
        until(chrome, lambda: answer(chrome).startswith("refused"))
        return answer(chrome)


@pytest.mark.parametrize(
    ("act", "who", "said", "written", "opened"),
    [
        (raise_barrier,         ATTENDANT, r"done\. Record \d+ of the ledger says who, what and why\.",
         ("barrier-open", "done", ""), 1),
        (refused_and_cancelled, ATTENDANT, r"refused: your role does not allow it.*\. Record \d+ of the ledger.*",
         ("recount", "refused", "forbidden"), 0),
    ],
)  # fmt: skip
def test_a_person_acts_and_the_ledger_has_it(
    site: Site,
    tmp_path: Path,
    act: Callable[[Path, Path], str],
    who: Console,
    said: str,
    written: tuple[str, str, str],
    opened: int,
) -> None:
    profile = profile_of(who, site, tmp_path / "operator")

    async def story() -> str:
        async with operated(site, tmp_path) as lot:
            told = await asyncio.to_thread(act, profile, tmp_path)
            await lot.lane.until(lambda: lot.lane.node.opened == opened)
        (record,) = lot.records("command")
        assert (record["verb"], record["state"], record["code"]) == written
        assert record["key"] == who.key
        return told

    assert re.fullmatch(said, asyncio.run(story()))
