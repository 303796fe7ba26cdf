"""From the operators down: the city's list of them, and their commands, checked and turned into events.

Rules: nothing counts without a signature over the exact line: of the city for the list, of a listed key for a command; what no
listed key signed is passed on as a stranger's, and so many a minute only. Keeps each public key that it was ever shown, so that
a revoked one is known by name. Whether a command is obeyed is decided in `core/operators`.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping

from gateway.core.command_form import read
from gateway.core.operator_events import CommandArrived, OperatorsListed, StrangerCommanded
from gateway.core.record import key_id
from gateway.core.roster import KNOWN_MAX
from gateway.forms import Reason, Rejection
from gateway.orders import COMMAND_DOMAIN, OPERATORS, OPERATORS_DOMAIN, Code, Command, OperatorList, Signed
from gateway.sync.signature import CityKey, PublicKey
from gateway.topics import Kind, Topic

STRANGERS_MAX = 20
STRANGERS_MS = 60_000
"""Strangers that are answered in a minute: each answer costs a signature, which a flooder must not get for nothing."""

Received = OperatorsListed | CommandArrived | StrangerCommanded | Rejection


class Orders:
    """Receiver of one chain's cfg and cmd messages. `city_public`: 32 bytes of its Ed25519 key, ValueError if it is none."""

    def __init__(self, chain: str, city_public: bytes) -> None:
        self.chain = chain
        self.rejected: Counter[Reason | Code] = Counter()
        self._city = CityKey(city_public)
        self._keys: dict[str, PublicKey] = {}
        self._strangers = 0
        self._strangers_from_ms = 0

    def start(self, publics: Mapping[str, str]) -> None:
        """Take the keys that the journal knows: id -> 32 bytes in base64."""
        self._keys = {key: PublicKey(base64.b64decode(public)) for key, public in publics.items()}

    def receive(self, topic: Topic, payload: bytes, now_ms: int) -> Received:
        """The event that a message of kind 'cfg' or 'cmd' means, or why it means none; `now_ms` is monotonic."""
        signed = Signed.from_json(payload)
        if isinstance(signed, Rejection):
            return self._rejected(signed)
        if topic.kind is Kind.COMMAND:
            return self._command(topic.name, signed, now_ms)
        if topic.name != OPERATORS:
            return self._rejected(Rejection(Reason.UNKNOWN_TYPE, f"setting {topic.name}"))
        return self._list(signed)

    def _list(self, signed: Signed) -> Received:
        if not self._city.signed(OPERATORS_DOMAIN, signed.line, signed.signature):
            return self._rejected(Rejection(Reason.SIGNATURE, "not under the city's key"))
        listed = OperatorList.from_line(signed.line)
        if isinstance(listed, Rejection):
            return self._rejected(listed)
        if listed.chain != self.chain:
            return self._rejected(Rejection(Reason.CHAIN, f"line of chain {listed.chain:.64}"))
        found: dict[str, PublicKey] = {}
        for operator in listed.operators:
            public = _public(operator.pub)
            if public is None or key_id(public) != operator.key or operator.key in found:
                return self._rejected(
                    Rejection(Reason.FORM, f"key {operator.key} is not what its id says, or stands twice")
                )
            found[operator.key] = PublicKey(public)
        before = {key: known for key, known in self._keys.items() if key not in found}
        kept = list(before.items())[max(0, len(before) + len(found) - KNOWN_MAX) :]
        self._keys = {**dict(kept), **found}
        return OperatorsListed(listed, signed.line, signed.signature)

    def _command(self, verb: str, signed: Signed, now_ms: int) -> Received:
        command = Command.from_line(signed.line)
        if isinstance(command, Rejection):
            return self._rejected(command)
        if command.verb != verb:
            return self._rejected(Rejection(Reason.TOPIC, f"a {command.verb} on the topic of {verb}"))
        key = self._keys.get(command.key)
        if key is None:
            return self._stranger(command, Code.UNKNOWN_KEY, now_ms)
        if not key.signed(COMMAND_DOMAIN, signed.line, signed.signature):
            return self._stranger(command, Code.BAD_SIGNATURE, now_ms)
        return CommandArrived(command, read(command, self.chain), self.chain, signed.line, signed.signature)

    def _stranger(self, command: Command, code: Code, now_ms: int) -> Received:
        self.rejected[code] += 1
        if now_ms - self._strangers_from_ms >= STRANGERS_MS:
            self._strangers, self._strangers_from_ms = 0, now_ms
        self._strangers += 1
        if self._strangers > STRANGERS_MAX:
            return Rejection(Reason.SIGNATURE, f"{code}: too many to answer")
        return StrangerCommanded(self.chain, command.key, command.n, code)

    def _rejected(self, rejection: Rejection) -> Rejection:
        self.rejected[rejection.reason] += 1
        return rejection


def _public(text: str) -> bytes | None:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if len(raw) == 32 and base64.b64encode(raw).decode() == text else None
