"""The nodes' end of a pseudo-terminal: every node hears every byte, and the stopwatches measure what they say."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from sim.bus_port import BusPort, ExitWatch, bare_commit_us


@dataclass
class Told:
    """A node that answers what it is told to."""

    answers: list[bytes] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    pending: int = 0
    sent_seq: int = 0
    opened: int = 0
    opens_on: bytes = b"open"

    def receive(self, data: bytes, _now_ms: int, _stamp_ms: int) -> bytes:
        self.heard.append(data)
        if data == self.opens_on:
            self.opened += 1
        if self.answers and not data.startswith(b"reply"):
            self.sent_seq += self.pending
            return self.answers.pop(0)
        return b""


def exchange(port: BusPort, gateway: int, data: bytes) -> None:
    os.write(gateway, data)
    while not port.pump():
        pass


def test_every_node_hears_the_gateway_and_the_other_nodes() -> None:
    speaker, listener = Told(answers=[b"reply"]), Told()
    fed = []
    port = BusPort([speaker, listener], stamp=lambda ms: ms, fed=lambda: fed.append(1))
    gateway = os.open(port.slave, os.O_RDWR | os.O_NOCTTY)
    exchange(port, gateway, b"poll\x00\x03\x04\x11\x13\xff")  # bytes that a terminal in cooked mode would eat
    assert os.read(gateway, 100) == b"reply"
    assert speaker.heard == [b"poll\x00\x03\x04\x11\x13\xff"]
    assert listener.heard == [b"poll\x00\x03\x04\x11\x13\xff", b"reply"]
    assert fed == [1]
    os.close(gateway)
    assert not port.pump()  # a gateway that is gone does not hang up the line


def test_the_exit_watch_runs_from_the_reply_with_the_report_to_the_opening() -> None:
    node = Told(answers=[b"reply1", b"reply2"])
    watch = ExitWatch(node)
    port = BusPort([node], stamp=lambda ms: ms, fed=lambda: None, watches={0: watch})
    gateway = os.open(port.slave, os.O_RDWR | os.O_NOCTTY)
    exchange(port, gateway, b"poll")  # carries nothing: nothing was reported yet
    node.pending = 1
    watch.reported()
    assert not port.in_flight
    exchange(port, gateway, b"poll")
    assert port.in_flight
    assert watch.latencies_us == []
    begin_ns = time.monotonic_ns()
    exchange(port, gateway, b"open")
    assert len(watch.latencies_us) == 1
    assert 0 <= watch.latencies_us[0] <= (time.monotonic_ns() - begin_ns) // 1000 + 100_000
    assert port.turn_us_max > 0
    exchange(port, gateway, b"open")  # an opening that no report asked for is not measured
    assert len(watch.latencies_us) == 1
    os.close(gateway)


def test_a_killed_gateway_stops_the_watch() -> None:
    node = Told(answers=[b"reply"], pending=1)
    watch = ExitWatch(node)
    port = BusPort([node], stamp=lambda ms: ms, fed=lambda: None, watches={0: watch})
    gateway = os.open(port.slave, os.O_RDWR | os.O_NOCTTY)
    watch.reported()
    exchange(port, gateway, b"poll")
    port.gateway_gone()
    exchange(port, gateway, b"open")
    assert watch.latencies_us == []
    assert port.turn_us_max == 0
    os.close(gateway)


def test_a_loop_pumps_by_itself() -> None:
    async def scene() -> bytes:
        node = Told(answers=[b"reply"])
        port = BusPort([node], stamp=lambda ms: ms, fed=lambda: None)
        port.open()
        gateway = os.open(port.slave, os.O_RDWR | os.O_NOCTTY)
        os.write(gateway, b"poll")
        answer = await asyncio.to_thread(os.read, gateway, 100)
        os.close(gateway)
        port.close()
        return answer

    assert asyncio.run(scene()) == b"reply"


def test_a_bare_commit_takes_its_time_and_leaves_its_bytes(tmp_path: Path) -> None:
    assert bare_commit_us(tmp_path) > 0
    bare_commit_us(tmp_path)
    assert (tmp_path / "bare-commit.bin").stat().st_size == 8192
