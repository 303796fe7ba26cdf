"""The writing end of the ledger: one connection, one transaction per engine step.

Owns durability: WAL with synchronous=FULL, BEGIN IMMEDIATE, explicit checkpoints, the reserve for a full card, and the rule
that any error in a commit leaves this object unusable (a COMMIT that raised may still be on disk; only a fresh start can
tell). Refuses to know rules, keys and when to call it.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.core.answer import Answer
from gateway.core.city_events import ReceiptArrived
from gateway.core.deeds import Explain, Look
from gateway.core.memory import Looked, LotMemory, Remembered
from gateway.core.moment import ClockQuality, Moment
from gateway.core.platform_state import Asked, Entry, Work
from gateway.core.record import Body, Record, record_hash
from gateway.core.roster import Given
from gateway.core.session import Session
from gateway.core.strays import STRAYS_MAX
from gateway.store import entitlements, looking, operators, rows, scrub, settlements
from gateway.store.lap import Lap
from gateway.store.platform import PlatformStore
from gateway.store.reserve import Reserve, Room
from gateway.store.schema import migrate
from gateway.store.unsynced import write_log_again

CHECKPOINT_COMMITS = 256
"""Commits after which an idle moment is used to checkpoint: about 4 MB of log."""

CHECKPOINT_COMMITS_MAX = 4096
"""Commits after which a step checkpoints even when busy, so that the log never passes about 64 MB."""

CHECKED_AT_START_MAX = 5000
"""Records since the last receipt that a start checks, about a second; beyond them the scrub comes by."""

SCRUBBED_AT_ONCE = 50
"""Records of one quiet moment's scrub: about 12 ms, so that a step that comes meanwhile keeps the barrier's budget."""

RESTORE = "stop this gateway and restore the ledger from its backup and the city's copy"


class LedgerError(Exception):
    """The ledger can't be used as it is; the text names the file, what is wrong, and the remedy."""


class DamagedError(sqlite3.DatabaseError):
    """What was written since the last receipt is not there any more: nothing may be signed after it. Names the record."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain stands: `prev` is the hex hash of record n, `key` the id of the key that signs the next one ('' for any),
    `dn` and `receipted` the cursors, `at` the clocks of record n."""

    epoch: int
    n: int
    prev: str
    key: str
    dn: int
    receipted: int
    at: Moment | None


@dataclass(frozen=True, slots=True)
class Permit:
    """The city's word that `epoch` of a chain begins after record `n` of this hash; `line` and `signature` as it gave them."""

    chain: str
    epoch: int
    n: int
    hash: str
    at_ms: int
    line: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """Everything that one engine step makes durable. `acked`: uid -> (log, seq) of the newest event taken.

    `replies`: the signature of each reply's line.
    """

    records: tuple[Record, ...]
    answer: Answer
    acked: Mapping[str, tuple[int, int]]
    dn: int
    receipt: ReceiptArrived | None
    replies: Mapping[str, bytes] = field(default_factory=dict)


