"""The page's server: static files, a login, and server-sent events, on the standard library's threading HTTP server.

Owns the routes and their headers. Rules: Host is checked before anything else, a session before any data, Origin before
anything is changed; threads, bodies and waits are bounded. The browser gets no broker's credentials and speaks no MQTT. Knows
nothing of topics.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import ssl
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from gateway.console.board import Board, Reader
from gateway.console.doorman import Doorman
from gateway.console.picture import Json

if TYPE_CHECKING:
    from gateway.console.acts import Acts

log = logging.getLogger(__name__)

FLUSH_S = 0.25
"""A person sees no more than four changes a second, and a browser draws them in time."""
THREADS_MAX = 64
"""Each open page holds one; more callers are hung up on."""
STRANGERS_MAX = 16
"""Callers that have shown no session yet; one more takes the place of the oldest, so that the slow keep nobody out."""
STRANGER_S = 10.0
"""How long a caller may stay without one, however it drips; any honest request is over long before."""
BODY_BYTES_MAX = 16_384
WAIT_S = 30
"""How long a caller may take over a request, or leave what we send unread."""

TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
FILES = (
    "index.html",
    "style.css",
    "page.js",
    "overview.js",
    "lot.js",
    "act.js",
    "stays.js",
    "plot.js",
    "words.js",
    "dom.js",
    "icon.svg",
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
NO_HOST = "this console is not known under that name; open it under the address that was printed at its start"
NO_SESSION = "log in first: open the link with the token that was printed when this console started"
NO_TOKEN = "this is not the token that was printed when this console started"
NO_KEY = "this console has no operator's key: start it with --profile to act"
NO_ORIGIN = "another site's page may not send anything here"


class PageServer(ThreadingHTTPServer):
    """Serves one board from `start` to `stop`. Raises OSError when the address can't be had."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = THREADS_MAX

    def __init__(
        self, address: tuple[str, int], board: Board, tls: ssl.SSLContext | None = None, acts: Acts | None = None
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.board = board
        self.acts = acts
        self.doorman: Doorman
        self.stopping = threading.Event()
        self.pages = {name: files("gateway.console.page").joinpath(name).read_bytes() for name in FILES}
        self._room = threading.BoundedSemaphore(THREADS_MAX)
        self._strangers: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        super().__init__(address, _Request)
        if tls is not None:
            # The greeting is made in the caller's own thread, so that a silent caller holds up nobody.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def start(self, doorman: Doorman) -> None:
        """Begin to serve whom the doorman lets in, in a thread of its own."""
        self.doorman = doorman
        threading.Thread(target=self.serve_forever, args=(FLUSH_S,), daemon=True).start()
        threading.Thread(target=self._sweep, daemon=True).start()

    def stop(self) -> None:
        """End; open pages say that the connection is lost."""
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand a caller to a thread if there is room for one."""
        with self._lock:
            if len(self._strangers) >= STRANGERS_MAX:
                self._hang_up(next(iter(self._strangers)))
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        with self._lock:
            self._strangers[request] = 0.0
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The caller's thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.recognise(request)
            self._room.release()

    def recognise(self, request: socket.socket) -> None:
        """This caller has a session, or is gone: no stranger any more."""
        with self._lock:
            self._strangers.pop(request, None)

    def _sweep(self) -> None:
        while not self.stopping.wait(FLUSH_S):
            with self._lock:
                for request, waited_s in list(self._strangers.items()):
                    self._strangers[request] = waited_s + FLUSH_S
                    if waited_s >= STRANGER_S:
                        self._hang_up(request)

    def _hang_up(self, request: socket.socket) -> None:
        """Wake the caller's thread with an end of the stream; it closes what is its own. Call it under the lock."""
        del self._strangers[request]
        with contextlib.suppress(OSError):
            # Not the TLS socket's own, which takes the session away from under the thread that reads.
            socket.socket.shutdown(request, socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away, or spoke no HTTP; nobody else is concerned."""
        log.debug("request of %s broke off: %s", client_address, request, exc_info=True)


class _Request(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = WAIT_S
    server_version = "lotgate"
    sys_version = ""

    def do_GET(self) -> None:
        if not self._expected():
            return
        url = urlsplit(self.path)
        name = url.path.removeprefix("/") or "index.html"
        if name in FILES:
            # The files hold no data, so that whoever is not logged in can be told how to.
            self._answer(HTTPStatus.OK, self.server.pages[name], TYPES[name.rsplit(".", 1)[1]])
        elif not self._known():
            self._refuse(HTTPStatus.UNAUTHORIZED, NO_SESSION)
        elif name == "session":
            self._say(HTTPStatus.OK, {})
        elif name == "picture.json":
            self._say(HTTPStatus.OK, self.server.board.whole())
        elif name == "events":
            self._stream(parse_qs(url.query).get("lot", [""])[0])
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "no such page")

    def do_POST(self) -> None:
        if not self._expected():
            return
        if not self.server.doorman.trusts(self.headers["Origin"], self.headers["Sec-Fetch-Site"]):
            self._refuse(HTTPStatus.FORBIDDEN, NO_ORIGIN)
            return
        body = self._body()
        if body is None:
            self._refuse(HTTPStatus.BAD_REQUEST, f"send one JSON object of at most {BODY_BYTES_MAX} bytes")
        elif self.path == "/login":
            cookie = self.server.doorman.log_in(str(body.get("token", "")), self.server.board.now_ms())
            if cookie is None:
                self._refuse(HTTPStatus.FORBIDDEN, NO_TOKEN)
            else:
                self._say(HTTPStatus.OK, {}, cookie=cookie)
        elif not self._known():
            self._refuse(HTTPStatus.UNAUTHORIZED, NO_SESSION)
        elif self.path == "/act":
            self._act(body)
        elif self.path == "/logout":
            self._say(HTTPStatus.OK, {}, cookie=self.server.doorman.log_out(self.headers["Cookie"]))
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "no such page")

    def _act(self, asked: Json) -> None:
        if self.server.acts is None:
            self._refuse(HTTPStatus.FORBIDDEN, NO_KEY)
        else:
            self._say(HTTPStatus.OK, self.server.acts.perform(asked))

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _expected(self) -> bool:
        if self.server.doorman.expects(self.headers["Host"]):
            return True
        self._refuse(HTTPStatus.MISDIRECTED_REQUEST, NO_HOST)
        return False

    def _known(self) -> bool:
        known = self.server.doorman.knows(self.headers["Cookie"], self.server.board.now_ms())
        if known:
            self.server.recognise(self.connection)
        return known

    def _body(self) -> Json | None:
        length = self.headers["Content-Length"] or ""
        json_type = (self.headers["Content-Type"] or "").split(";")[0].strip() == "application/json"
        if not json_type or not length.isascii() or not length.isdigit() or int(length) > BODY_BYTES_MAX:
            return None
        try:
            found = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def _stream(self, gateway: str) -> None:
        self.close_connection = True
        self._head(HTTPStatus.OK, "text/event-stream", {"Connection": "close"})
        reader = Reader(gateway)
        while not self.server.stopping.wait(FLUSH_S if reader.told_ms else 0):
            if not self._known():
                return
            news = self.server.board.news(reader)
            if news is not None:
                self.wfile.write(b"data: " + _json(news) + b"\n\n")

    def _say(self, status: HTTPStatus, found: Json, *, cookie: str = "") -> None:
        self._answer(status, _json(found), "application/json", {"Set-Cookie": cookie} if cookie else {})

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        # What was sent with it is not read, so the connection can't be used again.
        self.close_connection = True
        self._answer(status, _json({"refused": why}), "application/json", {"Connection": "close"})

    def _answer(self, status: HTTPStatus, body: bytes, kind: str, more: dict[str, str] | None = None) -> None:
        self._head(status, kind, {"Content-Length": str(len(body)), **(more or {})})
        self.wfile.write(body)

    def _head(self, status: HTTPStatus, kind: str, more: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": f"{kind}; charset=utf-8", **HEADERS, **more}.items():
            self.send_header(name, value)
        self.end_headers()


def _json(found: Json) -> bytes:
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode()
