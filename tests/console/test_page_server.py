"""The page's server over real sockets: who gets what, and who is refused with which words."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from gateway.console import page_server
from gateway.console.board import Board
from gateway.console.doorman import Doorman
from gateway.console.page_server import BODY_BYTES_MAX, FILES, THREADS_MAX, PageServer
from tests.console import told
from tests.console.told import CITY, T0_MS

TOKEN = "the-token"
LIMIT_S = 10


@pytest.fixture
def server() -> Iterator[PageServer]:
    board = Board(CITY, lambda: T0_MS)
    board.hear(*told.state("g1"))
    made = PageServer(("127.0.0.1", 0), board)
    made.start(Doorman(TOKEN, scheme="http", hosts=[host_of(made)], port=1))
    try:
        yield made
    finally:
        made.stop()


def host_of(server: PageServer) -> str:
    return f"127.0.0.1:{server.server_address[1]}"


def ask(server: PageServer, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Status and text of one request; header names are given with _ for -."""
    response = asked(server, method, path, body, **headers)
    return response.status, response.read().decode()


def asked(
    server: PageServer, method: str, path: str, body: bytes | None = None, **headers: str
) -> http.client.HTTPResponse:
    line = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=LIMIT_S)
    line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    return line.getresponse()


def post(server: PageServer, path: str, body: object, **headers: str) -> http.client.HTTPResponse:
    plain = {"Content_Type": "application/json", "Origin": f"http://{host_of(server)}"}
    return asked(server, "POST", path, json.dumps(body).encode(), **(plain | headers))


def logged_in(server: PageServer) -> str:
    response = post(server, "/login", {"token": TOKEN})
    assert response.status == 200
    return response.headers["Set-Cookie"].split(";")[0]


def test_the_files_hold_no_data_and_are_given_to_all(server: PageServer) -> None:
    assert {name: ask(server, "GET", f"/{name}")[0] for name in FILES} == dict.fromkeys(FILES, 200)
    status, text = ask(server, "GET", "/")
    assert (status, "g1" in text, TOKEN in text) == (200, False, False)


@pytest.mark.parametrize("path", ["/picture.json", "/events", "/events?lot=g1", "/session", "/nowhere"])
def test_without_a_session_there_is_a_clear_refusal(server: PageServer, path: str) -> None:
    status, text = ask(server, "GET", path, Cookie="lotgate-1=guess")
    assert status == 401
    assert json.loads(text)["refused"].startswith("log in first: open the link with the token")


@pytest.mark.parametrize("path", ["/", "/picture.json", "/events", "/login"])
def test_a_foreign_host_is_refused_before_anything_else(server: PageServer, path: str) -> None:
    cookie = logged_in(server)
    for method in ("GET", "POST"):
        status, text = ask(server, method, path, b"{}", Host="evil.example", Cookie=cookie)
        assert status == 421
        assert "not known under that name" in text


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site"}])
@pytest.mark.parametrize("path", ["/login", "/logout", "/act"])
def test_another_sites_page_sends_nothing(server: PageServer, path: str, headers: dict[str, str]) -> None:
    response = post(server, path, {"token": TOKEN}, Cookie=logged_in(server), **headers)
    assert response.status == 403
    assert response.headers["Set-Cookie"] is None


def test_a_form_of_another_site_has_no_origin_or_another_type(server: PageServer) -> None:
    bare = {"Content_Type": "application/json"}
    assert ask(server, "POST", "/login", b'{"token":"the-token"}', **bare)[0] == 403
    form = {"Content_Type": "text/plain", "Origin": f"http://{host_of(server)}"}
    assert ask(server, "POST", "/login", b'{"token":"the-token"}', **form)[0] == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"token":"the-token"}',        200),
        (b'{"token":"another"}',          403),
        (b'{"token":7}',                  403),
        (b"{}",                           403),
        (b"[]",                           400),
        (b"{",                            400),
        (b"[" * 9_000,                    400),
        (b" " * (BODY_BYTES_MAX + 1),     400),
    ],
)  # fmt: skip
def test_what_a_login_is(server: PageServer, body: bytes, status: int) -> None:
    headers = {"Content_Type": "application/json", "Origin": f"http://{host_of(server)}"}
    assert ask(server, "POST", "/login", body, **headers)[0] == status


