"""Chains of real signed records for tests, under fixed keys."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.core.moment import ClockQuality, Moment
from gateway.core.record import (
    Body,
    Disclosure,
    Draft,
    Record,
    key_id,
    plate_commitment,
    record_hash,
    record_line,
    signed_bytes,
)

CITY_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
GATEWAY_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
WALL_MS = 1_790_000_000_000
GENESIS: Body = {"lot": "lot-1", "currency": "CNY", "pub": "test", "instance": "i-1"}


def public(key: Ed25519PrivateKey) -> bytes:
    """32 bytes of the public half."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@dataclass
class Chain:
    """A growing chain of records."""

    chain: str = "c-1"
    key: Ed25519PrivateKey = GATEWAY_KEY
    epoch: int = 1
    dn: int = 0
    records: list[Record] = field(default_factory=list)

    def add(self, kind: str, body: Body, plate: str = "") -> Record:
        """Signs and appends one record; with a plate, its commitment joins the body and the disclosure stands beside it."""
        n = len(self.records) + 1
        disclosure = None
        if plate:
            salt = base64.b64encode(n.to_bytes(16, "big")).decode()
            disclosure = Disclosure(n, plate, salt)
            body = {**body, "plate": plate_commitment(plate, salt)}
        line = record_line(
            Draft(kind, body),
            chain=self.chain,
            epoch=self.epoch,
            n=n,
            prev=record_hash(self.records[-1].line).hex() if self.records else "0" * 64,
            key=key_id(public(self.key)),
            dn=self.dn,
            now=Moment("boot-1", 1000 * n, WALL_MS + 1000 * n, ClockQuality.SYNCHRONISED),
        )
        signature = self.key.sign(signed_bytes(line))
        self.records.append(Record(self.epoch, n, line, signature, key_id(public(self.key)), disclosure))
        return self.records[-1]

    def fill(self, count: int) -> Chain:
        """Genesis, then heartbeats, until there are `count` records."""
        while len(self.records) < count:
            n = len(self.records) + 1
            self.add(*(("genesis", GENESIS) if n == 1 else ("heartbeat", {"entries": n})))
        return self

    def read(self, wanted: tuple[int, int]) -> list[Record]:
        """What a store returns for `Uplink.wanted`."""
        first, limit = wanted
        return self.records[first - 1 : first - 1 + limit]