class Journal:
    """The only writer of the ledger. Raises LedgerError, OSError, sqlite3.Error; after any sqlite3.Error it must be dropped."""

    def __init__(self, path: Path, *, chain: str, instance: str) -> None:
        self.path = path
        write_log_again(path)
        self._commits = 0
        self._lap = Lap()
        self._reserve = Reserve(path.parent)
        try:
            with self._giving_up_the_reserve():
                self._open(chain, instance)
        except UnicodeDecodeError:
            # What SQLite says of a damaged schema repeats the damage, and Python can't read that.
            raise DamagedError(f"{path}: its schema is damaged; {RESTORE}") from None

    def _open(self, chain: str, instance: str) -> None:
        path = self.path
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        execute = self._connection.execute
        execute("PRAGMA synchronous = FULL")
        # Before the journal mode, which is written into the file: a file that is not ours stays as it was.
        migrate(self._connection, path)
        # The answer must be read: the error of a switch that fails comes with it, and without it the old mode stays unnoticed,
        # in which a power cut may undo a commit.
        mode = execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise sqlite3.OperationalError(f"{path}: the log can't be switched on (journal_mode is {mode})")
        execute("PRAGMA foreign_keys = ON")
        execute("PRAGMA wal_autocheckpoint = 0")
        execute("INSERT OR IGNORE INTO chain VALUES (1, ?, 1, ?, 0, 0, 0, 0, 0, 0)", (chain, instance))
        found = execute("SELECT chain FROM chain").fetchone()[0]
        if found != chain:
            raise LedgerError(f"{path}: belongs to chain {found!r}, not {chain!r}; correct gateway.id or gateway.data")
        self.platform = PlatformStore(self._connection)

    def close(self) -> None:
        """Checkpoint and close."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def head(self) -> Head:
        """The chain's last record and the cursors. Raises DamagedError if that record can't be read."""
        epoch, dn, receipted = self._connection.execute("SELECT epoch, dn, receipted FROM chain").fetchone()
        last = self._connection.execute("SELECT n, line FROM record ORDER BY n DESC LIMIT 1").fetchone()
        if last is None:
            return Head(epoch, *scrub.base(self._connection), "", dn, receipted, None)
        try:
            found = json.loads(last[1])
            key = found["body"]["key"] if found["type"] == "rotate" else found["key"]
            at = Moment(found["boot"], found["mono"], found["wall"], ClockQuality(found["clock"]))
        except (ValueError, KeyError, TypeError):
            raise DamagedError(f"{self.path}: record {last[0]} is damaged: it is no record; {RESTORE}") from None
        return Head(epoch, last[0], record_hash(last[1]).hex(), key, dn, receipted, at)

    def genesis(self) -> dict[str, str]:
        """Body of the first record, which a restored ledger has of its own; empty before there is one."""
        found = self._connection.execute("SELECT line FROM record ORDER BY n LIMIT 1").fetchone()
        body: dict[str, str] = json.loads(found[0])["body"] if found else {}
        return body

    def restored(self) -> Body:
        """What the first record of a restored ledger says of its beginning; empty for any other ledger."""
        row = self._connection.execute("SELECT * FROM restored").fetchone()
        if row is None:
            return {}
        _, _, _, permit, signature, epoch, n, hash_ = row
        abandoned = {"epoch": epoch, "n": n, "hash": hash_}
        return {"permit": permit, "permit_sig": base64.b64encode(signature).decode(), "abandoned": abandoned}

    def begin_epoch(self, permit: Permit, abandoned: Head, *, hello: int, acked: Mapping[str, tuple[int, int]]) -> None:
        """Make this empty ledger the beginning of the permit's epoch, with what the nodes were told."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        values = (permit.n, permit.hash, permit.line, permit.signature, abandoned.epoch, abandoned.n, abandoned.prev)
        execute("INSERT INTO restored VALUES (1, ?, ?, ?, ?, ?, ?, ?)", values)
        execute("UPDATE chain SET epoch = ?, receipted = ?, hello = ?", (permit.epoch, permit.n, hello))
        self._connection.executemany("INSERT INTO node VALUES (?, ?, ?)", [(uid, *ack) for uid, ack in acked.items()])
        execute("COMMIT")

    def instance(self) -> str:
        """The random id that the ledger was born with."""
        return str(self._connection.execute("SELECT instance FROM chain").fetchone()[0])

    def next_hello(self, after: int = 0) -> int:
        """Number of this start, durable and above all before and `after`: the bus refuses hellos that are not newer."""
        with self._giving_up_the_reserve():
            self._connection.execute("UPDATE chain SET hello = max(hello, ?) + 1", (after,))
        return int(self._connection.execute("SELECT hello FROM chain").fetchone()[0])

    def acked(self) -> dict[str, tuple[int, int]]:
        """Per node uid: (log, seq) of its last committed event."""
        return {uid: (log, seq) for uid, log, seq in self._connection.execute("SELECT uid, log, seq FROM node")}

    def remembered(self) -> Remembered:
        """What the lot needs to go on: stays inside or under a barrier, exits in review, lanes, bays and totals."""
        lanes = {lane: rows.lane(waiting, leaving) for lane, waiting, leaving in self._rows("SELECT * FROM lane")}
        sessions = list(self._sessions("state IN ('inside', 'held')", ()))
        for state in lanes.values():
            for session in state.leaving:
                sessions += self._sessions("id = ? AND state NOT IN ('inside', 'held')", (session,))
        strays = self._sessions(f"{rows.STRAYS} ORDER BY plate_n DESC LIMIT {STRAYS_MAX}", ())
        sessions += reversed(strays)
        entries, exits, billed_minor = self._rows("SELECT entries, exits, billed_minor FROM chain")[0]
        return Remembered(
            sessions=tuple(sessions),
            lanes=lanes,
            bays={bay: bool(occupied) for bay, occupied in self._rows("SELECT bay, occupied FROM bay")},
            entries=entries,
            exits=exits,
            billed_minor=billed_minor,
            entitled=entitlements.load(self._connection),
            tills=settlements.tills(self._connection),
            uncounted=settlements.uncounted(self._connection),
            roster=operators.load(self._connection),
        )

    def session(self, session: str) -> Session | None:
        """One stay by its id."""
        return next(iter(self._sessions("id = ?", (session,))), None)

    def past_stays(self, plate: str, span_ms: tuple[int, int], limit: int) -> list[str]:
        """Ids of a plate's decided stays whose exit lies in a span of UTC ms, the newest first."""
        return entitlements.past_stays(self._connection, plate, span_ms, limit)

    def past_term(self, now_ms: int, limit: int) -> list[str]:
        """Ids of stays that left and whose term has passed at this UTC ms, the oldest first."""
        return settlements.past_term(self._connection, now_ms, limit)

    def used(self, kind: str, id_: str) -> str | None:
        """The content under which one of the city's ids was applied, None if it never was."""
        return settlements.used(self._connection, kind, id_)

    def closed_day(self, day: str) -> dict[str, dict[str, int]]:
        """The figures of a local day by its name; empty if it was never closed."""
        return settlements.closed_day(self._connection, day)

    def given(self, key: str, n: int) -> Given | None:
        """An operator's command by its key and number, with the reply that it got."""
        return operators.given(self._connection, key, n)

    def look(self, deed: Look | Explain) -> Looked:
        """What an operator asks to see, as far as it is not in memory."""
        return looking.look(self._connection, deed)

    def records(self, first: int, limit: int) -> list[Record]:
        """Up to `limit` stored records from number `first` on, with their disclosures."""
        return rows.records(self._connection, first, limit)

    def platform_work(self, asked: Asked, head_n: int, free: int) -> Work:
        """What there is to tell the platform: answers, uploads, what was set aside, and what else was asked for."""
        store, limit = self.platform, asked.limit
        day, plates = store.day_to_compare(asked.days)
        asides = [(aside, self._entry(self.records(aside.n, 1)[0])) for aside in store.asides(asked.now_ms, limit)]
        waiting = [self.session(session) for session in store.unauthorized(limit)] if asked.pull else []
        return Work(
            cursor=store.cursor(),
            head_n=head_n,
            free=free,
            now_ms=asked.now_ms,
            pushes=tuple(store.unanswered(limit)),
            entries=tuple(self._entry(record) for record in self.records(asked.first, limit)),
            asides=tuple(asides),
            day=day,
            day_plates=plates,
            unauthorized=tuple(session for session in waiting if session is not None),
            unpaid=store.unpaid(limit) if asked.pull else (),
        )

    def line_hash(self, n: int) -> bytes | None:
        """Hash of record n, or None if there is none."""
        found = self._connection.execute("SELECT line FROM record WHERE n = ?", (n,)).fetchone()
        return record_hash(found[0]) if found else None

    def commit(self, step: Step, memory: LotMemory) -> None:
        """Write one step, whole or not at all; returns after COMMIT did."""
        execute = self._connection.execute
        with self._giving_up_the_reserve():
            execute("BEGIN IMMEDIATE")
            try:
                self._write(step, memory)
                execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    execute("ROLLBACK")
                raise
        self._commits += 1
        if self._commits >= CHECKPOINT_COMMITS_MAX:
            self._checkpoint()

    def check(self, signed: scrub.Signed) -> None:
        """Raise DamagedError if the records since the last receipt, at most CHECKED_AT_START_MAX, are not what was written."""
        # Not by `head`, which believes the last line.
        base_n, _ = scrub.base(self._connection)
        receipted, last = self._rows("SELECT receipted, (SELECT max(n) FROM record) FROM chain")[0]
        head_n = last or base_n
        first = max(base_n + 1, receipted, head_n - CHECKED_AT_START_MAX)
        found = scrub.receipt_damage(self._connection, receipted)
        found = found or scrub.damage(self._connection, first, head_n, signed)
        if found is not None:
            raise DamagedError(f"{self.path}: record {found.n} is damaged: {found.what}; {RESTORE}")

    def scrub(self, signed: scrub.Signed) -> tuple[bool, scrub.Damage | None]:
        """Check the next SCRUBBED_AT_ONCE records of the whole ledger; whether the lap ended, and what was found."""
        ended, found = self._lap.go_on(self._connection, SCRUBBED_AT_ONCE, signed)
        if ended:
            self._lap = Lap()
        return ended, found

    def room(self) -> Room:
        """Hold the reserve, and tell how much room there is beside it."""
        return self._reserve.hold()

    def idle(self) -> None:
        """Use a quiet moment: checkpoint if enough was written."""
        if self._commits >= CHECKPOINT_COMMITS:
            self._checkpoint()

    def _checkpoint(self) -> None:
        with self._giving_up_the_reserve():
            _, logged, done = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        # A reader that holds an old state keeps a part of the log from being used again: then the next quiet moment tries anew.
        if done == logged:
            self._commits = 0

    @contextmanager
    def _giving_up_the_reserve(self) -> Iterator[None]:
        """An error for want of room frees the reserve, so that the next start can write."""
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
                self._reserve.release()
            self._reserve.release_if_full()
            raise

    def _write(self, step: Step, memory: LotMemory) -> None:
        many = self._connection.executemany
        answer = step.answer
        many(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?)",
            [(r.n, r.epoch, r.line, r.signature, r.key) for r in step.records],
        )
        disclosures = [r.disclosure for r in step.records if r.disclosure is not None]
        many("INSERT INTO disclosure VALUES (?, ?, ?)", [(d.n, d.plate, d.salt) for d in disclosures])
        many(rows.SESSION_UPSERT, [rows.session_row(s) for s in answer.sessions.values()])
        many(
            "INSERT INTO posting VALUES (?, ?, ?, ?)",
            [(p.n, str(p.account), p.session or None, p.amount_minor) for p in answer.postings],
        )
        many(
            "INSERT OR REPLACE INTO lane VALUES (?, ?, ?)", [rows.lane_row(lane, s) for lane, s in answer.lanes.items()]
        )
        many("INSERT OR REPLACE INTO bay VALUES (?, ?)", [(bay, int(on)) for bay, on in answer.bays.items()])
        entitlements.write(self._connection, answer)
        settlements.write(self._connection, answer)
        self.platform.write(answer.platform)
        many("INSERT INTO down VALUES (?, ?, ?)", [(o.dn, o.line, o.signature) for o in answer.origins if o.dn])
        operators.write(self._connection, answer.roster, step.replies)
        many("INSERT OR REPLACE INTO node VALUES (?, ?, ?)", [(uid, *ack) for uid, ack in step.acked.items()])
        if step.receipt is not None:
            receipt = step.receipt
            many(
                "INSERT OR IGNORE INTO receipt VALUES (?, ?, ?)",
                [(receipt.n, receipt.line, receipt.signature)],
            )
        receipted = step.receipt.n if step.receipt is not None else 0
        self._connection.execute(
            "UPDATE chain SET dn = ?, receipted = max(receipted, ?), entries = ?, exits = ?, billed_minor = ?",
            (step.dn, receipted, memory.entries, memory.exits, memory.billed_minor),
        )

    def _entry(self, record: Record) -> Entry:
        return self.platform.entry(record, json.loads(record.line)["body"], self.session)

    def _sessions(self, where: str, values: tuple[str, ...]) -> list[Session]:
        return [rows.session(row) for row in self._connection.execute(f"{rows.SESSION_SELECT} WHERE {where}", values)]

    def _rows(self, sql: str) -> list[rows.Row]:
        return self._connection.execute(sql).fetchall()
