"""The gateway's end of one serial bus: who is asked next, and what the answer means. Sans-IO.

Owns the turn order, the time-outs, hello and its backoff, and the checks that every frame must pass. Rules: one
exchange outstanding, CRC before MAC before meaning, nothing is acknowledged before `committed` says so, a command is
repeated under the same number until its result came or it is too old. The shell's loop: read bytes, `receive` (also
with b"" when `wake_ms` has come), `data_to_send`, write. Refuses to know ports and clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from firmware import wire
from gateway.core.commands import OpenBarrier, ShowText
from gateway.core.events import BusEvent, NodeEvent, NodeJoined, NodeWentSilent
from gateway.core.layout import LaneNode, Node
from gateway.link.cipher import HostCipher
from gateway.link.counters import Counters, Refusals
from gateway.link.session import Keys, Order, Station
from gateway.link.translate import show_rest
from gateway.link.turns import Turns

REPLY_MS = 60
"""Longest frame both ways is 44 ms at 115200 baud; the rest is the node's turnaround and the adapter."""
QUIET_MS = 20
"""After a spoilt reply the question may be asked again once the wires are silent so long; adapters hold back at most 16 ms."""
LANE_EVERY_MS = 20
BAY_EVERY_MS = 250
HELLO_MS = (500, 1000, 2000)
"""Pause after a failed hello, the last one for good: an absent node costs at most 3 % of the bus."""
NOISY_HELLOS_MAX = 4
"""Hellos in a row without a pause while noise comes in the answer's place: somebody is there."""
COMMAND_MS = 5000
"""A command older than this is not sent: the driver it was meant for has acted otherwise."""
LATE_MAX = 2
"""Questions that a reply may be late by: each waits longer than the slowest answer takes."""
COUNTER_MAX = 0xFFFF0000
"""A session ends before its 32-bit counter does, after a year at full speed."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """The one frame that waits for its reply."""

    station: Station
    reply: int
    session: int
    counter: int
    deadline_ms: int
    nonce: bytes = b""
    order: Order | None = None


class Bus:
    """One bus. `acked`: uid to (log, last committed seq) as stored; `epoch` must be higher than at every earlier start."""

    def __init__(
        self,
        name: str,
        nodes: Sequence[Node],
        *,
        site_key: bytes,
        epoch: int,
        nonce: Callable[[], bytes],
        acked: Mapping[str, tuple[int, int]],
    ) -> None:
        self.name = name
        self.counters = Counters()
        self._cipher = HostCipher()
        self._site_key = site_key
        self._epoch = epoch
        self._nonce = nonce
        self._splitter = wire.Splitter()
        self._exchange: Exchange | None = None
        self._noise_heard = False
        self._quiet_ms = 0
        self._events: list[NodeEvent | BusEvent] = []
        self._refusals = Refusals()
        self._hello_counter = 0
        self._session = epoch % 255
        self._order_number = 0
        self._stations = {
            node.address: Station(
                node, wire.node_key(self._cipher, site_key, bytes.fromhex(node.uid)), acked.get(node.uid, (0, 0))
            )
            for node in nodes
        }
        if len(self._stations) != len(nodes):
            raise ValueError(f"bus {name}: two nodes share an address")
        # Entries before exits: after an outage whoever is told to leave should have been told to come in.
        self._turns = Turns(tuple(sorted(self._stations.values(), key=lambda station: station.is_exit)))
        self._by_uid = {station.node.uid: station for station in self._stations.values()}
        self._by_lane = {s.node.lane: s for s in self._stations.values() if isinstance(s.node, LaneNode)}

    def receive(self, data: bytes, now_ms: int) -> list[NodeEvent | BusEvent]:
        """Take bus bytes in any pieces, notice time-outs; returns what happened, oldest first. Never raises on bad bytes."""
        for raw in self._splitter.feed(data):
            self._frame(raw, now_ms)
        if data:
            self._quiet_ms = now_ms + QUIET_MS
        self._notice_timeout(now_ms)
        events, self._events = self._events, []
        return events

    def data_to_send(self, now_ms: int) -> bytes:
        """The next frame, or b'' while a reply is awaited or nobody is due."""
        self._notice_timeout(now_ms)
        if self._exchange is not None:
            return b""
        station = self._turns.next_station(now_ms)
        if station is None:
            return b""
        self.counters.frames += 1
        self._noise_heard = False
        self.counters.expired += station.drop_stale_orders(now_ms)
        if station.misses:
            self.counters.retries += 1
        if station.keys is None or station.keys.counter >= COUNTER_MAX:
            return self._hello(station, now_ms)
        return self._request(station, station.keys, now_ms)

    def wake_ms(self) -> int:
        """When `receive` (with b"" if nothing came) and then `data_to_send` next want calling; may lie in the past."""
        if self._exchange is not None:
            return self._deadline_ms(self._exchange)
        return self._turns.wake_ms()

    def committed(self, uid: str, log: int, seq: int) -> None:
        """Everything of this node and log up to `seq` is in the journal; the next poll says so."""
        station = self._by_uid[uid]
        station.commit(log, seq)
        if station.keys is not None and station.pending:
            station.due_ms = 0

    def command(self, command: OpenBarrier | ShowText, now_ms: int) -> None:
        """Queue a command for a lane of this bus (KeyError for another); it dies after COMMAND_MS."""
        station = self._by_lane[command.lane]
        self._order_number = self._order_number % 0xFFFF + 1
        if isinstance(command, OpenBarrier):
            op, rest = wire.OPEN, b""
        else:
            op, rest = wire.SHOW, show_rest(command.text, command.voice)
        self.counters.expired += station.drop_stale_orders(now_ms)
        station.order(Order(self._order_number, op, rest, now_ms + COMMAND_MS))
        if station.keys is not None:
            station.due_ms = min(station.due_ms, now_ms)

    def _hello(self, station: Station, now_ms: int) -> bytes:
        self.counters.hellos += 1
        self._hello_counter += 1
        self._session = self._session % 255 + 1
        station.keys = None
        nonce = self._nonce()
        self._exchange = Exchange(
            station, wire.HELLO_R, self._session, self._hello_counter, now_ms + REPLY_MS, nonce=nonce
        )
        head = (wire.HELLO, station.node.address, self._session, self._hello_counter)
        return wire.seal(self._cipher, station.key, b"", head, wire.pack_hello(self._epoch, nonce))

    def _request(self, station: Station, keys: Keys, now_ms: int) -> bytes:
        order = station.next_order()
        keys.counter += 1
        deadline_ms = now_ms + REPLY_MS
        if order is not None and station.uptime_offset_ms is not None:
            kind, reply = wire.CMD, wire.CMD_R
            expires_ms = order.expires_ms + station.uptime_offset_ms
            payload = wire.pack_command(order.number, order.op, 0, expires_ms, order.rest)
        else:
            kind, reply, order = wire.POLL, wire.DATA, None
            payload = wire.pack_poll(station.log, station.committed, station.credit)
            station.acked_sent = station.committed
        self._exchange = Exchange(station, reply, keys.number, keys.counter, deadline_ms, order=order)
        head = (kind, station.node.address, keys.number, keys.counter)
        return wire.seal(self._cipher, keys.mac, keys.enc, head, payload)

    def _deadline_ms(self, exchange: Exchange) -> int:
        """When to give up: a reply that came spoilt will not come again, but what is left of it must not be talked over."""
        return min(exchange.deadline_ms, self._quiet_ms) if self._noise_heard else exchange.deadline_ms

    def _notice_timeout(self, now_ms: int) -> None:
        exchange = self._exchange
        if exchange is None or now_ms < self._deadline_ms(exchange):
            return
        self._exchange = None
        self.counters.timeouts += 1
        station = exchange.station
        if exchange.reply == wire.HELLO_R:
            at_once = self._noise_heard and station.hellos < NOISY_HELLOS_MAX
            station.due_ms = now_ms if at_once else now_ms + HELLO_MS[min(station.hellos, len(HELLO_MS) - 1)]
            station.hellos += 1
            return
        station.due_ms = now_ms
        station.missed(noise_heard=self._noise_heard)
        if station.gone:
            station.keys = None
            station.misses = station.silences = 0
            self._events.append(NodeWentSilent(station.node.uid))

    def _frame(self, raw: bytes, now_ms: int) -> None:
        frame = wire.parse(raw)
        if isinstance(frame, str):
            self._noise_heard = True
            if frame == "crc":
                self.counters.crc += 1
            else:
                self.counters.noise += 1
        elif not frame.address & wire.FROM_NODE:
            self.counters.echo += 1
        elif frame.version != wire.VERSION:
            self.counters.version += 1
            self._refuse(frame, "version", now_ms)
        elif frame.address & wire.ADDRESS_MAX not in self._stations:
            self.counters.foreign += 1
            self._refuse(frame, "address", now_ms)
        else:
            self._known(frame, self._stations[frame.address & wire.ADDRESS_MAX], now_ms)

    def _known(self, frame: wire.Frame, station: Station, now_ms: int) -> None:
        exchange = self._exchange
        if exchange is None or exchange.station is not station or frame.session != exchange.session:
            exchange = None
        if frame.type == wire.HELLO_R:
            if exchange is None or exchange.reply != wire.HELLO_R or frame.counter != exchange.counter:
                self._stale(frame, self._hello_counter, now_ms)
            else:
                self._welcome(frame, exchange, now_ms)
            return
        keys = station.keys
        if keys is None or keys.number != frame.session:
            self._stale(frame, COUNTER_MAX, now_ms)
            return
        payload = wire.unseal(self._cipher, keys.mac, keys.enc, frame)
        if payload is None:
            self.counters.mac += 1
            self._refuse(frame, "key", now_ms)
        elif exchange is None or frame.type != exchange.reply or frame.counter != exchange.counter:
            self._stale(frame, keys.counter, now_ms)
        elif frame.type == wire.DATA:
            self._data(payload, exchange, now_ms)
        else:
            self._result(payload, exchange, now_ms)

    def _welcome(self, frame: wire.Frame, exchange: Exchange, now_ms: int) -> None:
        station = exchange.station
        welcome = wire.unpack_welcome(frame.covered[wire.HEAD_BYTES :])
        if welcome is None:
            self.counters.form += 1
            self._refuse(frame, "form", now_ms)
            return
        key = wire.node_key(self._cipher, self._site_key, welcome.uid)
        if wire.unseal(self._cipher, key, b"", frame) is None:
            self.counters.mac += 1
            self._refuse(frame, "key", now_ms)
            return
        if welcome.nonces[:8] != exchange.nonce:
            self._stale(frame, COUNTER_MAX, now_ms)
            return
        wrong = station.mismatch(welcome)
        if wrong:
            self._refuse(frame, wrong, now_ms)
            return
        mac, enc = wire.session_keys(
            self._cipher, station.key, welcome.nonces, welcome.boot, station.node.address, frame.session
        )
        self._exchange = None
        self.counters.replies += 1
        station.join(Keys(frame.session, mac, enc, welcome.boot), welcome.log)
        station.due_ms = now_ms
        self._events.append(NodeJoined(station.node.uid, welcome.log, welcome.boot))

    def _data(self, payload: bytes, exchange: Exchange, now_ms: int) -> None:
        data = wire.unpack_data(payload)
        if data is None:
            self.counters.form += 1
            return
        station = exchange.station
        self._exchange = None
        self.counters.replies += 1
        pending, _status, uptime_ms, events = data
        station.answered()
        station.pending = pending
        station.uptime_offset_ms = uptime_ms - now_ms
        delivered = station.deliver(events)
        self.counters.repeats += delivered.repeats
        self.counters.missing += delivered.missing
        self.counters.unintelligible += delivered.unintelligible
        self._events.extend(delivered.events)
        every_ms = LANE_EVERY_MS if station.is_lane else BAY_EVERY_MS
        station.due_ms = now_ms if station.ack_waits else now_ms + every_ms

    def _result(self, payload: bytes, exchange: Exchange, now_ms: int) -> None:
        result = wire.unpack_result(payload)
        order = exchange.order
        if result is None or order is None or result[0] != order.number:
            self.counters.form += 1
            return
        station = exchange.station
        self._exchange = None
        self.counters.replies += 1
        station.answered()
        if station.orders.get(order.op) is order:
            del station.orders[order.op]
        station.due_ms = now_ms
        if result[1] == wire.DONE:
            self.counters.commands += 1
        elif result[1] == wire.EXPIRED:
            self.counters.expired += 1
        else:
            self.counters.declined += 1

    def _stale(self, frame: wire.Frame, asked: int, now_ms: int) -> None:
        """Nobody waits for this reply. What answers one of the last questions came late; what is older was kept by somebody."""
        self.counters.stale += 1
        if asked - frame.counter > LATE_MAX:
            self._events.extend(self._refusals.stale(frame.address & wire.ADDRESS_MAX, now_ms))

    def _refuse(self, frame: wire.Frame, reason: str, now_ms: int) -> None:
        self.counters.refused += 1
        self._events.extend(self._refusals.tell(frame.address & wire.ADDRESS_MAX, reason, now_ms))
