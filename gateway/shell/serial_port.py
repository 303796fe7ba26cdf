"""One serial port on the event loop: bytes in with no waiting, bytes out, reopened by name when it went away.

Owns the file descriptor. Rules: neither reads nor writes ever block (the loop watches the descriptor); end of file, EIO and
an unplugged adapter are one case: close fully, back off, open again by the same name. Refuses to know frames and times.
"""

from __future__ import annotations

import asyncio
import logging
import os
import termios
from collections.abc import Callable

import serial

log = logging.getLogger(__name__)

READ_BYTES_MAX = 4096
REOPEN_MIN_S = 0.2
REOPEN_MAX_S = 5.0
"""An adapter is plugged back within seconds; asking every five costs nothing and fills no log."""

GONE = (OSError, termios.error)
"""What a port that is away raises; pyserial's own error is an OSError, but termios' is not."""


class SerialPort:
    """`on_data(bytes)` and `on_opened()` are called in the loop's thread. `dropped_bytes` counts what was not sent."""

    def __init__(
        self, path: str, baud_bps: int, on_data: Callable[[bytes], None], on_opened: Callable[[], None]
    ) -> None:
        self.path = path
        self.dropped_bytes = 0
        self._baud_bps = baud_bps
        self._on_data = on_data
        self._on_opened = on_opened
        self._serial: serial.Serial | None = None
        self._reopen_s = REOPEN_MIN_S
        self._reopening: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Open the port now, or keep trying; call inside the running loop."""
        self._loop = asyncio.get_running_loop()
        self._open()

    def write(self, data: bytes) -> None:
        """Send bytes; what a full line or an absent port does not take is dropped, and the bus repeats what matters."""
        written = 0
        try:
            if self._serial is not None:
                # Not the library's write: on a full line it would try for ever, and the whole loop would stand still.
                written = os.write(self._serial.fileno(), data)
        except BlockingIOError:
            pass
        except GONE as error:
            self._lost(error)
        self.dropped_bytes += len(data) - written

    def stop(self) -> None:
        """Close the port for good."""
        if self._reopening is not None:
            self._reopening.cancel()
        self._close()

    def _open(self) -> None:
        self._reopening = None
        try:
            self._serial = serial.Serial(self.path, self._baud_bps, timeout=0, write_timeout=0, exclusive=True)
        except GONE as error:
            if self._reopen_s == REOPEN_MIN_S:
                log.warning("serial port %s cannot be opened: %s; trying again", self.path, error)
            self._back_off()
            return
        log.info("serial port %s open at %d baud", self.path, self._baud_bps)
        self._loop.add_reader(self._serial.fileno(), self._readable)
        self._on_opened()

    def _readable(self) -> None:
        if self._serial is None:
            return
        try:
            data = self._serial.read(READ_BYTES_MAX)
        except GONE as error:
            self._lost(error)
            return
        if data:
            # Only now, so that a port which opens and fails at once is asked ever more seldom.
            self._reopen_s = REOPEN_MIN_S
            self._on_data(data)

    def _lost(self, error: Exception) -> None:
        log.warning("serial port %s lost: %s", self.path, error)
        self._close()
        self._back_off()

    def _close(self) -> None:
        port, self._serial = self._serial, None
        if port is None:
            return
        self._loop.remove_reader(port.fileno())
        try:
            port.close()
        except OSError as error:
            log.warning("serial port %s: close failed: %s", self.path, error)

    def _back_off(self) -> None:
        if self._reopening is None:
            self._reopening = self._loop.call_later(self._reopen_s, self._open)
            self._reopen_s = min(self._reopen_s * 2, REOPEN_MAX_S)
