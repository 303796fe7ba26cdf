"""A lane's board at work: what its pins show goes into the lane's rules, and what these want goes to the pins.

Owns the order within one turn: the bus first, since the gateway waits for its answer, then contacts, camera, timers, barrier
and display. Rules: every input is looked at before the first byte of the bus is, as a boot begins with what it finds; the
barrier's interlock looks at the safety loop itself and not at what was believed of it. Pins and lines come in as arguments.
"""

from firmware import pins_lane as pins
from firmware.barrier import Barrier
from firmware.camera import Reader, text_line
from firmware.contact import Contact
from firmware.lane import ARRIVAL, FIRE, HELP, MAINS, SAFETY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from firmware.lane import LaneNode

    class Line(Protocol):
        """What is used of a UART. `read` returns at once; None or b'' if nothing came."""

        def read(self, __count: int) -> "bytes | None": ...
        def write(self, __data: bytes) -> "int | None": ...


READ_BYTES = 256
LOOP_HOLD_MS = 20
CONTACT_HOLD_MS = 50
LIMIT_HOLD_MS = 10


class LaneBoard:
    """`look(gpio)` gives a pin's level, `drive(gpio, level)` sets one."""

    def __init__(
        self,
        node: "LaneNode",
        *,
        look: "Callable[[int], int]",
        drive: "Callable[[int, int], None]",
        bus: "Line",
        camera: "Line",
    ) -> None:
        self.node = node
        self.barrier = Barrier()
        self.reader = Reader()
        self._look = look
        self._drive = drive
        self._bus = bus
        self._camera = camera
        self._arrival = Contact(LOOP_HOLD_MS)
        self._safety = Contact(LOOP_HOLD_MS)
        self._contacts = (
            (HELP, pins.HELP, pins.HELP_YES, Contact(CONTACT_HOLD_MS)),
            (FIRE, pins.FIRE, 1, Contact(CONTACT_HOLD_MS)),
            (MAINS, pins.MAINS, pins.MAINS_YES, Contact(CONTACT_HOLD_MS)),
        )
        self._top = Contact(LIMIT_HOLD_MS)
        self._bottom = Contact(LIMIT_HOLD_MS)
        self._told = -1
        self._shown = 0
        self._begun = False

    def turn(self, now_ms: int, stamp_ms: int) -> bool:
        """One round; True if the bus was answered, which is when there is time for anything slow."""
        if not self._begun:
            self._begun = True
            self._sense(now_ms, stamp_ms)
        answered = False
        data = self._bus.read(READ_BYTES)
        if data:
            reply = self.node.receive(data, now_ms, stamp_ms)
            if reply:
                self._bus.write(reply)
                answered = True
        self._sense(now_ms, stamp_ms)
        self._read_camera(now_ms, stamp_ms)
        self.node.run(now_ms, stamp_ms)
        self._move(now_ms)
        if self.node.shown != self._shown:
            self._shown = self.node.shown
            self._camera.write(text_line(self.node.text, self.node.voice))
        return answered

    def _sense(self, now_ms: int, stamp_ms: int) -> None:
        if self._top.feel(self._look(pins.ARM_OPEN) == pins.ARM_OPEN_YES, now_ms):
            self._told = -1
        if self._bottom.feel(self._look(pins.ARM_CLOSED) == pins.ARM_CLOSED_YES, now_ms):
            self._told = -1
        self._steer(now_ms)
        if self.barrier.position != self._told:
            self._told = self.barrier.position
            self.node.position(self._told, now_ms, stamp_ms)
        # Who leaves one loop for the other is on the other first: so the one left is looked at first and told of last.
        arrival = self._look(pins.LOOP_ARRIVAL) == 1
        safety = self._look(pins.LOOP_SAFETY) == 1
        for which, contact, raw in ((SAFETY, self._safety, safety), (ARRIVAL, self._arrival, arrival)):
            if contact.feel(raw, now_ms):
                self.node.loop(which, contact.level is True, now_ms, stamp_ms)
        for which, gpio, yes, contact in self._contacts:
            if contact.feel(self._look(gpio) == yes, now_ms):
                self.node.contact(which, contact.level is True, now_ms, stamp_ms)

    def _read_camera(self, now_ms: int, stamp_ms: int) -> None:
        data = self._camera.read(READ_BYTES)
        if data:
            for text, colour, vehicle, energy, confidence in self.reader.feed(data):
                self.node.plate(text, colour, vehicle, energy, confidence, now_ms, stamp_ms)

    def _move(self, now_ms: int) -> None:
        self._steer(now_ms)
        # The one that must go off goes first.
        if self.barrier.raising:
            self._drive(pins.ARM_LOWER, 0)
            self._drive(pins.ARM_RAISE, 1)
        else:
            self._drive(pins.ARM_RAISE, 0)
            self._drive(pins.ARM_LOWER, int(self.barrier.lowering))

    def _steer(self, now_ms: int) -> None:
        occupied = self._look(pins.LOOP_SAFETY) == 1
        self.barrier.run(self.node.raised, occupied, self._top.level is True, self._bottom.level is True, now_ms)
