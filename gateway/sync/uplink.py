"""Records up: which of them to send next, and when to send them again.

Owns the position that the city confirmed and the window sent beyond it. Rules: only a receipt moves the position; what is sent
is the stored line, never made anew; at most WINDOW messages wait for a receipt; without progress the sending goes back to where
the city says it is. Reads no store, publishes nothing: the engine asks `wanted`, reads, and publishes what `batch` returns.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence

from gateway.core.record import Record
from gateway.forms import BODY_BYTES_MAX, LINES_MAX
from gateway.messages import Opening, Records, SignedLine

WINDOW = 8
"""Messages without a receipt: below any broker's receive maximum, and 800 records are ample for one round trip."""
RESEND_S = 5
"""A city answers within milliseconds; five seconds without progress mean that something was lost."""
RESEND_MAX_S = 60
"""While the city is away the window is repeated ever more seldom, up to this: a metered link must not pay for its absence."""
ENVELOPE_BYTES = 512
"""Room for what surrounds the lines of a body: version, epoch, first, key and the names."""
SIGNATURE_TEXT_BYTES = 91
"""One signature in base64 with quotes and comma."""


class Uplink:
    """Sender of one chain's records in one epoch; not connected at first.

    `start` sets the numbers from the journal. Then: `committed` after each commit, `receipted` after each valid receipt,
    `connected` and `disconnected` from the link, and `run` no later than `wake_ms`.
    """

    def __init__(self, chain: str, epoch: int) -> None:
        self.chain = chain
        self.epoch = epoch
        self.resends = 0
        """How often the sending went back for want of progress."""
        self.city_ahead = False
        """The city has records that this journal has not: it was rolled back. Nothing is sent until somebody has looked."""
        self._committed = 0
        self._receipted = 0
        self._position = 0
        self._sent = 0
        self._flight: deque[int] = deque()
        self._online = False
        self._now_ms = 0
        self._since_ms: int | None = None
        self._wait_s = RESEND_S

    def start(self, committed_n: int, receipted_n: int) -> None:
        """Takes up the chain as the journal has it. Raises ValueError when a receipt names a record that is not there."""
        if not 0 <= receipted_n <= committed_n:
            raise ValueError(f"receipt for {receipted_n}, but only {committed_n} records are committed")
        self._committed = committed_n
        self._receipted = self._position = self._sent = receipted_n

    @property
    def backlog(self) -> int:
        """Committed records without a receipt."""
        return max(0, self._committed - self._receipted)

    def connected(self, now_ms: int) -> None:
        """The link is up; sending starts at the city's position."""
        self._now_ms = now_ms
        self._online = True
        self._wait_s = RESEND_S
        self._go_back()

    def disconnected(self) -> None:
        """The link is down; what was in flight counts as not sent."""
        self._online = False
        self._go_back()

    def committed(self, n: int) -> None:
        """Records up to n are on disk."""
        self._committed = max(self._committed, n)

    def receipted(self, n: int, now_ms: int) -> None:
        """A valid receipt says that the city has everything up to n.

        A lower n than before is a receipt that came late, or a city that lost records: `backlog` keeps the higher one, but if
        nothing better follows, sending resumes after n.
        """
        self._now_ms = now_ms
        self.city_ahead = self.city_ahead or n > self._committed
        if n > self._position:
            self._since_ms = now_ms
            self._wait_s = RESEND_S
        self._position = n
        self._receipted = max(self._receipted, min(n, self._committed))
        self._sent = max(self._sent, n)
        while self._flight and self._flight[0] <= n:
            self._flight.popleft()

    def wanted(self) -> tuple[int, int] | None:
        """(first, limit) of the records to read for the next `batch`; None: nothing to send, or the window is full."""
        if not self._online or self.city_ahead or self._sent >= self._committed or len(self._flight) >= WINDOW:
            return None
        return self._sent + 1, min(LINES_MAX, self._committed - self._sent)

    def batch(self, records: Sequence[Record], room: int = WINDOW) -> list[bytes]:
        """Bodies for rec/{stream}, at most `room` and never more than the window holds; they count as sent.

        `records` is what the store returned for `wanted`, in order. Records that found no room are wanted again. An empty
        sequence (the retention removed them) gives up on everything before the receipted position.
        """
        room = min(room, WINDOW - len(self._flight))
        if not records:
            self._sent = max(self._sent, self._receipted)
        elif records[0].n != self._sent + 1:
            raise ValueError(f"batch begins at {records[0].n}, wanted was {self._sent + 1}")
        bodies: list[bytes] = []
        rest = list(records)
        while rest and len(bodies) < room:
            taken = _fitting(rest)
            bodies.append(_body(rest[:taken]))
            if self._sent == self._position:
                self._since_ms = None
            self._sent = rest[taken - 1].n
            self._flight.append(self._sent)
            del rest[:taken]
        return bodies

    def wake_ms(self) -> int | None:
        """When `run` is wanted; None while nothing waits for a receipt."""
        if not self._online or self._sent <= self._position:
            return None
        return self._now_ms if self._since_ms is None else self._since_ms + self._wait_s * 1000

    def run(self, now_ms: int) -> None:
        """Passes the time: starts the timer of what was just sent, or goes back to the city's position when it has run out."""
        self._now_ms = now_ms
        if not self._online or self._sent <= self._position:
            return
        if self._since_ms is None:
            self._since_ms = now_ms
        elif now_ms - self._since_ms >= self._wait_s * 1000:
            self.resends += 1
            self._wait_s = min(2 * self._wait_s, RESEND_MAX_S)
            self._go_back()

    def _go_back(self) -> None:
        self._sent = min(self._position, self._committed)
        self._flight.clear()
        self._since_ms = None


def _fitting(records: Sequence[Record]) -> int:
    """How many records from the front fit one body: same epoch and key, LINES_MAX lines, BODY_BYTES_MAX bytes; at least 1."""
    head = records[0]
    size = ENVELOPE_BYTES
    for index, record in enumerate(records[:LINES_MAX]):
        size += _text_bytes(record.line) + SIGNATURE_TEXT_BYTES
        if record.disclosure is not None:
            size += _text_bytes(record.disclosure.plate) + _text_bytes(record.disclosure.salt) + 48
        follows = (record.epoch, record.key, record.n) == (head.epoch, head.key, head.n + index)
        if index and (size > BODY_BYTES_MAX or not follows):
            return index
    return min(len(records), LINES_MAX)


def _text_bytes(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode()) + 1


def _body(records: Sequence[Record]) -> bytes:
    return Records(
        epoch=records[0].epoch,
        first=records[0].n,
        signed=tuple(SignedLine(r.line, r.signature) for r in records),
        key=records[0].key,
        disclose=tuple(Opening(d.n, d.plate, d.salt) for d in (r.disclosure for r in records) if d is not None),
    ).to_json()
