"""The one thread: in order, bounded, ended by its first exception, and an end that always comes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from gateway.shell import worker as worker_module
from gateway.shell.worker import QUEUE_MAX, Failure, Worker

WAIT_S = 20


class Bench:
    """A worker whose work squares numbers, waits at a gate, and fails at a negative one."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()
        self.threads: set[str] = set()
        self.done: asyncio.Queue[tuple[int, object]] = asyncio.Queue()
        self.worker: Worker[int, int] = Worker(self._work, lambda item, result: self.done.put_nowait((item, result)))

    def _work(self, item: int) -> int:
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        assert self.gate.wait(WAIT_S)
        if item < 0:
            raise ArithmeticError(item)
        return item * item

    async def take(self, count: int = 1) -> list[tuple[int, object]]:
        return [await asyncio.wait_for(self.done.get(), WAIT_S) for _ in range(count)]

    async def hold(self, item: int) -> None:
        """The thread is at work on the item and stays there until the gate opens."""
        self.gate.clear()
        assert self.worker.submit(item)
        assert await asyncio.to_thread(self.begun.wait, WAIT_S)


def run(story: Callable[[Bench], Awaitable[None]]) -> None:
    async def body() -> None:
        bench = Bench()
        bench.worker.start()
        await story(bench)

    asyncio.run(body())


def test_items_are_worked_on_in_order_in_a_thread_of_their_own() -> None:
    async def story(bench: Bench) -> None:
        assert all(bench.worker.submit(number) for number in range(QUEUE_MAX))
        assert await bench.take(QUEUE_MAX) == [(number, number * number) for number in range(QUEUE_MAX)]
        assert bench.threads == {"engine"}
        assert await bench.worker.stop()

    run(story)


def test_a_full_queue_refuses_and_takes_again_when_there_is_room() -> None:
    async def story(bench: Bench) -> None:
        await bench.hold(0)
        assert [bench.worker.submit(number) for number in range(1, QUEUE_MAX + 2)] == [True] * QUEUE_MAX + [False]
        assert bench.worker.filling
        assert bench.worker.crowded
        bench.gate.set()
        assert [item for item, _ in await bench.take(QUEUE_MAX + 1)] == list(range(QUEUE_MAX + 1))
        assert not bench.worker.filling
        assert not bench.worker.crowded
        assert bench.worker.submit(7)
        assert await bench.take() == [(7, 49)]
        assert await bench.worker.stop()

    run(story)


def test_the_first_exception_ends_the_thread_and_is_handed_over() -> None:
    async def story(bench: Bench) -> None:
        await bench.hold(2)
        bench.worker.submit(-1)
        bench.worker.submit(3)
        bench.gate.set()
        first, (item, failure) = await bench.take(2)
        assert (first, item) == ((2, 4), -1)
        assert isinstance(failure, Failure)
        assert isinstance(failure.error, ArithmeticError)
        assert await bench.worker.stop()
        assert bench.done.empty()

    run(story)


def test_stop_after_an_exception_ends_although_the_queue_is_full() -> None:
    async def story(bench: Bench) -> None:
        await bench.hold(-1)
        while bench.worker.submit(1):
            pass
        bench.gate.set()
        ((_, failure),) = await bench.take()
        assert isinstance(failure, Failure)
        assert await asyncio.wait_for(bench.worker.stop(), WAIT_S)

    run(story)


def test_stop_works_off_what_is_queued_and_takes_no_more() -> None:
    async def story(bench: Bench) -> None:
        await bench.hold(0)
        assert all(bench.worker.submit(number) for number in range(1, QUEUE_MAX + 1))
        stopping = asyncio.ensure_future(bench.worker.stop())
        await asyncio.wait({stopping}, timeout=0)
        assert not bench.worker.submit(10)
        bench.gate.set()
        assert await asyncio.wait_for(stopping, WAIT_S)
        assert [item for item, _ in await bench.take(QUEUE_MAX + 1)] == list(range(QUEUE_MAX + 1))
        assert not bench.worker.submit(11)
        assert await bench.worker.stop()
        assert bench.done.empty()

    run(story)


def test_stop_does_not_wait_for_ever_for_a_stalled_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "STOP_S", 0.05)

    async def story(bench: Bench) -> None:
        await bench.hold(3)
        assert not await asyncio.wait_for(bench.worker.stop(), WAIT_S)
        bench.gate.set()
        assert await bench.take() == [(3, 9)]

    run(story)
