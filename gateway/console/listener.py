"""The console's connection to the broker: subscribes, and hands each message to one function.

Owns the paho client of the console's own process. Rules: read-only; ends on a signal or when the broker refuses; a broker
that is away is waited for. Refuses to know what the messages mean.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

KEEPALIVE_S = 15


class BrokerRefusedError(Exception):
    """The broker does not let this console in; the text says why and what to do."""


def listen(
    *,
    host: str,
    port: int,
    filters: Sequence[str],
    on_message: Callable[[str, bytes], None],
    username: str = "",
    password: str = "",
    ca: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Call `on_message(topic, payload)` until interrupted. Raises BrokerRefusedError, or OSError if there is no broker."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    accepted: list[bool] = []
    if username:
        client.username_pw_set(username, password)
    if ca is not None:
        context = ssl.create_default_context(cafile=ca)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
        client.tls_set_context(context)

    def on_socket_open(_client: paho.Client, _data: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def on_connect(client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            raise BrokerRefusedError(f"{host}:{port}: {reason}; check user, password file and certificate")
        accepted.append(True)
        # Retained state at QoS 0: some brokers stop handing out retained messages after a window of QoS 1.
        client.subscribe([(wanted, 0) for wanted in filters])

    def on_disconnect(_client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        # Some brokers hang up on a wrong login without a word; trying again would be refused for ever.
        if not accepted:
            raise BrokerRefusedError(f"{host}:{port}: hung up ({reason}); check user, password file and certificate")

    def on_arrival(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        on_message(message.topic, bytes(message.payload))

    client.on_socket_open = on_socket_open
    client.on_connect = on_connect
    client.on_disconnect = on_disconnect
    client.on_message = on_arrival
    # Each time: the library's own choice is only the first, and a nameless client has no session to come back to.
    client.connect(host, port, KEEPALIVE_S, clean_start=True)
    client.loop_forever()
