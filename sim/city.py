"""The city: witness of the chains, giver of leases, payer. A stand-in with its own code, and sans-IO but for its books.

Rules: a record is stored once, at its place, if form, signature and link hold, whatever the city thinks of its content; other
content at a taken place under a valid signature is a fork: the evidence is kept and the chain frozen; every message is answered
with a signed receipt for the head; what goes down is numbered and repeated until a record confirms it. Time is an argument.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sim import city_keys, city_money
from sim.city_keys import ChainKeys, may_follow
from sim.city_message import LINES, MESSAGE_BYTES, Message, read_message
from sim.city_register import Register
from sim.city_register import number_of as _n
from sim.city_store import CityStore, Head, Lease, Payment
from sim.city_verifier import Fault, Line, load, opens, read_line, write

TOPIC = re.compile(r"(?P<root>park/v1/[^/+#]+/[^/+#]+)/(?:rec/(?P<chain>[^/+#]+)|(?P<state>state))")
LEASE_MS = 24 * 3600 * 1000
REPEAT_MS = 5_000
REPEAT_MAX_MS = 60_000
"""A lot at night writes no record that could confirm: the repeats then become rare."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the city promised the owner of a plate: to pay up to a cap; `pays` False plays the account that turns out empty."""

    cap_minor: int
    pays: bool


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


