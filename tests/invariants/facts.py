"""What the checkers see: the ledger by a reading connection of its own, read forward, and what left the gateway.

Owns the reading: each look takes what was committed since the last one. Rules: a record that was looked at was committed and is
remembered by its hash for ever; lines are read by the city's code, not by the gateway's. Judges nothing.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.core.posting import Account, Posting
from gateway.core.rebuild import Rebuilt
from gateway.core.session import Session
from gateway.store import rows
from sim.city_store import Head
from sim.city_verifier import ZERO_HASH, ChainKey, leaf_hash

HASH_BYTES = 32
NEW = "SELECT n, line, signature FROM record WHERE n > ? ORDER BY n"
IDS = ("session", "exit", "stray", "pairs")
"""Members of bodies that name a stay."""


class Broken(AssertionError):
    """An invariant does not hold."""


def must(holds: bool, told: str) -> None:
    """Raise Broken with what was found."""
    if not holds:
        raise Broken(told)


@dataclass(frozen=True, slots=True)
class Written:
    """One record as it lies in the ledger, and its content."""

    n: int
    text: str
    signature: bytes
    content: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.content["type"])

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = self.content["body"]
        return found


@dataclass(slots=True)
class Look:
    """What is new: records, their postings, and the stays that they touch as they are stored now."""

    records: list[Written] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)


class Facts:
    """Everything that the checkers may ask. `price`: the independent bill of (entered, exited, vehicle, energy)."""

    def __init__(
        self,
        path: Path,
        chain: str,
        public: bytes,
        head: Callable[[], Head],
        price: Callable[[int, int, str, str], int],
    ) -> None:
        self.path = path
        self.chain = chain
        self.key = ChainKey(public)
        self.head = head
        self.price = price
        self.look = Look()
        self.n = 0
        self.leaf = ZERO_HASH
        self.last: dict[str, Any] = {}
        self.genesis: dict[str, Any] = {}
        self.cursor = (0, 0)
        self.published_n = 0
        self.states: dict[str, str] = {}
        self.entries: dict[str, dict[str, Any]] = {}
        self.prices: Counter[str] = Counter()
        self.claimed: Counter[str] = Counter()
        self.sources: set[tuple[str, int, int]] = set()
        self.payments: set[str] = set()
        self.commands: dict[str, int] = {}
        self.rebuilt = Rebuilt()
        self._hashes = bytearray()
        self._db: sqlite3.Connection | None = None

    def leaf_of(self, n: int) -> str:
        """Hex hash of record n, as it was when it was first seen."""
        return self._hashes[(n - 1) * HASH_BYTES : n * HASH_BYTES].hex() if n else ZERO_HASH

    def open(self) -> None:
        """A gateway runs on this ledger."""
        self._db = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)

    def close(self) -> None:
        """It does not any more; whoever closes last must not be us."""
        if self._db is not None:
            self._db.close()
            self._db = None

    @property
    def is_open(self) -> bool:
        """Whether a gateway runs."""
        return self._db is not None

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the ledger."""
        assert self._db is not None
        return self._db.execute(sql, values).fetchall()

    def read(self) -> Look:
        """Look at what was committed since the last look; `remember` it when it was found good."""
        assert self._db is not None
        records = [
            Written(n, text, signature, json.loads(text)) for n, text, signature in self._db.execute(NEW, (self.n,))
        ]
        self.look = look = Look(records)
        if not records:
            return look
        look.postings = [
            Posting(n, Account(account), session or "", amount)
            for n, account, session, amount in self._db.execute("SELECT * FROM posting WHERE n > ?", (self.n,))
        ]
        touched = {str(record.body[name]) for record in records for name in IDS if record.body.get(name)}
        for id_ in sorted(touched):
            for row in self._db.execute(f"{rows.SESSION_SELECT} WHERE id = ?", (id_,)):
                look.sessions[id_] = rows.session(row)
        return look

    def remember(self) -> None:
        """The look was good: it is part of what must stay as it is."""
        for record in self.look.records:
            self.leaf = leaf_hash(record.text)
            self._hashes += bytes.fromhex(self.leaf)
            self.n, self.last = record.n, record.content
            if record.kind == "genesis":
                self.genesis = record.body
            elif record.kind == "entry":
                self.entries[record.body["session"]] = record.body
        for id_, session in self.look.sessions.items():
            self.states[id_] = str(session.state)
        self.rebuilt.postings.clear()

    def lines_sent(self, body: bytes) -> list[tuple[int, str, bytes]]:
        """(n, line, signature) of a message with records, as it goes over the broker."""
        message = json.loads(body)
        signatures = [base64.b64decode(text) for text in message["sigs"]]
        pairs = zip(message["lines"], signatures, strict=True)
        return [(message["first"] + i, line, signature) for i, (line, signature) in enumerate(pairs)]
