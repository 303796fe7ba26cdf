"""What the city grants or forbids beforehand: everything that lowers a bill, lets a car out on trust, or keeps it out.

Owns the nouns; each is one signed line of the city, known by its kind and id, and ends when it is withdrawn or runs out.
A plate here is a plate's identity, colour included. Refuses to know how a line reads, how it is kept, and what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.core.plate import Colour, Energy, Vehicle


class Kind(StrEnum):
    """The kinds; the word is the type of the city's line and stands in the records."""

    STANDING = "standing"
    EXPOSURE = "exposure"
    SUSPENSION = "suspend"
    PERMIT = "permit"
    EXEMPTION = "exempt"
    BENEFIT = "benefit"
    VALIDATION = "validation"
    BLOCK = "block"
    RULES = "rules"


class Way(StrEnum):
    """How a bill is lowered; the order of the members is the order in which lowerings are applied.

    `value` is then: nothing, nothing, minutes, percent, minor units that the stay costs at most, minor units off.
    """

    FREE = "free"
    WINDOW = "window"
    MINUTES = "minutes"
    PERCENT = "percent"
    CAP = "cap"
    MONEY = "money"


class PermitKind(StrEnum):
    """Who holds a permit; the bill names it."""

    MONTHLY = "monthly"
    RESIDENT = "resident"
    EMPLOYEE = "employee"


class Policy(StrEnum):
    """What a lane does about a blocked plate."""

    BLOCK = "block"
    ATTENDANT = "attendant"
    NOTIFY = "notify"


class WhenFull(StrEnum):
    """Who still gets in when no space is left."""

    OPEN = "open"
    PERMITS = "permits"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Shift:
    """A window of local time on some days of the week: 1 is Monday; minutes after midnight, `to_min` not included.

    A window whose end is not after its begin runs past midnight and belongs to the day on which it begins.
    """

    days: tuple[int, ...]
    from_min: int
    to_min: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The city pays for every stay of a plate up to `cap_minor`, while what is open on it stays within `exposure_minor`."""

    id: str
    plate: str
    cap_minor: int
    exposure_minor: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class LotExposure:
    """All that may be open on standing leases of this lot together; the one with the highest id counts."""

    id: str
    cap_minor: int


@dataclass(frozen=True, slots=True)
class Suspension:
    """A plate's standing leases rest, e.g. because of debts elsewhere."""

    id: str
    plate: str


@dataclass(frozen=True, slots=True)
class Permit:
    """`spaces` of the plates may be inside free of charge at once, in the shifts (none: always) of the zone's local time."""

    id: str
    plates: tuple[str, ...]
    spaces: int
    kind: PermitKind
    zone: str
    shifts: tuple[Shift, ...]
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Exemption:
    """Nothing to pay, ever: for these plates, and for plates that show the mark, e.g. the 警 of the police.

    A mark counts only on the `colour` that such plates have; '' is no mark.
    """

    id: str
    label: str
    plates: tuple[str, ...]
    mark: str
    colour: Colour


@dataclass(frozen=True, slots=True)
class Benefit:
    """A policy that finds its people: by plate, or by class where `plates` is empty and '' means any.

    Holds for exits from `from_ms` up to `to_ms`; among benefits of one way the lower `order` comes first.
    """

    id: str
    plates: tuple[str, ...]
    energy: Energy | None
    vehicle: Vehicle | None
    way: Way
    value: int
    from_ms: int
    to_ms: int
    order: int


@dataclass(frozen=True, slots=True)
class Validation:
    """A hotel's or merchant's word for one plate. `single`: used up by the first exit that it lowers; `by`: who gave it."""

    id: str
    plate: str
    way: Way
    value: int
    from_ms: int
    to_ms: int
    single: bool
    by: str


@dataclass(frozen=True, slots=True)
class Block:
    """What to do when this plate comes, and when it wants to leave."""

    id: str
    plate: str
    entry: Policy
    exit: Policy


@dataclass(frozen=True, slots=True)
class LotRules:
    """House rules: `capacity` vehicles, who enters beyond it, and a line for the entry's sign ('' for the usual one).

    The sign also carries what no sensor measures, such as the height of the ceiling. The one with the highest id counts.
    """

    id: str
    capacity: int
    full: WhenFull
    sign: str


Entitlement = Standing | LotExposure | Suspension | Permit | Exemption | Benefit | Validation | Block | LotRules

KIND_OF: dict[type[Entitlement], Kind] = {
    Standing: Kind.STANDING,
    LotExposure: Kind.EXPOSURE,
    Suspension: Kind.SUSPENSION,
    Permit: Kind.PERMIT,
    Exemption: Kind.EXEMPTION,
    Benefit: Kind.BENEFIT,
    Validation: Kind.VALIDATION,
    Block: Kind.BLOCK,
    LotRules: Kind.RULES,
}


def plates_of(entitlement: Entitlement) -> tuple[str, ...]:
    """The plates that it names; none for what holds for a class or for the whole lot."""
    match entitlement:
        case Standing() | Suspension() | Validation() | Block():
            return (entitlement.plate,)
        case Permit() | Exemption() | Benefit():
            return entitlement.plates
        case LotExposure() | LotRules():
            return ()


def runs_out_ms(entitlement: Entitlement) -> int:
    """UTC ms after which it can change nothing any more; 0 for what only a withdrawal ends."""
    match entitlement:
        case Standing():
            return entitlement.expires_ms
        case Permit() | Benefit() | Validation():
            return entitlement.to_ms
        case _:
            return 0


@dataclass(frozen=True, slots=True)
class Held:
    """An entitlement as the lot holds it: `dn` of the line that brought it; `ended_ms` UTC, 0 while it holds."""

    entitlement: Entitlement
    dn: int
    ended_ms: int

    @property
    def key(self) -> tuple[Kind, str]:
        """Under what it is found."""
        return KIND_OF[type(self.entitlement)], self.entitlement.id


@dataclass(frozen=True, slots=True)
class Space:
    """A stay stands on a permit's space from `from_ms` on (UTC; 0: from its entry)."""

    session: str
    permit: str
    from_ms: int


@dataclass(frozen=True, slots=True)
class Debt:
    """What is open on a stay that has left, by plate identity; `standing` is the standing lease that let it out, or ''.

    `arrears`: nobody will pay it by himself, so that it suspends the plate's standing leases.
    """

    session: str
    plate: str
    amount_minor: int
    standing: str
    arrears: bool
