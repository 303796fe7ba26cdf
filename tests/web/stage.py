"""The console as its user starts it, with a real broker and gateways that publish as the real ones do.

Owns the processes and the gateways' connections; each gateway logs in as itself under the production's access list. Rules: all
ends with the test. Knows nothing of the browser.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway.topics import Topic, parse_topic
from sim.broker import MosquittoBroker
from tests.brokers import mosquitto_program
from tests.console.told import CITY, Told

PASSWORD = "of-a-test"


class Stage:
    """A broker, gateways on it, and where the page is. `url` with the token is the way in."""

    def __init__(self, broker: MosquittoBroker, folder: Path) -> None:
        self.broker = broker
        self.folder = folder
        self.url = self.token = ""
        self.console: subprocess.Popen[str]
        self._gateways: dict[str, Client] = {}

    def open_console(self, port: int = 0) -> None:
        """Start the console's process; returns once its page can be asked for."""
        command = [sys.executable, "-m", "gateway", "console", "--web", "--listen", f"127.0.0.1:{port}", "--city", CITY]
        command += ["--host", self.broker.host, "--port", str(self.broker.port), "--username", "console"]
        command += ["--password-file", str(self.folder / "password")]
        self.console = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.console.stdout is not None
        found = re.search(r"(http://\S+/)#token=(\S+)", self.console.stdout.readline())
        assert found is not None
        self.url, self.token = found[1], found[2]

    @property
    def port(self) -> int:
        """The page's port."""
        return int(self.url.rstrip("/").rpartition(":")[2])

    def close_console(self) -> None:
        """End the console as a service manager would."""
        self.console.terminate()
        self.console.communicate()

    def tell(self, *said: Told) -> None:
        """Publish as the gateways named in the topics; returns when the broker has it all."""
        for text, payload in said:
            topic = parse_topic(text)
            assert isinstance(topic, Topic)
            sent = self._gateway(topic.gateway).publish(text, payload, topic.rule.qos, topic.rule.retain)
            sent.wait_for_publish(5)

    def end(self) -> None:
        """Let the gateways go."""
        for client in self._gateways.values():
            client.disconnect()
            client.loop_stop()

    def _gateway(self, name: str) -> Client:
        client = self._gateways.get(name)
        if client is None:
            client = self._gateways[name] = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTv5)
            client.username_pw_set(name, PASSWORD)
            client.reconnect_delay_set(1, 1)
            client.connect(self.broker.host, self.broker.port)
            client.loop_start()
        return client


@contextlib.contextmanager
def stage(folder: Path, gateways: list[str]) -> Iterator[Stage]:
    """A stage whose broker knows these gateways and the console."""
    broker = MosquittoBroker(
        mosquitto_program(), folder, city=CITY, users=dict.fromkeys([*gateways, "console"], PASSWORD)
    )
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    broker.start()
    made = Stage(broker, folder)
    made.open_console()
    try:
        yield made
    finally:
        made.end()
        made.close_console()
        broker.stop()
