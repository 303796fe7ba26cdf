"""A TCP proxy that can cut, stall and refuse: a bad line between a client and a broker."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable


class Proxy:
    """Passes bytes to and from a port of this machine. `answers` gets one item for each chunk the far side sent.

    `seen(connection, up, chunk)` is told every chunk as it is passed on; `up`: it goes to the far side.
    """

    def __init__(self, target: int, seen: Callable[[int, bool, bytes], None] = lambda *_: None) -> None:
        self.answers: asyncio.Queue[int] = asyncio.Queue()
        self._seen = seen
        self._connections = itertools.count(1)
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """Listens while the context lasts; gives the port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            self.resume()
            server.close()
            self.cut()

    def cut(self) -> None:
        """Break all connections."""
        for writer in self._writers:
            writer.transport.abort()

    def stall(self) -> None:
        """Let nothing through, either way, and say nothing: the silent link."""
        self._flowing.clear()

    def resume(self) -> None:
        """Let bytes through again."""
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except ConnectionRefusedError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        number = next(self._connections)
        ways = (self._pass(reader, far_writer, number, up=True), self._pass(far_reader, writer, number, up=False))
        await asyncio.gather(*ways, return_exceptions=True)
        self._writers -= {writer, far_writer}

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int, *, up: bool
    ) -> None:
        try:
            while chunk := await reader.read(65536):
                await self._flowing.wait()
                self._seen(connection, up, chunk)
                writer.write(chunk)
                await writer.drain()
                if not up:
                    self.answers.put_nowait(len(chunk))
        finally:
            writer.close()
