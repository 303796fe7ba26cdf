"""`lotgate bus` as a person types it, against real nodes behind a real pseudo-terminal."""

from __future__ import annotations

import contextlib
import json
import os
import select
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from firmware import wire
from firmware.bay import BayNode
from firmware.cipher import Cipher
from firmware.lane import ENTRY, LaneNode
from gateway.__main__ import main
from gateway.store.journal import Journal
from sim.aes import Aes
from sim.fram import Fram
from tests.link.rig import SITE_KEY
from tests.test_config import GOOD

LANE_UID, BAY_UID = "00000000000000a1", "00000000000000b1"
EXAMPLE = "Example: lotgate bus"


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["bus", *map(str, arguments)], prog_name="lotgate")
    return done.exit_code, done.output


class Line:
    """Nodes behind a pseudo-terminal, answered by a thread; `say` speaks into it as anybody on the wires could."""

    def __init__(self, nodes: list[LaneNode | BayNode]) -> None:
        self.nodes = nodes
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        while not self._ended.is_set():
            ready, _, _ = select.select([self._master], [], [], 0.02)
            if not ready:
                continue
            data = os.read(self._master, 4096)
            now_ms = time.monotonic_ns() // 1_000_000
            for node in self.nodes:
                self.say(node.receive(data, now_ms, now_ms))

    def say(self, data: bytes) -> None:
        os.write(self._master, data)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)


def lane() -> LaneNode:
    cipher, uid = Cipher(Aes), bytes.fromhex(LANE_UID)
    key = wire.node_key(cipher, SITE_KEY, uid)
    return LaneNode(1, uid, key, cipher, memory=Fram(8192), role=ENTRY, boot=1, nonce=lambda: os.urandom(8))


def bays() -> BayNode:
    cipher, uid = Cipher(Aes), bytes.fromhex(BAY_UID)
    return BayNode(2, uid, wire.node_key(cipher, SITE_KEY, uid), cipher, ports=2, boot=1, nonce=lambda: os.urandom(8))


@contextlib.contextmanager
def line(folder: Path, *nodes: LaneNode | BayNode) -> Iterator[tuple[Line, Path]]:
    wires = Line(list(nodes))
    config = folder / "gateway.toml"
    config.write_text(GOOD.replace("/dev/serial/by-id/x", wires.port), encoding="utf-8")
    (folder / "site.key").write_text(SITE_KEY.hex(), encoding="ascii")
    try:
        yield wires, config
    finally:
        wires.close()


def ledger(folder: Path) -> Path:
    (folder / "data").mkdir()
    path = folder / "data" / "ledger.db"
    Journal(path, chain="gw-1", instance="i").close()
    return path


def test_scan_finds_everybody_and_counts_as_a_start(tmp_path: Path) -> None:
    path = ledger(tmp_path)
    with line(tmp_path, lane(), bays()) as (_, config):
        code, text = run("scan", "--config", config)
        again, _ = run("scan", "--config", config)
    assert (code, again) == (0, 0), text
    assert f"   1  {LANE_UID}  in                  present" in text
    assert f"   2  {BAY_UID}  2 bays, b1          present" in text
    journal = Journal(path, chain="gw-1", instance="i")
    assert journal.next_hello() == 3
    journal.close()


def test_scan_names_who_is_missing(tmp_path: Path) -> None:
    with line(tmp_path, lane()) as (_, config):
        code, text = run("scan", "--config", config, "--hello", 5, "--json")
    found = json.loads(text)
    assert code == 1
    assert [node["state"] for node in found["nodes"]] == ["present", "silent"]


def test_measuring_a_good_bus_and_one_that_loses_too_much(tmp_path: Path) -> None:
    with line(tmp_path, lane(), bays()) as (wires, config):
        code, text = run("test", "--config", config, "--hello", 5, "--rounds", 30, "--json")
        found = json.loads(text)["nodes"]
        assert (code, [node["answered"] for node in found]) == (0, [30, 30])
        assert 0 < found[0]["trip_us"]["min"] <= found[0]["trip_us"]["p50"] <= found[0]["trip_us"]["max"] < 60_000

        deaf, bay = 0, wires.nodes[1]

        class Deaf:
            def receive(self, data: bytes, now_ms: int, stamp_ms: int) -> bytes:
                nonlocal deaf
                deaf += 1
                return b"" if deaf % 7 == 0 else bay.receive(data, now_ms, stamp_ms)

        wires.nodes[1] = Deaf()  # type: ignore[call-overload]
        code, text = run("test", "--config", config, "--hello", 6, "--rounds", 30)
    assert code == 1
    assert f"{BAY_UID}  2 bays, b1          present" in text


