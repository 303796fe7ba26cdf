"""The link to the broker, as the event loop sees it: publish within a window, take events from one bounded queue.

Rules: all of it runs in the loop's thread; nothing is queued for sending: `publish` says no when the window is full or the link
is down, and a new connection forgets what was in flight, since its owner sends again after `Connected`; a link that hears
nothing for `deaf_s` is thrown away and rebuilt. Topics and bodies are only text and bytes here; paho is behind `broker_client`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.shell.broker_client import (
    Acked,
    Arrived,
    Broker,
    BrokerClient,
    Connected,
    Disconnected,
    LinkEvent,
    Refused,
    Settled,
    Terms,
)

__all__ = ["Acked", "Arrived", "Broker", "Connected", "Disconnected", "Link", "LinkEvent", "Refused"]

WINDOW = 8
"""Publishes without the broker's acknowledgement: below any broker's receive maximum."""
LOSSY_MAX = 64
"""QoS 0 publishes not yet written to the socket: a minute of the live view; a stalled link must not fill the memory."""
EVENTS_MAX = 256
"""Events that wait for the engine: ten seconds of a busy stream down."""
KEEPALIVE_S = 15
DEAF_S = 45
"""Three keep-alives; also above paho's longest silence while it tries to connect (30 s of waiting and 5 s of connecting)."""
FAREWELL_S = 2
"""How long each half of a clean stop waits for the broker: the system grants five seconds for everything."""


@dataclass(slots=True)
class Counts:
    """Events dropped because the engine did not take them, publishes and subscriptions refused, clients rebuilt."""

    dropped: int = 0
    refused: int = 0
    rebuilt: int = 0


class Link:
    """One client of the broker. Make it and call `start` inside a running loop; take what happens from `events`.

    `will(connection)` gives the body that the broker publishes, retained, on `state_topic` when that connection is lost.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        subscriptions: Sequence[str],
        state_topic: str,
        will: Callable[[int], bytes],
        keepalive_s: int = KEEPALIVE_S,
        deaf_s: float = DEAF_S,
    ) -> None:
        self.events: asyncio.Queue[LinkEvent] = asyncio.Queue(EVENTS_MAX)
        self.counts = Counts()
        self._terms = Terms(broker, tuple(subscriptions), state_topic, will, keepalive_s)
        self._deaf_s = deaf_s
        self._flight: dict[int, str] = {}
        self._lossy: dict[int, str] = {}
        self._online = False
        self._quiet = asyncio.Event()

    def start(self) -> None:
        """Begin to connect; goes on trying until `stop`."""
        self._loop = asyncio.get_running_loop()
        self._client = BrokerClient(self._terms, 0, self._loop, self._take)
        self._client.connect()
        self._heard_s = self._loop.time()
        self._watch = self._loop.call_later(self._deaf_s / 4, self._look)

    @property
    def room(self) -> int:
        """How many QoS 1 publishes the window takes now; 0 while not connected."""
        return WINDOW - len(self._flight) if self._online else 0

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> int | Literal[False]:
        """The id under which `Acked` or `Refused` will follow, or False: not connected, or no room in the window."""
        pending, limit = (self._flight, WINDOW) if qos else (self._lossy, LOSSY_MAX)
        if not self._online or len(pending) >= limit:
            return False
        mid = self._client.publish(topic, payload, qos, retain)
        if mid:
            pending[mid] = topic
            self._quiet.clear()
        return mid or False

    async def stop(self, farewell: bytes = b"") -> None:
        """Publish the farewell, retained, on the state topic, disconnect, and be done within 2 * FAREWELL_S."""
        self._watch.cancel()
        if farewell and self.publish(self._terms.state_topic, farewell, 1, True):
            await self._within_farewell()
        if self._online:
            self._quiet.clear()
            self._client.disconnect()
            await self._within_farewell()
        self._client.cut()

    async def _within_farewell(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), FAREWELL_S)

    def _take(self, client: BrokerClient, happened: LinkEvent | Settled) -> None:
        """What a client handed over, now in the loop's thread."""
        if client is not self._client:
            return
        event = self._settle(happened) if isinstance(happened, Settled) else happened
        if isinstance(event, Connected | Disconnected):
            self._online = isinstance(event, Connected)
            self._flight.clear()
            self._lossy.clear()
        if not self._flight:
            self._quiet.set()
        if isinstance(event, Refused):
            self.counts.refused += 1
        if event is not None:
            self._queue(event)

    def _settle(self, settled: Settled) -> LinkEvent | None:
        if self._lossy.pop(settled.mid, None) is not None:
            return None
        topic = self._flight.pop(settled.mid, None)
        if topic is None:
            return None
        return Refused(topic, settled.refusal) if settled.refusal else Acked(settled.mid)

    def _queue(self, event: LinkEvent) -> None:
        """Queue an event. With no room it is dropped, its sender repeats it; but a change of connection is never dropped."""
        if self.events.full():
            self.counts.dropped += 1
            if not isinstance(event, Connected | Disconnected):
                return
            self.events.get_nowait()
        self.events.put_nowait(event)

    def _look(self) -> None:
        """The watchdog: `is_connected` stays true after paho's thread died, so it goes by what was heard."""
        if self._client.take_sign(self._online):
            self._heard_s = self._loop.time()
        elif self._loop.time() - self._heard_s >= self._deaf_s:
            self._rebuild()
        self._watch = self._loop.call_later(self._deaf_s / 4, self._look)

    def _rebuild(self) -> None:
        self.counts.rebuilt += 1
        self._heard_s = self._loop.time()
        if self._online:
            self._take(self._client, Disconnected("deaf"))
        self._client.cut()
        self._client = BrokerClient(self._terms, self._client.connection, self._loop, self._take)
        self._client.connect()
