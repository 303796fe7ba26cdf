"""The lot as it is built: lanes, bays and the nodes that watch them.

Owns the names that events and commands use. Comes from the configuration and never changes while the gateway runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class LaneRole(StrEnum):
    """Which way a lane leads."""

    ENTRY = "entry"
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class LaneNode:
    """A node with barrier, two loops, plate reader and display. `uid` is 16 hex digits, `address` 1 to 127."""

    address: int
    uid: str
    lane: str
    role: LaneRole


@dataclass(frozen=True, slots=True)
class BayNode:
    """A node with 1 to 16 bay sensors; port i of the node is `bays[i]`."""

    address: int
    uid: str
    bays: tuple[str, ...]


Node = LaneNode | BayNode


@dataclass(frozen=True)
class Lot:
    """One lot: its id and its nodes, by bus. What each step asks of them is worked out once."""

    lot: str
    buses: dict[str, tuple[Node, ...]]

    @cached_property
    def bays(self) -> tuple[str, ...]:
        """All bays of the lot, in the order of the configuration."""
        return tuple(b for nodes in self.buses.values() for n in nodes if isinstance(n, BayNode) for b in n.bays)

    @cached_property
    def lanes(self) -> dict[str, LaneRole]:
        """Role of each lane."""
        return {n.lane: n.role for nodes in self.buses.values() for n in nodes if isinstance(n, LaneNode)}
