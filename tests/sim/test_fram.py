"""The memory that outlives its node."""

from __future__ import annotations

import pytest

from sim.fram import Fram, PowerCut


def test_file_outlives_the_object(tmp_path):
    path = tmp_path / "lane.fram"
    Fram(64, path).write(10, b"abc")
    assert Fram(64, path).read(9, 5) == b"\0abc\0"
    with pytest.raises(ValueError, match="64 bytes, not 32"):
        Fram(32, path)


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_power_cut_leaves_a_prefix(cut):
    memory = Fram(8)
    memory.cut_after = cut
    with pytest.raises(PowerCut):
        memory.write(2, b"abc")
    assert memory.read(0, 8) == b"\0\0" + b"abc"[:cut].ljust(6, b"\0")
    assert memory.written == cut


def test_cut_counts_over_several_writes():
    memory = Fram(8)
    memory.cut_after = 3
    memory.write(0, b"ab")
    with pytest.raises(PowerCut):
        memory.write(2, b"cd")
    assert memory.read(0, 4) == b"abc\0"


@pytest.mark.parametrize(("offset", "count"), [(-1, 1), (0, 9), (8, 1), (0, -1)])
def test_bounds(offset, count):
    with pytest.raises(ValueError, match="outside"):
        Fram(8).read(offset, count)
