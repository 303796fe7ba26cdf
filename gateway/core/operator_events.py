"""What came from the operators' side, in the past tense: the city's list of operators, and commands.

Signatures and forms were checked before an event is made; whether a command is obeyed is decided in `core/operators`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.deeds import Deed, Unfit
from gateway.orders import Code, Command, OperatorList


@dataclass(frozen=True, slots=True)
class OperatorsListed:
    """The city says who may command; line and its 64 signature bytes stay as evidence."""

    listed: OperatorList
    line: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class CommandArrived:
    """A command under the signature of a key that is or was listed; `gateway` is the chain that it came to."""

    command: Command
    deed: Deed | Unfit
    gateway: str
    line: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class StrangerCommanded:
    """A command that no listed key signed: `code` is unknown-key or bad-signature, `key` is only what it claims."""

    gateway: str
    key: str
    n: int
    code: Code


OperatorEvent = OperatorsListed | CommandArrived | StrangerCommanded
