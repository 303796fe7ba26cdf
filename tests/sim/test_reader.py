"""A reader's errors: as many as asked for, one character each, mostly a lookalike."""

from __future__ import annotations

import random

from sim.drivers import Car
from sim.reader import CONFUSED, Reader

CAR = Car("浙A0B5E2", "blue", "small", "fuel")


def test_errors_are_one_character_and_mostly_alike() -> None:
    reader = Reader(random.Random(1), 0.5)
    reads = [reader.read(CAR).text for _ in range(2000)]
    wrong = [read for read in reads if read != CAR.text]
    apart = [[(a, b) for a, b in zip(CAR.text, read, strict=True) if a != b] for read in wrong]
    assert {len(places) for places in apart} == {1}
    alike = sum(any(a in group and b in group for group in CONFUSED) for ((a, b),) in apart)
    assert reader.errors == len(wrong)
    assert 900 < len(wrong) < 1100
    assert 0.75 < alike / len(wrong) < 0.9
    assert all(read[0] == "浙" for read in reads)


def test_a_reader_without_errors_reads() -> None:
    assert Reader(random.Random(1)).read(CAR) == CAR
