"""The engine: events in, one transaction, commands out.

Owns the step: guard against repeats, ask the lot, chain and sign what it wrote, commit, and only then hand out commands and
acknowledgements. Rules: memory is never ahead of disk (an error in a step ends the process, the journal is the way back);
time is an argument. Refuses to know threads, wires, the broker and keys beyond the one call that signs.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.core.answer import Answer
from gateway.core.city_events import Numbered, ReceiptArrived
from gateway.core.commands import Command, RaiseAlarm, SendReply, Severity
from gateway.core.deeds import Explain, Look
from gateway.core.events import Event, GatewayStarted, NodeEvent
from gateway.core.layout import Lot
from gateway.core.lot import answer_events, wanted_day, wanted_ids, wanted_past_term, wanted_sessions, wanted_stays
from gateway.core.memory import LotMemory, Rules
from gateway.core.moment import Moment, step_ms
from gateway.core.operator_events import CommandArrived
from gateway.core.platform_book import PlatformBook
from gateway.core.platform_events import DayReported, PaymentPushed, Push, PushAnswered
from gateway.core.platform_state import Asked, PlatformTerms, Work
from gateway.core.record import ROTATE_DOMAIN, Disclosure, Draft, Record, Value, record_hash, record_line, signed_bytes
from gateway.orders import REPLY_DOMAIN
from gateway.store.journal import Journal, LedgerError, Step
from gateway.store.upkeep import Upkeep

RECEIPT_KEPT_MS = 60_000
"""A receipt can be fetched again, so it waits this long for a commit to ride along with before it costs one of its own."""


class Signer(Protocol):
    """A record key: its id, its public key in base64, and one signature of 64 bytes."""

    key: str
    public_base64: str

    def sign(self, data: bytes) -> bytes:
        """Ed25519 signature over data."""

    def made(self, key: str, data: bytes, signature: bytes) -> bool:
        """False if `key` is this one and the signature is not its own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from a committed step.

    `acked`: uid -> (log, seq) that may now be acknowledged on the bus. `forked`: the city signed for another chain than
    this one, so nothing may be sent up until a person has looked.
    """

    commands: tuple[Command, ...]
    acked: dict[str, tuple[int, int]]
    head_n: int
    receipted_n: int
    dn: int
    forked: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """Who writes: chain id, lot id, software version."""

    chain: str
    lot: str
    version: str


class Engine:
    """One lot's engine over one journal; call `start` once, then `step` for each group of events.

    Raises LedgerError if the ledger was begun under another record key or in another currency.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        lot: Lot,
        rules: Rules,
        journal: Journal,
        signer: Signer,
        salt: Callable[[], str],
        successor: Signer | None = None,
        platform: PlatformTerms | None = None,
    ) -> None:
        self._identity = identity
        self._successor = successor
        self._journal = journal
        self._signer = signer
        self._rules = rules
        self._acked = journal.acked()
        self._receipt: ReceiptArrived | None = None
        self._receipt_since_ms = 0
        self._forked = False
        self._upkeep = Upkeep(journal)
        head = journal.head()
        self._epoch, self._n, self._prev = head.epoch, head.n, head.prev
        self._dn, self._receipted, self._last = head.dn, head.receipted, head.at
        self._is_new = not head.key
        self._memory = LotMemory(lot, rules, journal.remembered(), salt)
        if platform is not None:
            journal.platform.open(self._n)
            self._memory.platform = PlatformBook(platform, journal.platform.stamps())
        self._check(head.key, journal.genesis())

    @property
    def memory(self) -> LotMemory:
        """The lot's memory, to look at; only a step may change it."""
        return self._memory

    def start(self, now: Moment) -> Outcome:
        """Open the chain if it is new, write the start record, and hand over to the next record key if there is one."""
        answer = self._answer()
        if self._is_new:
            body: dict[str, Value] = {
                "lot": self._identity.lot,
                "currency": self._rules.currency,
                "pub": self._signer.public_base64,
                "instance": self._journal.instance(),
            }
            restored = self._journal.restored()
            answer.write(Draft("restored" if restored else "genesis", {**body, **restored}))
        started = GatewayStarted(self._identity.version, first=self._is_new and not self._journal.restored())
        done = self._finish([started], now, answer)
        return done if self._successor is None else replace(done, head_n=self._hand_over(self._successor, now))

    def step(self, events: Sequence[Event], now: Moment) -> Outcome:
        """Apply events read at `now`. Raises whatever the journal raises: then nothing of the step may be believed."""
        return self._finish(events, now, self._answer())

    def records(self, first: int, limit: int) -> list[Record]:
        """Stored records from number `first` on, for the uplink."""
        return self._journal.records(first, limit)

    def platform_work(self, asked: Asked) -> Work:
        """What there is to tell the platform, from what is committed."""
        book = self._memory.platform
        free = max(0, book.terms.total_bays - self._memory.inside) if book is not None else 0
        return self._journal.platform_work(asked, self._n, free)

    def idle(self, now: Moment) -> None:
        """Use a quiet moment: write a receipt that no other commit took along, checkpoint, look at room and old records."""
        if self._receipt is not None and now.mono_ms - self._receipt_since_ms >= RECEIPT_KEPT_MS:
            self._commit((), self._answer(), {})
        self._journal.idle()
        self._upkeep.go_on(now, self._signer.made)

    def close(self) -> None:
        """Write the last receipt and close the journal; nothing may be called after it."""
        if self._receipt is not None:
            self._commit((), self._answer(), {})
        self._journal.close()

    def _hand_over(self, successor: Signer, now: Moment) -> int:
        """The old key names the new one, which signs for itself; number of the record that says so."""
        proof = base64.b64encode(successor.sign(ROTATE_DOMAIN + self._prev.encode())).decode()
        body = {"key": successor.key, "pub": successor.public_base64, "proof": proof}
        answer = self._answer()
        answer.write(Draft("rotate", body))
        self._commit(self._sign(answer.drafts, now), answer, {})
        self._signer, self._successor = successor, None
        return self._n

    def _check(self, key: str, genesis: dict[str, str]) -> None:
        """Another key or currency would make a chain that nobody accepts, and that nobody can take back."""
        path = self._journal.path
        if key and key != self._signer.key:
            remedy = "put the key back that gateway.key held, or begin a new chain in an empty gateway.data"
            raise LedgerError(f"{path}: under another record key than {self._signer.key}; {remedy}")
        if genesis and genesis["currency"] != self._rules.currency:
            remedy = "correct lot.tariff, or begin a new chain in an empty gateway.data"
            raise LedgerError(f"{path}: amounts are in {genesis['currency']}, not {self._rules.currency}; {remedy}")

    def _answer(self) -> Answer:
        return Answer(self._epoch, self._n + 1)

    def _finish(self, events: Sequence[Event], now: Moment, answer: Answer) -> Outcome:
        acked: dict[str, tuple[int, int]] = {}
        stepped_ms = 0 if self._last is None else step_ms(self._last, now)
        if stepped_ms:
            answer.write(Draft("clock", {"from": now.wall_ms - stepped_ms, "to": now.wall_ms}))
        fresh = [event for event in events if self._is_fresh(event, now, acked, answer)]
        book = self._memory.platform
        for payment in book.waiting_payments if book is not None else ():
            # It may be booked by whatever comes now.
            self._adopt_used(payment)
        for event in fresh:
            self._adopt_platform(event)
            self._recall(event)
            for session in wanted_sessions(self._memory, event):
                self._adopt(session)
            # Which stays are wanted may depend on the sessions that the event names.
            for session in (*self._past_stays(event, now), *self._past_term(event, now)):
                self._adopt(session)
            day = wanted_day(event)
            if day:
                self._memory.days.closed |= self._journal.closed_day(day)
            self._adopt_used(event)
        answer_events(self._memory, fresh, now, answer)
        records = self._sign(answer.drafts, now)
        self._sign_replies(answer)
        if records or acked or answer.sessions or answer.lanes or answer.bays or answer.origins or answer.platform:
            self._commit(records, answer, acked)
            self._last = now
        self._memory.release_adopted()
        if book is not None:
            book.release()
        answer.commands += self._upkeep.notices()
        return Outcome(tuple(answer.commands), acked, self._n, self._receipted, self._dn, self._forked)

    def _past_stays(self, event: Event, now: Moment) -> list[str]:
        """Ids of the ended stays that this event may still change, or that a price depends on."""
        found: list[str] = []
        for plates, span_ms, limit in wanted_stays(self._memory, event, now):
            left = limit
            for plate in plates:
                stays = self._journal.past_stays(plate, span_ms, left)
                left -= len(stays)
                found += stays
        return found

    def _past_term(self, event: Event, now: Moment) -> list[str]:
        limit = wanted_past_term(event, now)
        return self._journal.past_term(now.wall_ms, limit) if limit else []

    def _adopt_used(self, event: Event) -> None:
        for kind, id_ in wanted_ids(event):
            content = self._journal.used(kind, id_)
            if content is not None:
                self._memory.once.adopt((kind, id_), content)

    def _adopt_platform(self, event: Event) -> None:
        """What the store knows of a push, a bill or a day that an event names."""
        book, store = self._memory.platform, self._journal.platform
        if book is None:
            return
        if isinstance(event, PushAnswered):
            book.adopt(store.pushes_like(event.request, event.digest))
        elif isinstance(event, Push):
            book.adopt(store.pushes_like(event.origin.request, event.origin.digest))
            if isinstance(event, PaymentPushed) and (bill := store.bill(event.bill)):
                book.adopt((), (bill,))
                self._adopt(bill.session)
        elif isinstance(event, DayReported):
            book.adopt((), (), store.day_bills(event.span_ms))

    def _adopt(self, session_id: str) -> None:
        if session_id and self._memory.session(session_id) is None:
            session = self._journal.session(session_id)
            if session is not None:
                self._memory.adopt(session)

    def _recall(self, event: Event) -> None:
        """A command that may have come before: its reply must be the same again; and what it looks for."""
        if isinstance(event, CommandArrived):
            given = self._journal.given(event.command.key, event.command.n)
            if given is not None:
                self._memory.roster.recall(given)
            if isinstance(event.deed, Look | Explain):
                self._memory.looked[event.deed] = self._journal.look(event.deed)

    def _is_fresh(self, event: Event, now: Moment, acked: dict[str, tuple[int, int]], answer: Answer) -> bool:
        if isinstance(event, NodeEvent):
            source = event.source
            log, seq = acked.get(source.uid) or self._acked.get(source.uid, (source.log, 0))
            if log == source.log and source.seq <= seq:
                return False
            acked[source.uid] = (source.log, source.seq)
        elif isinstance(event, ReceiptArrived):
            self._take_receipt(event, now, answer)
        elif isinstance(event, Numbered):
            # The downlink keeps the order and may have skipped a signed line that this release does not know.
            if event.origin.dn <= self._dn:
                return False
            self._dn = event.origin.dn
        return True

    def _take_receipt(self, receipt: ReceiptArrived, now: Moment, answer: Answer) -> None:
        if receipt.epoch < self._epoch or (receipt.epoch == self._epoch and receipt.n <= self._receipted):
            return
        if receipt.epoch > self._epoch or self._journal.line_hash(receipt.n) != receipt.record_hash:
            cause = f"The city's receipt for record {receipt.n} names another record than ours."
            if receipt.epoch > self._epoch:
                cause = f"The city's receipt is of epoch {receipt.epoch}: this ledger, of epoch {self._epoch}, was replaced."
            remedy = "Stop this gateway: its ledger was rolled back or copied. Restore it with a new epoch."
            answer.commands.append(RaiseAlarm("fork/chain", Severity.URGENT, cause, remedy))
            self._forked = True
            return
        if self._receipt is None:
            self._receipt_since_ms = now.mono_ms
        self._receipted = receipt.n
        self._receipt = receipt

    def _sign(self, drafts: Sequence[Draft], now: Moment) -> tuple[Record, ...]:
        records = []
        prev = self._prev
        for n, draft in enumerate(drafts, self._n + 1):
            line = record_line(
                draft,
                chain=self._identity.chain,
                epoch=self._epoch,
                n=n,
                prev=prev,
                key=self._signer.key,
                dn=self._dn,
                now=now,
            )
            prev = record_hash(line).hex()
            disclosure = Disclosure(n, *draft.disclose) if draft.disclose is not None else None
            signature = self._signer.sign(signed_bytes(line))
            records.append(Record(self._epoch, n, line, signature, self._signer.key, disclosure))
        return tuple(records)

    def _sign_replies(self, answer: Answer) -> None:
        """Sign what is answered for the first time; what was answered before keeps its signature."""
        for index, command in enumerate(answer.commands):
            if isinstance(command, SendReply) and not command.signature:
                signature = self._signer.sign(REPLY_DOMAIN + command.line.encode())
                answer.commands[index] = replace(command, signature=signature)

    def _commit(self, records: tuple[Record, ...], answer: Answer, acked: dict[str, tuple[int, int]]) -> None:
        replies = {c.line: c.signature for c in answer.commands if isinstance(c, SendReply)}
        self._journal.commit(Step(records, answer, acked, self._dn, self._receipt, replies), self._memory)
        self._receipt = None
        self._acked.update(acked)
        if records:
            self._n = records[-1].n
            self._prev = record_hash(records[-1].line).hex()
