"""A bay node: up to 16 occupancy sensors on one address.

Owns the state of its bays and when it is told whole: a snapshot opens every log and follows every loss, so the count
can always be restored. Rules: the levels fed before the first `run` or `receive` are where this boot begins, not
events.
"""

from firmware import log, node, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PORTS_MAX = 16  # bits of the snapshot
IDLE_MS = 60000  # nothing here waits; the owner calls more often anyway


class BayNode:
    """`uid` 8 bytes, `key` the node's 16 bytes, `ports` 1 to 16, `boot` a number never used before, `nonce()` 8 fresh bytes."""

    def __init__(
        self,
        address: int,
        uid: bytes,
        key: bytes,
        cipher: "wire.CipherLike",
        *,
        ports: int,
        boot: int,
        nonce: "Callable[[], bytes]",
    ) -> None:
        if not 1 <= ports <= PORTS_MAX:
            raise ValueError(f"{ports} ports are not 1 to {PORTS_MAX}")
        self._boot = boot
        self._log = log.RamLog(boot)
        self._occupied = [False] * ports
        self._begun = False
        welcome = wire.Welcome(
            nonces=b"",
            uid=uid,
            boot=boot,
            log=self._log.log,
            kind=wire.KIND_BAY,
            ports=ports,
            version=wire.VERSION,
            build=node.BUILD,
        )
        self._bus = node.BusEnd(welcome, address, key, cipher, log=self._log, nonce=nonce, execute=_refuse)
        self.counters = self._bus.counters

    @property
    def pending(self) -> int:
        """Events not yet acknowledged."""
        return self._log.last - self._log.acked

    @property
    def sent_seq(self) -> int:
        """Highest number in the last reply."""
        return self._bus.sent_seq

    def receive(self, data: bytes, now_ms: int, stamp_ms: int) -> bytes:
        """Feed bus bytes; returns what to send at once, b'' for silence."""
        self._begin(stamp_ms)
        return self._bus.receive(data, now_ms, stamp_ms)

    def bay(self, port: int, occupied: bool, now_ms: int, stamp_ms: int) -> None:  # noqa: ARG002 - as in a lane
        """A sensor's debounced level; repeats of the same level are no event. IndexError for a port this node lacks."""
        if port < 0:
            raise IndexError(port)
        if self._occupied[port] == occupied:
            return
        self._occupied[port] = occupied
        if not self._begun:
            return
        if self._log.full():
            self._log.drop_oldest()
            self._snapshot(stamp_ms)
        else:
            self._log.append(self._boot, stamp_ms, wire.BAY, port, int(occupied))

    def run(self, now_ms: int, stamp_ms: int) -> None:  # noqa: ARG002 - as in a lane
        """Timers; a bay node has none, but the first call ends the start."""
        self._begin(stamp_ms)

    def wake_ms(self, now_ms: int) -> int:
        """When `run` is next wanted."""
        return now_ms + IDLE_MS

    def _begin(self, stamp_ms: int) -> None:
        if not self._begun:
            self._begun = True
            self._bus.start(stamp_ms)
            self._snapshot(stamp_ms)

    def _snapshot(self, stamp_ms: int) -> None:
        bits = 0
        for port in range(len(self._occupied)):
            if self._occupied[port]:
                bits |= 1 << port
        self._log.append(self._boot, stamp_ms, wire.BAYS, 0, 0, bytes((bits & 255, bits >> 8)))


def _refuse(_op: int, _rest: bytes, _now_ms: int, _stamp_ms: int) -> int:
    return wire.UNKNOWN
