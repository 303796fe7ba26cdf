"""The stand-in brokers start, end, freeze, and leave nothing open to the network."""

from __future__ import annotations

import re
import socket

import pytest

from sim.broker import EmbeddedBroker, MosquittoBroker
from tests.brokers import Site, mosquitto_program


def answers(broker):
    with socket.socket() as probe:
        return probe.connect_ex((broker.host, broker.port)) == 0


@pytest.mark.parametrize("kind", ["iotcore", "mosquitto"])
def test_life(kind, tmp_path):
    broker = Site(kind, tmp_path).broker
    assert not answers(broker)
    for end in (broker.stop, broker.kill, broker.stop):
        broker.start()
        assert answers(broker)
        end()
        assert not answers(broker)
        end()
    with pytest.raises(RuntimeError, match="does not run"):
        broker.freeze()


@pytest.mark.parametrize("kind", ["iotcore", "mosquitto"])
def test_only_the_loopback_listens(kind, tmp_path):
    broker = Site(kind, tmp_path).broker
    broker.start()
    with open("/proc/net/tcp") as table:
        local = [row.split()[1] for row in table if row.split()[3] == "0A"]
    assert [address for address in local if int(address.split(":")[1], 16) == broker.port] == [
        f"0100007F:{broker.port:04X}"
    ]
    broker.stop()


def test_a_port_in_use_is_an_error(tmp_path):
    broker = MosquittoBroker(mosquitto_program(), tmp_path, city="hz", users={"gw-1": "p"})
    with socket.socket() as taken:
        taken.bind((broker.host, broker.port))
        with pytest.raises(RuntimeError, match="no broker on"):
            broker.start()


def test_files_are_private(tmp_path):
    EmbeddedBroker(tmp_path, username="lot", password="secret")
    MosquittoBroker(mosquitto_program(), tmp_path, city="hz", users={"gw-1": "secret"})
    for name in ("iotcore.toml", "mosquitto.conf", "acl", "passwords"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    assert "secret" not in (tmp_path / "passwords").read_text()


def test_no_placeholder_is_left(tmp_path):
    Site("mosquitto", tmp_path)
    for name in ("mosquitto.conf", "acl"):
        lines = (tmp_path / name).read_text().splitlines()
        assert not [line for line in lines if not line.startswith("#") and re.search("@[A-Z]+@", line)]
