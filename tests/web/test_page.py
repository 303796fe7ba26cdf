"""The page in a real browser, with the console's own process, a real broker, and the bytes of real messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from gateway.messages import Presence
from tests.console import told
from tests.web.browser import DESKTOP, PHONE, browser, screen
from tests.web.day import BUSY, gateways, noon
from tests.web.stage import Stage, stage

LIMIT_S = 15


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("stage"), gateways()) as made:
        made.tell(*noon(now_ms()))
        yield made


@pytest.fixture
def chrome(tmp_path: Path) -> Iterator[Chrome]:
    with browser(tmp_path / "profile") as made:
        screen(made, DESKTOP)
        yield made


def now_ms() -> int:
    return int(time.time() * 1000)


def until(chrome: Chrome, true: Callable[[], object]) -> None:
    WebDriverWait(chrome, LIMIT_S, 0.05, [StaleElementReferenceException]).until(lambda _page: true())


def enter(chrome: Chrome, lots: Stage, fragment: str = "") -> None:
    chrome.get(f"{lots.url}#token={lots.token}")
    until(chrome, lambda: len(rows(chrome)) == len(gateways()))
    if fragment:
        chrome.get(lots.url + fragment)
        until(chrome, lambda: chrome.find_elements(By.CSS_SELECTOR, ".facts dd"))


def rows(chrome: Chrome) -> list[str]:
    """The lots' names in the order of the page."""
    return [element.text for element in chrome.find_elements(By.CSS_SELECTOR, "#lots th b")]


def text(chrome: Chrome, selector: str) -> str:
    return chrome.find_element(By.CSS_SELECTOR, selector).text


def test_without_the_token_there_is_only_a_login(chrome: Chrome, lots: Stage) -> None:
    chrome.get(lots.url)
    until(chrome, lambda: chrome.find_element(By.ID, "login").is_displayed())
    assert chrome.switch_to.active_element.get_attribute("id") == "token"
    assert not chrome.find_element(By.ID, "overview").is_displayed()
    ActionChains(chrome).send_keys("guess", Keys.ENTER).perform()
    until(chrome, lambda: "not the token" in text(chrome, "#login-fault"))
    ActionChains(chrome).send_keys(lots.token, Keys.ENTER).perform()
    until(chrome, lambda: len(rows(chrome)) == len(gateways()))


def test_the_token_leaves_the_address_and_no_secret_reaches_scripts(chrome: Chrome, lots: Stage) -> None:
    enter(chrome, lots)
    assert chrome.current_url == lots.url
    assert chrome.execute_script("return document.cookie + JSON.stringify(localStorage) + history.length") == "{}2"


def test_the_worst_lot_stands_first_and_says_why(chrome: Chrome, lots: Stage) -> None:
    enter(chrome, lots)
    assert rows(chrome)[:5] == ["West Lake Garage", "Hospital P2", "Museum", "Stadium North", "Hospital P1"]
    first, lost, faulty = (row.text for row in chrome.find_elements(By.CSS_SELECTOR, "#lots tr")[:3])
    assert "1 urgent" in first
    assert "not reachable" in lost
    assert "1 lane in trouble" in faulty
    lots.tell(told.alarm("gw-13", "fire/exit-1", "urgent"), told.state("gw-13", Presence.LOST))
    until(chrome, lambda: "Tea Museum" in rows(chrome)[:2])
    until(chrome, lambda: chrome.find_element(By.ID, "spoken").get_attribute("textContent") == "urgent: Tea Museum")
    lots.tell((told.alarm("gw-13", "fire/exit-1", "urgent")[0], b""), told.state("gw-13"))
    until(chrome, lambda: "Tea Museum" not in rows(chrome)[:5])


def test_search_and_filter(chrome: Chrome, lots: Stage) -> None:
    enter(chrome, lots)
    search = chrome.find_element(By.ID, "search")
    search.send_keys("HOSP")
    assert rows(chrome) == ["Hospital P2", "Hospital P1"]
    assert text(chrome, "#found") == "2 of 14 lots, worst first"
    search.clear()
    search.send_keys("广场")
    assert set(rows(chrome)) == {"武林广场地下停车场", "城站广场"}
    search.send_keys("nowhere")
    assert (rows(chrome), text(chrome, "#found")) == ([], "No lot matches.")
    search.clear()
    search.send_keys(" ")
    chrome.find_element(By.ID, "trouble").click()
    assert len(rows(chrome)) == 6


def test_a_change_is_on_the_screen_within_half_a_second_or_so(chrome: Chrome, lots: Stage) -> None:
    enter(chrome, lots, f"#lot={BUSY}")
    lots.tell(told.occupancy(BUSY, "West Lake Garage", occupied=31, at_ms=now_ms()))
    until(chrome, lambda: text(chrome, ".big") == "31 inside")
    lots.tell(told.lane(BUSY, "exit-1", barrier="moving", at_ms=now_ms()))
    until(chrome, lambda: "Barrier: moving" in text(chrome, ".lanes"))
    lots.tell(told.notice(BUSY, "exit-free", at_ms=now_ms()))
    until(chrome, lambda: "left, nothing to pay" in text(chrome, ".events tbody tr"))


