"""From the nodes' bytes to the ledger: simulated nodes, or with `--hw GATEWAY.TOML` the real ones of that configuration.

With real nodes its gateway must be stopped; bus tool and gateway then use its own ledger, each run as one more start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware import wire
from firmware.cipher import Cipher
from gateway.bus_line import site_key
from gateway.bus_tool import next_hello
from gateway.config import BusPart, Config, load_config
from gateway.shell.serial_port import SerialPort
from sim.aes import Aes
from tests.sites import prepared
from tests.test_bus_command import bays, lane, ledger, line, run

ROUNDS = 200
ACKED_S = 30
"""A gateway starts within two seconds, and asks its slowest node twice a second."""
OPEN_S = 2.0
QUIET_S = 0.3
EPOCH_OF_A_ROGUE = 2**31


@pytest.fixture
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Config]:
    """The configuration whose buses have their nodes on them."""
    given = request.config.getoption("--hw")
    if given is not None:
        yield load_config(given.resolve())
        return
    prepared(tmp_path)
    entry, below = lane(), bays()
    entry.plate("浙A12345", 1, 0, 0, 97, 0, 0)
    below.bay(0, True, 0, 0)
    ledger(tmp_path)
    with line(tmp_path, entry, below) as (_, path):
        path.write_text(path.read_text(encoding="utf-8").replace('ca = "ca.pem"\n', ""), encoding="utf-8")
        yield load_config(path)


def test_every_node_answers_under_its_key_and_nobody_else(config: Config) -> None:
    for bus in config.buses:
        code, text = run("scan", "--config", config.path, "--bus", bus.name, "--json")
        assert code == 0, text
        found = json.loads(text)
        assert {(node["uid"], node["state"]) for node in found["nodes"]} == {(n.uid, "present") for n in bus.nodes}
        assert found["strangers"] == []


def test_the_bus_loses_at_most_one_poll_in_a_hundred(config: Config) -> None:
    for bus in config.buses:
        words = ("--bus", bus.name, "--rounds", ROUNDS, "--lost-max", 1, "--json")
        code, text = run("test", "--config", config.path, *words)
        assert code == 0, text


def test_a_node_is_silent_to_a_hello_that_is_not_under_its_key(config: Config) -> None:
    cipher = Cipher(Aes)
    for bus in config.buses:
        for node in bus.nodes:
            hello = wire.pack_hello(EPOCH_OF_A_ROGUE, bytes(8))
            heard = asyncio.run(
                answers(bus, wire.seal(cipher, os.urandom(16), b"", (wire.HELLO, node.address, 7, 1), hello))
            )
            # An adapter may hear itself; a node's own frames have the top bit of the address.
            assert not [raw for raw in heard.split(b"\0") if len(raw) > 2 and raw[2] & wire.FROM_NODE], node.uid


async def answers(bus: BusPart, frame: bytes) -> bytes:
    """What is heard within QUIET_S of these bytes."""
    heard, opened = bytearray(), asyncio.Event()
    port = SerialPort(bus.port, bus.baud_bps, heard.extend, opened.set)
    port.start()
    await asyncio.wait_for(opened.wait(), OPEN_S)
    # What is still on its way answers somebody who spoke before.
    await pause(QUIET_S)
    heard.clear()
    port.write(frame)
    await pause(QUIET_S)
    port.stop()
    return bytes(heard)


async def pause(seconds: float) -> None:
    """Let the loop hear for so long."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


def test_under_its_own_key_it_does_answer(config: Config) -> None:
    cipher = Cipher(Aes)
    for bus in config.buses:
        node = bus.nodes[0]
        key = wire.node_key(cipher, site_key(bus.site_key), bytes.fromhex(node.uid))
        hello = wire.pack_hello(next_hello(config, None), bytes(8))
        heard = asyncio.run(answers(bus, wire.seal(cipher, key, b"", (wire.HELLO, node.address, 7, 1), hello)))
        assert [raw for raw in heard.split(b"\0") if len(raw) > 2 and raw[2] & wire.FROM_NODE], node.uid


def test_the_gateway_commits_and_acknowledges_what_every_node_has(config: Config, tmp_path: Path) -> None:
    wanted = {node.uid for bus in config.buses for node in bus.nodes}
    heard = tmp_path / "bus.capture"
    command = [sys.executable, "-m", "gateway", "run", "--config", str(config.path), "--capture", str(heard)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as gateway:
        until_s = time.monotonic() + ACKED_S
        while gateway.poll() is None and time.monotonic() < until_s:
            # Real nodes have been acknowledged before; the capture's first block says that this gateway talks to them.
            if wanted <= acked(config) and heard.exists() and heard.stat().st_size:
                break
            select.select([], [], [], 0.1)
        gateway.send_signal(signal.SIGTERM)
        said, _ = gateway.communicate()
    assert gateway.returncode == 0, said
    assert acked(config) >= wanted, said
    assert talking(heard) == {(bus.name, node.address) for bus in config.buses for node in bus.nodes}


def talking(capture: Path) -> set[tuple[str, int]]:
    """Bus and address of every node that answered a poll in this capture."""
    lines = defaultdict(bytearray)
    for text in capture.read_text(encoding="utf-8").splitlines():
        chunk = json.loads(text)
        if chunk["dir"] == "rx":
            lines[chunk["bus"]] += bytes.fromhex(chunk["hex"])
    frames = [(bus, raw) for bus, data in lines.items() for raw in data.split(b"\0") if len(raw) > wire.HEAD_BYTES]
    return {(bus, raw[2] & 0x7F) for bus, raw in frames if raw[1] & 0x0F == wire.DATA and raw[2] & wire.FROM_NODE}


def acked(config: Config) -> set[str]:
    """Uids of the nodes of which an event is in the ledger."""
    reader = sqlite3.connect(f"{(config.gateway.data / 'ledger.db').as_uri()}?mode=ro", uri=True)
    try:
        return {uid for (uid,) in reader.execute("SELECT uid FROM node")}
    finally:
        reader.close()
