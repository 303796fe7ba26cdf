"""The recording disk's log and what a cut leaves of it; the mounts themselves need root and run by `make crash`."""

from __future__ import annotations

import random

from tests.block_recorder import ENTRY, FLUSHED, entries
from tests.crash_mounts import kept

SEED = 1
BLOCK = 4096


def log_of(*parts: tuple[int, bytes]) -> bytes:
    return b"".join(ENTRY.pack(at, len(data)) + data for at, data in parts)


FIRST, SECOND, LATER = (letter * BLOCK for letter in (b"a", b"b", b"c"))
LOG = log_of((0, FIRST), (BLOCK, SECOND), (FLUSHED, b""), (0, LATER), (2 * BLOCK, LATER))


def image(end: int, dice: random.Random | None) -> bytes:
    disk = bytearray(3 * BLOCK)
    for at, data in kept(LOG, end, dice):
        disk[at : at + len(data)] = data
    return bytes(disk)


def test_the_log_is_read_back() -> None:
    assert [(at, data) for _, at, data in entries(LOG)] == [
        (0, FIRST),
        (BLOCK, SECOND),
        (FLUSHED, b""),
        (0, LATER),
        (2 * BLOCK, LATER),
    ]
    assert [end for end, _, _ in entries(LOG)][-1] == len(LOG)


def test_a_cut_leaves_all_that_came_before_it() -> None:
    ends = [end for end, _, _ in entries(LOG)]
    assert image(ends[0], None) == FIRST + bytes(2 * BLOCK)
    assert image(ends[-1], None) == LATER + SECOND + LATER


def test_what_was_flushed_stays_and_of_the_rest_any_sector_may_be_missing() -> None:
    dice = random.Random(SEED)
    images = {image(len(LOG), dice) for _ in range(100)}
    assert len(images) > 50
    for found in images:
        assert found[BLOCK : 2 * BLOCK] == SECOND
        sectors = [found[at : at + 512] for at in range(0, BLOCK, 512)]
        assert set(sectors) <= {b"a" * 512, b"c" * 512}
    before_the_flush = {image(ENTRY.size + BLOCK, dice) for _ in range(20)}
    assert len(before_the_flush) > 1
