"""The one thread of ours: work goes in by a bounded queue, results come back to the event loop.

Owns the thread and its two edges. Rules: items are worked on in order, one at a time; the first exception ends the thread and
is handed to the loop, since after it nothing in memory may be believed. Refuses to know what the work is.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

QUEUE_MAX = 64
"""Items waiting: far more than one commit's time of bus traffic; when it is full the bus waits, and the nodes keep events."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The work raised; the thread has ended."""

    error: BaseException


class Worker(Generic[Item, Result]):
    """Runs `work(item)` in its own thread and calls `done(item, result or Failure)` in the loop that started it."""

    def __init__(self, work: Callable[[Item], Result], done: Callable[[Item, Result | Failure], None]) -> None:
        self._work = work
        self._done = done
        self._queue: queue.Queue[Item | None] = queue.Queue(QUEUE_MAX)
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin to work; call it inside the loop that takes the results."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether another item would be refused."""
        return self._queue.full()

    def submit(self, item: Item) -> bool:
        """Queue an item; False if there is no room."""
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            return False
        return True

    async def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        if self._thread.is_alive():
            await asyncio.to_thread(self._queue.put, None)
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                result: Result | Failure = self._work(item)
            except BaseException as error:
                result = Failure(error)
            self._loop.call_soon_threadsafe(self._done, item, result)
            if isinstance(result, Failure):
                return
