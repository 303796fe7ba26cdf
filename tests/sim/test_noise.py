"""The bad line: each fault as named, the same under the same seed, and bytes from nowhere never."""

from __future__ import annotations

import random

import pytest

from sim.noise import Noise, Segment

CHUNKS = [bytes([i]) * 5 for i in range(1, 60)]


def carried(seed=1, **faults):
    noise = Noise(random.Random(seed), **faults)
    return [noise.carry(chunk) for chunk in CHUNKS], noise


def test_quiet_line_changes_nothing():
    assert carried()[0] == [[chunk] for chunk in CHUNKS]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("drop", lambda _, came: came == []),
        ("repeat", lambda chunk, came: came == [chunk, chunk]),
        ("cut", lambda chunk, came: len(came) == 1 and len(came[0]) < 5 and chunk.startswith(came[0])),
        ("flip", lambda chunk, came: sum((a ^ b).bit_count() for a, b in zip(chunk, came[0], strict=True)) == 1),
    ],
)
def test_each_fault(fault, expected):
    found, noise = carried(**{fault: 1.0})
    assert all(expected(chunk, came) for chunk, came in zip(CHUNKS, found, strict=True))
    assert noise.faults == len(CHUNKS)


def test_delayed_chunks_come_before_the_next():
    found, _ = carried(delay=1.0)
    assert found == [[]] + [[chunk] for chunk in CHUNKS[:-1]]


def test_same_seed_same_faults():
    storm = {"flip": 0.2, "drop": 0.2, "cut": 0.2, "repeat": 0.2, "delay": 0.2}
    assert carried(3, **storm)[0] == carried(3, **storm)[0] != carried(4, **storm)[0]


class Echo:
    """Answers what is meant for it, remembers all that it hears."""

    def __init__(self, name):
        self.name = name
        self.heard = []

    def receive(self, data, now_ms, stamp_ms):
        self.heard.append((data, now_ms, stamp_ms))
        return b"r" + self.name if data == self.name else b""


def test_segment_lets_everybody_hear_everybody():
    nodes = [Echo(b"a"), Echo(b"b"), Echo(b"c")]
    quiet = random.Random(1)
    segment = Segment(lambda: nodes, down=Noise(quiet), up=Noise(quiet))
    assert segment.exchange(b"b", 5, 6) == b"rb"
    assert [[data for data, *_ in node.heard] for node in nodes] == [[b"b", b"rb"], [b"b"], [b"rb", b"b"]]
    assert nodes[0].heard[0] == (b"b", 5, 6)


def test_segment_repeats_and_drops():
    quiet = random.Random(1)
    node = Echo(b"a")
    twice = Segment(lambda: [node], down=Noise(quiet, repeat=1.0), up=Noise(quiet))
    assert twice.exchange(b"a", 0, 0) == b"rara"
    deaf = Segment(lambda: [node], down=Noise(quiet), up=Noise(quiet, drop=1.0))
    assert deaf.exchange(b"a", 0, 0) == b""
