"""What a bus has met, in numbers, and how often a refusal is told.

Owns the counters of one bus and the limit on NodeRefused: the counters know every forged frame, the engine hears of few.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.events import NodeRefused

REFUSED_EVERY_MS = 10_000
"""One NodeRefused per address and reason in this time; the counters know them all. A forger must not flood the journal."""


@dataclass(slots=True)
class Counters:
    """Everything this bus has met since the gateway started."""

    frames: int = 0  # sent
    replies: int = 0  # accepted
    noise: int = 0  # too short, too long or no COBS
    crc: int = 0
    echo: int = 0  # our own frames heard again
    version: int = 0
    foreign: int = 0  # from an address that is not configured
    mac: int = 0  # right CRC, wrong key: forged
    stale: int = 0  # nobody was asked this any more: late, repeated or replayed
    form: int = 0  # authentic, but no message of this version
    refused: int = 0  # wrong key, uid, kind, version or address, all told
    timeouts: int = 0
    retries: int = 0  # exchanges begun again after a time-out
    hellos: int = 0
    repeats: int = 0  # events that came again
    missing: int = 0  # events that nodes lost
    unintelligible: int = 0  # events that no word of the core says
    commands: int = 0  # carried out
    expired: int = 0  # too old, here or in the node
    declined: int = 0  # the node knew no such command or refused it


STALE_MAX = 10
"""So many frames that nobody asked for, from one address within REFUSED_EVERY_MS, are no late replies: somebody plays back."""


class Refusals:
    """One NodeRefused per address and reason in REFUSED_EVERY_MS; holds at most 128 addresses times eight reasons."""

    def __init__(self) -> None:
        self._told_ms: dict[tuple[int, str], int] = {}
        self._stale: dict[int, tuple[int, int]] = {}

    def stale(self, address: int, now_ms: int) -> list[NodeRefused]:
        """A frame came that nobody asked for; the event 'replay' once there are too many for late replies."""
        since_ms, count = self._stale.get(address, (now_ms, 0))
        if now_ms - since_ms >= REFUSED_EVERY_MS:
            since_ms, count = now_ms, 0
        self._stale[address] = (since_ms, count + 1)
        return self.tell(address, "replay", now_ms) if count + 1 > STALE_MAX else []

    def tell(self, address: int, reason: str, now_ms: int) -> list[NodeRefused]:
        """The event, if this refusal was not told lately."""
        last_ms = self._told_ms.get((address, reason))
        if last_ms is not None and now_ms - last_ms < REFUSED_EVERY_MS:
            return []
        self._told_ms[address, reason] = now_ms
        return [NodeRefused(address, reason)]
