"""Brokers as child processes on a free port of the loopback: iotcore from a wheel, or Mosquitto with the production's files.

Each can be started, stopped, killed, frozen, and started again on the same port, and ends with the interpreter that made it.
The embedded one knows one user with a password. Mosquitto uses TLS and a certificate for each client when it gets a `pki`
folder, else a password for each user; the access list is the production's in both cases.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

FILES = Path(__file__).resolve().parent.parent / "hw" / "broker"
HOST = "127.0.0.1"
START_S = 10
STOP_S = 5

EMBEDDED = """\
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 1000
max_segment_size = 104857600
max_segment_count = 10
[{version}.1]
name = "{version}"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[{version}.1.connections]
connection_timeout_ms = 5000
max_payload_size = 131072
max_inflight_count = 100
[{version}.1.connections.auth]
"{username}" = "{password}"
"""
"""The wheel's own default listens on all addresses without a password; this one does not."""

TLS_OPTIONS = ("cafile", "certfile", "keyfile", "tls_version", "require_certificate", "use_identity_as_username")


class BrokerProcess:
    """A broker's command, its port, and its process while it runs; its log goes to broker.log in `folder`."""

    def __init__(self, command: Sequence[str], folder: Path, port: int) -> None:
        self.host = HOST
        self.port = port
        self.log = folder / "broker.log"
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.kill)

    def start(self) -> None:
        """Start, and return once the port answers. RuntimeError when it does not within START_S."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        deadline_s = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                self.kill()
                raise RuntimeError(f"no broker on {self.host}:{self.port}:\n{self.log.read_text()[-2000:]}")
            # Another process's port says nothing when it opens: asking is the only way to know, and this is the pause between.
            time.sleep(0.02)

    def stop(self) -> None:
        """End the process as an administrator would; nothing happens when it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the process as a crash would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let the process stand still with its sockets open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((self.host, self.port)) == 0

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("the broker does not run")
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()


class EmbeddedBroker(BrokerProcess):
    """iotcore: no Debian package needed; no TLS, no access list, and nothing survives its restart. `folder` holds its files.

    `version`: v5 for MQTT 5, v4 for MQTT 3.1.1.
    """

    def __init__(self, folder: Path, *, username: str, password: str, version: str = "v5") -> None:
        port = free_port()
        config = folder / "iotcore.toml"
        text = EMBEDDED.format(host=HOST, port=port, username=username, password=password, version=version)
        _write_private(config, text)
        super().__init__([sys.executable, "-m", "sim.broker", str(config)], folder, port)


class MosquittoBroker(BrokerProcess):
    """Mosquitto under hw/broker's files for one city. `pki`: folder made by `sim.pki`; without it `users`: name to password."""

    def __init__(
        self,
        program: Path,
        folder: Path,
        *,
        city: str,
        pki: Path | None = None,
        users: Mapping[str, str] | None = None,
    ) -> None:
        port = free_port()
        words = {"PORT": str(port), "ADDRESS": HOST, "PKI": str(pki), "STATE": str(folder), "ACL": str(folder / "acl")}
        lines = _filled("mosquitto.conf", words).splitlines()
        if pki is None:
            lines = [line for line in lines if line.split(" ")[0] not in TLS_OPTIONS]
            lines.append(f"password_file {folder / 'passwords'}")
            _write_private(folder / "passwords", "".join(f"{u}:{_hashed(p)}\n" for u, p in (users or {}).items()))
        if os.geteuid() == 0:
            # Started by root it would become another user, who cannot read the files of a test.
            lines.append("user root")
        _write_private(folder / "mosquitto.conf", "\n".join(lines) + "\n")
        _write_private(folder / "acl", _filled("acl", {"CITY": city}))
        super().__init__([str(program), "-c", str(folder / "mosquitto.conf")], folder, port)


def _filled(file: str, words: Mapping[str, str]) -> str:
    text = (FILES / file).read_text()
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text


def _hashed(password: str) -> str:
    """A password in the form of mosquitto_passwd: PBKDF2 with SHA-512."""
    salt, rounds = os.urandom(12), 101
    derived = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, 64)
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"


def _write_private(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def free_port() -> int:
    """A port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _serve_embedded(config: str) -> None:
    """Runs iotcore in this process until the parent's end of stdin closes: it has no way to stop."""
    from iotcore import IotCoreBroker

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    IotCoreBroker(config_path=config).run_forever()


if __name__ == "__main__":
    _serve_embedded(sys.argv[1])
