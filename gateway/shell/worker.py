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

CROWDED = QUEUE_MAX // 4
"""Items from which on the rest of the room is for the bus: what it has read nobody can hold back."""

FILLING = QUEUE_MAX * 3 // 4
"""Items from which on the bus waits too: the rest is for the replies outstanding on each bus, and for spent budgets."""

STOP_S = 10.0
"""A queue of commits takes a second; a disk that stalls for ten must not keep the process from ending."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The work raised; the thread has ended."""

    error: BaseException


class Worker(Generic[Item, Result]):
    """Runs `work(item)` in its own thread and calls `done(item, result or Failure)` in the loop that started it."""

    def __init__(self, work: Callable[[Item], Result], done: Callable[[Item, Result | Failure], None]) -> None:
        self._work = work
        self._done = done
        # One place more than items may take, so that the end always finds room.
        self._queue: queue.Queue[Item | None] = queue.Queue(QUEUE_MAX + 1)
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin to work; call it inside the loop that takes the results."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @property
    def filling(self) -> bool:
        """Whether even the bus should wait."""
        return self._queue.qsize() >= FILLING

    @property
    def crowded(self) -> bool:
        """Whether whoever can wait should."""
        return self._queue.qsize() >= CROWDED

    @property
    def waiting(self) -> bool:
        """Whether an item waits for the one that is being worked on."""
        return self._queue.qsize() > 0

    def submit(self, item: Item) -> bool:
        """Queue an item, from the loop's thread; False if there is no room, or nobody will come for it."""
        if self._stopping or self._queue.qsize() >= QUEUE_MAX:
            return False
        self._queue.put_nowait(item)
        return True

    async def stop(self) -> bool:
        """Finish what is queued and end the thread; False if it is still at work after STOP_S."""
        if not self._stopping:
            self._stopping = True
            self._queue.put_nowait(None)
        await asyncio.to_thread(self._thread.join, STOP_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                result: Result | Failure = self._work(item)
            except BaseException as error:
                result = Failure(error)
            self._loop.call_soon_threadsafe(self._done, item, result)
            if isinstance(result, Failure):
                return
