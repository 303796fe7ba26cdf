"""A node from power-on: which board it is, what is soldered to it, and the loop that never ends.

Owns the chip's peripherals; nothing else in this folder imports `machine`. Rules: nothing happens at import but on a board,
where this file is the program; the watchdog is fed once a turn, and only by a turn that came to its end; memory is collected
after an answer, when no poll can be on its way. A node that cannot start says why on the USB console and waits there.
"""

import gc
import os
import select
import time

import cryptolib
import machine

from firmware import pins_bays, pins_lane, settings
from firmware.bay import BayNode
from firmware.bay_board import SAMPLE_MS, BayBoard
from firmware.cipher import Cipher
from firmware.echo import Echo
from firmware.fram import Fram
from firmware.lane import ENTRY, EXIT, LaneNode
from firmware.lane_board import LaneBoard
from firmware.ticks import Ticks

BUS_BPS = 115200
CAMERA_BPS = 19200
FRAM_HZ = 400000
LINE_BYTES = 512  # two frames
IDLE_MS = 5
WATCHDOG_MS = 8000
ECHO_US_MAX = 25000  # 4.3 m and back
ECHO_US_PER_M = 5831  # at 20 degrees; the floor is learnt, which takes the temperature out


def nonce() -> bytes:
    """Eight fresh bytes."""
    return os.urandom(8)


class Pins:
    """The chip's pins by number, each made once."""

    def __init__(self) -> None:
        self._made: dict[int, machine.Pin] = {}

    def look(self, gpio: int) -> int:
        """Level of an input; it is pulled up, which all our open-collector inputs want."""
        if gpio not in self._made:
            self._made[gpio] = machine.Pin(gpio, machine.Pin.IN, machine.Pin.PULL_UP)
        return self._made[gpio].value()

    def drive(self, gpio: int, level: int) -> None:
        """Set an output."""
        if gpio not in self._made:
            self._made[gpio] = machine.Pin(gpio, machine.Pin.OUT, value=0)
        self._made[gpio].value(level)

    def echo_mm(self, port: int) -> int:
        """Shout once and wait for the echo, at most ECHO_US_MAX; -1 if none came."""
        trigger = pins_bays.TRIGGERS[port]
        self.drive(trigger, 1)
        time.sleep_us(10)
        self.drive(trigger, 0)
        gpio = pins_bays.ECHOS[port]
        if gpio not in self._made:
            self._made[gpio] = machine.Pin(gpio, machine.Pin.IN)
        took_us = machine.time_pulse_us(self._made[gpio], 1, ECHO_US_MAX)
        return took_us * 1000 // ECHO_US_PER_M if took_us > 0 else -1


def make_lane(found: settings.Settings, boot: int, pins: Pins, bus: machine.UART) -> LaneBoard:
    """The lane of these settings."""
    camera = machine.UART(
        1,
        CAMERA_BPS,
        tx=machine.Pin(pins_lane.CAMERA_TX),
        rx=machine.Pin(pins_lane.CAMERA_RX),
        rxbuf=LINE_BYTES,
        timeout=0,
    )
    wires = machine.I2C(0, scl=machine.Pin(pins_lane.FRAM_SCL), sda=machine.Pin(pins_lane.FRAM_SDA), freq=FRAM_HZ)
    node = LaneNode(
        found.address,
        found.uid,
        found.key,
        Cipher(cryptolib.aes),
        memory=Fram(wires),
        role=EXIT if found.role == "exit" else ENTRY,
        boot=boot,
        nonce=nonce,
    )
    return LaneBoard(node, look=pins.look, drive=pins.drive, bus=bus, camera=camera)


def make_bays(found: settings.Settings, boot: int, pins: Pins, bus: machine.UART, sample_ms: int) -> BayBoard:
    """The bays of these settings."""
    node = BayNode(
        found.address, found.uid, found.key, Cipher(cryptolib.aes), ports=found.ports, boot=boot, nonce=nonce
    )
    detectors = [Echo(found.floor_mm) for _ in range(found.ports)]
    return BayBoard(node, detectors, measure=pins.echo_mm, bus=bus, sample_ms=sample_ms)


class Program:
    """The node of `node.json`. `sample_ms`: pause between two looks at bays."""

    def __init__(self, sample_ms: int = SAMPLE_MS) -> None:
        found = settings.load(machine.unique_id())
        boot = settings.next_boot(os.urandom, os.rename)
        pins = Pins()
        self._bus = machine.UART(
            0, BUS_BPS, tx=machine.Pin(pins_lane.BUS_TX), rx=machine.Pin(pins_lane.BUS_RX), rxbuf=LINE_BYTES, timeout=0
        )
        self.board: LaneBoard | BayBoard
        if found.board == "lane":
            self.board = make_lane(found, boot, pins, self._bus)
        else:
            self.board = make_bays(found, boot, pins, self._bus, sample_ms)
        self._poller = select.poll()
        self._poller.register(self._bus, select.POLLIN)
        self._watchdog = machine.WDT(timeout=WATCHDOG_MS)
        gc.collect()

    def turn(self, now_ms: int, stamp_ms: int) -> None:
        """One round."""
        if self.board.turn(now_ms, stamp_ms):
            gc.collect()
        self._watchdog.feed()

    def wait(self) -> None:
        """Until the bus speaks, or it is time to look at the pins again."""
        self._poller.poll(IDLE_MS)


def main() -> None:
    """The board's program."""
    try:
        program = Program()
    except (OSError, ValueError) as error:
        print("this node cannot start:", error)
        return
    ticks = Ticks()
    while True:
        now_ms = ticks.now_ms()
        program.turn(now_ms, now_ms)
        program.wait()


if __name__ == "__main__":
    main()
