"""`lotgate console`: the address it takes, and that it is closed unless everything for an open one is there."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click import UsageError
from click.testing import CliRunner

from gateway.__main__ import main
from gateway.console_command import listen_address, page_hosts
from sim.broker import EmbeddedBroker

BROKER = ["--host", "127.0.0.1", "--port", "1", "--city", "hz"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:0",        ("::1", 0)),
        ("0.0.0.0:443",    ("0.0.0.0", 443)),
    ],
)  # fmt: skip
def test_an_address(text: str, address: tuple[str, int]) -> None:
    assert listen_address(text) == address


@pytest.mark.parametrize("text", ["", "8080", ":8080", "localhost:8080", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536"])
def test_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="give an IP address and a port"):
        listen_address(text)


@pytest.mark.parametrize(
    ("names", "scheme", "port", "hosts"),
    [
        (("localhost", "[::1]"),  "http",  8080, ["localhost:8080", "[::1]:8080"]),
        (("localhost",),          "http",  80,   ["localhost:80", "localhost"]),
        (("c.example",),          "https", 443,  ["c.example:443", "c.example"]),
        (("c.example",),          "https", 80,   ["c.example:80"]),
        (("c.example:9443",),     "https", 8443, ["c.example:9443"]),
    ],
)  # fmt: skip
def test_the_names_that_browsers_send(names: tuple[str, ...], scheme: str, port: int, hosts: list[str]) -> None:
    assert page_hosts(names, scheme, port) == hosts


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_beyond_loopback_nothing_goes_in_clear(address: str) -> None:
    found = CliRunner().invoke(main, ["console", *BROKER, "--web", "--listen", address])
    assert found.exit_code == 2
    assert "give --page-certificate, --page-key and --name, or listen on 127.0.0.1" in found.output


def test_a_broker_that_is_not_there_ends_it() -> None:
    found = CliRunner().invoke(main, ["console", *BROKER, "--web", "--listen", "127.0.0.1:0"])
    assert found.exit_code == 1
    assert "refused" in found.output


def test_without_a_broker_there_must_be_a_profile(tmp_path: Path) -> None:
    found = CliRunner().invoke(main, ["console", "--profile", str(tmp_path / "none.toml")])
    assert (found.exit_code, "or give --host and --city" in found.output) == (2, True)
    found = CliRunner().invoke(main, ["console", "--host", "127.0.0.1"])
    assert (found.exit_code, "--city is needed" in found.output) == (2, True)


def test_a_terminal_ends_with_the_brokers_refusal() -> None:
    found = CliRunner().invoke(main, ["console", *BROKER])
    assert found.exit_code == 1
    assert "refused" in found.output


def test_the_printed_link_is_the_way_in(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, username="lot", password="secret")
    broker.start()
    (tmp_path / "password").write_text("secret\n", encoding="utf-8")
    command = [sys.executable, "-m", "gateway", "console", "--web", "--listen", "127.0.0.1:0", "--city", "hz"]
    command += ["--host", broker.host, "--port", str(broker.port)]
    command += ["--username", "lot", "--password-file", str(tmp_path / "password")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as console:
        assert console.stdout is not None
        try:
            found = re.fullmatch(r"Lots of hz: (http://127\.0\.0\.1:\d+/)#token=(\S{32,})\n", console.stdout.readline())
            assert found is not None
            headers = {"Content-Type": "application/json", "Origin": found[1].rstrip("/")}
            login = urllib.request.Request(f"{found[1]}login", f'{{"token":"{found[2]}"}}'.encode(), headers)
            with urllib.request.urlopen(login, timeout=10) as answer:
                assert "HttpOnly" in answer.headers["Set-Cookie"]
        finally:
            console.terminate()
            broker.stop()
