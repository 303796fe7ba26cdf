"""One POST over the event loop's own streams: connect, send, read the answer, close. No thread, no library.

Rules: every step has a time limit and the answer a size limit; whatever goes wrong is None, since the caller sends the same
thing again; an answer that is no HTTP is none. Refuses to know what is posted.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECT_S = 3.0
TOTAL_S = 10.0
"""What every known client grants: longer waits would hold back what comes behind."""
HEAD_BYTES_MAX = 16_384
BODY_BYTES_MAX = 262_144


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post to: scheme and host of a base URL, and the path below which the calls lie."""

    host: str
    port: int
    tls: bool
    prefix: str

    @classmethod
    def of(cls, base_url: str) -> Target:
        """From a checked URL without query."""
        found = urlsplit(base_url)
        tls = found.scheme == "https"
        return cls(found.hostname or "", found.port or (443 if tls else 80), tls, found.path.rstrip("/"))


async def post(target: Target, path: str, body: bytes, *, total_s: float = TOTAL_S) -> tuple[int, bytes] | None:
    """Status and body of the answer, or None if there was no whole one in time."""
    try:
        async with asyncio.timeout(total_s):
            return await _exchange(target, path, body)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None


async def _exchange(target: Target, path: str, body: bytes) -> tuple[int, bytes]:
    context = ssl.create_default_context() if target.tls else None
    async with asyncio.timeout(CONNECT_S):
        reader, writer = await asyncio.open_connection(target.host, target.port, ssl=context, limit=HEAD_BYTES_MAX)
    try:
        host = f"[{target.host}]" if ":" in target.host else target.host
        head = (
            f"POST {target.prefix}{path} HTTP/1.1\r\nHost: {host}:{target.port}\r\nConnection: close\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode("ascii") + body)
        await writer.drain()
        return await _answer(reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    status = 100
    while status == 100:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        words = head[0].split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
            raise ValueError("no HTTP")
        status = int(words[1])
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if fields.get("transfer-encoding", "").lower() == "chunked":
        return status, await _chunks(reader)
    if "content-length" in fields:
        length = int(fields["content-length"])
        if not 0 <= length <= BODY_BYTES_MAX:
            raise ValueError("answer too long")
        return status, await reader.readexactly(length)
    found = await reader.read(BODY_BYTES_MAX + 1)
    while more := await reader.read(BODY_BYTES_MAX + 1):
        found += more
        if len(found) > BODY_BYTES_MAX:
            raise ValueError("answer too long")
    return status, found


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        if not 0 <= size <= BODY_BYTES_MAX - len(found):
            raise ValueError("answer too long")
        if size == 0:
            return found
        found += await reader.readexactly(size)
        await reader.readexactly(2)
