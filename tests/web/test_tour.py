"""The whole tour: find a car by its plate, explain its bill, refund it, see it in the ledger and at the city.

Demo, gateway, broker and city are real processes, and the page is in a real browser.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.web.browser import DESKTOP, PHONE, browser, picture, screen
from tests.web.keyboard import keyboard
from tests.web.town import Town, town

LIMIT_S = 30
WHY = "the lift was broken"
LOT = "demo-garage"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("tour")) as found:
        yield found


def until(chrome: Chrome, holds: Callable[[], object]) -> None:
    WebDriverWait(chrome, LIMIT_S, 0.1, ignored_exceptions=[Exception]).until(lambda _: holds())


def text(chrome: Chrome, selector: str) -> str:
    return chrome.find_element(By.CSS_SELECTOR, selector).text


def find(chrome: Chrome, plate: str) -> None:
    typed = chrome.find_element(By.ID, "stay-plate")
    typed.clear()
    typed.send_keys(plate, Keys.ENTER)


def is_settled(place: Town, session: str, minor: int) -> bool:
    """Refund in the ledger, booked by the city, and the money has gone back."""
    types = [record["type"] for record in place.records(session)]
    return "refunded" in types and place.city_purse(session)["refunded_minor"] == minor


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("which", "size", "language"), [(0, DESKTOP, "en"), (1, PHONE, "zh-CN")])
def test_find_explain_refund_in_a_browser(
    place: Town, tmp_path: Path, which: int, size: tuple[int, int], language: str
) -> None:
    session, plate, bill_minor = place.paid()[which]
    zh = language == "zh-CN"
    with place.page() as link, browser(tmp_path / "profile", language=language) as chrome:
        screen(chrome, size)
        chrome.get(link)
        until(chrome, lambda: LOT in text(chrome, "#lots"))
        chrome.find_element(By.CSS_SELECTOR, "#lots a").click()
        until(chrome, lambda: ("在线" if zh else "online") in text(chrome, ".title"))

        find(chrome, plate)
        until(chrome, lambda: plate in text(chrome, "#bill-title"))
        lines = text(chrome, ".bill-lines")
        assert ("每半小时" if zh else "per half hour") in lines
        assert f"{bill_minor // 100}.00" in text(chrome, "[data-sum=billed]")
        picture(chrome, tmp_path / f"bill-{size[0]}.png")

        chrome.find_element(By.CSS_SELECTOR, ".bill [data-verb=refund]").send_keys(Keys.ENTER)
        amount = chrome.find_element(By.ID, "amountField")
        assert amount.get_attribute("value") == f"{bill_minor // 100}.00"
        amount.clear()
        amount.send_keys("2.50")
        chrome.find_element(By.ID, "reason").send_keys(WHY)
        chrome.find_element(By.ID, "lot-name").send_keys("demo-garden")
        chrome.find_element(By.CSS_SELECTOR, "#ask .danger").click()
        until(chrome, lambda: text(chrome, "#ask .answer") in ("This is not the lot's name.", "与停车场名称不符。"))
        assert place.commands(session) == []
        chrome.find_element(By.ID, "lot-name").clear()
        chrome.find_element(By.ID, "lot-name").send_keys(LOT)
        chrome.find_element(By.CSS_SELECTOR, "#ask .danger").click()
        until(
            chrome, lambda: chrome.find_element(By.CSS_SELECTOR, "#ask .answer").get_attribute("data-state") == "done"
        )
        place.until(lambda: is_settled(place, session, 250))
        chrome.find_element(By.CSS_SELECTOR, "#ask .second").click()

        # What the page shows comes from the ledger: asked again, it has the whole story.
        find(chrome, plate)
        until(chrome, lambda: ("城市已退款" if zh else "paid back by the city") in text(chrome, ".bill-records"))
        assert "2.50" in text(chrome, "[data-sum=paidBack]")
        assert WHY in text(chrome, ".bill-records")
        wide = chrome.execute_script("return document.documentElement.scrollWidth")
        assert wide == size[0]
        assert [line for line in chrome.get_log("browser") if "401" not in line["message"]] == []
    assert place.commands(session) == [("refund", "done", WHY)]
    assert place.city_purse(session) == {
        "billed_minor": bill_minor, "lowered_minor": 250, "paid_minor": bill_minor, "refunded_minor": 250,
    }  # fmt: skip


@pytest.mark.timeout(240)
def test_find_explain_refund_in_a_terminal(place: Town) -> None:
    session, plate, bill_minor = place.paid()[2]
    enter, escape = "\r", "\x1b"
    with keyboard([sys.executable, "-m", "gateway", "console", "--profile", str(place.profile)]) as terminal:
        terminal.until(LOT)
        terminal.press(enter)
        terminal.until("keep up")
        terminal.press("3")
        terminal.until("stays")
        terminal.press(f"{plate}{enter}")
        terminal.until("1 stays")
        terminal.press(enter)
        terminal.until("first hour, per half hour")
        terminal.press("f")
        terminal.until("Give back a part")
        # The amount is filled in; the reason is the first empty field.
        terminal.press(f"{WHY}{enter}{LOT}{enter}")
        terminal.until("of the ledger")
        place.until(lambda: is_settled(place, session, bill_minor))
        terminal.press(escape)
        terminal.until("refund done")
        terminal.press("q")
    assert place.commands(session) == [("refund", "done", WHY)]
    assert place.city_purse(session) == {
        "billed_minor": bill_minor, "lowered_minor": bill_minor, "paid_minor": bill_minor, "refunded_minor": bill_minor,
    }  # fmt: skip