class City:
    """The city over its books. `chains`: chain id to 32 key bytes; `agreements`: plate identity to what was agreed.

    `borne`: the plates that vehicles bear, by the register; those of the agreements are among them.
    """

    def __init__(
        self,
        key: Ed25519PrivateKey,
        path: str,
        chains: Mapping[str, bytes],
        agreements: Mapping[str, Agreement],
        *,
        borne: Container[str] = (),
    ) -> None:
        self.store = CityStore(path)
        self._key = key
        self._keys = {chain: ChainKeys(first, self.store.rotated(chain)) for chain, first in chains.items()}
        self._agreements = agreements
        self._register = Register(self.store, lambda plate: plate in borne or plate in agreements)
        self._heads = {chain: Head(chain) for chain in chains} | {head.chain: head for head in self.store.heads()}
        self._due: dict[str, tuple[int, int]] = {}
        self._counts: Counter[str] = Counter()

    def receive(self, topic: str, payload: bytes, now_ms: int) -> list[Outgoing]:
        """Take a message of a gateway, durably, and answer it. Unknown topics, chains and bodies are counted, not answered."""
        found = TOPIC.fullmatch(topic)
        if found is None:
            return self._counted(Fault.MESSAGE)
        if found["state"]:
            body = load(payload.decode("utf-8", "replace")) if len(payload) <= MESSAGE_BYTES else Fault.MESSAGE
            online = isinstance(body, dict) and body.get("state") == "online"
            return self._greet(now_ms, found["root"]) if online else []
        chain = found["chain"]
        if chain not in self._keys:
            return self._counted(Fault.CHAIN)
        message = read_message(payload)
        if message is None:
            return self._counted(Fault.MESSAGE)
        return self._take(chain, found["root"], message, now_ms)

    def connected(self, now_ms: int) -> list[Outgoing]:
        """What to publish when the connection to the broker stands: all receipts, and what is not confirmed."""
        return self._greet(now_ms, "")

    def wake(self, now_ms: int) -> list[Outgoing]:
        """What to repeat at this time; call it every second or so."""
        return [out for head in self._heads.values() for out in self._repeat(head, now_ms)]

    def push(
        self,
        chain: str,
        kind: str,
        body: Mapping[str, Any],
        now_ms: int,
        *,
        also: Callable[[int], None] | None = None,
    ) -> list[Outgoing]:
        """Number, sign and keep a line down, and send it if the gateway was ever heard; `also` writes its dn beside it."""
        before = self._heads[chain]
        with self.store.transaction():
            head = self._add_down(before, kind, dict(body))
            self.store.put_head(head)
            if also is not None:
                also(head.dn_last)
        self._heads[chain] = head
        if not head.root:
            return []
        # A line before it may have been lost, and then this one alone would only be a gap.
        self._due.setdefault(chain, (now_ms + REPEAT_MS, REPEAT_MS))
        return self._down(head, head.root, head.dn_confirmed)

    def signed(self, domain: str, content: dict[str, Any]) -> tuple[str, bytes]:
        """Line and signature of content that the city says, under a domain of its own."""
        return self._signed(domain, content)

    def counted(self, name: str) -> list[Outgoing]:
        """Count something odd that gets no answer."""
        self._counts[name] += 1
        with self.store.transaction():
            self._write_counts()
        return []

    def totals(self) -> dict[str, int]:
        """The figures of the books: records, sessions, leases, money, duplicates, gaps, forks, rejected, receipts."""
        return self.store.totals()

    def head(self, chain: str) -> Head:
        """How far a chain has come. KeyError for an unknown one."""
        return self._heads[chain]

    def permit(self, chain: str, at_ms: int) -> tuple[str, bytes]:
        """Line and signature with which a gateway may open the chain's next epoch."""
        return city_keys.permit(self._key, self._heads[chain], at_ms)

    def key_statement(self, chain: str, lot: str) -> tuple[str, bytes]:
        """Line and signature by which the city says whose key the chain's is."""
        public = base64.b64encode(self._keys[chain].first).decode()
        content = {
            "chain": chain,
            "key": self._keys[chain].at(1).id,
            "alg": "Ed25519",
            "pub": public,
            "from_n": 1,
            "lot": lot,
        }
        return self._signed("lotgate-key-v1\n", content)

    def _take(self, chain: str, root: str, message: Message, now_ms: int) -> list[Outgoing]:
        before = self._heads[chain]
        with self.store.transaction():
            head = before
            for index, (text, signature) in enumerate(message.lines):
                taken = self._take_line(head, message, index, text, signature)
                if isinstance(taken, Fault):
                    self._counts[f"fault/{taken}"] += 1
                    if taken is Fault.FORK:
                        head = replace(head, frozen=True)
                    break
                head = taken
            if head.n > before.n:
                head = replace(head, root=root)
            if head != before:
                self.store.put_head(head)
            self._counts["receipt"] += 1
            self._write_counts()
        self._heads[chain] = head
        if head.dn_last == before.dn_last:
            return [self._receipt(head, root, now_ms)]
        self._due[chain] = (now_ms + REPEAT_MS, REPEAT_MS)
        return [self._receipt(head, root, now_ms), *self._down(head, root, before.dn_last)]

    def _take_line(self, head: Head, message: Message, index: int, text: str, signature: bytes) -> Head | Fault:
        """The head after this line, or why it was not taken."""
        place = message.first + index
        if place <= head.n and text == self.store.line(head.chain, place):
            self._counts["duplicate"] += 1
            return head
        line = read_line(text, signature, head.chain, self._keys[head.chain].at(place))
        if isinstance(line, Fault):
            return line
        if line.n != place or line.epoch != message.epoch:
            return Fault.MESSAGE
        restored = line.type == "restored"
        if head.frozen and not restored:
            return Fault.FROZEN
        if line.n > head.n + 1:
            return Fault.GAP
        if line.n <= head.n or line.prev != head.leaf:
            self.store.add_fork(head.chain, line.n, text, signature)
            return Fault.FORK
        if not may_follow(head, line, self._key) or (line.n == 1) != (line.type == "genesis"):
            return Fault.FORM
        if line.type == "rotate" and not self._keys[head.chain].hand_over(line):
            return Fault.KEY
        self.store.add_record(head.chain, line)
        plate = self._disclosed(head.chain, line, message.disclose.get(line.n))
        head = replace(
            head,
            epoch=line.epoch,
            n=line.n,
            leaf=line.leaf,
            wall_ms=max(head.wall_ms, line.wall_ms),
            # A restored ledger has forgotten what it was told: all of it is told again.
            dn_confirmed=0 if restored else max(head.dn_confirmed, min(line.dn, head.dn_last)),
            frozen=False,
        )
        return self._settle(head, line, plate)

    def _disclosed(self, chain: str, line: Line, disclosed: tuple[str, str] | None) -> str:
        """The plate that came with a record, if it opens the commitment; the record counts either way."""
        if disclosed is None:
            return ""
        if not opens(line, *disclosed):
            self._counts[f"fault/{Fault.COMMITMENT}"] += 1
            return ""
        self.store.add_disclosure(chain, line.n, *disclosed)
        return disclosed[0]

    def _settle(self, head: Head, line: Line, plate: str) -> Head:
        """What the city makes of a record's content. Nothing in it can keep the record out."""
        if city_money.is_money(line.type, line.body):
            session = line.body["session"]
            purse = self.store.purse(head.chain, session)
            if line.type == "refund-due":
                return self._give_back(head, line, purse)
            # A second exit of a session is odd, and bills nothing.
            if line.type not in ("exit", "attached") or self.store.owed(head.chain, session) is None:
                self.store.put_purse(head.chain, session, city_money.after(purse, line.type, line.body))
        if line.type == "day":
            return self._tally(head, line)
        if line.type == "entry" and plate in self._agreements:
            return self._grant(head, line, self._agreements[plate])
        if line.type in ("exit", "attached"):
            return self._attach(self._account(head, line), self._register.left(head.chain, line))
        if line.type in ("released", "leased") and line.body.get("dn") != 0:
            return self._honour(head, line)
        if line.type == "paired":
            return self._attach(head, self._register.paired(head.chain, line))
        if line.type == "reversed":
            self.store.take_back(head.chain, str(line.body.get("session")))
        return head

    def _attach(self, head: Head, bodies: list[dict[str, str]]) -> Head:
        """Say whose an exit in doubt was."""
        for body in bodies:
            head = self._add_down(head, "attach", body)
        return head

    def _lease_attached(self, head: Head, line: Line, session: str, amount_minor: int) -> Head:
        """The plate that owes came out late: what was agreed for it is a lease that comes late."""
        n = _n(session if line.body.get("whose") == "entry" else str(line.body.get("stray")))
        agreed = self._agreements.get(self.store.plate(head.chain, n))
        if agreed is None or not 0 < amount_minor <= agreed.cap_minor:
            return head
        lease = Lease(session, f"{head.chain}/lease/{line.n}", agreed.cap_minor, head.wall_ms + LEASE_MS, agreed.pays)
        self.store.add_lease(head.chain, lease)
        body = {"session": session, "lease": lease.lease, "cap_minor": lease.cap_minor, "expires_ms": lease.expires_ms}
        return self._add_down(head, "lease", body)

    def _tally(self, head: Head, line: Line) -> Head:
        """The gateway has closed a day: tell what these records come to here."""
        day, first, last = (line.body.get(name) for name in ("day", "first", "last"))
        if not (isinstance(day, str) and 0 < len(day) <= 10 and type(first) is int and type(last) is int):
            self._counts["odd"] += 1
            return head
        found = city_money.figures(
            self.store.records(head.chain, first, last), self.store.open_minor(head.chain, head.epoch)
        )
        return self._add_down(head, "day", {"tally": f"{head.chain}/day/{line.n}", "day": day, "figures": found})

    def _give_back(self, head: Head, line: Line, purse: city_money.Purse) -> Head:
        """The gateway says what was paid too much; the city pays it and says so."""
        session, amount_minor = line.body["session"], line.body["amount_minor"]
        promised = city_money.giving_back(purse, amount_minor)
        if promised is None:
            self._counts["odd"] += 1
            return head
        self.store.put_purse(head.chain, session, promised)
        body = {"session": session, "refund": f"{head.chain}/refund/{line.n}", "amount_minor": amount_minor}
        return self._add_down(head, "refund", body | {"reason": str(line.body.get("kind", ""))[:64] or "due"})

    def _honour(self, head: Head, line: Line) -> Head:
        """A lease that came after the exit lets a bill be charged after all."""
        session = line.body.get("session")
        owed_minor = self.store.owed(head.chain, session) if isinstance(session, str) else None
        if not isinstance(session, str) or owed_minor is None or self.store.has_payment(head.chain, session):
            self._counts["odd"] += 1
            return head
        return self._pay_leased(head, line.n, session, owed_minor)

    def _grant(self, head: Head, line: Line, agreement: Agreement) -> Head:
        session = f"{line.epoch}.{line.n}"
        expires_ms = head.wall_ms + LEASE_MS
        lease = Lease(session, f"{head.chain}/lease/{line.n}", agreement.cap_minor, expires_ms, agreement.pays)
        self.store.add_lease(head.chain, lease)
        body = {"session": session, "lease": lease.lease, "cap_minor": lease.cap_minor, "expires_ms": expires_ms}
        return self._add_down(head, "lease", body)

    def _account(self, head: Head, line: Line) -> Head:
        session, amount_minor, outcome = (line.body.get(name) for name in ("session", "amount_minor", "outcome"))
        if not (
            isinstance(session, str) and isinstance(outcome, str) and type(amount_minor) is int and amount_minor >= 0
        ):
            self._counts["odd"] += 1
            return head
        if not self.store.add_stay(head.chain, session, amount_minor, outcome):
            self._counts["odd"] += 1
            return head
        if outcome == "standing":
            agreed = self._agreements.get(self.store.plate(head.chain, _n(session)))
            return self._pay(head, line.n, session, amount_minor, pays=agreed is not None and agreed.pays)
        if outcome == "lease":
            promised = line.body.get("lease")
            # A lease with number 0 came by the city's other protocol, and that side collects what it promised.
            elsewhere = isinstance(promised, dict) and promised.get("dn") == 0
            return head if elsewhere else self._pay_leased(head, line.n, session, amount_minor)
        attached = line.type == "attached" and outcome == "arrears"
        return self._lease_attached(head, line, session, amount_minor) if attached else head

    def _pay_leased(self, head: Head, n: int, session: str, amount_minor: int) -> Head:
        lease = self.store.lease(head.chain, session)
        pays = lease is not None and lease.pays and amount_minor <= lease.cap_minor
        return self._pay(head, n, session, amount_minor, pays=pays)

    def _pay(self, head: Head, n: int, session: str, amount_minor: int, *, pays: bool) -> Head:
        payment = Payment(f"{head.chain}/payment/{n}", session, amount_minor, pays)
        self.store.add_payment(head.chain, payment)
        status = "paid" if pays else "failed"
        body = {"session": session, "payment": payment.payment, "amount_minor": amount_minor, "status": status}
        return self._add_down(head, "payment", body)

    def _add_down(self, head: Head, kind: str, body: dict[str, Any]) -> Head:
        dn = head.dn_last + 1
        content = {"chain": head.chain, "dn": dn, "type": kind, "at_ms": head.wall_ms, "body": body}
        self.store.add_down(head.chain, dn, *self._signed("lotgate-down-v1\n", content))
        return replace(head, dn_last=dn)

    def _greet(self, now_ms: int, root: str) -> list[Outgoing]:
        """Receipt and repeats for the chains on this branch, or on all branches with ''."""
        met = [head for head in self._heads.values() if head.root and root in ("", head.root)]
        for head in met:
            self._due[head.chain] = (now_ms, REPEAT_MS)
        return [out for h in met for out in (self._receipt(h, h.root, now_ms), *self._repeat(h, now_ms))]

    def _repeat(self, head: Head, now_ms: int) -> list[Outgoing]:
        if head.dn_last == head.dn_confirmed:
            self._due.pop(head.chain, None)
            return []
        due_ms, wait_ms = self._due.setdefault(head.chain, (now_ms + REPEAT_MS, REPEAT_MS))
        if now_ms < due_ms:
            return []
        self._due[head.chain] = (now_ms + wait_ms, min(2 * wait_ms, REPEAT_MAX_MS))
        return self._down(head, head.root, head.dn_confirmed)

    def _down(self, head: Head, root: str, after_dn: int) -> list[Outgoing]:
        lines = self.store.down(head.chain, after_dn, LINES)
        body = {"v": 1, "lines": [text for text, _ in lines], "sigs": [_base64(signature) for _, signature in lines]}
        return [Outgoing(f"{root}/dn/{head.chain}", write(body).encode("utf-8"), 1, False)]

    def _receipt(self, head: Head, root: str, now_ms: int) -> Outgoing:
        content = {"chain": head.chain, "epoch": head.epoch, "n": head.n, "hash": head.leaf, "at_ms": now_ms}
        line, signature = self._signed("lotgate-receipt-v1\n", content)
        body = write({"v": 1, "line": line, "sig": _base64(signature)})
        return Outgoing(f"{root}/ack/{head.chain}", body.encode("utf-8"), 1, True)

    def _signed(self, domain: str, content: dict[str, Any]) -> tuple[str, bytes]:
        line = write({"v": 1, **content})
        return line, self._key.sign((domain + line).encode("utf-8"))

    def _counted(self, fault: Fault) -> list[Outgoing]:
        return self.counted(f"fault/{fault}")

    def _write_counts(self) -> None:
        self.store.add_tally(self._counts)
        self._counts.clear()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
