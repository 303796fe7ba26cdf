"""A bay node's board at work: one sensor after another, and the bus between any two looks.

Owns the pace. Rules: the bus comes first; one look takes at most as long as an echo from the farthest floor, far below the
gateway's patience; the node begins once every sensor has decided, or after BEGIN_MS without one that never does.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from firmware.bay import BayNode
    from firmware.lane_board import Line

    class Detector(Protocol):
        """What decides for one bay."""

        occupied: "bool | None"

        def look(self, __value: int) -> bool: ...


READ_BYTES = 256
SAMPLE_MS = 60  # eight sensors twice a second, and no echo of one is still in the air when the next one shouts
BEGIN_MS = 5000


class BayBoard:
    """`measure(port)` takes one look at a port's sensor, -1 for none."""

    def __init__(
        self,
        node: "BayNode",
        detectors: "Sequence[Detector]",
        *,
        measure: "Callable[[int], int]",
        bus: "Line",
        sample_ms: int = SAMPLE_MS,
    ) -> None:
        self.node = node
        self.detectors = detectors
        self._measure = measure
        self._bus = bus
        self._sample_ms = sample_ms
        self._due_ms = -1
        self._begin_ms = -1
        self._begun = False
        self._port = 0

    def turn(self, now_ms: int, stamp_ms: int) -> bool:
        """One round; True if the bus was answered, which is when there is time for anything slow."""
        answered = False
        data = self._bus.read(READ_BYTES)
        if data and self._begun:
            reply = self.node.receive(data, now_ms, stamp_ms)
            if reply:
                self._bus.write(reply)
                answered = True
        if self._begin_ms < 0:
            self._begin_ms = self._due_ms = now_ms
        if now_ms >= self._due_ms:
            self._due_ms = now_ms + self._sample_ms
            self._sample(now_ms, stamp_ms)
        if self._begun:
            self.node.run(now_ms, stamp_ms)
        else:
            undecided = [one for one in self.detectors if one.occupied is None]
            self._begun = not undecided or now_ms - self._begin_ms >= BEGIN_MS
        return answered

    def _sample(self, now_ms: int, stamp_ms: int) -> None:
        port = self._port
        self._port = (port + 1) % len(self.detectors)
        detector = self.detectors[port]
        if detector.look(self._measure(port)):
            self.node.bay(port, detector.occupied is True, now_ms, stamp_ms)
