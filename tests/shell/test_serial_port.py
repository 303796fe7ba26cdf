"""A serial port over real pseudo-terminals: bytes both ways, unplugged, plugged again under its name, a line that is full."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.shell.serial_port import SerialPort

WAIT_S = 20
BAUD_BPS = 115_200


class Adapter:
    """The far end of a serial line: a pseudo-terminal that is found under a name, as udev's by-id names are links."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.master = -1

    def plug(self) -> None:
        """A new device under the old name."""
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.name.symlink_to(os.ttyname(slave))
        os.close(slave)

    def unplug(self) -> None:
        """The device is gone, and its name with it."""
        self.name.unlink()
        os.close(self.master)
        self.master = -1

    async def take(self, count: int) -> bytes:
        """Exactly `count` bytes that the port sent."""
        loop, found, ready = asyncio.get_running_loop(), b"", asyncio.Event()
        loop.add_reader(self.master, ready.set)
        try:
            while len(found) < count:
                await asyncio.wait_for(ready.wait(), WAIT_S)
                ready.clear()
                found += os.read(self.master, count - len(found))
        finally:
            loop.remove_reader(self.master)
        return found


class Bench:
    """A port under test and what it told."""

    def __init__(self, folder: Path) -> None:
        self.adapter = Adapter(folder / "bus")
        self.heard = b""
        self.opened = 0
        self.told = asyncio.Event()
        self.port = self.another_port()

    def another_port(self) -> SerialPort:
        return SerialPort(str(self.adapter.name), BAUD_BPS, self._data, self._opened)

    def _data(self, data: bytes) -> None:
        self.heard += data
        self.told.set()

    def _opened(self) -> None:
        self.opened += 1
        self.told.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async def wait() -> None:
            while not holds():
                await self.told.wait()
                self.told.clear()

        await asyncio.wait_for(wait(), WAIT_S)

    async def says(self, data: bytes) -> None:
        """The far end sends, and the port's owner hears just that."""
        self.heard = b""
        os.write(self.adapter.master, data)
        await self.until(lambda: self.heard == data)


def run(story: Callable[[Bench], Awaitable[None]], folder: Path) -> None:
    async def body() -> None:
        bench = Bench(folder)
        try:
            await story(bench)
        finally:
            bench.port.stop()
            if bench.adapter.master >= 0:
                bench.adapter.unplug()

    asyncio.run(body())


def test_every_byte_goes_through_unchanged_both_ways(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.adapter.plug()
        bench.port.start()
        assert bench.opened == 1
        await bench.says(bytes(range(256)))
        bench.port.write(bytes(range(256)))
        assert await bench.adapter.take(256) == bytes(range(256))
        assert bench.port.dropped_bytes == 0

    run(story, tmp_path)


def test_an_adapter_that_comes_later(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.port.start()
        bench.port.write(b"lost")
        assert (bench.opened, bench.port.dropped_bytes) == (0, 4)
        bench.adapter.plug()
        await bench.until(lambda: bench.opened == 1)
        await bench.says(b"hello")

    run(story, tmp_path)


def test_unplugged_and_plugged_again_it_is_found_by_its_name(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.adapter.plug()
        bench.port.start()
        for count in (2, 3, 4):
            await bench.says(b"before")
            bench.adapter.unplug()
            bench.adapter.plug()
            await bench.until(lambda count=count: bench.opened == count)  # type: ignore[misc]
            await bench.says(b"after")
            bench.port.write(b"answer")
            assert await bench.adapter.take(6) == b"answer"

    run(story, tmp_path)


def test_a_write_into_the_void_is_no_error_and_is_counted(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.adapter.plug()
        bench.port.start()
        bench.adapter.unplug()
        bench.port.write(b"lost")
        bench.port.write(b"lost too")
        assert bench.port.dropped_bytes == 12
        bench.adapter.plug()
        await bench.until(lambda: bench.opened == 2)

    run(story, tmp_path)


def test_a_full_line_does_not_hold_up_the_loop(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.adapter.plug()
        bench.port.start()
        frame, sent = bytes(range(252)), 0
        while bench.port.dropped_bytes == 0 and sent < 1 << 20:
            bench.port.write(frame)
            sent += len(frame)
        whole = sent - bench.port.dropped_bytes
        for _ in range(100):
            bench.port.write(frame)
        assert bench.port.dropped_bytes > 0
        taken = await bench.adapter.take(sent + 100 * len(frame) - bench.port.dropped_bytes)
        assert taken[:whole] == (frame * (sent // len(frame)))[:whole]
        bench.port.write(b"again")
        assert await bench.adapter.take(5) == b"again"

    run(story, tmp_path)


def test_two_programs_do_not_share_a_line(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.adapter.plug()
        bench.port.start()
        second = bench.another_port()
        second.start()
        assert bench.opened == 1
        bench.port.stop()
        await bench.until(lambda: bench.opened == 2)
        await bench.says(b"for the second")
        second.stop()

    run(story, tmp_path)


def test_after_stop_nothing_is_opened_sent_or_heard(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.adapter.plug()
        bench.port.start()
        bench.adapter.unplug()
        bench.port.write(b"notices the loss")
        bench.port.stop()
        bench.port.stop()
        bench.adapter.plug()
        # Another owner takes the line at once: the stopped one neither holds it nor comes back for it.
        other = bench.another_port()
        other.start()
        assert bench.opened == 2
        bench.port.write(b"lost")
        other.write(b"other")
        assert await bench.adapter.take(5) == b"other"
        await bench.says(b"for the other alone")
        other.stop()

    run(story, tmp_path)
