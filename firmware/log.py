"""The node's event log: what happened and is not yet committed by the gateway.

FramLog keeps it in memory that outlives the power (lanes), RamLog in RAM (bays). Rules: a number is given once per
log; an event leaves only when acknowledged; when space runs out the oldest goes, and `read` then answers None for it,
which the node reports as LOST. A write torn at any byte leaves the log as before, or with that one event counted as
lost. Refuses to know the bus.
"""

import binascii
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Memory(Protocol):
        """Byte memory that survives power loss; a torn write leaves a prefix of the new bytes."""

        size: int

        def read(self, offset: int, count: int) -> bytes: ...
        def write(self, offset: int, data: bytes) -> None: ...


HEAD_MAGIC = 0x31544F4C
HEAD_FORM = "<IIIII"
HEAD_BYTES = 24
HEAD_STRIDE = 32
SLOTS_AT = 64
SLOT_FORM = "<IIIQBBhB"
SLOT_HEAD_BYTES = 25
SLOT_BYTES = 64  # 25 bytes, at most 28 extra (a plate), padding, CRC: a power of two keeps addresses simple
SLOTS_MIN = 8
RAM_EVENTS_MAX = 64  # 16 bays changing four times while the gateway restarts
RAM_EVENTS_DROPPED = 32  # half at once, so that a full log does not report a loss with every event


class Entry:
    """One logged event; `stamp_ms` is the clock of the boot it names."""

    def __init__(self, seq: int, boot: int, stamp_ms: int, kind: int, port: int, value: int, extra: bytes) -> None:
        self.seq = seq
        self.boot = boot
        self.stamp_ms = stamp_ms
        self.kind = kind
        self.port = port
        self.value = value
        self.extra = extra


class FramLog:
    """Ring of slots, slot = seq modulo their number; the head (log id, acknowledged, epoch) is kept twice, written in turn."""

    def __init__(self, memory: "Memory", fresh_log: int) -> None:
        """`fresh_log`: the id taken if the memory holds no log; never one that was used before."""
        self._memory = memory
        self._slots = (memory.size - SLOTS_AT) // SLOT_BYTES
        if self._slots < SLOTS_MIN:
            raise ValueError(f"memory of {memory.size} bytes is too small")
        self.log = fresh_log
        self.acked = 0
        self.epoch = 0
        self.last = 0
        self._generation = 0
        if self._load_head():
            self.last = self._find_last()
        else:
            self._save_head()

    def append(self, boot: int, stamp_ms: int, kind: int, port: int, value: int, extra: bytes = b"") -> int:
        """Log one event and return its number. After return it survives a power cut."""
        seq = self.last + 1
        body = struct.pack(SLOT_FORM, self.log, seq, boot, stamp_ms, kind, port, value, len(extra)) + extra
        body += bytes(SLOT_BYTES - 4 - len(body))
        self._memory.write(self._at(seq), body + struct.pack("<I", binascii.crc32(body)))
        self.last = seq
        return seq

    def ack(self, seq: int) -> None:
        """Forget everything up to `seq`; a lower or impossible number changes nothing."""
        if self.acked < seq <= self.last:
            self.acked = seq
            self._save_head()

    def see_epoch(self, epoch: int) -> None:
        """Remember the gateway's epoch over restarts."""
        if epoch != self.epoch:
            self.epoch = epoch
            self._save_head()

    def read(self, seq: int) -> "Entry | None":
        """The event of that number, or None if it is gone."""
        slot = self._memory.read(self._at(seq), SLOT_BYTES)
        if struct.pack("<I", binascii.crc32(slot[:-4])) != slot[-4:]:
            return None
        log, found, boot, stamp_ms, kind, port, value, size = struct.unpack(SLOT_FORM, slot[:SLOT_HEAD_BYTES])
        if log != self.log or found != seq:
            return None
        return Entry(seq, boot, stamp_ms, kind, port, value, slot[SLOT_HEAD_BYTES : SLOT_HEAD_BYTES + size])

    def crowded(self) -> bool:
        """Is more than half of the room taken by what nobody acknowledged?"""
        return (self.last - self.acked) * 2 > self._slots

    def oldest(self) -> int:
        """Lowest unacknowledged number that may still be here; last + 1 if there is none."""
        return max(self.acked, self.last - self._slots) + 1

    def _at(self, seq: int) -> int:
        return SLOTS_AT + seq % self._slots * SLOT_BYTES

    def _save_head(self) -> None:
        self._generation += 1
        body = struct.pack(HEAD_FORM, HEAD_MAGIC, self._generation, self.log, self.acked, self.epoch)
        self._memory.write(self._generation % 2 * HEAD_STRIDE, body + struct.pack("<I", binascii.crc32(body)))

    def _load_head(self) -> bool:
        for copy in (0, 1):
            head = self._memory.read(copy * HEAD_STRIDE, HEAD_BYTES)
            if struct.pack("<I", binascii.crc32(head[:-4])) != head[-4:]:
                continue
            magic, generation, log, acked, epoch = struct.unpack(HEAD_FORM, head[:-4])
            if magic == HEAD_MAGIC and generation > self._generation:
                self._generation, self.log, self.acked, self.epoch = generation, log, acked, epoch
        return self._generation > 0

    def _find_last(self) -> int:
        """Highest number in use. A torn slot that bears the next number counts as used: its event is reported lost."""
        last = self.acked
        for index in range(self._slots):
            log, seq = struct.unpack("<II", self._memory.read(SLOTS_AT + index * SLOT_BYTES, 8))
            if log == self.log and seq > last and seq % self._slots == index and self.read(seq) is not None:
                last = seq
        while struct.unpack("<II", self._memory.read(self._at(last + 1), 8)) == (self.log, last + 1):
            last += 1
        return last


class RamLog:
    """At most RAM_EVENTS_MAX events in RAM; its id is the boot, so a restart begins a new log."""

    def __init__(self, boot: int) -> None:
        self.log = boot
        self.acked = 0
        self.epoch = 0
        self.last = 0
        self._entries: dict[int, Entry] = {}

    def full(self) -> bool:
        """Would the next event push others out?"""
        return len(self._entries) >= RAM_EVENTS_MAX

    def drop_oldest(self) -> None:
        """Make room; what went is reported as LOST by its missing numbers."""
        for seq in sorted(self._entries)[:RAM_EVENTS_DROPPED]:
            del self._entries[seq]

    def append(self, boot: int, stamp_ms: int, kind: int, port: int, value: int, extra: bytes = b"") -> int:
        """Queue one event and return its number."""
        self.last += 1
        self._entries[self.last] = Entry(self.last, boot, stamp_ms, kind, port, value, extra)
        return self.last

    def ack(self, seq: int) -> None:
        """Forget everything up to `seq`; a lower or impossible number changes nothing."""
        if self.acked < seq <= self.last:
            self.acked = seq
            for old in [n for n in self._entries if n <= seq]:
                del self._entries[old]

    def see_epoch(self, epoch: int) -> None:
        """Remember the gateway's epoch until the next restart."""
        self.epoch = epoch

    def read(self, seq: int) -> "Entry | None":
        """The event of that number, or None if it is gone."""
        return self._entries.get(seq)

    def oldest(self) -> int:
        """Lowest unacknowledged number that is still here; last + 1 if there is none."""
        return min(self._entries) if self._entries else self.last + 1
