"""The line to a city that speaks Hangzhou's own protocol, beside the line to ours: calls by HTTP, pushes by MQTT.

Owns the order on the loop: what was read is posted, what was answered becomes a step, a push is acknowledged to the broker
once its step is committed. Rules: nothing waits here that ledger or city could not give again; a full worker makes this line
wait, not the bus. Refuses to know rules, records and cryptography.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.core.events import Event
from gateway.core.platform_events import Push
from gateway.core.platform_state import Asked, KeptPush, Work
from gateway.engine import Outcome
from gateway.forms import Rejection
from gateway.hangzhou_config import HangzhouPart
from gateway.shell.broker_client import Broker
from gateway.shell.clock import Clock
from gateway.shell.http_post import Target, post
from gateway.shell.push_client import PushClient, Pushed, PushEvent, Subscribed, Unsubscribed
from gateway.sync.hangzhou.envelope import read_answer
from gateway.sync.hangzhou.pushes import Pushes
from gateway.sync.hangzhou.sender import Post, Sender
from gateway.sync.hangzhou.terms import Terms

log = logging.getLogger(__name__)

FULL_S = 0.2
"""Pause before another try when the worker has no room."""
PHOTO_BYTES_MAX = 393_216
"""What makes 512 KB in Base64."""


class HangzhouLine:
    """Runs both halves; `submit(events)` queues an engine step, `read(asked)` a read, both may refuse."""

    def __init__(
        self,
        part: HangzhouPart,
        terms: Terms,
        secret: str,
        *,
        clock: Clock,
        submit: Callable[[tuple[Event, ...]], bool],
        read: Callable[[Asked], bool],
    ) -> None:
        self._part = part
        self._clock = clock
        self._submit = submit
        self._read = read
        self._target = Target.of(part.base_url)
        self._pushes = Pushes(terms)
        self._sender = Sender(terms, self._pushes, self._photo)
        broker = Broker(part.mqtt_host, part.mqtt_port, part.mqtt_client_id, part.access_id, secret)
        clean = part.unwritten.clean_session
        self._client = PushClient(broker, terms.topics(), clean_session=clean, take=self._happened)
        self._unacked: dict[tuple[str, str], list[Pushed]] = {}
        self._waiting: deque[Push] = deque()
        self._stirred = asyncio.Event()
        self._given: asyncio.Future[Work] | None = None
        self._was_down = False
        self._head_n = 0
        self.subscriptions = 0
        """How often the city's broker took the subscriptions."""

    def start(self, waiting: Sequence[KeptPush]) -> None:
        """Take up what waited in the ledger, and begin to connect; call inside the running loop."""
        for warning in self._part.warnings():
            log.warning("hangzhou: %s", warning)
        for kept in waiting:
            event = self._pushes.again(kept)
            if isinstance(event, Rejection):
                log.error("the kept push %s can't be read any more: %s", kept.request, event)
            else:
                self._waiting.append(event)
        self._client.start()

    async def serve(self) -> None:
        """Send and receive, for ever."""
        while True:
            await self._enter_waiting()
            if not await self._send():
                delay_s = max(0, self._sender.wake_ms(self._clock.now_ms()) - self._clock.now_ms()) / 1000
                self._stirred.clear()
                with contextlib.suppress(TimeoutError):
                    # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
                    async with asyncio.timeout(delay_s):
                        await self._stirred.wait()

    def stop(self) -> None:
        """Leave the city's broker."""
        self._client.stop()

    def given(self, work: Work) -> None:
        """The read that was asked for."""
        if self._given is not None and not self._given.done():
            self._given.set_result(work)

    def took(self, outcome: Outcome, events: Sequence[Event]) -> None:
        """A step was committed: its pushes are safe, and the ledger may hold something new."""
        new = outcome.head_n != self._head_n
        self._head_n = outcome.head_n
        for event in events:
            if isinstance(event, Push):
                new = True
                for push in self._unacked.pop((event.origin.request, event.origin.digest), []):
                    self._client.ack(push)
        if new:
            self._sender.committed()
            self._stirred.set()

    async def _send(self) -> bool:
        """One read, one call; False if there was nothing to do."""
        asked = self._sender.wanted(self._clock.now_ms(), self._wall_ms)
        if asked is not None:
            work = await self._ask(asked)
            await self._enter(self._sender.give(work, self._clock.now_ms()))
        call = self._sender.post(self._clock.now_ms(), self._wall_ms)
        if call is None:
            return asked is not None
        if not isinstance(call, Post):
            await self._enter([call])
            return True
        body = b""
        for step in call.steps:
            body += step
            await asyncio.sleep(0)
        answer = await post(self._target, call.path, body)
        read = read_answer(*answer) if answer is not None else None
        events = self._sender.answered(read, self._clock.now_ms(), self._wall_ms)
        if read is not None and not read.ok:
            log.warning("%s: HTTP %d, resultCode %s: %s", call.name, read.status, read.code, read.message)
        if self._sender.down != self._was_down:
            self._was_down = self._sender.down
            log.warning("the city's platform %s", "does not answer" if self._was_down else "answers again")
        await self._enter(events)
        return True

    async def _ask(self, asked: Asked) -> Work:
        self._given = asyncio.get_running_loop().create_future()
        while not self._read(asked):
            await asyncio.sleep(FULL_S)
        return await self._given

    async def _enter(self, events: Sequence[Event]) -> None:
        while events and not self._submit(tuple(events)):
            await asyncio.sleep(FULL_S)

    async def _enter_waiting(self) -> None:
        while self._waiting:
            await self._enter([self._waiting.popleft()])

    def _happened(self, event: PushEvent) -> None:
        match event:
            case Subscribed():
                log.info("subscribed at the city's own broker")
                self.subscriptions += 1
                self._sender.subscribed()
            case Unsubscribed():
                log.warning("the city's own broker is lost: %s", event.reason)
            case Pushed():
                self._arrived(event)
        self._stirred.set()

    def _arrived(self, push: Pushed) -> None:
        found = self._pushes.receive(push.topic, push.payload)
        if found is None or isinstance(found, Rejection):
            # It would come again for ever, and is no better then.
            if found is not None:
                log.warning("push on %s rejected: %s", push.topic, found)
            self._client.ack(push)
            return
        self._unacked.setdefault((found.origin.request, found.origin.digest), []).append(push)
        if self._waiting or not self._submit((found,)):
            self._waiting.append(found)

    def _photo(self, name: str) -> bytes | None:
        folder = self._part.photo_folder
        path = folder / Path(name).name if folder is not None else None
        try:
            if path is None or path.stat().st_size > PHOTO_BYTES_MAX:
                return None
            return path.read_bytes()
        except OSError:
            return None

    @property
    def _wall_ms(self) -> int:
        return self._clock.moment().wall_ms
