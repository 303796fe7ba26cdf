"""Who may see the page, and from where it may be asked."""

from __future__ import annotations

import pytest

from gateway.console.doorman import SESSION_MS, SESSIONS_MAX, Doorman, new_token

HOSTS = ("127.0.0.1:8080", "localhost:8080")


def doorman(scheme: str = "http") -> Doorman:
    return Doorman("the-token", scheme=scheme, hosts=HOSTS, port=8080)


def cookie_of(set_cookie: str | None) -> str:
    assert set_cookie is not None
    return set_cookie.split(";")[0]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:8080",      True),
        ("LOCALHOST:8080",      True),
        ("localhost",           False),
        ("localhost:8081",      False),
        ("evil.example:8080",   False),
        ("127.0.0.1.evil:8080", False),
        ("",                    False),
        (None,                  False),
    ],
)  # fmt: skip
def test_a_foreign_name_for_this_machine_gets_nothing(host: str | None, expected: bool) -> None:
    assert doorman().expects(host) is expected


@pytest.mark.parametrize(
    ("origin", "fetch_site", "trusted"),
    [
        ("http://127.0.0.1:8080",  None,          True),
        ("http://localhost:8080",  "same-origin", True),
        ("http://localhost:8080",  "cross-site",  False),
        ("http://localhost:8081",  "same-site",   False),
        ("https://localhost:8080", None,          False),
        ("http://evil.example",    None,          False),
        ("null",                   None,          False),
        (None,                     None,          False),
    ],
)  # fmt: skip
def test_only_the_page_itself_may_send(origin: str | None, fetch_site: str | None, trusted: bool) -> None:
    assert doorman().trusts(origin, fetch_site) is trusted


def test_the_token_opens_a_session_that_ends() -> None:
    door = doorman()
    cookie = cookie_of(door.log_in("the-token", 1_000))
    assert door.knows(cookie, 1_000)
    assert door.knows(f"other=1; {cookie}", 1_000 + SESSION_MS - 1)
    assert not door.knows(cookie, 1_000 + SESSION_MS)
    assert not door.knows(cookie, 1_000)


@pytest.mark.parametrize("token", ["", "the-toke", "the-token ", "浙A"])
def test_a_wrong_token_opens_nothing(token: str) -> None:
    assert doorman().log_in(token, 0) is None


@pytest.mark.parametrize(
    "cookies", [None, "", "lotgate-8080=", "lotgate-8080=the-token", "lotgate-8081=x", "\x00=;;", "a" * 9_000]
)
def test_no_cookie_of_ours_is_no_session(cookies: str | None) -> None:
    door = doorman()
    door.log_in("the-token", 0)
    assert not door.knows(cookies, 1)


def test_a_log_out_ends_one_session() -> None:
    door = doorman()
    mine, other = (cookie_of(door.log_in("the-token", 0)) for _ in range(2))
    assert "Max-Age=0" in door.log_out(mine)
    assert (door.knows(mine, 1), door.knows(other, 1)) == (False, True)


def test_the_oldest_session_makes_room() -> None:
    door = doorman()
    cookies = [cookie_of(door.log_in("the-token", 0)) for _ in range(SESSIONS_MAX + 1)]
    assert [door.knows(cookie, 1) for cookie in cookies[:2]] == [False, True]


def test_scripts_and_other_sites_do_not_get_the_cookie() -> None:
    plain, secure = (doorman(scheme).log_in("the-token", 0) or "" for scheme in ("http", "https"))
    assert "HttpOnly" in plain
    assert "SameSite=Strict" in plain
    assert ("Secure" in plain, "Secure" in secure) == (False, True)


def test_tokens_are_long_and_new() -> None:
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert min(map(len, tokens)) >= 32
