"""Operators for tests: their keys, the city's list of them, and commands as they are signed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.command_form import read
from gateway.core.operator_events import CommandArrived, OperatorsListed
from gateway.core.record import key_id
from gateway.orders import (
    COMMAND_DOMAIN,
    OPERATORS_DOMAIN,
    Command,
    Operator,
    OperatorList,
    Reply,
    Role,
    Signed,
    Verb,
    lifetime_ms,
)
from tests.lots import CHAIN, LOT, START_MS, SmallLot
from tests.records import public

FOREVER_MS = 2 * START_MS


class Console:
    """One operator with a key of its own; `n` is the number of the last command."""

    def __init__(self, number: int, *roles: str, expires_ms: int = FOREVER_MS) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([200 + number]) * 32)
        raw = public(self.private)
        self.n = 0
        pub = base64.b64encode(raw).decode()
        self.operator = Operator(key_id(raw), pub, f"operator {number}", tuple(roles), expires_ms)

    @property
    def key(self) -> str:
        """The key's id."""
        return self.operator.key

    def command(self, verb: str, args: Mapping[str, Any], now_ms: int, **changed: Any) -> Command:
        """The next command, issued at `now_ms` UTC; with `n` given, one under that number."""
        self.n += 0 if "n" in changed else 1
        fields = {"gw": CHAIN, "lot": LOT.lot, "key": self.key, "n": self.n, "verb": verb, "args": args}
        expires_ms = now_ms + lifetime_ms(verb)
        fields |= {"reason": "test", "issued_ms": now_ms, "expires_ms": expires_ms}
        return Command(**(fields | changed))  # type: ignore[arg-type]

    def signed(self, command: Command) -> Signed:
        """A command as it goes over MQTT."""
        line = command.line()
        return Signed(line, self.private.sign(COMMAND_DOMAIN + line.encode()))


ATTENDANT = Console(1, Role.ATTENDANT)
MANAGER = Console(2, Role.MANAGER)
STRANGER = Console(9, Role.ADMIN)


def listed(*consoles: Console, version: int = 1, chain: str = CHAIN) -> OperatorList:
    """The city's list of these operators."""
    return OperatorList(chain, version, START_MS, tuple(console.operator for console in consoles))


def signed_list(operators: OperatorList, city: Ed25519PrivateKey) -> Signed:
    """A list as the city signs it."""
    line = operators.line()
    return Signed(line, city.sign(OPERATORS_DOMAIN + line.encode()))


class OperatedLot(SmallLot):
    """A small lot, and operators who command it as the sync hands their commands over."""

    def list(self, *consoles: Console, version: int = 1) -> None:
        """The city's list arrives."""
        operators = listed(*consoles, version=version)
        self.step(OperatorsListed(operators, operators.line(), bytes(64)))

    def arrived(self, console: Console, verb: Verb | str, args: Mapping[str, Any], **changed: Any) -> CommandArrived:
        """The event of a command that is issued now."""
        command = console.command(verb, args, START_MS + self.now_ms, **changed)
        signed = console.signed(command)
        return CommandArrived(command, read(command, CHAIN), CHAIN, signed.line, signed.signature)

    def obey(self, console: Console, verb: Verb | str, args: Mapping[str, Any], **changed: Any) -> Reply:
        """Let a command arrive; its reply."""
        return self.replied(self.arrived(console, verb, args, **changed))

    def replied(self, event: CommandArrived) -> Reply:
        """Let this command arrive; its reply."""
        self.outcome = self.step(event)
        return reply_of(self.outcome.commands)


def reply_of(commands: tuple[Any, ...]) -> Reply:
    """The one reply among a step's commands."""
    (line,) = [command.line for command in commands if hasattr(command, "key")]
    reply = Reply.from_line(line)
    assert isinstance(reply, Reply), reply
    return reply


def other_key(command: Command, console: Console) -> Command:
    """The same command in another operator's name."""
    return replace(command, key=console.key)
