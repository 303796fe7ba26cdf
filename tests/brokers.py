"""Brokers for tests: the embedded one, and Mosquitto with TLS and the production's access list."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.shell.mqtt import Broker
from sim.broker import BrokerProcess, EmbeddedBroker, MosquittoBroker
from sim.mosquitto import find_mosquitto
from sim.pki import issue_client, issue_server, make_authority

CLIENTS = ("gw-1", "gw-2", "city", "console")


def mosquitto_program() -> Path:
    """Mosquitto; its absence is a failure, since a skipped test would hide that nothing of it was shown."""
    program = find_mosquitto()
    if program is None:
        pytest.fail("no mosquitto: run python -m sim.mosquitto .venv/mosquitto")
    return program


class Site:
    """A broker and how each client reaches it."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.pki = folder / "pki"
        self.broker: BrokerProcess
        if kind == "iotcore":
            self.broker = EmbeddedBroker(folder, username="lot", password="secret")
            return
        now = datetime.now(UTC)
        make_authority(self.pki, now)
        issue_server(self.pki, now)
        for name in CLIENTS:
            issue_client(self.pki, name, now)
        self.broker = MosquittoBroker(mosquitto_program(), folder, city="hz", pki=self.pki)

    def login(self, name: str) -> Broker:
        """How the link of `name` reaches the broker."""
        host, port = self.broker.host, self.broker.port
        if self.kind == "iotcore":
            return Broker(host, port, name, "lot", "secret")
        files = (self.pki / "ca.crt", self.pki / f"{name}.crt", self.pki / f"{name}.key")
        return Broker(host, port, name, ca=files[0], certificate=files[1], key=files[2])
