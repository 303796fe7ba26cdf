"""Who may command this lot, which numbers they have used, what they were answered, and which barriers they hold open.

Owns that memory and its changes. Rules: only a higher version of the city's list replaces the one before; a key that was left
out stays known as revoked, with its counter, so that it can neither come back as a stranger nor begin its numbers anew. Decides
nothing: `core/operators` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from gateway.core.operator_events import OperatorsListed
from gateway.orders import Operator

KNOWN_MAX = 1_000
"""Keys remembered, the revoked ones with them: ten full lists. Beyond it the oldest revoked ones become strangers."""


@dataclass(frozen=True, slots=True)
class Known:
    """An operator's key that the city has listed: `counter` is the highest number of a command that was judged."""

    operator: Operator
    revoked: bool = False
    counter: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """A command and the reply that it was given. `signature` is the operator's, `reply_signature` empty until it is signed.

    `opens`: the lane that it opened once, '' for any other command; `expires_ms`: until when the command held.
    """

    key: str
    n: int
    line: str
    signature: bytes
    reply: str
    at_ms: int
    opens: str = ""
    expires_ms: int = 0
    reply_signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Hold:
    """A barrier kept up: by whose key, since when (UTC ms)."""

    lane: str
    key: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class RememberedRoster:
    """What the journal remembers: the list's version and line, keys, barriers held, the newest commands that opened a lane."""

    version: int = 0
    line: str = ""
    known: tuple[Known, ...] = ()
    holds: tuple[Hold, ...] = ()
    openings: tuple[Given, ...] = ()


NO_ROSTER = RememberedRoster()


@dataclass(slots=True)
class RosterChanges:
    """What one step changes; a hold that ended is None."""

    listed: OperatorsListed | None = None
    known: dict[str, Known] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    holds: dict[str, Hold | None] = field(default_factory=dict)


class Roster:
    """The memory while the gateway runs; every change goes into the step's changes as well."""

    def __init__(self, remembered: RememberedRoster) -> None:
        self.version = remembered.version
        self.line = remembered.line
        self.contradicted = False
        self.openings = remembered.openings
        self.holds = {hold.lane: hold for hold in remembered.holds}
        self.hold_due_ms = 0
        self.strangers = 0
        self.strangers_due_ms = 0
        self.refusals = 0
        self.refusals_from_ms = 0
        self._known = {known.operator.key: known for known in remembered.known}
        self._recalled: dict[tuple[str, int], Given] = {}

    def find(self, key: str) -> Known | None:
        """A key that is or was listed."""
        return self._known.get(key)

    def publics(self) -> dict[str, str]:
        """Key id -> public key in base64, of all that are known."""
        return {key: known.operator.pub for key, known in self._known.items()}

    def replace(self, event: OperatorsListed, changes: RosterChanges) -> None:
        """Take a newer list; the caller has compared the versions."""
        self.version, self.line, self.contradicted = event.listed.version, event.line, False
        changes.listed = event
        before = self._known
        listed = {operator.key: operator for operator in event.listed.operators}
        revoked = {key: replace(known, revoked=True) for key, known in before.items() if key not in listed}
        for key in list(revoked)[: max(0, len(revoked) + len(listed) - KNOWN_MAX)]:
            del revoked[key]
            changes.forgotten.append(key)
        counters = {key: before[key].counter for key in listed if key in before}
        named = {key: Known(operator, counter=counters.get(key, 0)) for key, operator in listed.items()}
        self._known = {**revoked, **named}
        changes.known.update(self._known)

    def is_used(self, known: Known, n: int) -> bool:
        """Whether a number was used up, by what the journal keeps too: a forgotten key that is listed again counts from 0."""
        return n <= known.counter or (known.operator.key, n) in self._recalled

    def use(self, known: Known, given: Given, changes: RosterChanges) -> None:
        """A command was judged: its number, which is not used yet, is used from now on, and its reply kept."""
        self._known[given.key] = changes.known[given.key] = replace(known, counter=max(known.counter, given.n))
        self._recalled[given.key, given.n] = given
        changes.given.append(given)

    def recall(self, given: Given) -> None:
        """Hold what the journal keeps of a command, for the length of one step."""
        self._recalled[given.key, given.n] = given

    def recalled(self, key: str, n: int) -> Given | None:
        """What a number was answered, if the journal was asked for it."""
        return self._recalled.get((key, n))

    def release(self) -> None:
        """The step is over."""
        self._recalled.clear()

    def hold(self, hold: Hold, changes: RosterChanges) -> None:
        """A barrier is kept up from now on."""
        self.holds[hold.lane] = changes.holds[hold.lane] = hold

    def let_go(self, lane: str, changes: RosterChanges) -> None:
        """A barrier is kept up no more."""
        del self.holds[lane]
        changes.holds[lane] = None

    def holders(self) -> Iterable[tuple[Hold, str]]:
        """Each hold with the name of its operator."""
        for hold in self.holds.values():
            known = self._known.get(hold.key)
            yield hold, known.operator.name if known is not None else hold.key
