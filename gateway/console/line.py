"""A short connection to the broker: subscribe, send, wait for what comes, leave.

Owns the paho client of one command. Rules: what the broker refuses is an error at once; arrivals wait in a bounded queue;
nothing is tried again after the connection is lost, since a person stands before it. Refuses to know what the messages mean.
"""

from __future__ import annotations

import queue
import socket
import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.console.profile import Access

KEEPALIVE_S = 15
CONNECT_S = 10
ARRIVALS_MAX = 50_000
"""Retained messages of a city's gateways, five for each of ten thousand."""


class LineError(Exception):
    """There is no broker, it does not let us in, or it went away; the text says what to do."""


class Line:
    """Use it in a `with`: on entry it is connected and subscribed. `filters`: topic filter and QoS. Raises LineError."""

    def __init__(self, access: Access, filters: Sequence[tuple[str, int]]) -> None:
        self._access = access
        self._filters = list(filters)
        self._arrived: queue.Queue[tuple[str, bytes]] = queue.Queue(ARRIVALS_MAX)
        self._settled: queue.Queue[str] = queue.Queue()
        self._client = self._make()

    def __enter__(self) -> Self:
        access = self._access
        try:
            self._client.connect(access.host, access.port, KEEPALIVE_S, clean_start=True)
        except OSError as error:
            raise LineError(f"{access.host}:{access.port}: {error}; is the broker there?") from None
        self._client.loop_start()
        self._settle("it does not answer")
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        # Its thread ends with the connection; to wait for that would take a second more.
        self._client.disconnect()

    def next(self, timeout_s: float) -> tuple[str, bytes] | None:
        """The next message, None if none came in time."""
        try:
            return self._arrived.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None

    def publish(self, topic: str, payload: bytes, expiry_s: int) -> None:
        """Send a message with QoS 1; returns once the broker has it."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = expiry_s
        properties.ContentType = "application/json"
        self._client.publish(topic, payload, 1, properties=properties)
        self._settle(f"it did not take the message on {topic}")

    def _settle(self, else_told: str) -> None:
        """Wait for the broker's word on the last request."""
        where = f"{self._access.host}:{self._access.port}"
        try:
            told = self._settled.get(timeout=CONNECT_S)
        except queue.Empty:
            raise LineError(f"{where}: {else_told}") from None
        if told:
            raise LineError(f"{where}: {told}")

    def _make(self) -> paho.Client:
        access = self._access
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False)
        client.suppress_exceptions = True
        if access.username:
            client.username_pw_set(access.username, access.password)
        if access.ca is not None:
            try:
                context = ssl.create_default_context(cafile=access.ca)
                if access.certificate is not None:
                    context.load_cert_chain(access.certificate, access.key)
            except OSError as error:
                raise LineError(f"{access.ca}, {access.certificate}: {error}; look at the profile's files") from None
            client.tls_set_context(context)
        client.on_socket_open = self._on_socket_open
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    def _on_socket_open(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._settled.put(f"{reason}; check user, password file and certificate in the profile")
        elif not self._filters:
            self._settled.put("")
        else:
            client.subscribe([(wanted, SubscribeOptions(qos=qos)) for wanted, qos in self._filters])

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._settled.put(f"hung up ({reason}); check user, password file and certificate in the profile")

    def _on_subscribe(self, _client: paho.Client, _data: Any, _mid: int, reasons: list[Any], _properties: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        self._settled.put(f"subscription refused ({refused[0]}); look at the broker's access list" if refused else "")

    def _on_publish(self, _client: paho.Client, _data: Any, _mid: int, reason: Any, _properties: Any) -> None:
        self._settled.put(f"message refused ({reason}); look at the broker's access list" if reason.is_failure else "")

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if not self._arrived.full():
            self._arrived.put_nowait((message.topic, bytes(message.payload)))
