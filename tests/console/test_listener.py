"""The console's listener against a real broker: retained state at once, live messages after it, a wrong login named."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from paho.mqtt import publish
from paho.mqtt.client import MQTTv5

from gateway.console.listener import BrokerRefusedError, Listener, listen
from gateway.console.watch import filters
from sim.broker import EmbeddedBroker, MosquittoBroker
from tests.brokers import mosquitto_program


class EnoughError(Exception):
    """The listener heard what it waited for."""


def test_retained_state_is_heard_at_once(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, username="lot", password="secret")
    broker.start()
    heard: list[tuple[str, bytes]] = []

    def hear(topic: str, payload: bytes) -> None:
        heard.append((topic, payload))
        raise EnoughError

    try:
        publish.single(
            "park/v1/city/gw-1/state",
            b"online",
            qos=1,
            retain=True,
            hostname=broker.host,
            port=broker.port,
            auth={"username": "lot", "password": "secret"},
            protocol=MQTTv5,
        )
        with pytest.raises(EnoughError):
            listen(
                host=broker.host,
                port=broker.port,
                filters=filters("city"),
                on_message=hear,
                username="lot",
                password="secret",
            )
    finally:
        broker.stop()
    assert heard == [("park/v1/city/gw-1/state", b"online")]


def test_one_that_is_stopped_before_it_begins_ends(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, username="lot", password="secret")
    broker.start()
    try:
        listener = Listener(
            host=broker.host,
            port=broker.port,
            filters=filters("city"),
            on_message=lambda _topic, _payload: None,
            username="lot",
            password="secret",
        )
        listener.stop()
        running = threading.Thread(target=listener.run, daemon=True)
        running.start()
        running.join(5)
        assert not running.is_alive()
    finally:
        broker.stop()


def test_a_wrong_password_is_named(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, username="lot", password="secret")
    broker.start()
    try:
        with pytest.raises(BrokerRefusedError, match="check user, password file and certificate"):
            listen(
                host=broker.host,
                port=broker.port,
                filters=(),
                on_message=lambda _topic, _payload: None,
                username="lot",
                password="wrong",
            )
    finally:
        broker.stop()


def test_a_broker_that_says_no_is_quoted(tmp_path: Path) -> None:
    broker = MosquittoBroker(mosquitto_program(), tmp_path, city="city", users={"console": "secret"})
    broker.start()
    try:
        with pytest.raises(BrokerRefusedError) as raised:
            listen(
                host=broker.host,
                port=broker.port,
                filters=(),
                on_message=lambda _topic, _payload: None,
                username="console",
                password="wrong",
            )
    finally:
        broker.stop()
    told = f"{broker.host}:{broker.port}: Not authorized; check user, password file and certificate"
    assert str(raised.value) == told


def test_a_broker_that_went_away_is_waited_for(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, username="lot", password="secret")
    broker.start()
    heard: list[bytes] = []
    links: list[bool] = []

    def tell(payload: bytes) -> None:
        publish.single(
            "park/v1/city/gw-1/state",
            payload,
            qos=1,
            retain=True,
            hostname=broker.host,
            port=broker.port,
            auth={"username": "lot", "password": "secret"},
            protocol=MQTTv5,
        )

    def hear(_topic: str, payload: bytes) -> None:
        heard.append(payload)
        if payload == b"after":
            raise EnoughError
        broker.kill()
        broker.start()
        tell(b"after")

    try:
        tell(b"before")
        with pytest.raises(EnoughError):
            listen(
                host=broker.host,
                port=broker.port,
                filters=filters("city"),
                on_message=hear,
                on_link=links.append,
                username="lot",
                password="secret",
            )
    finally:
        broker.stop()
    assert heard == [b"before", b"after"]
    assert links == [True, False, True]


def test_no_broker_is_an_error_and_no_endless_wait() -> None:
    with pytest.raises(OSError, match="refused"):
        listen(host="127.0.0.1", port=1, filters=(), on_message=lambda _topic, _payload: None)
