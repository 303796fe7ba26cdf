"""A lease: the city's promise to pay for one session, up to a cap, until it expires.

Owns the question whether a lease pays a given bill. Refuses to know how it arrived or who signed it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.moment import ClockQuality, Moment


@dataclass(frozen=True, slots=True)
class Lease:
    """`cap_minor` in minor units; `expires_ms` UTC ms; `dn` is the number of the city's line that brought it."""

    lease: str
    cap_minor: int
    expires_ms: int
    dn: int


def covers(lease: Lease, amount_minor: int, now: Moment) -> bool:
    """Whether the lease pays this amount now: within the cap, the cap included, and not expired.

    A wall clock of unknown quality can't say that a lease expired; then the cap alone decides, since a promise once made
    must not be lost by our clock.
    """
    in_time = now.quality is ClockQuality.UNKNOWN or now.wall_ms <= lease.expires_ms
    return amount_minor <= lease.cap_minor and in_time