def test_a_trace_and_a_capture_that_replays(tmp_path: Path) -> None:
    node = lane()
    node.plate("浙A12345", 1, 0, 0, 97, 0, 0)
    with line(tmp_path) as (wires, config):
        talk = spoken_soon(wires, conversation(node))
        code, text = run("watch", "--config", config, "--seconds", 1.0)
        talk.join()
        assert code == 0
        assert "HELLO address 1 epoch 3" in text
        assert f"event PlateRead in 浙A***45 blue 97% ({LANE_UID} #1" in text
        assert "浙A12345" not in text

        talk = spoken_soon(wires, conversation(lane(), epoch=4))
        assert run("capture", tmp_path / "bus.capture", "--config", config, "--seconds", 1.0)[0] == 0
        talk.join()
    lines = [json.loads(text) for text in (tmp_path / "bus.capture").read_text().splitlines()]
    assert [one["dir"] for one in lines] == ["tx", "rx", "tx", "rx"]
    assert SITE_KEY.hex() not in (tmp_path / "bus.capture").read_text()
    replayed = CliRunner().invoke(
        main, ["replay", str(tmp_path / "bus.capture"), "--config", str(config)], prog_name="lotgate"
    )
    assert replayed.exit_code == 0, replayed.output
    assert "HELLO_R address 1 uid" in replayed.output


def spoken_soon(wires: Line, data: bytes) -> threading.Timer:
    """Said once the listener has opened its port; a pseudo-terminal keeps it even if that takes longer."""
    timer = threading.Timer(0.3, wires.say, (data,))
    timer.start()
    return timer


def conversation(node: LaneNode, epoch: int = 3) -> bytes:
    """Hello, its answer, a poll and what it brings, as anybody on the wires hears it."""
    cipher = Cipher(Aes)
    key = wire.node_key(cipher, SITE_KEY, bytes.fromhex(LANE_UID))
    hello = wire.seal(cipher, key, b"", (wire.HELLO, 1, 7, 1), wire.pack_hello(epoch, bytes(8)))
    welcome_raw = node.receive(hello, 0, 0)
    frame = wire.parse(welcome_raw[1:-1])
    assert isinstance(frame, wire.Frame)
    welcome = wire.unpack_welcome(frame.covered[wire.HEAD_BYTES :])
    assert welcome is not None
    keys = wire.session_keys(cipher, key, welcome.nonces, welcome.boot, 1, 7)
    poll = wire.seal(cipher, *keys, (wire.POLL, 1, 7, 1), wire.pack_poll(welcome.log, 0, 18))
    return hello + welcome_raw + poll + node.receive(poll, 5, 5)


# fmt: off
WRONG = [
    (("scan", "--bus", "x", "--hello", "1"),                    1, "has no bus 'x', but lanes"),
    (("scan",),                                                 1, "nobody knows what the nodes heard last; give --hello"),
    (("scan", "--hello", "1", "--port", "/nowhere"),            1, "/nowhere can't be opened; stop the gateway that holds it"),
    (("capture", "/nowhere/bus.capture"),                       1, "name a file in a folder that is there"),
    (("test", "--rounds", "0"),                                 2, "Invalid value for '--rounds'"),
]
# fmt: on


@pytest.mark.parametrize(("arguments", "code", "told"), WRONG, ids=[" ".join(case[0]) for case in WRONG])
def test_what_is_wrong_is_told(tmp_path: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    with line(tmp_path) as (_, config):
        found, text = run(*arguments, "--config", config)
    assert found == code
    assert told in text


def test_a_bad_configuration_has_its_own_code(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("", encoding="utf-8")
    assert run("scan", "--config", tmp_path / "gateway.toml")[0] == 78


@pytest.mark.parametrize("command", ["scan", "test", "watch", "capture"])
def test_each_has_an_example(command: str) -> None:
    code, text = run(command, "--help")
    assert code == 0
    assert f"{EXAMPLE} {command}" in text


def test_the_shell_completes_buses(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(GOOD, encoding="utf-8")
    shell = ShellComplete(main, {}, "lotgate", "_LOTGATE_COMPLETE")
    items = shell.get_completions(["bus", "scan", "--config", str(config), "--bus"], "l")
    assert [item.value for item in items] == ["lanes"]
    assert shell.get_completions(["bus", "scan", "--config", str(tmp_path), "--bus"], "") == []
