"""A real terminal for the tests: a program on a pseudo-terminal of 80 by 24, its keys and what it writes.

Owns the pseudo-terminal. Rules: what is waited for must be written after the last key; orders to the terminal are taken out.
Knows no screen of ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator

LIMIT_S = 40
ORDERS = re.compile(
    rb"\x1b\[[0-9;?:<=>]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>78]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\"
)


class Keyboard:
    """Types into a program and reads what it writes."""

    def __init__(self, line: int) -> None:
        self._line = line
        self._written = b""

    def press(self, keys: str) -> None:
        """Type; what was written before counts no more."""
        self._written = b""
        os.write(self._line, keys.encode())

    def until(self, text: str) -> None:
        """Wait until something is on the screen that was not there before the last key."""
        until_s = time.monotonic() + LIMIT_S
        while text not in ORDERS.sub(b"", self._written).decode(errors="replace"):
            if time.monotonic() > until_s:
                raise AssertionError(f"{text!r} was never written:\n{ORDERS.sub(b'', self._written)[-3000:]!r}")
            if select.select([self._line], [], [], 0.2)[0]:
                self._written += os.read(self._line, 65_536)


@contextlib.contextmanager
def keyboard(command: list[str]) -> Iterator[Keyboard]:
    """A program on a pseudo-terminal; ends it."""
    process, line = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execvp(command[0], command)
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    try:
        yield Keyboard(line)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(line)
