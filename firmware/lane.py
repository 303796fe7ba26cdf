"""A lane node: barrier, arrival and safety loop, plate reader, display, three contacts.

Owns when the barrier is driven up. Rules: one grant passes one vehicle; an arm never comes down while the safety loop
is occupied; fire alarm and mains loss hold it up; at an exit a plate report that stays unacknowledged for
UNANSWERED_MS opens it. STEPS is the whole lane: a missing entry is a fault of this file. Levels fed before the first
`run` or `receive` are where this boot begins.
"""

from firmware import log, node, wire
from firmware.steps import (
    ARRIVE,
    CLEAR,
    EMPTY,
    ENTER,
    GRANT,
    HOLD,
    INTRUDE,
    LAPSE,
    LEAVE,
    ON_SAFETY_LOOP,
    READ,
    STEPS,
    UNCLAIMED,
    UP,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ENTRY, EXIT = 0, 1
ARRIVAL, SAFETY = 0, 1
HELP, FIRE, MAINS = 0, 1, 2
POSITION_OPEN, POSITION_MOVING = 1, 2
UNANSWERED, BY_FIRE, BY_MAINS = 1, 2, 3

UNANSWERED_MS = 2000
LAPSE_MS = 30000  # a granted barrier that nobody drives up to; longer than any driver hesitates on the loop's edge
IDLE_MS = 60000


class LaneNode:
    """A lane's rules over one log and one bus end.

    `uid` 8 bytes, `key` the node's 16 bytes, `memory` that outlives power, `boot` a number never used before, `nonce()` 8
    fresh bytes. Outputs are attributes: `raised` drives the barrier, `text` and `voice` the display.
    """

    def __init__(
        self,
        address: int,
        uid: bytes,
        key: bytes,
        cipher: "wire.CipherLike",
        *,
        memory: "log.Memory",
        role: int,
        boot: int,
        nonce: "Callable[[], bytes]",
    ) -> None:
        self.raised = False
        self.text = ""
        self.voice = 0
        self.opened = 0
        self.shown = 0
        self.self_opened = 0
        self.state = EMPTY
        self._role = role
        self._boot = boot
        self._log = log.FramLog(memory, int.from_bytes(nonce()[:4], "little") or 1)
        self._begun = False
        self._loops = [False, False]
        self._contacts: list[bool | None] = [False, None, None]
        self._position = -1
        self._told = -1
        self._lapse_ms = -1
        self._report = 0  # number of the last plate report that nobody answered, 0 if none
        self._report_ms = -1
        welcome = wire.Welcome(
            nonces=b"",
            uid=uid,
            boot=boot,
            log=self._log.log,
            kind=wire.KIND_LANE,
            ports=2,
            version=wire.VERSION,
            build=node.BUILD,
        )
        self._bus = node.BusEnd(welcome, address, key, cipher, log=self._log, nonce=nonce, execute=self._execute)
        self.counters = self._bus.counters
        self._resume_report()

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
        self._begin(now_ms, stamp_ms)
        self._bus.status = self._status()
        reply = self._bus.receive(data, now_ms, stamp_ms)
        if self._log.acked >= self._report:
            self._report = 0
        self._tell_position(stamp_ms)
        return reply

    def loop(self, which: int, occupied: bool, now_ms: int, stamp_ms: int) -> None:
        """Level of the arrival (0) or safety (1) loop; repeats of the same level are nothing."""
        if self._loops[which] == occupied:
            return
        self._loops[which] = occupied
        if which == ARRIVAL:
            self._step(ARRIVE if occupied else LEAVE, now_ms, stamp_ms)
        elif not occupied:
            self._step(CLEAR, now_ms, stamp_ms)
        else:
            # Before the start is over nobody knows how the arm stands: what is under it counts as passing, and the arm goes up.
            self._step(ENTER if self.raised or not self._begun else INTRUDE, now_ms, stamp_ms)

    def plate(
        self, text: str, colour: int, vehicle: int, energy: int, confidence: int, now_ms: int, stamp_ms: int
    ) -> None:
        """A plate was read, or found missing (empty text); numbers as on the wire, confidence 0 to 100."""
        raw = text.encode()
        while len(raw) > wire.PLATE_BYTES_MAX:
            text = text[:-1]
            raw = text.encode()
        behind = wire.BEHIND if self.state in ON_SAFETY_LOOP else 0
        seq = self._happened(wire.PLATE, behind, stamp_ms, bytes((confidence, colour, vehicle, energy)) + raw)
        self._step(READ, now_ms, stamp_ms)
        if not self._report:
            self._report_ms = now_ms
        self._report = seq

    def position(self, value: int, now_ms: int, stamp_ms: int) -> None:  # noqa: ARG002 - all inputs take both clocks
        """Barrier contacts: 0 closed, 1 open, 2 moving, 3 fault. The first reading of a boot is always told."""
        self._position = value
        self._tell_position(stamp_ms)

    def contact(self, which: int, active: bool, now_ms: int, stamp_ms: int) -> None:
        """Help button (0) pressed, fire alarm (1) active, mains (2) present; a boot's first fire and mains level are told."""
        if self._contacts[which] == active:
            return
        self._contacts[which] = active
        if which == HELP:
            if active:
                self._happened(wire.HELP, 0, stamp_ms)
            return
        self._happened(wire.FIRE if which == FIRE else wire.MAINS, int(active), stamp_ms)
        if active == (which == FIRE):
            if not self.raised:
                self._self_open(BY_FIRE if which == FIRE else BY_MAINS, stamp_ms)
            self._step(HOLD, now_ms, stamp_ms)
        self._drive()

    def run(self, now_ms: int, stamp_ms: int) -> None:
        """Timers: call when `wake_ms` says, more often does no harm."""
        self._begin(now_ms, stamp_ms)
        if self._awaited() and now_ms - self._report_ms >= UNANSWERED_MS:
            self._report = 0
            if not self.raised:
                self._self_open(UNANSWERED, stamp_ms)
            self._step(GRANT, now_ms, stamp_ms)
        if self.state == UNCLAIMED and now_ms >= self._lapse_ms:
            self._step(LAPSE, now_ms, stamp_ms)

    def wake_ms(self, now_ms: int) -> int:
        """When `run` is next wanted, if nothing else happens."""
        wake_ms = now_ms + IDLE_MS
        if self._awaited():
            wake_ms = min(wake_ms, self._report_ms + UNANSWERED_MS if self._report_ms >= 0 else now_ms)
        if self.state == UNCLAIMED:
            wake_ms = min(wake_ms, self._lapse_ms)
        return max(wake_ms, now_ms)

    def _awaited(self) -> bool:
        return self._role == EXIT and self._report > 0

    def _begin(self, now_ms: int, stamp_ms: int) -> None:
        if not self._begun:
            self._begun = True
            self._bus.start(stamp_ms)
            if self._report_ms < 0:
                self._report_ms = now_ms
            if self._position in (POSITION_OPEN, POSITION_MOVING):
                # The last boot raised the arm for somebody who may still stand there.
                self._step(GRANT, now_ms, stamp_ms)

    def _resume_report(self) -> None:
        """A vehicle may still stand there whose report outlived the last boot."""
        reports: list[int] = []
        for seq in range(self._log.oldest(), self._log.last + 1):
            entry = self._log.read(seq)
            if entry is not None and entry.kind == wire.PLATE:
                reports.append(seq)
            elif entry is not None and entry.kind in (wire.PASSED, wire.BACKED_OUT):
                reports = reports[1:]
        if reports:
            self._report = reports[-1]

    def _step(self, happening: str, now_ms: int, stamp_ms: int) -> None:
        before = self.state
        self.state, kind = STEPS[before, happening]
        if kind:
            self._happened(kind, int(kind == wire.BACKED_OUT and before in ON_SAFETY_LOOP), stamp_ms)
        if self.state == EMPTY:
            self._report = 0
        if self.state == UNCLAIMED and (before != UNCLAIMED or happening == GRANT):
            self._lapse_ms = now_ms + LAPSE_MS
        self._drive()

    def _drive(self) -> None:
        self.raised = self.state in UP or self._contacts[FIRE] is True or self._contacts[MAINS] is False

    def _tell_position(self, stamp_ms: int) -> None:
        # While the gateway is away the last half of the log is kept for what is billed: three positions a car would fill it.
        if self._position != self._told and not self._log.crowded():
            self._told = self._position
            self._happened(wire.BARRIER, self._position, stamp_ms)

    def _self_open(self, reason: int, stamp_ms: int) -> None:
        self.self_opened += 1
        self._happened(wire.SELF_OPENED, reason, stamp_ms)

    def _happened(self, kind: int, value: int, stamp_ms: int, extra: bytes = b"") -> int:
        return self._log.append(self._boot, stamp_ms, kind, 0, value, extra)

    def _execute(self, op: int, rest: bytes, now_ms: int, stamp_ms: int) -> int:
        if op == wire.OPEN:
            self.opened += 1
            self._report = 0
            self._step(GRANT, now_ms, stamp_ms)
            return wire.DONE
        if op == wire.SHOW:
            return self._show(rest)
        return wire.UNKNOWN

    def _show(self, rest: bytes) -> int:
        if not 1 <= len(rest) <= 1 + wire.TEXT_BYTES_MAX:
            return wire.REFUSED
        try:
            self.text = rest[1:].decode()
        except UnicodeError:
            return wire.REFUSED
        self.voice = rest[0]
        self.shown += 1
        return wire.DONE

    def _status(self) -> int:
        """Bits: 0 arrival loop, 1 safety loop, 2 raised, 3 fire, 4 mains lost, 5-6 position; 7 unused."""
        bits = int(self._loops[ARRIVAL]) | int(self._loops[SAFETY]) << 1 | int(self.raised) << 2
        bits |= int(self._contacts[FIRE] is True) << 3 | int(self._contacts[MAINS] is False) << 4
        return bits | max(self._position, 0) << 5