def test_an_alarm_comes_with_its_remedy_and_goes(chrome: Chrome, lots: Stage) -> None:
    enter(chrome, lots, "#lot=gw-09")
    assert text(chrome, "#one").count("No open alarm.") == 1
    lots.tell(told.alarm("gw-09", "attendant/exit-1", "warning", at_ms=now_ms() - 61_000))
    until(chrome, lambda: "Take the money, or open by hand." in text(chrome, ".alarms"))
    assert "for 61 s" in text(chrome, ".alarms") or "for 62 s" in text(chrome, ".alarms")
    lots.tell((told.alarm("gw-09", "attendant/exit-1", "warning")[0], b""))
    until(chrome, lambda: "No open alarm." in text(chrome, "#one"))


def test_both_languages(chrome: Chrome, lots: Stage) -> None:
    enter(chrome, lots, f"#lot={BUSY}")
    chrome.find_element(By.ID, "language").click()
    assert chrome.execute_script("return document.documentElement.lang") == "zh-CN"
    until(chrome, lambda: "节点 12 无应答。" in text(chrome, ".alarms"))
    assert "Node 12 does not answer." in text(chrome, ".alarms")
    chrome.refresh()
    until(chrome, lambda: "占用情况" in text(chrome, "#one"))


def test_the_browsers_language_is_followed(tmp_path: Path, lots: Stage) -> None:
    with browser(tmp_path / "profile", language="zh-CN,en") as chrome:
        chrome.get(lots.url)
        until(chrome, lambda: text(chrome, "#login h1") == "登录")


def test_a_keyboard_reaches_a_lot_and_comes_back(chrome: Chrome, lots: Stage) -> None:
    enter(chrome, lots)
    chrome.find_element(By.ID, "search").send_keys("opera", Keys.TAB, Keys.TAB)
    ActionChains(chrome).send_keys(Keys.ENTER).perform()
    until(chrome, lambda: text(chrome, "#one-title") == "Opera")
    assert chrome.switch_to.active_element.get_attribute("id") == "one-title"
    assert chrome.title == "Opera – hz – lotgate"
    ActionChains(chrome).send_keys(Keys.TAB, Keys.TAB).perform()
    chrome.find_element(By.CSS_SELECTOR, ".back").send_keys(Keys.ENTER)
    until(chrome, lambda: rows(chrome) == ["Opera"])


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
@pytest.mark.parametrize("fragment", ["", f"#lot={BUSY}"])
def test_nothing_is_wider_than_the_screen(chrome: Chrome, lots: Stage, size: tuple[int, int], fragment: str) -> None:
    screen(chrome, size)
    enter(chrome, lots, fragment)
    assert chrome.execute_script("return document.documentElement.scrollWidth") == size[0]
    wide = "return [...document.querySelectorAll('main table, main section')].map((one) => one.getBoundingClientRect().right)"
    assert max(chrome.execute_script(wide)) <= chrome.execute_script("return innerWidth - 10")


def test_what_a_screen_reader_needs(chrome: Chrome, lots: Stage) -> None:
    for fragment in ("", f"#lot={BUSY}"):
        enter(chrome, lots, fragment)
        tree = chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        seen = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node["ignored"]]
        roles = [role for role, _ in seen]
        assert {"banner", "main", "heading", "table", "columnheader", "status"} <= set(roles)
        assert roles.count("main") == 1
        nameless = [
            role for role, name in seen if role in ("link", "button", "searchbox", "checkbox", "image") and not name
        ]
        assert nameless == []


def test_every_text_can_be_told_from_its_ground(chrome: Chrome, lots: Stage) -> None:
    for dark in (False, True):
        for fragment in ("", f"#lot={BUSY}"):
            screen(chrome, DESKTOP, dark=dark)
            enter(chrome, lots, fragment)
            assert chrome.execute_script(CONTRAST) == []


def test_a_lost_console_and_a_lost_broker_are_said(tmp_path: Path, chrome: Chrome) -> None:
    with stage(tmp_path, gateways()) as lots:
        lots.tell(*noon(now_ms()))
        enter(chrome, lots)
        lots.broker.kill()
        until(chrome, lambda: "no connection to the broker since" in text(chrome, "#lost"))
        lots.broker.start()
        until(chrome, lambda: not chrome.find_element(By.ID, "lost").is_displayed())
        port = lots.port
        lots.close_console()
        until(chrome, lambda: "Connection to the console lost. What you see is" in text(chrome, "#lost"))
        assert rows(chrome), "what was known stays on the screen"
        lots.open_console(port)
        # A new console has a new token: the page asks for it instead of showing old things for ever.
        until(chrome, lambda: chrome.find_element(By.ID, "login").is_displayed())


def test_the_browser_complains_of_nothing(chrome: Chrome, lots: Stage) -> None:
    enter(chrome, lots, f"#lot={BUSY}")
    wrong = [line for line in chrome.get_log("browser") if "401" not in line["message"]]
    assert wrong == []


CONTRAST = """
const channel = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
};
const found = [];
for (const element of document.querySelectorAll("main *, header *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.checkVisibility() || element.closest("svg")) continue;
  const pair = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
  const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
  if (ratio < 4.5) found.push(`${element.className} ${element.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
}
return found;
"""
"""Text below WCAG's 4.5 to 1."""
