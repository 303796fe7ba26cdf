"""The line to the city at work: the broker's link, records up, receipts and numbered lines down, the live view.

Owns the order on a new connection and the pace of sending. Rules: what goes up was committed before; what comes down enters
the engine like a sensor's event; nothing waits here that the ledger or the city could not give again. Refuses to know buses
and rules.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.config import Config
from gateway.core.city_events import ReceiptArrived
from gateway.core.commands import SendReply
from gateway.core.events import Event
from gateway.core.layout import LaneNode
from gateway.core.operator_events import OperatorsListed
from gateway.core.record import Record
from gateway.core.tariff import Tariff
from gateway.engine import Outcome
from gateway.forms import Rejection
from gateway.messages import Meta, Metrics, Presence, State
from gateway.orders import Signed
from gateway.shell.clock import Clock
from gateway.shell.mqtt import Acked, Arrived, Broker, Connected, Disconnected, Link, LinkEvent, Refused
from gateway.sync.downlink import Downlink
from gateway.sync.live import Live, LiveCommand
from gateway.sync.orders import Orders
from gateway.sync.uplink import Uplink
from gateway.topics import Kind, Topic, parse_topic, subscriptions

REPLIES_MAX = 64
"""Replies that wait for the link; a console that got none asks again and gets the same."""

log = logging.getLogger(__name__)

METRICS_TICKS = 60
"""Ticks between two messages of numbers: one a minute."""


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What the gateway says of itself: its start's number, its chain's epoch, its key's id, its tariff, its release, and the
    city's word on its key."""

    hello: int
    epoch: int
    key: str
    tariff: Tariff
    version: str
    statement: str = ""
    statement_sig: str = ""


