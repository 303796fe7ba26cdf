"""The FRAM over I2C: the log's memory on the chip's address."""

from __future__ import annotations

from firmware.fram import Fram
from firmware.log import FramLog


class Wires:
    """An MB85RC256V alone on its bus."""

    def __init__(self) -> None:
        self.data = bytearray(32768)

    def readfrom_mem(self, address: int, offset: int, count: int, *, addrsize: int) -> bytes:
        assert (address, addrsize) == (0x50, 16)
        assert offset + count <= len(self.data)
        return bytes(self.data[offset : offset + count])

    def writeto_mem(self, address: int, offset: int, data: bytes, *, addrsize: int) -> None:
        assert (address, addrsize) == (0x50, 16)
        self.data[offset : offset + len(data)] = data


def test_a_log_outlives_its_board() -> None:
    wires = Wires()
    FramLog(Fram(wires), 9).append(1, 5, 6, 0, 0)
    again = FramLog(Fram(wires), 10)
    assert (again.log, again.last) == (9, 1)
