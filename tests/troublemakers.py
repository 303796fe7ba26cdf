"""Who says what is not so: a city that lies, strangers in its name, and an operator whose commands come again.

Owns what was said and what must become of it. Rules: what the city signs and nobody may believe must be refused by name; what
nobody signed must have no effect at all; of an operator's commands only the fresh ones may be obeyed. Reads no ledger.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.command_form import read
from gateway.core.operator_events import CommandArrived, OperatorsListed
from gateway.orders import Command
from sim.city import City, Outgoing
from sim.city_verifier import write
from tests.operating import MANAGER, STRANGER, Console, listed

HUGE_MINOR = 9_999_999
NOBODY = "blue 琼Z00000"
"""A plate that no driver of the world bears."""
OLD_MS = 3_600_000


@dataclass(slots=True)
class Liar:
    """A city's lies. Numbers of its lines: `refused` must end in a record of that name, `skipped` nobody can read."""

    dice: random.Random
    city: City
    chain: str
    root: str
    refused: set[int] = field(default_factory=set)
    skipped: set[int] = field(default_factory=set)
    told: int = 0

    def lie(self, sessions: Sequence[str], payments: Sequence[str], now_ms: int) -> list[Outgoing]:
        """Something that is not so: of stays and payments that there are, of others, or in the city's name."""
        self.told += 1
        lies = [self._forged_receipt, self._forged_line, self._foreign_receipt, self._earlier_epoch]
        way = self.dice.randrange(0, 10)
        if way < len(lies):
            return lies[way](now_ms)
        return self._signed(way, sessions, payments, now_ms)

    def _signed(self, way: int, sessions: Sequence[str], payments: Sequence[str], now_ms: int) -> list[Outgoing]:
        id_, nobody = f"lie/{self.told}", f"1.{HUGE_MINOR}"
        session = self.dice.choice(sessions) if sessions else nobody
        payment = {"session": nobody, "payment": id_, "amount_minor": 100, "status": "paid"}
        kind, body, refuse = "payment", payment, True
        if way == 4 and payments:
            body = payment | {"session": session, "payment": self.dice.choice(payments), "amount_minor": HUGE_MINOR}
        elif way == 5:
            kind, body = "refund", {"session": session, "refund": id_, "amount_minor": HUGE_MINOR, "reason": "lie"}
        elif way == 6:
            kind, body = "void", {"session": nobody, "void": id_, "reason": "lie"}
        elif way == 7:
            kind, body, refuse = "gift", {"amount_minor": 1}, False
        elif way == 8:
            kind, body, refuse = "payment", payment | {"amount_minor": -1}, False
        elif way == 9:
            kind, body = "lease", {"session": nobody, "lease": id_, "cap_minor": 1, "expires_ms": HUGE_MINOR}
        messages = self.city.push(self.chain, kind, body, now_ms)
        (self.refused if refuse else self.skipped).add(self.city.head(self.chain).dn_last)
        return messages

    @property
    def told_dn(self) -> int:
        """The last of the city's lines that the gateway must apply."""
        dn = self.city.head(self.chain).dn_last
        while dn in self.skipped:
            dn -= 1
        return dn

    def _forged_receipt(self, now_ms: int) -> list[Outgoing]:
        head = self.city.head(self.chain)
        content = {"chain": self.chain, "epoch": 1, "n": head.n + 1000, "hash": "00" * 32, "at_ms": now_ms}
        return [self._receipt(*_sign(STRANGER.private, "lotgate-receipt-v1\n", content))]

    def _forged_line(self, now_ms: int) -> list[Outgoing]:
        dn = self.city.head(self.chain).dn_last + 1
        body = {"session": "1.2", "payment": "forged", "amount_minor": 1, "status": "paid"}
        content = {"chain": self.chain, "dn": dn, "type": "payment", "at_ms": now_ms, "body": body}
        line, signature = _sign(STRANGER.private, "lotgate-down-v1\n", content)
        message = {"v": 1, "lines": [line], "sigs": [base64.b64encode(signature).decode()]}
        return [Outgoing(f"{self.root}/dn/{self.chain}", write(message).encode(), 1, False)]

    def _foreign_receipt(self, now_ms: int) -> list[Outgoing]:
        content = {"chain": "gw-other", "epoch": 1, "n": 7, "hash": "11" * 32, "at_ms": now_ms}
        return [self._receipt(*self.city.signed("lotgate-receipt-v1\n", content))]

    def _earlier_epoch(self, now_ms: int) -> list[Outgoing]:
        content = {"chain": self.chain, "epoch": 0, "n": 7, "hash": "11" * 32, "at_ms": now_ms}
        return [self._receipt(*self.city.signed("lotgate-receipt-v1\n", content))]

    def _receipt(self, line: str, signature: bytes) -> Outgoing:
        message = {"v": 1, "line": line, "sig": base64.b64encode(signature).decode()}
        return Outgoing(f"{self.root}/ack/{self.chain}", write(message).encode(), 1, True)


@dataclass(slots=True)
class Commander:
    """An operator. `fresh`: (key, number) of the commands that may be obeyed."""

    dice: random.Random
    chain: str
    lot: str
    fresh: set[tuple[str, int]] = field(default_factory=set)
    said: list[CommandArrived] = field(default_factory=list)
    _highest: int = 0
    _console: Console = field(default_factory=lambda: Console(2, "manager"))

    def listed(self) -> OperatorsListed:
        """The city's list of operators, as it is retained by the broker."""
        operators = listed(MANAGER, chain=self.chain)
        return OperatorsListed(operators, operators.line(), bytes(64))

    def command(self, wall_ms: int) -> CommandArrived:
        """A fresh command, an old one again, another under its number, one too late, or one for another gateway."""
        way = self.dice.randrange(0, 5)
        if way == 0 and self.said:
            return self.dice.choice(self.said)
        verb, args = "block", {"plate": NOBODY, "entry": "notify", "exit": "attendant"}
        changed: dict[str, Any] = {"gw": self.chain, "lot": self.lot}
        if way == 1 and self.said:
            changed["n"] = self.dice.choice(self.said).command.n
        elif way == 2:
            wall_ms -= OLD_MS
        elif way == 3:
            changed["gw"] = "gw-other"
        command = self._console.command(verb, args, wall_ms, **changed)
        event = self._arrived(command)
        if way != 3:
            # A number that only another gateway was told is none of this one's.
            if way != 2 and command.n > self._highest:
                self.fresh.add((command.key, command.n))
            self._highest = max(self._highest, command.n)
        self.said.append(event)
        return event

    def _arrived(self, command: Command) -> CommandArrived:
        signed = self._console.signed(command)
        return CommandArrived(command, read(command, self.chain), self.chain, signed.line, signed.signature)


def _sign(key: Ed25519PrivateKey, domain: str, content: dict[str, Any]) -> tuple[str, bytes]:
    line = write({"v": 1, **content})
    return line, key.sign((domain + line).encode())
