"""A node's end of the bus: who is speaking, is it fresh, and what is the answer.

Owns the sessions, the memory of executed commands and the choice of events for a reply. Rules: silence unless a frame
is for this address, authentic and newer than the last; the running session lives until the first valid poll of the
offered one; a hello must be newer than every hello before it; a command is executed once. What a command does is the
owner's: lane.py or bay.py.
"""

from firmware import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.log import FramLog, RamLog

    Log = FramLog | RamLog
    Execute = Callable[[int, bytes, int, int], int]

BUILD = 1
RESULTS_MAX = 8  # the gateway has at most two commands open for a lane; eight outlive every repeat


class Counters:
    """Why frames were not answered; all rise from 0 at each start."""

    def __init__(self) -> None:
        self.noise = 0
        self.crc = 0
        self.foreign = 0
        self.echo = 0
        self.version = 0
        self.session = 0
        self.mac = 0
        self.stale = 0
        self.form = 0
        self.repeats = 0
        self.expired = 0


class Session:
    """Keys and the highest counter of one session."""

    def __init__(self, number: int, keys: "tuple[bytes, bytes]") -> None:
        self.number = number
        self.mac_key, self.enc_key = keys
        self.counter = 0


class BusEnd:
    """Answers the gateway for one node. `execute(op, rest, now_ms, stamp_ms)` returns a result number of the wire."""

    def __init__(
        self,
        welcome: wire.Welcome,
        address: int,
        key: bytes,
        cipher: "wire.CipherLike",
        *,
        log: "Log",
        nonce: "Callable[[], bytes]",
        execute: "Execute",
    ) -> None:
        if not 1 <= address <= wire.ADDRESS_MAX:
            raise ValueError(f"address {address} is not 1 to 127")
        self.counters = Counters()
        self.status = 0
        self.sent_seq = 0
        self._welcome = welcome
        self._address = address
        self._key = key
        self._cipher = cipher
        self._log = log
        self._nonce = nonce
        self._execute = execute
        self._splitter = wire.Splitter()
        self._hello_counter = 0
        self._running: Session | None = None
        self._offered: Session | None = None
        self._results: list[tuple[int, int]] = []
        self._start_ms = -1

    def receive(self, data: bytes, now_ms: int, stamp_ms: int) -> bytes:
        """Take bus bytes in any pieces; returns the reply to the last frame that deserved one, else b''."""
        self.start(stamp_ms)
        reply = b""
        for raw in self._splitter.feed(data):
            if len(raw) < 3 or raw[2] & 0x7F != self._address:
                self.counters.foreign += 1
            elif raw[2] & wire.FROM_NODE:
                self.counters.echo += 1
            else:
                reply = self._frame(raw, now_ms, stamp_ms) or reply
        return reply

    def start(self, stamp_ms: int) -> None:
        """Learn when this boot began: the first stamp that anybody brings."""
        if self._start_ms < 0:
            self._start_ms = stamp_ms

    def _frame(self, raw: bytes, now_ms: int, stamp_ms: int) -> bytes:
        frame = wire.parse(raw)
        if isinstance(frame, str):
            if frame == "crc":
                self.counters.crc += 1
            else:
                self.counters.noise += 1
            return b""
        if frame.version != wire.VERSION:
            self.counters.version += 1
            return b""
        if frame.type == wire.HELLO:
            return self._hello(frame)
        if frame.type == wire.POLL or frame.type == wire.CMD:
            return self._request(frame, now_ms, stamp_ms)
        self.counters.form += 1
        return b""

    def _hello(self, frame: wire.Frame) -> bytes:
        payload = wire.unseal(self._cipher, self._key, b"", frame)
        if payload is None:
            self.counters.mac += 1
            return b""
        hello = wire.unpack_hello(payload)
        if hello is None or frame.session == 0:
            self.counters.form += 1
            return b""
        epoch, gateway_nonce = hello
        if epoch < self._log.epoch or (epoch == self._log.epoch and frame.counter <= self._hello_counter):
            self.counters.stale += 1
            return b""
        if epoch > self._log.epoch:
            # Command ids are counted per epoch: those of an older gateway must not pass for repeats.
            self._results = []
            self._log.see_epoch(epoch)
        self._hello_counter = frame.counter
        welcome = self._welcome
        welcome.nonces = gateway_nonce + self._nonce()
        keys = wire.session_keys(self._cipher, self._key, welcome.nonces, welcome.boot, self._address, frame.session)
        self._offered = Session(frame.session, keys)
        head = (wire.HELLO_R, self._address | wire.FROM_NODE, frame.session, frame.counter)
        return wire.seal(self._cipher, self._key, b"", head, wire.pack_welcome(welcome))

    def _request(self, frame: wire.Frame, now_ms: int, stamp_ms: int) -> bytes:
        session, payload = self._authentic(frame)
        if session is None or payload is None:
            return b""
        if frame.counter <= session.counter:
            self.counters.stale += 1
            return b""
        session.counter = frame.counter
        if session is self._offered:
            self._running, self._offered = session, None
        if frame.type == wire.POLL:
            answer, kind = self._poll(payload, now_ms, stamp_ms), wire.DATA
        else:
            answer, kind = self._command(payload, now_ms, stamp_ms), wire.CMD_R
        if not answer:
            self.counters.form += 1
            return b""
        head = (kind, self._address | wire.FROM_NODE, session.number, frame.counter)
        return wire.seal(self._cipher, session.mac_key, session.enc_key, head, answer)

    def _authentic(self, frame: wire.Frame) -> "tuple[Session | None, bytes | None]":
        """The session that this frame belongs to, with its clear payload. A command may not be the first frame of a session."""
        known = False
        for session in (self._offered, self._running):
            if session is None or session.number != frame.session:
                continue
            if session is self._offered and frame.type != wire.POLL:
                continue
            known = True
            payload = wire.unseal(self._cipher, session.mac_key, session.enc_key, frame)
            if payload is not None:
                return session, payload
        if known:
            self.counters.mac += 1
        else:
            self.counters.session += 1
        return None, None

    def _poll(self, payload: bytes, now_ms: int, stamp_ms: int) -> bytes:
        poll = wire.unpack_poll(payload)
        if poll is None:
            return b""
        log, ack, credit = poll
        if log == self._log.log:
            self._log.ack(ack)
        events, left = self._batch(credit, stamp_ms)
        return wire.pack_data(left, self.status, now_ms, events)

    def _batch(self, credit: int, stamp_ms: int) -> "tuple[bytes, int]":
        """As many unacknowledged events as credit and frame allow, oldest first, and how many numbers remain after them."""
        log = self._log
        packed = b""
        self.sent_seq = log.acked
        while credit > 0 and self.sent_seq < log.last:
            event = self._next(self.sent_seq + 1, stamp_ms)
            data = wire.pack_event(event)
            if len(packed) + len(data) > wire.EVENTS_BYTES_MAX:
                break
            packed += data
            credit -= 1
            self.sent_seq = event.seq
        return packed, log.last - self.sent_seq

    def _next(self, first: int, stamp_ms: int) -> wire.Event:
        """Event `first`, or one LOST over all numbers from `first` on that are gone; it bears the last of them."""
        log = self._log
        seq = min(max(first, log.oldest()), log.last)
        entry = log.read(seq)
        while entry is None and seq < log.last:
            seq += 1
            entry = log.read(seq)
        if entry is None:
            return wire.Event(seq, 0, wire.LOST, 0, 0, wire.pack_lost(first, seq))
        if seq > first:
            return wire.Event(seq - 1, 0, wire.LOST, 0, 0, wire.pack_lost(first, seq - 1))
        early = entry.boot != self._welcome.boot
        age_ms = stamp_ms - (self._start_ms if early else entry.stamp_ms)
        port = entry.port | (wire.EARLY if early else 0)
        return wire.Event(seq, min(max(age_ms, 0), wire.AGE_MS_MAX), entry.kind, port, entry.value, entry.extra)

    def _command(self, payload: bytes, now_ms: int, stamp_ms: int) -> bytes:
        command = wire.unpack_command(payload)
        if command is None:
            return b""
        number, op, _port, expires_ms, rest = command
        for known, result in self._results:
            if known == number:
                self.counters.repeats += 1
                return wire.pack_result(number, result)
        if (expires_ms - now_ms) & 0xFFFFFFFF >= 0x80000000:
            self.counters.expired += 1
            result = wire.EXPIRED
        else:
            result = self._execute(op, rest, now_ms, stamp_ms)
        self._results = self._results[1 - RESULTS_MAX :]
        self._results.append((number, result))
        return wire.pack_result(number, result)
