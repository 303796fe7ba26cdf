"""The short connection, over the embedded broker: subscribe, send, wait; every refusal is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.console.line import Line, LineError
from gateway.console.profile import Access
from sim.broker import EmbeddedBroker


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    broker = EmbeddedBroker(tmp_path_factory.mktemp("broker"), username="lot", password="secret")
    broker.start()
    yield Access(broker.host, broker.port, "lot", "secret")
    broker.stop()


def test_what_is_sent_arrives(access: Access) -> None:
    with Line(access, [("a/+", 1)]) as line, Line(access, []) as other:
        other.publish("a/b", b"one", 60)
        assert line.next(10) == ("a/b", b"one")
        assert line.next(0.05) is None


def test_a_wrong_password_is_named(access: Access) -> None:
    with (
        pytest.raises(LineError, match="check user, password file and certificate"),
        Line(replace(access, password="x"), []),
    ):
        pass


def test_no_broker_is_named() -> None:
    with pytest.raises(LineError, match=r"127\.0\.0\.1:1: .*is the broker there"), Line(Access("127.0.0.1", 1), []):
        pass


def test_a_missing_ca_is_named(tmp_path: Path) -> None:
    with pytest.raises(LineError, match="look at the profile's files"):
        Line(Access("127.0.0.1", 1, ca=tmp_path / "ca.pem"), [])
