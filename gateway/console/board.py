"""The picture on the wall: one thread writes what is heard, many read what is new to them.

Owns the lock around the picture and the link's state, and the news that one reader gets: only what changed since that reader
looked last, however much was heard between. Rules: nothing is done for a message but to take it. Knows no HTTP and no broker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from gateway.console.picture import Json, Picture
from gateway.messages import Meta, Presence

HEARTBEAT_MS = 2_000
"""A reader that hears nothing for three of these may say that the connection is lost."""
WHOLE_MS = 60_000
"""All is sent again each minute: sums over the last hour change without any message."""


@dataclass(slots=True)
class Reader:
    """How far one reader has read, and the gateway whose lot it has open ('' for none)."""

    gateway: str = ""
    revision: int = -1
    told_ms: int = 0
    whole_ms: int = 0
    up: bool | None = None


class Board:
    """The picture of a city for many readers. `now_ms` gives UTC; `acts` says whether commands can be sent from here."""

    def __init__(self, city: str, now_ms: Callable[[], int], *, acts: bool = False) -> None:
        self.now_ms = now_ms
        self._acts = acts
        self._picture = Picture(city)
        self._lock = threading.Lock()
        self._up = False
        self._since_ms = now_ms()

    def hear(self, topic: str, payload: bytes) -> None:
        """A message from the broker."""
        with self._lock:
            self._picture.take(topic, payload, self.now_ms())

    def link(self, up: bool) -> None:
        """The connection to the broker came or went."""
        with self._lock:
            if up:
                self._picture.reconnected()
            self._up, self._since_ms = up, self.now_ms()

    def met(self, gateway: str) -> tuple[Meta | None, Presence | None]:
        """What a gateway said it is, and whether it is there; None for what is not known."""
        with self._lock:
            return self._picture.met(gateway)

    def whole(self) -> Json:
        """The overview, for scripts."""
        with self._lock:
            return {**self._picture.as_json(self.now_ms()), **self._link()}

    def news(self, reader: Reader) -> Json | None:
        """What this reader has not seen, or None if that is nothing and it need not hear that we live."""
        now_ms = self.now_ms()
        with self._lock:
            picture = self._picture
            if now_ms - reader.whole_ms >= WHOLE_MS:
                reader.revision, reader.whole_ms = -1, now_ms
            changed = picture.changed(reader.revision)
            if not changed and reader.up is self._up and now_ms - reader.told_ms < HEARTBEAT_MS:
                return None
            news: Json = {"city": picture.city, "now_ms": now_ms, "acts": self._acts, **self._link()}
            news["rejected"] = picture.rejected.total()
            news["rows"] = [picture.row(name, now_ms) for name in changed]
            if reader.gateway in changed:
                news["lot"] = picture.lot(reader.gateway, now_ms)
            reader.revision, reader.told_ms, reader.up = picture.revision, now_ms, self._up
            return news

    def _link(self) -> Json:
        return {"broker": self._up, "broker_ms": self._since_ms}
