"""Ferroelectric memory on I2C: bytes that outlive the power, written at the speed of the bus.

Owns the addressing of an MB85RC256V (32 kB, two address bytes). An I2C error is raised as it comes: a lane whose memory is gone
must not go on numbering events.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Wires(Protocol):
        """What is used of machine.I2C."""

        def readfrom_mem(self, __addr: int, __memaddr: int, __nbytes: int, *, addrsize: int = 8) -> bytes: ...
        def writeto_mem(self, __addr: int, __memaddr: int, __buf: bytes, *, addrsize: int = 8) -> None: ...


ADDRESS = 0x50
SIZE_BYTES = 32768


class Fram:
    """firmware.log.Memory over I2C."""

    def __init__(self, wires: "Wires", size: int = SIZE_BYTES) -> None:
        self.size = size
        self._wires = wires

    def read(self, offset: int, count: int) -> bytes:
        """`count` bytes from `offset`."""
        return self._wires.readfrom_mem(ADDRESS, offset, count, addrsize=16)

    def write(self, offset: int, data: bytes) -> None:
        """Write them; a power cut leaves a prefix."""
        self._wires.writeto_mem(ADDRESS, offset, data, addrsize=16)
