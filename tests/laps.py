"""A whole reading of a lot's ledger, as a gateway does it in quiet moments."""

from __future__ import annotations

from gateway.shell.signer import Signer
from gateway.store.lap import Lap
from gateway.store.scrub import Damage
from tests.lots import KEY, SmallLot

SIGNED = Signer(KEY).made


def lap(lot: SmallLot, limit: int = 3) -> list[Damage]:
    """What one lap finds, `limit` records at a time."""
    reading, found, ended = Lap(), [], False
    while not ended:
        ended, damage = reading.go_on(lot.journal._connection, limit, SIGNED)
        found += [damage] if damage is not None else []
    return found
