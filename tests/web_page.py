"""The verification page in a real browser: `make test-web`, or `python -m tests.web_page [--shots FOLDER]`.

Drives Chromium over its debugging pipe, at a phone's size: every good and bad vector through the page's script in the browser's
own cryptography, then the page itself by its controls: a chosen file, a dropped file, pasted text, both languages. Each verdict
must be Python's. Exit code 1 if one is not, or if the page asks for anything but itself.
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gateway import bill_verifier, verifier
from tests import bills, books
from tests.bills import Bill
from tests.books import CITY, GOOD, opened, raw
from tests.page import PAGE

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update"),
    *("--disable-background-networking", "--disable-sync", "--remote-debugging-pipe"),
)
WAIT_S = 30


class Browser:
    """A page in Chromium, by the commands of its debugging protocol."""

    def __init__(self, profile: Path) -> None:
        program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
        if program is None:
            raise RuntimeError(f"none of {', '.join(BROWSERS)} is there: make test-web installs one")
        to_browser, from_browser = os.pipe(), os.pipe()
        given = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (to_browser[0], from_browser[1])]
        # The browser reads its commands from descriptor 3 and answers on 4.
        start = f"import os, sys; os.dup2({given[0]}, 3); os.dup2({given[1]}, 4); os.execv(sys.argv[1], sys.argv[1:])"
        command = [sys.executable, "-c", start, program, *FLAGS, f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(command, pass_fds=given, stderr=subprocess.DEVNULL)
        for fd in (*given, to_browser[0], from_browser[1]):
            os.close(fd)
        self._out, self._in = to_browser[1], from_browser[0]
        self._rest, self._number, self._session = b"", 0, ""
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "DOM"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait(WAIT_S)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command, and its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("method") == "Network.requestWillBeSent":
                self.requests.append(heard["params"]["request"]["url"])
            if heard.get("id") == self._number:
                if "error" in heard:
                    raise RuntimeError(f"{method}: {heard['error']}")
                result: dict[str, Any] = heard["result"]
                return result

    def run(self, script: str) -> Any:
        """The value of a script in the page; promises are awaited."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(str(done["exceptionDetails"]))
        return done["result"].get("value")

    def choose(self, path: Path) -> None:
        """Put a file into the page's control."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
        self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def drop(self, path: Path) -> None:
        """Let a file fall onto the middle of the page."""
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=195, y=300, data=data)

    def shot(self, path: Path) -> None:
        """A picture of the page."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]))

    def _hear(self) -> dict[str, Any]:
        deadline = time.monotonic() + WAIT_S
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise RuntimeError("the browser does not answer")
            self._rest += os.read(self._in, 1 << 20)
        one, _, self._rest = self._rest.partition(b"\0")
        heard: dict[str, Any] = json.loads(one)
        return heard


def verdict(browser: Browser) -> tuple[str, str]:
    """Exit code and bad line that the page shows, once it shows one."""
    look = "const look = () => at('verdict').hidden ? requestAnimationFrame(look) : done()"
    browser.run(f"new Promise((done) => {{ {look}; look(); }})")
    shown = browser.run("[at('verdict').dataset.exit, at('verdict').dataset.line || '']")
    browser.run("at('verdict').hidden = true")
    return str(shown[0]), str(shown[1])


