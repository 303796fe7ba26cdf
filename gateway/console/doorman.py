"""Who may see the page: the token of this start, the sessions that it opened, and where a request may come from.

Owns the check of Host (a foreign name that points here gets nothing), of Origin (another site's page sends nothing), and of the
cookie. Rules: secrets are compared in constant time and never logged; sessions end by time and are few. Knows no HTTP library.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie

TOKEN_BYTES = 24
"""192 bits: no number of tries finds it, so tries are not counted."""
SESSION_MS = 12 * 3_600_000
"""A long shift; then the link is opened again."""
SESSIONS_MAX = 64
"""Twice the streams that are served at once; the oldest makes room."""


class Doorman:
    """Lets in who has the token. `hosts`: the Host values that this page is known under; `scheme`: http or https."""

    def __init__(self, token: str, *, scheme: str, hosts: Iterable[str], port: int) -> None:
        self._token = token
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(f"{scheme}://{host}" for host in self._hosts)
        # Cookies know no port: two consoles on one machine must not log each other out.
        self._cookie = f"lotgate-{port}"
        self._secure = "; Secure" if scheme == "https" else ""
        self._sessions: dict[str, int] = {}
        self._lock = threading.Lock()

    def expects(self, host: str | None) -> bool:
        """Whether a request meant this page: its Host is one of ours."""
        return host is not None and host.lower() in self._hosts

    def trusts(self, origin: str | None, fetch_site: str | None) -> bool:
        """Whether a request that changes something came from this page itself."""
        return origin is not None and origin.lower() in self._origins and fetch_site in (None, "same-origin")

    def log_in(self, token: str, now_ms: int) -> str | None:
        """The Set-Cookie value of a new session, or None for a wrong token."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        session = secrets.token_urlsafe(TOKEN_BYTES)
        with self._lock:
            while len(self._sessions) >= SESSIONS_MAX:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[session] = now_ms + SESSION_MS
        return self._set_cookie(session, SESSION_MS // 1000)

    def knows(self, cookies: str | None, now_ms: int) -> bool:
        """Whether the Cookie header names a session that is still good."""
        session = self._session(cookies)
        with self._lock:
            until_ms = self._sessions.get(session, 0)
            if now_ms >= until_ms:
                self._sessions.pop(session, None)
            return now_ms < until_ms

    def log_out(self, cookies: str | None) -> str:
        """End the session; the Set-Cookie value that makes the browser forget it."""
        with self._lock:
            self._sessions.pop(self._session(cookies), None)
        return self._set_cookie("", 0)

    def _session(self, cookies: str | None) -> str:
        try:
            found = SimpleCookie(cookies or "").get(self._cookie)
        except CookieError:
            return ""
        return found.value if found is not None else ""

    def _set_cookie(self, value: str, age_s: int) -> str:
        return f"{self._cookie}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{self._secure}"


def new_token() -> str:
    """A token for one start of the console."""
    return secrets.token_urlsafe(TOKEN_BYTES)
