"""A tester's end of a bus: who answers, how fast, and how often not.

Owns one hello and then `rounds` polls for each configured node, one exchange outstanding. Rules: it takes no event and
acknowledges none (credit 0, acknowledgement 0), so that nothing is lost by looking; what answers wrongly is named. Knows no
port; times are microseconds of one clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from firmware import wire
from gateway.core.layout import Node
from gateway.link.bus import REPLY_MS
from gateway.link.cipher import HostCipher
from gateway.link.session import Station

REPLY_US = REPLY_MS * 1000
HELLO_TRIES_MAX = 5
STRANGERS_MAX = 128
"""Addresses; a bus has no more."""


@dataclass(slots=True)
class Found:
    """What is known of one node. `state`: 'present', 'silent', or 'wrong <what>' for one that answers otherwise."""

    node: Node
    state: str = "silent"
    build: int = 0
    boot: int = 0
    pending: int = 0
    uptime_ms: int = 0
    asked: int = 0
    spoilt: int = 0
    """Exchanges in which something came, but no whole reply."""
    trips_us: list[int] = field(default_factory=list)
    """Times from the request's first byte to the reply's last, of each poll that was answered."""


@dataclass(slots=True)
class _Peer:
    found: Found
    station: Station
    log: int = 0
    session: int = 0
    hellos: int = 0
    rounds: int = 0
    mac: bytes = b""
    enc: bytes = b""
    counter: int = 0


class Probe:
    """Asks each of `nodes`. `epoch` must be newer than the gateway's last start, or the nodes won't listen."""

    def __init__(
        self, nodes: Sequence[Node], *, site_key: bytes, epoch: int, nonce: Callable[[], bytes], rounds: int
    ) -> None:
        self.strangers: set[int] = set()
        self.rejected: Counter[str] = Counter()
        self._cipher = HostCipher()
        self._site_key = site_key
        self._epoch = epoch
        self._nonce = nonce
        self._rounds = rounds
        self._splitter = wire.Splitter()
        self._peers = [
            _Peer(Found(node), Station(node, wire.node_key(self._cipher, site_key, bytes.fromhex(node.uid)), (0, 0)))
            for node in nodes
        ]
        self._turn = 0
        self._session = epoch % 255
        self._hellos = 0
        self._asked: _Peer | None = None
        self._sent_us = 0
        self._sent_nonce = b""
        self._noise = False

    @property
    def found(self) -> list[Found]:
        """What is known so far, in the configuration's order."""
        return [peer.found for peer in self._peers]

    @property
    def done(self) -> bool:
        """Nobody is left to be asked."""
        return self._asked is None and not any(self._wants(peer) for peer in self._peers)

    def wake_us(self) -> int:
        """When the outstanding reply is given up."""
        return self._sent_us + REPLY_US if self._asked is not None else 0

    def data_to_send(self, now_us: int) -> bytes:
        """The next request, b'' while a reply is awaited or when all is done."""
        if self._asked is not None and now_us >= self.wake_us():
            self._asked.found.spoilt += self._noise
            self._asked = None
        if self._asked is not None:
            return b""
        waiting = [i for i in range(len(self._peers)) if self._wants(self._peers[i])]
        if not waiting:
            return b""
        self._turn = next((i for i in waiting if i > self._turn), waiting[0])
        peer = self._asked = self._peers[self._turn]
        self._sent_us, self._noise = now_us, False
        return self._poll(peer) if peer.mac else self._hello(peer)

    def receive(self, data: bytes, now_us: int) -> None:
        """Take bus bytes in any pieces."""
        for raw in self._splitter.feed(data):
            frame = wire.parse(raw)
            if isinstance(frame, str):
                self.rejected[frame] += 1
                self._noise = True
            elif frame.address & wire.FROM_NODE:
                self._frame(frame, now_us)

    def _wants(self, peer: _Peer) -> bool:
        if peer.found.state.startswith("wrong"):
            return False
        return peer.rounds < self._rounds if peer.mac else peer.hellos < HELLO_TRIES_MAX

    def _hello(self, peer: _Peer) -> bytes:
        peer.hellos += 1
        self._hellos += 1
        self._session = self._session % 255 + 1
        self._sent_nonce = self._nonce()
        head = (wire.HELLO, peer.found.node.address, self._session, self._hellos)
        payload = wire.pack_hello(self._epoch, self._sent_nonce)
        return wire.seal(self._cipher, peer.station.key, b"", head, payload)

    def _poll(self, peer: _Peer) -> bytes:
        peer.rounds += 1
        peer.counter += 1
        peer.found.asked += 1
        head = (wire.POLL, peer.found.node.address, peer.session, peer.counter)
        return wire.seal(self._cipher, peer.mac, peer.enc, head, wire.pack_poll(peer.log, 0, 0))

    def _frame(self, frame: wire.Frame, now_us: int) -> None:
        peer = self._asked
        address = frame.address & wire.ADDRESS_MAX
        if all(address != one.found.node.address for one in self._peers):
            if len(self.strangers) < STRANGERS_MAX:
                self.strangers.add(address)
        elif peer is None or address != peer.found.node.address:
            self.rejected["stale"] += 1
        elif frame.version != wire.VERSION:
            self._wrong(peer, "version")
        elif frame.type == wire.HELLO_R and not peer.mac and frame.session == self._session:
            self._welcome(peer, frame)
        elif frame.type == wire.DATA and peer.mac and frame.counter == peer.counter:
            self._data(peer, frame, now_us)
        else:
            self.rejected["stale"] += 1

    def _wrong(self, peer: _Peer, what: str) -> None:
        self.rejected[what] += 1
        peer.found.state = f"wrong {what}"
        self._asked = None

    def _welcome(self, peer: _Peer, frame: wire.Frame) -> None:
        welcome = wire.unpack_welcome(frame.covered[wire.HEAD_BYTES :])
        if welcome is None:
            self._wrong(peer, "form")
            return
        key = wire.node_key(self._cipher, self._site_key, welcome.uid)
        if wire.unseal(self._cipher, key, b"", frame) is None:
            self._wrong(peer, "key")
        elif welcome.nonces[:8] != self._sent_nonce:
            self.rejected["stale"] += 1
        elif wrong := peer.station.mismatch(welcome):
            self._wrong(peer, wrong)
        else:
            address = peer.found.node.address
            peer.mac, peer.enc = wire.session_keys(
                self._cipher, peer.station.key, welcome.nonces, welcome.boot, address, frame.session
            )
            peer.log, peer.session = welcome.log, frame.session
            peer.found.state, peer.found.build, peer.found.boot = "present", welcome.build, welcome.boot
            self._asked = None

    def _data(self, peer: _Peer, frame: wire.Frame, now_us: int) -> None:
        payload = wire.unseal(self._cipher, peer.mac, peer.enc, frame)
        data = wire.unpack_data(payload) if payload is not None else None
        if data is None:
            self.rejected["mac" if payload is None else "form"] += 1
            return
        peer.found.pending, _, peer.found.uptime_ms, _ = data
        peer.found.trips_us.append(now_us - self._sent_us)
        self._asked = None
