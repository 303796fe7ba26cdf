"""One POST against a real server on the loopback that answers well, badly, slowly, or not at all."""

from __future__ import annotations

import asyncio

import pytest

from gateway.shell.http_post import BODY_BYTES_MAX, Target, post

LONG = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1)


async def against(answer: bytes | None, total_s: float = 5.0) -> tuple[tuple[int, bytes] | None, bytes]:
    """What came back, and what the server got."""
    got = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        got.extend(head + await reader.readexactly(4))
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        found = await post(Target.of(f"http://127.0.0.1:{port}/base/"), "/api/x", b"a=%2B", total_s=total_s)
    finally:
        server.close()
    return found, bytes(got)


@pytest.mark.parametrize(("answer", "found"), [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",                                     (200, b"{}")),
    (b"HTTP/1.0 200 OK\r\n\r\n{}",                                                          (200, b"{}")),
    (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",                                       (500, b"")),
    (b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",               (200, b"x")),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;a\r\n}\r\n0\r\n\r\n", (200, b"{}")),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",                                     None),
    (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",                                     None),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",                  None),
    (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(BODY_BYTES_MAX + 1),                                None),
    (LONG,                                                                                  None),
    (b"SSH-2.0-x\r\n\r\n",                                                                  None),
    (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 5000,                                           None),
    (b"",                                                                                   None),
])  # fmt: skip
def test_an_answer_is_whole_or_none(answer: bytes, found: tuple[int, bytes] | None) -> None:
    assert asyncio.run(against(answer))[0] == found


def test_the_request_is_a_form_with_its_length() -> None:
    _, got = asyncio.run(against(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    assert got.startswith(b"POST /base/api/x HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5\r\n" in got


def test_silence_ends_in_time_and_a_closed_port_is_none() -> None:
    assert asyncio.run(against(None, total_s=0.2))[0] is None
    assert asyncio.run(post(Target("127.0.0.1", 1, False, ""), "/", b"")) is None


@pytest.mark.parametrize(("url", "target"), [
    ("http://h",          Target("h", 80, False, "")),
    ("https://h/a/",      Target("h", 443, True, "/a")),
    ("http://[::1]:8080", Target("::1", 8080, False, "")),
])  # fmt: skip
def test_a_base_url_is_taken_apart(url: str, target: Target) -> None:
    assert Target.of(url) == target
