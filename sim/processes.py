"""The demo's child processes: broker, city and gateway, and what may be done to them.

Owns starting, ending, stopping dead and killing. Rules: every child ends with the demo; its output goes to a log file in the
site's folder. Knows the commands only by their words.
"""

from __future__ import annotations

import atexit
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sim.broker import BrokerProcess, EmbeddedBroker, MosquittoBroker
from sim.mosquitto import find_mosquitto
from sim.pki import issue_client, issue_server, make_authority
from sim.site import CITY_USER, CONSOLE_USER, BrokerAccess, Login, Site

STOP_S = 10
FREEZE_S = 0.2
TAIL_CHARACTERS = 3000
BROKERS = ("embedded", "mosquitto", "mosquitto-tls")


class Child:
    """One child process that can be started again; its log grows in `log`."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.log = log
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.kill)

    @property
    def alive(self) -> bool:
        """It runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; it must not run."""
        assert not self.alive, self._command
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self) -> int:
        """End it as an administrator would; its exit code, -1 if it had to be killed."""
        process = self._process
        if process is None:
            return 0
        process.terminate()
        try:
            return process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return -1

    def freeze(self) -> bool:
        """Stop it dead (SIGSTOP) and wait until it stands; False if it is not alive or does not stand in time."""
        if self._process is None or not self.alive:
            return False
        self._process.send_signal(signal.SIGSTOP)
        deadline_s = time.monotonic() + FREEZE_S
        status = Path(f"/proc/{self._process.pid}/stat")
        while time.monotonic() < deadline_s:
            if status.read_text().rpartition(")")[2].split()[0] == "T":
                return True
        return False

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None and self.alive:
            self._process.send_signal(number)

    def thaw(self) -> None:
        """Let it go on."""
        if self.alive and self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-TAIL_CHARACTERS:] if self.log.exists() else ""


def make_broker(kind: str, site: Site) -> tuple[BrokerProcess, BrokerAccess]:
    """A broker of one of BROKERS, not yet started, and how to get at it. RuntimeError if its program is missing."""
    folder = site.folder / "broker"
    folder.mkdir(exist_ok=True)
    if kind == "embedded":
        login = Login("lotgate", secrets.token_hex(12))
        embedded = EmbeddedBroker(folder, username=login.user, password=login.password)
        return embedded, BrokerAccess(embedded.host, embedded.port, gateway=login, city=login, console=login)
    program = find_mosquitto()
    if program is None:
        raise RuntimeError(
            f"--broker {kind}: no mosquitto found; `{sys.executable} -m sim.mosquitto {Path(sys.prefix) / 'mosquitto'}`"
            " fetches it without installing anything"
        )
    if kind == "mosquitto-tls":
        pki, now = site.folder / "pki", datetime.now(UTC)
        make_authority(pki, now)
        issue_server(pki, now)
        for client in (site.spec.gateway, CITY_USER, CONSOLE_USER):
            issue_client(pki, client, now)
        broker = MosquittoBroker(program, folder, city=site.spec.city, pki=pki)
        return broker, BrokerAccess(broker.host, broker.port, pki=pki)
    names = (site.spec.gateway, CITY_USER, CONSOLE_USER)
    gateway, city, console = (Login(name, secrets.token_hex(12)) for name in names)
    users = {login.user: login.password for login in (gateway, city, console)}
    broker = MosquittoBroker(program, folder, city=site.spec.city, users=users)
    return broker, BrokerAccess(broker.host, broker.port, gateway=gateway, city=city, console=console)


def city_child(site: Site) -> Child:
    """The city over the site's files."""
    command = [sys.executable, "-m", "sim.city_process", "--config", str(site.city_config)]
    return Child(command, site.folder / "city.log")


def run_lotgate(site: Site, *words: str, out: Path | None = None) -> int:
    """One command of the product's own command line; its exit code. Output is added to commands.log, or goes to `out`."""
    command = [sys.executable, "-m", "gateway", *words]
    with (site.folder / "commands.log").open("ab") as log:
        if out is None:
            return subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False).returncode
        with out.open("wb") as target:
            return subprocess.run(command, stdout=target, stderr=log, stdin=subprocess.DEVNULL, check=False).returncode
