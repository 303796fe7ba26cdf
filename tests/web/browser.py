"""A real browser for the tests of the page: Debian's Chromium, headless, under its WebDriver.

Owns the flags, the size of the screen, and the wish for a dark page. Rules: a missing browser is a failure that says how to
get it; nothing but the machine itself is reached. Knows nothing of the page.
"""

from __future__ import annotations

import base64
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

PHONE, DESKTOP = (375, 780), (1366, 900)

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
"""As root there is no sandbox; the rest keeps it from looking for hosts beyond this machine."""


@contextlib.contextmanager
def browser(profile: Path, *, language: str = "en") -> Iterator[Chrome]:
    """A fresh browser that prefers a language; its profile is kept in `profile`."""
    driver, program = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or program is None:
        raise RuntimeError("no browser: make test-web installs Debian's chromium and chromium-driver")
    options = ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"intl.accept_languages": language})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=ChromeService(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def screen(chrome: Chrome, size: tuple[int, int], *, dark: bool = False) -> None:
    """Set the size of the screen and what the system prefers."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 600}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def picture(chrome: Chrome, path: Path) -> None:
    """The whole page as a PNG, however long it is."""
    shot = chrome.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    path.write_bytes(base64.b64decode(shot["data"]))
