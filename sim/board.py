"""Boards on the desk: each a process of the real MicroPython with firmware/main.py, and what is soldered to it.

Owns the chip's file, the two serial lines, power. Rules: the outside of a board is its pins and lines and nothing else;
a lane's board is moved by the same calls as a lane node (sim/lane.py), a bay's by `bay`. Needs the interpreter's wheel.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Mapping
from pathlib import Path

from firmware import pins_bays, pins_lane
from firmware.camera import plate_line
from sim import registers

ROOT = Path(__file__).resolve().parent.parent
MICROPYTHON = Path(sys.executable).parent / "micropython"
HEAP = "256k"
"""An RP2040 leaves its program about 190 kB, but objects are twice as big on a 64-bit host."""
FRAM_BYTES = 32_768
FLOOR_MM = 2_500
ROOF_MM = 1_000
"""From the sensor under the ceiling to the roof of a car."""
US_PER_M = 5_831
LINES = ("bus", "camera")
ARRIVAL, SAFETY = 0, 1
OPEN, CLOSED = 1, 0


class Line:
    """One serial line into a board: a raw pseudo-terminal whose far side never waits."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        attributes = termios.tcgetattr(self._slave)
        attributes[6][termios.VMIN] = attributes[6][termios.VTIME] = 0
        termios.tcsetattr(self._slave, termios.TCSANOW, attributes)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)

    def close(self) -> None:
        """Hang up."""
        os.close(self.master)
        os.close(self._slave)