def vectors(browser: Browser) -> list[str]:
    """What of the vectors the browser judges otherwise than Python."""
    anchor, complaints = raw(CITY), []
    exports = [GOOD, *(book if isinstance(book, bytes) else book.export() for book, _, _ in books.WRONG)]
    exports += [GOOD[:at] + bytes([byte ^ 1]) + GOOD[at + 1 :] for at, byte in enumerate(GOOD)]
    texts = [bills.GOOD, Bill(opened=None).text(), *(text for _, text, _ in bills.BAD)]
    bytes_of = "((text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)))"
    key = f"{bytes_of}('{base64.b64encode(anchor).decode()}')"
    each = "for (const one of all) { const report = await %s; found.push([report.exit, report.bad_line]); }"
    ask = f"(async (all) => {{ const found = []; {each} return found; }})(%s)"
    encoded = json.dumps([base64.b64encode(data).decode() for data in exports])
    found = browser.run(ask % (f"verifyExport({bytes_of}(one), {key})", encoded))
    for at, (data, shown) in enumerate(zip(exports, found, strict=True)):
        report = verifier.verify_lines(data, anchor)
        if shown != [report.exit_code, report.bad_line]:
            complaints.append(f"export {at}: {shown}, Python {report.exit_code} {report.bad_line}")
    found = browser.run(ask % (f"verifyBill(one, {key})", json.dumps(texts)))
    for at, (text, shown) in enumerate(zip(texts, found, strict=True)):
        bill = bill_verifier.verify_bill(text, anchor)
        if shown != [bill.exit_code, bill.bad_line]:
            complaints.append(f"bill {at}: {shown}, Python {bill.exit_code} {bill.bad_line}")
    print(f"vectors: {len(exports)} exports, {len(texts)} bills, {len(complaints)} judged otherwise")
    return complaints


def controls(browser: Browser, folder: Path, shots: Path | None) -> list[str]:
    """What a person at the page would see otherwise than it should be."""
    good, bad = folder / "good.export", folder / "bad.export"
    good.write_bytes(opened().exit().receipt().paid().export())
    bad.write_bytes(GOOD.replace(b"1000", b"1001", 1))
    (folder / "bill.txt").write_text(bills.GOOD, encoding="utf-8")
    line = str(verifier.verify_lines(bad.read_bytes(), raw(CITY)).bad_line)
    anchor = base64.b64encode(raw(CITY)).decode()
    click, changed = "at('check').click()", json.dumps(bills.BAD[20][1])
    typed = f"at('anchor').value = '{anchor}'"
    steps = [
        # what a person does                                              shown
        ("a file without a key", lambda: (browser.choose(good), browser.run(click)), ("3", "")),
        ("a key that is none", lambda: browser.run(f"at('anchor').value = 'key'; {click}"), ("2", "")),
        ("a good file chosen", lambda: (browser.run(typed), browser.choose(good), browser.run(click)), ("0", "")),
        ("a bad file dropped", lambda: browser.drop(bad), ("1", line)),
        ("a good file dropped", lambda: browser.drop(good), ("0", "")),
        ("a bill as a file", lambda: browser.drop(folder / "bill.txt"), ("0", "")),
        ("a changed bill pasted", lambda: browser.run(f"at('text').value = {changed}; {click}"), ("1", "2")),
        ("a bill pasted", lambda: browser.run(f"at('text').value = {json.dumps(bills.GOOD)}; {click}"), ("0", "")),
    ]  # fmt: skip
    complaints = []
    for name, act, wanted in steps:
        act()
        shown = verdict(browser)
        print(f"page: {name:24} shows {shown[0]} {shown[1]}")
        if shown != wanted:
            complaints.append(f"{name}: {shown} instead of {wanted}")
    browser.run("at('verdict').hidden = false")
    for language in ("zh", "en"):
        browser.run(f"root.lang = '{language}'")
        text = browser.run("document.body.innerText")
        if ("应付" in text) != (language == "zh") or ("owed" in text) != (language == "en"):
            complaints.append(f"in {language} the page says {text[:200]!r}")
        if browser.run("document.documentElement.scrollWidth > innerWidth"):
            complaints.append(f"in {language} the page is wider than a phone")
        if shots is not None:
            browser.shot(shots / f"bill-{language}.png")
    return complaints


def main() -> int:
    """0 if the page did all of it as it should."""
    parser = argparse.ArgumentParser(prog="python -m tests.web_page")
    parser.add_argument("--shots", type=Path, help="a folder for pictures of the page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(Path(folder) / "profile")
        try:
            print(browser.call("Browser.getVersion")["product"])
            browser.call("Page.navigate", url=PAGE.as_uri())
            browser.run(
                "new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))"
            )
            complaints = [] if browser.run("supported()") else ["the browser has no Ed25519"]
            complaints += vectors(browser) + controls(browser, Path(folder), options.shots)
            complaints += [f"asked for {url}" for url in browser.requests if not url.startswith(("file:", "about:"))]
        finally:
            browser.close()
    print("\n".join(complaints) or "the page does as it should")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
