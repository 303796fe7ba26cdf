"""One serial bus at work: the port, the bus's own rules, and the clock that drives them.

Owns the pumping: bytes in, events out, the next frame out when the bus wants one. Writes the capture if one was asked for.
Refuses to know what events mean.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from gateway.config import BusPart, ConfigError
from gateway.core.commands import OpenBarrier, ShowText
from gateway.core.events import BusEvent, NodeEvent
from gateway.core.moment import Moment
from gateway.link.bus import Bus
from gateway.shell.clock import Clock
from gateway.shell.serial_port import SerialPort

CAPTURE_BYTES_MAX = 256 * 1024 * 1024
"""A capture left running must not fill the card; at full speed this is six hours of one bus."""


class Capture:
    """A serial capture: JSON lines of time, bus, direction and bytes; `lotgate replay` takes it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._bytes = 0

    def write(self, bus: str, direction: str, data: bytes) -> None:
        """Add one chunk; beyond the maximum nothing more is written."""
        if self._bytes >= CAPTURE_BYTES_MAX:
            return
        chunk = {"t_ns": time.monotonic_ns(), "bus": bus, "dir": direction, "hex": data.hex()}
        self._bytes += self._file.write(json.dumps(chunk) + "\n")


class BusLine:
    """Runs one bus; `on_events(events, now)` gets what a read brought, `hold()` tells when to let the bus wait."""

    def __init__(
        self,
        part: BusPart,
        *,
        hello: int,
        nonce: Callable[[], bytes],
        acked: Mapping[str, tuple[int, int]],
        clock: Clock,
        on_events: Callable[[list[NodeEvent | BusEvent], Moment], None],
        hold: Callable[[], bool],
        capture: Capture | None,
    ) -> None:
        self.name = part.name
        self.bus = Bus(part.name, part.nodes, site_key=site_key(part.site_key), epoch=hello, nonce=nonce, acked=acked)
        self._clock = clock
        self._on_events = on_events
        self._hold = hold
        self._capture = capture
        self._port = SerialPort(part.port, part.baud_bps, self._data, self.pump)
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def start(self) -> None:
        """Open the port and begin to poll."""
        self._loop = asyncio.get_running_loop()
        self._port.start()
        self.pump()

    def stop(self) -> None:
        """Fall silent, whatever is still pumped by work that was under way."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        self._port.stop()

    def command(self, command: OpenBarrier | ShowText) -> None:
        """Send a command to one of this bus's lanes as soon as the bus is free."""
        self.bus.command(command, self._clock.now_ms())
        self.pump()

    def pump(self) -> None:
        """Take time-outs, send the next frame if the bus wants one, and come back when it next does."""
        self._turn(b"")

    def _data(self, data: bytes) -> None:
        if self._capture is not None:
            self._capture.write(self.name, "rx", data)
        self._turn(data)

    def _turn(self, data: bytes) -> None:
        if self._stopped:
            return
        now_ms = self._clock.now_ms()
        events = self.bus.receive(data, now_ms)
        if events:
            self._on_events(events, self._clock.moment())
        if not self._hold():
            frame = self.bus.data_to_send(now_ms)
            if frame and self._capture is not None:
                self._capture.write(self.name, "tx", frame)
            if frame:
                self._port.write(frame)
        if self._timer is not None:
            self._timer.cancel()
        delay_s = max(1, self.bus.wake_ms() - now_ms) / 1000
        self._timer = self._loop.call_later(delay_s, self.pump)


def site_key(path: Path) -> bytes:
    """The 16 bytes of a site key's file (32 hex digits). Raises ConfigError."""
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such site key; write the 32 hex digits that the nodes were given") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}); give it to the gateway's user") from None
    except ValueError:
        key = b""
    if len(key) != 16:
        raise ConfigError(f"{path}: a site key is 32 hex digits")
    return key
