"""The whole town for a tour: the demo's lot, city and broker after their day, the real gateway, and the console's profile.

Owns the processes, and what the two sets of books say: the gateway's ledger and the city's. Rules: everything is started as a
newcomer starts it, and ends with the test. Knows no screen.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LIMIT_S = 120
NEXT = "lotgate ctl --profile"
"""In the line that the demo ends with."""


class Town:
    """`profile` is the demo operator's; `folder` the demo's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.profile = folder / "console.toml"

    def sessions(self) -> list[tuple[str, str, str, int]]:
        """Stays that have left: id, plate without its colour, state, bill."""
        sql = (
            "SELECT s.id, d.plate, s.state, s.amount_minor FROM session s JOIN disclosure d ON d.n = s.plate_n"
            " WHERE s.exited_ms > 0 ORDER BY s.amount_minor DESC, s.plate_n"
        )
        rows = _rows(self.folder / "data/ledger.db", sql)
        return [(id_, plate.partition(" ")[2], state, amount) for id_, plate, state, amount in rows]

    def paid(self) -> list[tuple[str, str, int]]:
        """Id, plate and bill of the stays that were paid, the dearest first."""
        return [(id_, plate, bill) for id_, plate, state, bill in self.sessions() if state == "paid"]

    def commands(self, session: str) -> list[tuple[str, str, str]]:
        """Verb, state and reason of what operators did about a stay; not of what they only looked at."""
        found = [record for record in self.records(session) if record["type"] == "command"]
        return [(one["verb"], one["state"], one["reason"]) for one in found if one["verb"] != "bill"]

    def records(self, session: str) -> list[dict[str, Any]]:
        """The ledger's records that name a stay, each with its type and number."""
        lines = [
            json.loads(row[0]) for row in _rows(self.folder / "data/ledger.db", "SELECT line FROM record ORDER BY n")
        ]
        named = [line for line in lines if session in (line["body"].get("session"), _args(line).get("session"))]
        return [line["body"] | {"n": line["n"], "type": line["type"]} for line in named]

    def city_purse(self, session: str) -> dict[str, int]:
        """The city's own account of a stay, from the records that it verified."""
        sql = f"SELECT billed_minor, lowered_minor, paid_minor, refunded_minor FROM purse WHERE session = '{session}'"
        names = ("billed_minor", "lowered_minor", "paid_minor", "refunded_minor")
        return dict(zip(names, _rows(self.folder / "city.db", sql)[0], strict=True))

    def until(self, holds: Any) -> None:
        """Wait until something holds in the books."""
        until_s = time.monotonic() + LIMIT_S
        while not holds():
            if time.monotonic() > until_s:
                raise TimeoutError
            select.select([], [], [], 0.1)

    @contextlib.contextmanager
    def page(self) -> Iterator[str]:
        """The console's page under the operator's key; the link with the token."""
        command = [sys.executable, "-m", "gateway", "console", "--web", "--listen", "127.0.0.1:0"]
        with _process([*command, "--profile", str(self.profile)], stdout=subprocess.PIPE) as console:
            assert console.stdout is not None
            found = re.search(r"http://\S+#token=\S+", console.stdout.readline())
            assert found is not None
            yield found[0]


@contextlib.contextmanager
def town(folder: Path) -> Iterator[Town]:
    """A town after its day: all cars have left, the gateway goes on."""
    site = folder / "town"
    demo = [
        sys.executable,
        "-m",
        "sim.demo",
        "--stay",
        "--cars",
        "8",
        "--scale",
        "600",
        "--seed",
        "11",
        "--dir",
        str(site),
    ]
    with _process(demo, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if NEXT in line:
                break
        gateway = [sys.executable, "-m", "gateway", "run", "--config", str(site / "gateway.toml")]
        with _process(gateway, stderr=subprocess.DEVNULL):
            yield Town(site)


@contextlib.contextmanager
def _process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process with its children in a group of its own, ended by an interrupt as a person ends it."""
    with subprocess.Popen(command, text=True, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.communicate(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _args(line: dict[str, Any]) -> dict[str, Any]:
    return dict(line["body"].get("args", {}))


def _rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()
