"""The city as a process: `python -m sim.city_process --config city.json`.

Takes a message, commits, publishes what follows, and only then acknowledges to the broker. Says "connected" on stderr each time
the broker has it. SIGUSR1 prints the totals as one line of JSON; SIGTERM and SIGINT end it. The configuration is a JSON object:
  broker      host, port, client_id, username, password, ca, certificate, key (paths; all but the first three may be missing)
  city, key, store  the city's name in the topics, and the paths of its Ed25519 private key in PEM and of its books (SQLite)
  chains      chain id -> base64 of the 32 bytes of its public key
  agreements  plate identity -> {"cap_minor": ..., "pays": true or false}
  operators   path of the list of operators (sim/city_operators), read at the start and on SIGHUP; may be missing
  desks       front desk -> {"key": base64 of its public key, "chains": [...]}; may be missing
"""

from __future__ import annotations

import base64
import json
import queue
import signal
import socket
import ssl
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from paho.mqtt.enums import CallbackAPIVersion

from sim.city import Agreement, City, Outgoing
from sim.city_desk import Desk, FrontDesks
from sim.city_operators import operator_lists

WAKE_S = 1.0
WAITING_MAX = 200
"""Messages between the network thread and the books; beyond it the network thread waits, and with it the broker."""


@dataclass(frozen=True, slots=True)
class _Message:
    """A message of one connection; its id means nothing to the next connection."""

    connection: int
    mid: int
    topic: str
    payload: bytes


class CityProcess:
    """The city behind a broker. `run` returns after `end`."""

    def __init__(self, city: City, desks: FrontDesks, config: dict[str, Any]) -> None:
        name, broker = config["city"], config["broker"]
        self._chains = tuple(config["chains"])
        self._operators = Path(config["operators"]) if "operators" in config else None
        self._relisted = False
        self._city = city
        self._desks = desks
        self._name = name
        self._waiting: queue.Queue[_Message | None] = queue.Queue(WAITING_MAX)
        self._connection = 0
        self._ended = False
        self._asked = False
        self._client = self._make(broker)
        self._client.connect_async(broker["host"], broker["port"], keepalive=15, clean_start=True)

    def end(self, *_signal: object) -> None:
        """Let `run` return after the message in hand."""
        self._ended = True

    def ask(self, *_signal: object) -> None:
        """Let `run` print the totals."""
        self._asked = True

    def relist(self, *_signal: object) -> None:
        """Let `run` read the list of operators again."""
        self._relisted = True

    def run(self) -> None:
        """Serve until `end`."""
        self._client.loop_start()
        while not self._ended:
            self._step()
        self._client.disconnect()
        self._client.loop_stop()
        self._city.store.close()

    def _step(self) -> None:
        try:
            message = self._waiting.get(timeout=WAKE_S)
        except queue.Empty:
            self._publish(self._city.wake(_now_ms()))
        else:
            if message is None:
                self._publish(self._city.connected(_now_ms()))
                self._list_operators()
                print("connected", file=sys.stderr, flush=True)
            else:
                self._publish(self._receive(message))
                if message.connection == self._connection:
                    self._client.ack(message.mid, 1)
                self._publish(self._city.wake(_now_ms()))
        if self._relisted:
            self._relisted = False
            self._list_operators()
        if self._asked:
            self._asked = False
            print(json.dumps(self._city.totals()), flush=True)

    def _list_operators(self) -> None:
        if self._operators is not None:
            self._publish(operator_lists(self._city, self._name, self._chains, self._operators, _now_ms()))

    def _receive(self, message: _Message) -> list[Outgoing]:
        if "/_desk/" in message.topic:
            return self._desks.receive(message.topic, message.payload, _now_ms())
        answers = self._city.receive(message.topic, message.payload, _now_ms())
        return [*answers, *self._desks.confirmed(_now_ms())]

    def _publish(self, outgoing: Iterable[Outgoing]) -> None:
        for out in outgoing:
            self._client.publish(out.topic, out.payload, out.qos, out.retain)

    def _make(self, broker: dict[str, Any]) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, broker["client_id"], protocol=paho.MQTTv5, manual_ack=True)
        client.max_queued_messages_set(WAITING_MAX)
        client.reconnect_delay_set(1, 30)
        if "username" in broker:
            client.username_pw_set(broker["username"], broker["password"])
        if "ca" in broker:
            context = ssl.create_default_context(cafile=broker["ca"])
            context.load_cert_chain(broker["certificate"], broker["key"])
            client.tls_set_context(context)
        client.on_socket_open = self._on_socket_open
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        return client

    def _on_socket_open(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            return
        self._connection += 1
        kinds = ("+/rec/+", "+/state", "_desk/+/validate")
        client.subscribe([(f"park/v1/{self._name}/{kind}", 1) for kind in kinds])
        self._waiting.put(None)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._waiting.put(_Message(self._connection, message.mid, message.topic, bytes(message.payload)))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _open(config: dict[str, Any]) -> CityProcess:
    key = load_pem_private_key(Path(config["key"]).read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise click.ClickException(f"{config['key']} holds no Ed25519 key")
    city = City(
        key,
        config["store"],
        {chain: base64.b64decode(text) for chain, text in config["chains"].items()},
        {plate: Agreement(**agreed) for plate, agreed in config["agreements"].items()},
    )
    desks = {
        name: Desk(base64.b64decode(desk["key"]), tuple(desk["chains"]))
        for name, desk in config.get("desks", {}).items()
    }
    return CityProcess(city, FrontDesks(city, desks), config)


@click.command()
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help="JSON file."
)
def main(config: Path) -> None:
    """Run the city's stand-in until SIGTERM."""
    process = _open(json.loads(config.read_text()))
    signal.signal(signal.SIGTERM, process.end)
    signal.signal(signal.SIGINT, process.end)
    signal.signal(signal.SIGUSR1, process.ask)
    signal.signal(signal.SIGHUP, process.relist)
    process.run()


if __name__ == "__main__":
    sys.exit(main())
