"""The event logs: power may fail at any byte of any write, space may run out, and no number is ever given twice."""

from __future__ import annotations

import pytest

from firmware.log import (
    HEAD_BYTES,
    HEAD_STRIDE,
    RAM_EVENTS_DROPPED,
    RAM_EVENTS_MAX,
    SLOT_BYTES,
    SLOTS_AT,
    FramLog,
    RamLog,
)
from sim.fram import Fram, PowerCut

SIZE = SLOTS_AT + 8 * SLOT_BYTES


def opened(memory, fresh=99):
    return FramLog(memory, fresh)


def contents(log):
    """(acked, epoch, [what each number from the oldest on holds]); None stands for gone."""
    entries = [log.read(seq) for seq in range(log.oldest(), log.last + 1)]
    return log.acked, log.epoch, [entry and (entry.seq, entry.kind, entry.value, entry.extra) for entry in entries]


def filled(memory, count):
    log = opened(memory, 7)
    for value in range(count):
        log.append(1, 1000 + value, 9, 0, value)
    return log


def test_survives_a_restart():
    memory = Fram(SIZE)
    log = filled(memory, 5)
    log.append(1, 5000, 0x80, 0, 0, b"\x61\x01\x00\x00" + "浙A12345".encode())
    log.ack(2)
    log.see_epoch(4)
    again = opened(memory)
    assert again.log == 7
    assert contents(again) == contents(log)
    assert again.read(6).stamp_ms == 5000
    assert again.append(2, 0, 9, 0, 1) == 7


def test_new_memory_takes_the_fresh_id_and_keeps_it():
    memory = Fram(SIZE)
    assert (opened(memory, 5).log, opened(memory, 6).log) == (5, 5)
    with pytest.raises(ValueError, match="too small"):
        FramLog(Fram(SLOTS_AT + 7 * SLOT_BYTES), 1)


def test_leftovers_of_another_log_are_not_taken():
    memory = Fram(SIZE)
    filled(memory, 8)
    memory.write(0, bytes(SLOTS_AT))
    fresh = opened(memory, 8)
    assert contents(fresh) == (0, 0, [])
    assert fresh.read(5) is None
    assert fresh.append(1, 0, 9, 0, 0) == 1


@pytest.mark.parametrize("before", [0, 3, 8, 12])
@pytest.mark.parametrize("cut", range(SLOT_BYTES))
def test_power_cut_in_an_append(before, cut):
    memory = Fram(SIZE)
    log = filled(memory, before)
    kept = contents(log)[2]
    memory.cut_after = cut
    with pytest.raises(PowerCut):
        log.append(1, 5000, 6, 0, 77)
    memory.cut_after = None
    again = opened(memory)
    assert again.last in (before, before + 1)
    held = contents(again)[2]
    # What was logged stays; the slot in work held the oldest event, which a full ring gives up with this append, or nothing.
    survivors = kept[1:] if before >= 8 else kept
    assert [entry for entry in held if entry] in (survivors, kept)
    number = again.append(2, 0, 5, 0, 1)
    assert number == again.last
    assert opened(memory).read(number).kind == 5


@pytest.mark.parametrize("cut", range(HEAD_BYTES))
def test_power_cut_in_an_acknowledgement_or_a_new_epoch(cut):
    for change in (lambda log: log.ack(3), lambda log: log.see_epoch(9)):
        memory = Fram(SIZE)
        log = filled(memory, 5)
        log.ack(1)
        log.see_epoch(4)
        before = contents(log)
        memory.cut_after = cut
        with pytest.raises(PowerCut):
            change(log)
        memory.cut_after = None
        assert contents(opened(memory)) == before


@pytest.mark.parametrize("cut", range(HEAD_BYTES))
def test_power_cut_in_the_very_first_write(cut):
    memory = Fram(SIZE)
    memory.cut_after = cut
    with pytest.raises(PowerCut):
        opened(memory, 5)
    memory.cut_after = None
    assert opened(memory, 6).log == 6


def test_cuts_one_after_another_never_give_a_number_twice():
    memory = Fram(SIZE)
    log = filled(memory, 2)
    for cut in (12, 30, 63):
        memory.cut_after = cut
        with pytest.raises(PowerCut):
            log.append(1, 0, 6, 0, 0)
        memory.cut_after = None
        log = opened(memory)
    assert log.append(1, 0, 9, 0, 0) == 6
    assert contents(opened(memory))[2] == [(1, 9, 0, b""), (2, 9, 1, b""), None, None, None, (6, 9, 0, b"")]


def test_rotten_byte_in_the_newest_slot_is_a_loss_and_no_reuse():
    memory = Fram(SIZE)
    filled(memory, 3)
    memory.write(SLOTS_AT + 3 * SLOT_BYTES + 20, b"\xee")
    log = opened(memory)
    assert (log.last, log.read(3)) == (3, None)


def test_rotten_head_falls_back_to_the_other_copy():
    memory = Fram(SIZE)
    log = filled(memory, 3)
    log.ack(1)
    log.ack(2)
    generation = 3
    memory.write(generation % 2 * HEAD_STRIDE + 12, b"\xee")
    assert opened(memory).acked == 1


def test_full_ring_gives_up_the_oldest():
    log = filled(Fram(SIZE), 11)
    assert (log.oldest(), log.last, log.read(3)) == (4, 11, None)
    assert log.crowded()
    log.ack(8)
    assert (log.oldest(), log.crowded()) == (9, False)


@pytest.mark.parametrize("make", [lambda: filled(Fram(SIZE), 5), lambda: RamLog(7)])
def test_acknowledgements(make):
    log = make()
    while log.last < 5:
        log.append(1, 0, 9, 0, log.last)
    for seq, acked in ((3, 3), (2, 3), (0, 3), (6, 3), (5, 5)):
        log.ack(seq)
        assert (log.acked, log.oldest()) == (acked, acked + 1)


def test_ram_log_drops_half_when_full():
    log = RamLog(7)
    for value in range(RAM_EVENTS_MAX):
        assert not log.full()
        log.append(7, 0, 9, 0, value)
    assert log.full()
    log.drop_oldest()
    assert (log.oldest(), log.last) == (RAM_EVENTS_DROPPED + 1, RAM_EVENTS_MAX)
    assert (log.read(RAM_EVENTS_DROPPED), log.read(RAM_EVENTS_MAX).value) == (None, RAM_EVENTS_MAX - 1)
