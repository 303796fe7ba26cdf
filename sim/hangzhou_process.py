"""The Hangzhou platform as a process: `python -m sim.hangzhou_process --config hangzhou.json`.

One loop takes calls by HTTP and publishes pushes by MQTT 3.1.1 at the platform's own broker. SIGUSR1 takes it away: no port, no
pushes; SIGUSR2 brings it back; SIGTERM ends it. Its books go to a JSON file whenever they changed. The configuration is JSON:
  port, broker (host, port, username, password), access, code, own (private key), lot (public key), accounts
  (plate -> limit, pays, discount), books (path), doubled, result_first (faults), ask_every (a query at each so-manieth entry)
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from sim.hangzhou import Account, Platform
from sim.hangzhou_cipher import private_numbers, public_numbers

LOOK_S = 0.02
BOOKS_S = 0.2
BODY_BYTES_MAX = 2_000_000
HOST = "127.0.0.1"


class HangzhouProcess:
    """The platform behind a port and a broker. `run` returns after `end`."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._platform = Platform(
            access=config["access"],
            code=config["code"],
            own=private_numbers(config["own"]),
            lot=public_numbers(config["lot"]),
            accounts={plate: Account(**account) for plate, account in config["accounts"].items()},
        )
        self._platform.faults.doubled = config["doubled"]
        self._platform.faults.result_first = config["result_first"]
        self._ended = False
        self._away = False
        self._away_times = 0
        self._server: HTTPServer | None = None
        self._asked = 0
        self._written_s = 0.0
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, "platform", protocol=paho.MQTTv311, reconnect_on_failure=True
        )
        broker = config["broker"]
        self._client.username_pw_set(broker["username"], broker["password"])
        self._client.reconnect_delay_set(1, 2)
        self._client.connect_async(broker["host"], broker["port"], 15)

    def end(self, *_signal: object) -> None:
        """Let `run` return."""
        self._ended = True

    def leave(self, *_signal: object) -> None:
        """Be away."""
        self._away = True
        self._away_times += 1

    def come_back(self, *_signal: object) -> None:
        """Be there again."""
        self._away = False

    def run(self) -> None:
        """Serve until `end`."""
        self._client.loop_start()
        while not self._ended:
            self._step()
            if time.monotonic() - self._written_s > BOOKS_S:
                self._written_s = time.monotonic()
                self._write()
        self._write()
        self._client.disconnect()
        self._client.loop_stop()

    def _step(self) -> None:
        if self._away:
            if self._server is not None:
                self._server.server_close()
                self._server = None
            # Nothing is served while away; a signal's handler sets what the next look sees, and no test waits on this pause.
            time.sleep(LOOK_S)
            return
        if self._server is None:
            self._server = HTTPServer((HOST, self._config["port"]), self._handler())
            self._server.timeout = LOOK_S
        self._server.handle_request()
        self._ask()
        self._publish()

    def _ask(self) -> None:
        every = self._config["ask_every"]
        visits = list(self._platform.visits.values())
        while every and self._asked + every <= len(visits):
            self._asked += every
            visit = visits[self._asked - 1]
            if visit.exit is None:
                self._platform.ask_fee(visit.plate, visit.entry["plateColor"], _now_ms())

    def _publish(self) -> None:
        for message in self._platform.outgoing(_now_ms()):
            self._client.publish(message.topic, message.payload, 1)

    def _write(self) -> None:
        platform = self._platform
        books = {
            "totals": platform.totals() | {"fees": len(platform.fees), "away": self._away_times},
            "bills": [asdict(bill) for bill in platform.bills.values()],
            "visits": [asdict(visit) for visit in platform.visits.values()],
            "states": platform.states,
            "counts": dict(platform.counts),
        }
        path = Path(self._config["books"])
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(books, ensure_ascii=False), encoding="utf-8")
        os.replace(beside, path)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        process = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 2

            def do_POST(self) -> None:
                length = min(int(self.headers.get("Content-Length", "0")), BODY_BYTES_MAX)
                status, body = process._platform.post(self.path, self.rfile.read(length), _now_ms())
                if process._config["result_first"]:
                    process._publish()
                self.send_response(status)
                self.send_header("Content-Type", "application/json;charset=UTF-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        return Handler


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def main() -> int:
    """Run the stand-in until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m sim.hangzhou_process")
    parser.add_argument("--config", type=Path, required=True)
    process = HangzhouProcess(json.loads(parser.parse_args().config.read_text(encoding="utf-8")))
    signal.signal(signal.SIGTERM, process.end)
    signal.signal(signal.SIGINT, process.end)
    signal.signal(signal.SIGUSR1, process.leave)
    signal.signal(signal.SIGUSR2, process.come_back)
    process.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