class Board:
    """One board in `folder`, which is its flash. `settings` is its node.json."""

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.bus, self.camera = Line(), Line()
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "node.json").write_text(json.dumps(dict(settings)), encoding="utf-8")
        (folder / "uid.txt").write_text(str(settings["uid"]), encoding="ascii")
        for name, line in zip(LINES, (self.bus, self.camera), strict=True):
            (folder / f"{name}.tty").write_text(line.path, encoding="ascii")
        if not (folder / "fram.bin").exists():
            (folder / "fram.bin").write_bytes(bytes(FRAM_BYTES))
        (folder / "chip.bin").write_bytes(bytes(registers.BYTES))
        with (folder / "chip.bin").open("r+b") as file:
            self._chip = mmap.mmap(file.fileno(), registers.BYTES)
        for gpio in range(registers.OUTPUT_AT):
            self.drive(gpio, registers.PULL_UP)

    def power_on(self, clock: tuple[int, int, int]) -> None:
        """Start the program over the pins as they are. `clock`: real ms of stamp 0, scale, ms between looks at bays."""
        path = f"{ROOT / 'sim' / 'micropython'}:{ROOT}"
        command = [str(MICROPYTHON), "-X", f"heapsize={HEAP}", str(ROOT / "sim" / "micropython" / "start.py")]
        self.starts += 1
        for at in range(registers.TOLD_BYTES):
            self._chip[registers.TOLD_AT + at] = 0
        with (self.folder / "console.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *map(str, clock)],
                cwd=self.folder,
                env={"MICROPYPATH": path, "PYTHONPATH": str(ROOT), "PATH": os.environ.get("PATH", "")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def power_off(self) -> None:
        """Take the power away, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        for gpio in range(registers.OUTPUT_AT):
            self._chip[registers.OUTPUT_AT + gpio] = 0

    def close(self) -> None:
        """Take it off the desk."""
        self.power_off()
        self._chip.close()
        self.bus.close()
        self.camera.close()

    @property
    def alive(self) -> bool:
        """The program runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def told(self) -> tuple[int, int, int, int, int]:
        """Events pending, highest number sent, commands opened, turns, most heap used in bytes; zeros before the first turn."""
        at = registers.TOLD_AT
        pending, sent_seq, opened, turns, heap = struct.unpack(
            registers.TOLD_FORM, self._chip[at : at + registers.TOLD_BYTES]
        )
        return pending, sent_seq, opened, turns, heap

    @property
    def turns(self) -> int:
        """Rounds of the program since power-on."""
        return self.told[3]

    @property
    def pending(self) -> int:
        """Events not yet acknowledged."""
        return self.told[0]

    def drive(self, gpio: int, level: int) -> None:
        """Set an input of the chip."""
        self._chip[registers.INPUT_AT + gpio] = level

    def output(self, gpio: int) -> int:
        """What the chip drives."""
        return self._chip[registers.OUTPUT_AT + gpio]

    def pulse(self, gpio: int, us: int) -> None:
        """Hold an echo of this length ready at a pin; 0 for none."""
        at = registers.ECHO_AT + 2 * gpio
        self._chip[at : at + 2] = struct.pack("<H", us)


class LaneBoard(Board):
    """A lane's board with loops, camera, barrier contacts; moved like a lane node."""

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        super().__init__(folder, settings)
        self.latencies_us: list[int] = []
        self._up = False
        self._reported_ns = 0
        self._felt = 0
        for gpio, level in (
            (pins_lane.LOOP_ARRIVAL, 0),
            (pins_lane.LOOP_SAFETY, 0),
            (pins_lane.FIRE, 0),
            (pins_lane.MAINS, pins_lane.MAINS_YES),
        ):
            self.drive(gpio, level)
        self.position(CLOSED, 0, 0)

    @property
    def raised(self) -> bool:
        """The way that the relays last drove the arm."""
        if self.output(pins_lane.ARM_RAISE):
            self._up = True
            if self._reported_ns:
                self.latencies_us.append((time.monotonic_ns() - self._reported_ns) // 1_000)
                self._reported_ns = 0
        elif self.output(pins_lane.ARM_LOWER):
            self._up = False
        return self._up

    @property
    def settled(self) -> bool:
        """The program has looked at its pins often enough to believe what they showed last."""
        return self.turns >= self._felt

    def loop(self, which: int, occupied: bool, _now_ms: int, _stamp_ms: int) -> None:
        """A loop detector's relay."""
        self._change(pins_lane.LOOP_ARRIVAL if which == ARRIVAL else pins_lane.LOOP_SAFETY, int(occupied))

    def plate(
        self, text: str, colour: int, vehicle: int, energy: int, confidence: int, _now_ms: int, _stamp_ms: int
    ) -> None:
        """The camera speaks."""
        os.write(self.camera.master, plate_line(text, colour, vehicle, energy, confidence))

    def position(self, value: int, _now_ms: int, _stamp_ms: int) -> None:
        """The limit switches."""
        self._change(pins_lane.ARM_OPEN, pins_lane.ARM_OPEN_YES if value == OPEN else 1 - pins_lane.ARM_OPEN_YES)
        self._change(
            pins_lane.ARM_CLOSED, pins_lane.ARM_CLOSED_YES if value == CLOSED else 1 - pins_lane.ARM_CLOSED_YES
        )

    def run(self, _now_ms: int, _stamp_ms: int) -> None:
        """A board runs by itself."""

    def reported(self) -> None:
        """A plate was shown at an exit: the stopwatch runs until the arm is driven up."""
        self._reported_ns = time.monotonic_ns()

    def abandon(self) -> None:
        """The gateway was killed: what follows is no answer to this report."""
        self._reported_ns = 0

    def shown(self) -> bytes:
        """What the display was sent since the last look."""
        try:
            return os.read(self.camera.master, 4096)
        except BlockingIOError:
            return b""

    def _change(self, gpio: int, level: int) -> None:
        self.drive(gpio, level)
        self._felt = self.turns + TURNS_TO_BELIEVE


TURNS_TO_BELIEVE = 8
"""Rounds of 5 ms at most: longer than any contact of a lane has to hold."""


class BayBoard(Board):
    """A bay node's board under its ultrasonic sensors; all bays are free when it is made."""

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        super().__init__(folder, settings)
        for port in range(len(pins_bays.ECHOS)):
            self.bay(port, False, 0, 0)

    def bay(self, port: int, occupied: bool, _now_ms: int, _stamp_ms: int) -> None:
        """A car stands under the sensor, or the floor is seen."""
        self.pulse(pins_bays.ECHOS[port], (ROOF_MM if occupied else FLOOR_MM) * US_PER_M // 1_000)