def test_who_logged_in_sees_until_the_log_out(server: PageServer) -> None:
    cookie = logged_in(server)
    status, text = ask(server, "GET", "/picture.json", Cookie=cookie)
    assert (status, json.loads(text)["lots"][0]["gw"]) == (200, "g1")
    assert ask(server, "GET", "/nowhere", Cookie=cookie)[0] == 404
    assert post(server, "/nowhere", {}, Cookie=cookie).status == 404
    assert post(server, "/logout", {}, Cookie=cookie).status == 200
    assert ask(server, "GET", "/picture.json", Cookie=cookie)[0] == 401


def test_without_an_operator_s_key_nothing_can_be_asked_for(server: PageServer) -> None:
    assert post(server, "/act", {"verb": "barrier-open"}).status == 401
    response = post(server, "/act", {"verb": "barrier-open"}, Cookie=logged_in(server))
    assert response.status == 403
    assert "start it with --profile" in response.read().decode()


def test_the_stream_brings_what_is_there_then_what_changes(server: PageServer) -> None:
    stream = asked(server, "GET", "/events?lot=g1", Cookie=logged_in(server))
    assert stream.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    first = read_event(stream)
    assert ([row["gw"] for row in first["rows"]], first["lot"]["gw"]) == (["g1"], "g1")
    server.board.hear(*told.occupancy("g1", "west", occupied=31))
    then = read_event(stream)
    assert (then["rows"][0]["occupied"], then["lot"]["occupied"]) == (31, 31)
    stream.close()


def read_event(stream: http.client.HTTPResponse) -> dict[str, object]:
    line = stream.readline()
    assert line.startswith(b"data: ")
    assert stream.readline() == b"\n"
    found: dict[str, object] = json.loads(line.removeprefix(b"data: "))
    return found


def test_no_answer_may_be_framed_kept_or_run_as_something_else(server: PageServer) -> None:
    for path in ("/", "/picture.json"):
        headers = asked(server, "GET", path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
        assert "Python" not in headers["Server"]


def test_more_open_pages_than_there_is_room_for_are_hung_up_on(server: PageServer) -> None:
    cookie = logged_in(server)
    open_pages = [asked(server, "GET", "/events", Cookie=cookie) for _ in range(THREADS_MAX)]
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        ask(server, "GET", "/")
    for page in open_pages:
        page.close()


def test_slow_strangers_keep_nobody_out(server: PageServer) -> None:
    cookie = logged_in(server)
    stream = asked(server, "GET", "/events", Cookie=cookie)
    slow = [socket.create_connection(server.server_address[:2], LIMIT_S) for _ in range(THREADS_MAX + 6)]
    try:
        for line in slow:
            line.sendall(b"GET / HT")
        assert ask(server, "GET", "/session", Cookie=cookie)[0] == 200
        assert ask(server, "GET", "/")[0] == 200
        assert stream.fp.readline().startswith(b"data: ")
        # The oldest were hung up on for those that came after them.
        assert slow[0].recv(1) == b""
    finally:
        for line in slow:
            line.close()


def test_a_stranger_that_drips_is_hung_up_on(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_server, "STRANGER_S", 0.5)
    cookie = logged_in(server)
    stream = asked(server, "GET", "/events", Cookie=cookie)
    with socket.create_connection(server.server_address[:2], LIMIT_S) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert line.recv(1) == b""
    assert stream.fp.readline().startswith(b"data: ")


def test_an_address_that_is_taken_is_an_error(server: PageServer) -> None:
    with pytest.raises(OSError, match="in use"):
        PageServer(("127.0.0.1", server.server_address[1]), server.board)
