"""What must hold after a power cut: a state of the disk is opened by the real journal and engine, and goes on.

Owns the verdict. Every promised step is there; the ledger says exactly what it said after some step, never half of one; the
chain holds by this file's own arithmetic; repeats and the rest of the history charge nobody twice; and no record that was
published before the cut is ever another one after it. Refuses to know how the state came about.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidSignature

from gateway.store.journal import LedgerError
from gateway.store.schema import SchemaError
from tests.crash_history import Deed, Gateway, Mark, lines, money, perform
from tests.lots import KEY

REPEATED = 3
"""Deeds before the cut that come again, as nodes and city repeat what they don't know to be taken."""
LATER = 6
"""Deeds after the cut; every EVERY_LONG-th state goes on to the end instead."""
EVERY_LONG = 20


class Verdict(StrEnum):
    """What became of a state, the worst first."""

    DAMAGED = "damaged"
    DOUBLED = "charged wrongly"
    FORKED = "forked"
    LOST = "lost"
    KEPT = "kept"


class Judge:
    """Judges states of one history; `reference` of an undisturbed run is made in `folder`."""

    def __init__(self, folder: Path, deeds: Sequence[Deed]) -> None:
        self._folder = folder
        self._deeds = deeds
        self._good: set[tuple[str, bytes]] = set()
        self._judged = 0
        (folder / "undisturbed").mkdir()
        self.marks: list[Mark] = []
        self._books: dict[int, tuple[object, ...]] = {}
        for gateway, done in perform(folder / "undisturbed", deeds):
            self.marks.append(gateway.mark(done))
            self._books[done] = self.marks[-1].money
        # Its log would go with its last connection.
        self.undisturbed = gateway
        self.chain = lines(gateway.connection)
        assert self._chain_holds(self.chain)
        assert len(self._books) == len(deeds) + 1

    def judge(self, files: Mapping[str, bytes], promised: int) -> Verdict:
        """The verdict on the files that a cut left, when `promised` marks had been promised."""
        self._judged += 1
        place = self._folder / f"state-{self._judged}"
        place.mkdir()
        for name, data in files.items():
            (place / name).write_bytes(data)
        try:
            return self.judge_folder(place, promised)
        finally:
            for left in place.iterdir():
                left.unlink()
            place.rmdir()

    def judge_folder(self, place: Path, promised: int) -> Verdict:
        """The verdict on a folder as a cut left it; it is written to."""
        try:
            gateway = Gateway(place)
        except (sqlite3.Error, LedgerError, SchemaError):
            return Verdict.DAMAGED
        try:
            return self._going_on(gateway, promised)
        except sqlite3.Error:
            return Verdict.DAMAGED
        finally:
            gateway.connection.close()

    def _going_on(self, gateway: Gateway, promised: int) -> Verdict:
        found = gateway.mark(0)
        # A cut during a step leaves what was before it or what came after it. Before the first promise there is no ledger yet.
        legal = [number for number, mark in enumerate(self.marks) if mark.content == found.content]
        if not legal:
            return Verdict.DAMAGED
        lost = promised > 0 and max(legal) < promised - 1
        done = self.marks[max(legal)].deed
        end = len(self._deeds) if self._judged % EVERY_LONG == 0 else min(done + LATER, len(self._deeds))
        now_ms = self._deeds[done - 1].now_ms if done else 0
        gateway.journal.next_hello()
        gateway.start(now_ms)
        for deed in self._deeds[max(0, done - REPEATED) : end]:
            gateway.do(deed, now_ms)
        chain = lines(gateway.connection)
        if not self._chain_holds(chain):
            return Verdict.DAMAGED
        if money(gateway.connection) != self._books[end] or not _billed_once(chain):
            return Verdict.DOUBLED
        published = self.marks[promised - 1].head_n if promised else 0
        common = min(published, len(chain))
        if chain[:common] != self.chain[:common]:
            return Verdict.FORKED
        return Verdict.LOST if lost or common < published else Verdict.KEPT

    def _chain_holds(self, chain: Sequence[tuple[int, str, bytes]]) -> bool:
        prev = "0" * 64
        for place, (n, line, signature) in enumerate(chain, 1):
            fields = json.loads(line)
            if not n == place == fields["n"] or fields["prev"] != prev:
                return False
            prev = hashlib.sha256(b"\0" + line.encode()).hexdigest()
            if (line, signature) not in self._good:
                try:
                    KEY.public_key().verify(signature, b"lotgate-record-v1\n" + line.encode())
                except InvalidSignature:
                    return False
                self._good.add((line, signature))
        return True


def _billed_once(chain: Sequence[tuple[int, str, bytes]]) -> bool:
    """No two records rest on the same event of a node, and no stay has two bills or two payments."""
    bodies = [(fields["type"], fields["body"]) for fields in (json.loads(line) for _, line, _ in chain)]
    sources = [json.dumps(body["source"]) for _, body in bodies if "source" in body]
    money = [(kind, body["session"]) for kind, body in bodies if kind in ("exit", "paid")]
    return len(set(sources)) == len(sources) and len(set(money)) == len(money)
