"""One paho client with its own network thread, and the values that leave it.

Rules: callbacks run in the network thread: they hand a frozen value to the event loop, take no lock (paho holds its own around
them) and may not raise; the public methods run in the loop's thread; both sides share only plain flags and counters, each
written by one of them. Keeps no window and no queue: `mqtt.Link` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

SESSION_EXPIRY_S = 3600
"""What the city sends survives an outage of an hour; all that matters is repeated by its sender anyway."""
WILL_DELAY_S = 20
"""A quick reconnect shows no flap."""
RECONNECT_MIN_S = 1
RECONNECT_MAX_S = 30
"""Doubling from one to the other: a broker that comes back is not met by all gateways at once, nor left alone for long."""
RECEIVE_MAX = 20
"""Messages that the broker may have under way to us."""
PACKET_BYTES_MAX = 262_144
"""Four bodies of the largest size: what is longer is no message of ours."""
HANDED_MAX = 256
"""Arrivals on their way to the event loop; a loop that stands still must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who we are to it. With `ca` the link uses TLS and never falls back to plain text."""

    host: str
    port: int
    client_id: str
    username: str = ""
    password: str = ""
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection stands; `connection` counts this link's attempts, the will of this one carries the same number."""

    connection: int
    session_present: bool


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone, and with it whatever was in flight."""

    reason: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message on one of the subscriptions."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker said no: to a publish or subscription on this topic, or to the connection itself (empty topic)."""

    topic: str
    reason: str


@dataclass(frozen=True, slots=True)
class Acked:
    """The broker has taken the publish with this id; the window has room again. This is no receipt."""

    mid: int


LinkEvent = Connected | Disconnected | Arrived | Refused | Acked


@dataclass(frozen=True, slots=True)
class Terms:
    """What every client of a link is made from."""

    broker: Broker
    subscriptions: tuple[str, ...]
    state_topic: str
    will: Callable[[int], bytes]
    keepalive_s: int


@dataclass(frozen=True, slots=True)
class Settled:
    """A publish is over: with the broker's refusal, or '' when it was taken (QoS 0: when it was written)."""

    mid: int
    refusal: str


class BrokerClient:
    """One paho client; `connection` is the number of its latest attempt, `dropped` counts arrivals the loop had no time for."""

    def __init__(
        self,
        terms: Terms,
        connection: int,
        loop: asyncio.AbstractEventLoop,
        take: Callable[[BrokerClient, LinkEvent | Settled], None],
    ) -> None:
        self.connection = connection
        self.dropped = 0
        self._terms = terms
        self._loop = loop
        self._take = take
        self._cut = False
        self._received = self._stirred = False
        self._handed = self._taken = 0
        self._filters: dict[int, str] = {}
        self._client = self._make()

    def connect(self) -> None:
        """Start the network thread, which connects and reconnects."""
        broker = self._terms.broker
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAX
        properties.MaximumPacketSize = PACKET_BYTES_MAX
        self._client.connect_async(
            broker.host, broker.port, self._terms.keepalive_s, clean_start=False, properties=properties
        )
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> int:
        """Paho's message id, or 0 when paho did not take it."""
        info = self._client.publish(topic, payload, qos, retain)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else 0

    def take_sign(self, online: bool) -> bool:
        """Whether there was a sign of life since the last call: a packet received, or while not connected any stirring."""
        sign = self._received or (self._stirred and not online)
        self._received = self._stirred = False
        return sign

    def disconnect(self) -> None:
        """Say goodbye to the broker; the network thread ends with the connection."""
        self._client.disconnect()

    def cut(self) -> None:
        """Leave this client for good. Its thread ends by itself; joining it could wait for a broker that does not answer."""
        self._cut = True
        sock = self._client.socket()
        self._client.disconnect()
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _make(self) -> paho.Client:
        broker = self._terms.broker
        client = paho.Client(CallbackAPIVersion.VERSION2, broker.client_id, protocol=paho.MQTTv5)
        client.suppress_exceptions = True
        # No limit inside paho: it would count messages that a reconnect dropped. The link keeps the window.
        client.max_inflight_messages_set(0)
        client.reconnect_delay_set(RECONNECT_MIN_S, RECONNECT_MAX_S)
        if broker.username:
            client.username_pw_set(broker.username, broker.password)
        if broker.ca is not None:
            context = ssl.create_default_context(cafile=broker.ca)
            if broker.certificate is not None:
                context.load_cert_chain(broker.certificate, broker.key)
            client.tls_set_context(context)
        client.on_socket_open = self._on_socket_open
        client.on_pre_connect = self._on_pre_connect
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_log = self._on_log
        return client

    def _hand_over(self, event: LinkEvent | Settled) -> None:
        if isinstance(event, Arrived) and self._handed - self._taken >= HANDED_MAX:
            self.dropped += 1
            return
        self._handed += 1
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._receive, event)

    def _receive(self, event: LinkEvent | Settled) -> None:
        self._taken += 1
        self._take(self, event)

    def _on_socket_open(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        # Without it a round trip takes 40 ms more: Nagle waits for the delayed acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_pre_connect(self, client: paho.Client, _data: Any) -> None:
        self.connection += 1
        if self._cut:
            # Paho forgets a disconnect that came while it began to connect, and would go on trying for ever.
            client.disconnect()
            return
        properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
        properties.WillDelayInterval = WILL_DELAY_S
        client.will_set(self._terms.state_topic, self._terms.will(self.connection), 1, True, properties)

    def _on_connect(self, client: paho.Client, _data: Any, flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if self._cut:
            client.disconnect()
        elif reason.is_failure:
            self._hand_over(Refused("", str(reason)))
        else:
            client.drop_out_messages()
            self._hand_over(Connected(self.connection, flags.session_present))
            for wanted in self._terms.subscriptions:
                _, mid = client.subscribe(wanted, options=SubscribeOptions(qos=1))
                self._filters[mid or 0] = wanted

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        self._filters.clear()
        self._hand_over(Disconnected(str(reason)))

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        wanted = self._filters.pop(mid, "")
        for reason in reasons:
            if reason.is_failure:
                self._hand_over(Refused(wanted, str(reason)))

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._hand_over(Arrived(message.topic, bytes(message.payload)))

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        self._hand_over(Settled(mid, str(reason) if reason.is_failure else ""))

    def _on_log(self, _client: paho.Client, _data: Any, _level: int, line: str) -> None:
        self._stirred = True
        if line.startswith("Received"):
            self._received = True
