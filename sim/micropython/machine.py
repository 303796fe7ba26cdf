"""The board's `machine` on a desk: serial ports are pseudo-terminals, pins and memories are files in the current folder.

Owns nothing but the likeness; found before the built-in module because this folder comes first on MICROPYPATH. Rules: a call
that the firmware does not make is not here, so that a new one is noticed.
"""

import struct

from sim import registers

CHIP = "chip.bin"
FRAM = "fram.bin"
FRAM_ADDRESS = 0x50
LINES = ("bus.tty", "camera.tty")

_chip = open(CHIP, "r+b")  # noqa: SIM115 - lives as long as the chip


def unique_id() -> bytes:
    """The chip's number."""
    with open("uid.txt") as file:
        return bytes.fromhex(file.read())


def UART(number: int, _baud_bps: int, **_options: object) -> object:
    """A raw terminal; its reads return at once."""
    with open(LINES[number]) as file:
        path = file.read()
    return open(path, "r+b")


def time_pulse_us(pin: "Pin", _level: int, limit_us: int) -> int:
    """The echo that the surroundings hold ready for this pin; -2 without one."""
    _chip.seek(registers.ECHO_AT + 2 * pin.gpio)
    took_us: int = struct.unpack("<H", _chip.read(2))[0]
    return took_us if 0 < took_us <= limit_us else -2


class Pin:
    """One pin."""

    IN, OUT, PULL_UP = 0, 1, 1

    def __init__(self, gpio: int, mode: int = IN, _pull: int = 0, value: int = -1) -> None:
        self.gpio = gpio
        self._at = (registers.OUTPUT_AT if mode == self.OUT else registers.INPUT_AT) + gpio
        if value >= 0:
            self.value(value)

    def value(self, level: int = -1) -> int:
        """The level, or set it."""
        _chip.seek(self._at)
        if level < 0:
            return _chip.read(1)[0]
        _chip.write(bytes((level,)))
        return level


class I2C:
    """The FRAM."""

    def __init__(self, _number: int, **_options: object) -> None:
        self._fram = open(FRAM, "r+b")  # noqa: SIM115 - lives as long as the chip

    def readfrom_mem(self, address: int, offset: int, count: int, addrsize: int = 8) -> bytes:
        """`count` bytes from `offset`."""
        self._reach(address, offset, addrsize)
        return self._fram.read(count)

    def writeto_mem(self, address: int, offset: int, data: bytes, addrsize: int = 8) -> None:
        """Write them there."""
        self._reach(address, offset, addrsize)
        self._fram.write(data)

    def _reach(self, address: int, offset: int, addrsize: int) -> None:
        if address != FRAM_ADDRESS or addrsize != 16:
            raise OSError(5)
        self._fram.seek(offset)


class WDT:
    """Counts what it is fed; whoever runs the board looks at its turns."""

    def __init__(self, timeout: int) -> None:
        self.timeout = timeout

    def feed(self) -> None:
        """Not yet."""