class CityLine:
    """Runs the link; `submit(events)` queues an engine step, `read(first, limit)` a read of records, both may refuse.

    `operators`: id and public key (base64) of everybody whose commands the ledger knows.
    """

    def __init__(
        self,
        config: Config,
        me: Nameplate,
        *,
        clock: Clock,
        city_key: bytes,
        operators: Mapping[str, str],
        submit: Callable[[tuple[Event, ...]], bool],
        read: Callable[[int, int], bool],
    ) -> None:
        self._config = config
        self._me = me
        self._clock = clock
        self._submit = submit
        self._read = read
        self._gateway = config.gateway.id
        self._uplink = Uplink(self._gateway, me.epoch)
        self._downlink = Downlink(self._gateway, city_key)
        self._orders = Orders(self._gateway, city_key)
        self._orders.start(operators)
        self._listed: OperatorsListed | None = None
        self._replies: deque[SendReply] = deque(maxlen=REPLIES_MAX)
        nodes = [node for bus in config.layout.buses.values() for node in bus if isinstance(node, LaneNode)]
        self._live = Live(
            city=config.city.name,
            gateway=self._gateway,
            lot=config.lot.id,
            lanes={node.uid: node.lane for node in nodes},
            at_ms=clock.moment().wall_ms,
        )
        self._ticks = 0
        self._reading = False
        self._connection = 0
        self._resend: asyncio.TimerHandle | None = None
        self._newest: Outcome

    def start(self, started: Outcome) -> None:
        """Take up where the journal is, and begin to connect; call inside the running loop."""
        self._newest = started
        self._loop = asyncio.get_running_loop()
        self._uplink.start(started.head_n, started.receipted_n)
        self._downlink.start(started.dn)
        self._link = self._make_link()
        self._link.start()

    async def listen(self) -> None:
        """Take what the link brings, for ever."""
        while True:
            self._happened(await self._link.events.get())

    async def stop(self) -> None:
        """Say goodbye to the broker and end."""
        if self._resend is not None:
            self._resend.cancel()
        await self._link.stop(self._state(Presence.OFFLINE, self._connection))

    def took(self, outcome: Outcome, events: Sequence[Event]) -> None:
        """A step was committed: its records may go up, its receipts count, and its barriers are shown."""
        self._newest = outcome
        if self._live.saw(events, self._clock.moment().wall_ms):
            for outgoing in self._live.next_lanes(self._link.room - 1):
                self._publish(outgoing.topic, outgoing.body)
        self._uplink.committed(outcome.head_n)
        if outcome.forked:
            # The city vouches for another chain than ours: sending more would only deepen the fork.
            self._uplink.disconnected()
            return
        for event in events:
            if isinstance(event, ReceiptArrived) and event.epoch == self._uplink.epoch:
                # One of an earlier epoch counts other records.
                self._uplink.receipted(event.n, self._clock.now_ms())
        self._pump()

    def send(self, records: list[Record]) -> None:
        """The records that were asked for have been read."""
        self._reading = False
        wanted = self._uplink.wanted()
        if wanted is not None and (not records or records[0].n == wanted[0]):
            for body in self._uplink.batch(records, self._link.room):
                self._publish(self._topic(Kind.RECORDS, self._gateway), body)
            self._uplink.run(self._clock.now_ms())
            self._arm_resend()
        self._pump()

    def show(self, command: LiveCommand) -> None:
        """Something for the live view."""
        self._live.take(command, self._clock.moment().wall_ms)

    def reply(self, reply: SendReply) -> None:
        """Answer an operator; what finds no room in the link now goes with the next tick."""
        self._replies.append(reply)
        self._send_replies()

    def tick(self) -> None:
        """Once a second: publish what changed in the live view, leaving room for records; try again what found no room."""
        self._send_replies()
        self._submit_list()
        for outgoing in self._live.next(self._link.room - 1):
            self._publish(outgoing.topic, outgoing.body)
        if self._ticks % METRICS_TICKS == 0 and self._link.room:
            self._publish(self._topic(Kind.METRICS), self._metrics().to_json())
        self._ticks += 1

    def _metrics(self) -> Metrics:
        """Numbers that need no disk, which may stall, to be asked for."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return Metrics(
            {
                "backlog_records": self._newest.head_n - self._newest.receipted_n,
                "rss_peak_bytes": used.ru_maxrss * 1024,
                "cpu_ms": int((used.ru_utime + used.ru_stime) * 1000),
                "connections": self._connection,
            },
            self._clock.moment().wall_ms,
        )

    def _send_replies(self) -> None:
        while self._replies and self._link.room:
            reply = self._replies.popleft()
            self._publish(self._topic(Kind.REPLY, reply.key), Signed(reply.line, reply.signature).to_json())

    def _submit_list(self) -> None:
        """A revoked key must not stay in force because the queue was full when the list came."""
        if self._listed is not None and self._submit((self._listed,)):
            self._listed = None

    def _pump(self) -> None:
        wanted = self._uplink.wanted()
        if wanted is not None and self._link.room > 0 and not self._reading:
            self._reading = self._read(*wanted)

    def _arm_resend(self) -> None:
        if self._resend is not None:
            self._resend.cancel()
            self._resend = None
        wake_ms = self._uplink.wake_ms()
        if wake_ms is not None:
            delay_s = max(0, wake_ms - self._clock.now_ms()) / 1000
            self._resend = self._loop.call_later(delay_s, self._resend_due)

    def _resend_due(self) -> None:
        self._uplink.run(self._clock.now_ms())
        self._arm_resend()
        self._pump()

    def _happened(self, event: LinkEvent) -> None:
        match event:
            case Connected():
                log.info("broker connected, connection %d", event.connection)
                self._connection = event.connection
                self._say_hello()
                if not self._newest.forked:
                    self._uplink.connected(self._clock.now_ms())
                self._live.reconnected()
                self._pump()
            case Disconnected():
                log.warning("broker lost: %s", event.reason)
                self._uplink.disconnected()
            case Arrived():
                self._arrived(event)
            case Refused():
                log.error("broker refused %r: %s; check its access rules for this gateway", event.topic, event.reason)
            case Acked():
                self._pump()

    def _arrived(self, message: Arrived) -> None:
        topic = parse_topic(message.topic)
        if isinstance(topic, Rejection):
            log.warning("message on a foreign topic: %s", topic)
            return
        if topic.kind in (Kind.COMMAND, Kind.SETTING):
            self._ordered(topic, message.payload)
            return
        events: list[Event] = []
        for found in self._downlink.receive(topic.kind, message.payload):
            if isinstance(found, Rejection):
                log.warning("message on %s rejected: %s", message.topic, found)
            else:
                events.append(found)
        if events and not self._submit(tuple(events)):
            # No room: take the stream up again at the last committed number; the city repeats what no record confirms.
            self._downlink.start(self._newest.dn)

    def _ordered(self, topic: Topic, payload: bytes) -> None:
        found = self._orders.receive(topic, payload, self._clock.now_ms())
        if isinstance(found, Rejection):
            log.warning("message on %s rejected: %s", topic, found)
        elif isinstance(found, OperatorsListed):
            self._listed = found
            self._submit_list()
        elif not self._submit((found,)):
            log.warning("no room for a command on %s: its console gets no answer", topic)

    def _make_link(self) -> Link:
        part = self._config.broker
        password = part.password_file.read_text(encoding="utf-8").strip() if part.password_file else ""
        broker = Broker(
            part.host, part.port, self._gateway, part.username, password, part.ca, part.certificate, part.key
        )
        return Link(
            broker,
            subscriptions=subscriptions(self._config.city.name, self._gateway, self._gateway),
            state_topic=str(self._topic(Kind.STATE)),
            will=lambda connection: self._state(Presence.LOST, connection),
        )

    def _say_hello(self) -> None:
        layout, tariff = self._config.layout, self._me.tariff
        meta = Meta(
            lot=layout.lot,
            lanes={lane: str(role) for lane, role in layout.lanes.items()},
            bays=len(layout.bays),
            chain=self._gateway,
            epoch=self._me.epoch,
            next=self._newest.head_n + 1,
            receipted=self._newest.receipted_n,
            key=self._me.key,
            currency=tariff.currency,
            tariff=tariff.name,
            tariff_hash=tariff.hash,
            version=self._me.version,
            statement=self._me.statement,
            statement_sig=self._me.statement_sig,
        )
        self._publish(self._topic(Kind.META), meta.to_json())
        self._publish(self._topic(Kind.STATE), self._state(Presence.ONLINE, self._connection))

    def _state(self, presence: Presence, connection: int) -> bytes:
        at_ms = self._clock.moment().wall_ms
        return State(presence, self._me.hello, connection, self._me.version, at_ms).to_json()

    def _topic(self, kind: Kind, name: str = "") -> Topic:
        return Topic(self._config.city.name, self._gateway, kind, name)

    def _publish(self, topic: Topic, body: bytes) -> None:
        self._link.publish(str(topic), body, topic.rule.qos, topic.rule.retain)
