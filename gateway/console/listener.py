"""The console's connection to the broker: subscribes, hands each message to one function, and sends what it is given.

Owns the paho client of the console's own process. Rules: it ends on a signal or when the broker refuses; a broker that is away
is waited for, and nothing is kept to be sent later. Refuses to know what the messages mean.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

KEEPALIVE_S = 15
RECONNECT_S_MAX = 8
"""A person waits in front of it; the library's own two minutes are for machines."""


class BrokerRefusedError(Exception):
    """The broker does not let this console in; the text says why and what to do."""


class Listener:
    """One connection: `on_message(topic, payload)` for each arrival, `on_link(up)` as the connection comes and goes."""

    def __init__(
        self,
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
        on_link: Callable[[bool], None] = lambda _up: None,
    ) -> None:
        self._where = (host, port)
        self._filters = filters
        self._on_message = on_message
        self._on_link = on_link
        self._accepted = False
        self._stopped = False
        self._client = client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        if username:
            client.username_pw_set(username, password)
        if ca is not None:
            context = ssl.create_default_context(cafile=ca)
            if certificate is not None:
                context.load_cert_chain(certificate, key)
            client.tls_set_context(context)
        client.reconnect_delay_set(1, RECONNECT_S_MAX)
        client.on_socket_open = self._socket_opened
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._arrived

    def run(self) -> None:
        """Listen until `stop` or an interrupt. Raises BrokerRefusedError, or OSError if there is no broker."""
        # Each time: the library's own choice is only the first, and a nameless client has no session to come back to.
        self._client.connect(*self._where, KEEPALIVE_S, clean_start=True)
        if self._stopped:
            # It was said before there was a connection, and connecting has made the library forget it.
            self._client.disconnect()
        self._client.loop_forever()

    def publish(self, topic: str, payload: bytes, expiry_s: int) -> bool:
        """Send with QoS 1 from any thread; False if there is no connection now. The broker may still refuse it in silence."""
        if not self._client.is_connected():
            return False
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = expiry_s
        properties.ContentType = "application/json"
        return self._client.publish(topic, payload, 1, properties=properties).rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    def stop(self) -> None:
        """Leave the broker; `run` returns, also one that has not begun. From any thread."""
        self._stopped = True
        self._client.disconnect()

    def _socket_opened(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            raise BrokerRefusedError(f"{self._name}: {reason}; check user, password file and certificate")
        self._accepted = True
        self._on_link(True)
        # Retained state at QoS 0: some brokers stop handing out retained messages after a window of QoS 1.
        client.subscribe([(wanted, 0) for wanted in self._filters])

    def _disconnected(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        # Some brokers hang up on a wrong login without a word; trying again would be refused for ever.
        if not self._accepted and not self._stopped:
            raise BrokerRefusedError(f"{self._name}: hung up ({reason}); check user, password file and certificate")
        self._on_link(False)

    def _arrived(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload))

    @property
    def _name(self) -> str:
        return f"{self._where[0]}:{self._where[1]}"


def listen(**options: Any) -> None:
    """Listen with these options of a Listener until interrupted. Raises as its `run` does."""
    Listener(**options).run()
