"""The board's program on the desk's interpreter, with lot time for its stamps: micropython start.py BASE_MS SCALE SAMPLE_MS.

Owns the composition: it does what firmware/main.py does on a board, and after each turn leaves in the chip's file what the
simulator wants to know. BASE_MS: monotonic clock of the machine at which lot time was 0.
"""

import gc
import struct
import sys
import time

from firmware.main import Program
from firmware.ticks import Ticks
from sim import registers


def run(base_ms: int, scale: int, sample_ms: int) -> None:
    """For ever."""
    program = Program(sample_ms)
    board = program.board
    node = board.node
    ticks = Ticks()
    ahead_ms = time.ticks_ms() - base_ms
    told = open("chip.bin", "r+b")  # noqa: SIM115 - lives as long as the chip
    turns = 0
    most = 0
    while True:
        now_ms = ticks.now_ms()
        program.turn(now_ms, (now_ms + ahead_ms) * scale)
        turns += 1
        most = max(most, gc.mem_alloc())
        told.seek(registers.TOLD_AT)
        opened = getattr(node, "opened", 0)
        told.write(struct.pack(registers.TOLD_FORM, node.pending, node.sent_seq, opened, turns, most))
        program.wait()


run(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
