"""The subscriber at a city's own broker: MQTT 3.1.1, QoS 1, each message acknowledged by hand after it was committed.

Rules: callbacks run in paho's network thread and only hand frozen values to the loop; a message that finds no room is dropped
unacknowledged, so that the broker brings it again with the next connection; acknowledgements go out in the order of arrival,
each on the connection that brought its message and no other. Refuses to know topics and contents.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from gateway.shell.broker_client import Broker

KEEPALIVE_S = 60
"""The known client pings each 300 s; a dead line is found sooner by asking oftener, and no broker minds."""
RECONNECT_MIN_S = 1
RECONNECT_MAX_S = 30
HANDED_MAX = 256
"""Messages on their way to the loop, and of those committed none: far above what a lot gets in a minute."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A message; `connection` and `mid` are for its acknowledgement."""

    topic: str
    payload: bytes
    connection: int
    mid: int


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The subscriptions stand; what was pushed before may be lost."""


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """The line is down, or the broker refused it."""

    reason: str


PushEvent = Pushed | Subscribed | Unsubscribed


class PushClient:
    """Make it and call `start` inside a running loop; `take` gets what happens, in that loop."""

    def __init__(
        self, broker: Broker, topics: tuple[str, ...], *, clean_session: bool, take: Callable[[PushEvent], None]
    ) -> None:
        self.dropped = 0
        self._broker = broker
        self._topics = topics
        self._take = take
        self._handed = 0
        self._taken = 0
        self._connection = 0
        self._order: deque[tuple[int, int]] = deque()
        self._safe: set[tuple[int, int]] = set()
        self._client = self._make(clean_session)

    def start(self) -> None:
        """Begin to connect; goes on trying until `stop`."""
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_S)
        self._client.loop_start()

    def ack(self, push: Pushed) -> None:
        """A message is safe: the broker is told in the order of their coming, as it may demand [MQTT-4.6.0-2]."""
        if push.connection != self._connection:
            return
        self._safe.add((push.connection, push.mid))
        while self._order and self._order[0] in self._safe:
            first = self._order.popleft()
            self._safe.discard(first)
            self._client.ack(first[1], 1)

    def stop(self) -> None:
        """Say goodbye, behind the acknowledgements under way; the thread ends by itself, or with the process."""
        self._client.disconnect()

    def _make(self, clean_session: bool) -> paho.Client:
        broker = self._broker
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            broker.client_id,
            clean_session=clean_session,
            protocol=paho.MQTTv311,
            manual_ack=True,
        )
        client.suppress_exceptions = True
        client.reconnect_delay_set(RECONNECT_MIN_S, RECONNECT_MAX_S)
        client.username_pw_set(broker.username, broker.password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _hand_over(self, event: PushEvent) -> None:
        if isinstance(event, Pushed) and self._handed - self._taken >= HANDED_MAX:
            self.dropped += 1
            return
        self._handed += 1
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._receive, event)

    def _receive(self, event: PushEvent) -> None:
        self._taken += 1
        if isinstance(event, Pushed):
            self._order.append((event.connection, event.mid))
        else:
            # With its connection a message is gone; it comes again under another number.
            self._order.clear()
            self._safe.clear()
        self._take(event)

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._hand_over(Unsubscribed(str(reason)))
            return
        self._connection += 1
        client.subscribe([(topic, 1) for topic in self._topics])
        self._hand_over(Subscribed())

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        self._connection += 1
        self._hand_over(Unsubscribed(str(reason)))

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._hand_over(Pushed(message.topic, bytes(message.payload), self._connection, message.mid))
