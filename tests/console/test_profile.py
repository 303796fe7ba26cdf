"""The profile: what it says, and each fault by file, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.console.profile import Access, Profile, ProfileError

GOOD = """
[broker]
host = "broker.example"
port = 8883
username = "me"
password_file = "secret"
ca = "ca.pem"

[city]
name = "hz"
public_key = "/etc/city.pub"

[operator]
key = "operator.pem"
"""


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "console.toml"
    path.write_text(GOOD, encoding="utf-8")
    (tmp_path / "secret").write_text("word\n", encoding="utf-8")
    assert Profile.load(path) == Profile(
        path,
        Access("broker.example", 8883, "me", "word", tmp_path / "ca.pem"),
        "hz",
        tmp_path / "operator.pem",
        tmp_path / "counters.json",
        Path("/etc/city.pub"),
    )
    assert Profile.load(path).seen == tmp_path / "counters.seen.json"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('host = "broker.example"', "",            "broker.host: missing"),
        ('name = "hz"',             "",            "city.name: missing"),
        ('key = "operator.pem"',    "",            "operator.key: missing"),
        ("port = 8883",             'port = "1"',  "broker.port = '1': must be a number"),
        ("port = 8883",             "port = true", "broker.port = True: must be a number"),
        ('username = "me"',         "username = 1", "broker.username = 1: must be text"),
        ("[city]",                  "[town]",      "town: unknown; there are broker, city, operator"),
        ('username = "me"',         'user = "me"', "broker.user: unknown; there are host, port, username"),
        ("[broker]",                "[broker",     "no TOML"),
        ('"secret"',                '"nowhere"',   "broker.password_file = .*nowhere': No such file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "console.toml"
    (tmp_path / "secret").write_text("word\n", encoding="utf-8")
    assert old in GOOD
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ProfileError, match=told) as raised:
        Profile.load(path)
    assert str(path) in str(raised.value)


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="No such file"):
        Profile.load(tmp_path / "none.toml")
