"""The settings of a tariff: each stands for a place where two honest readers of a published price disagree.

Owns the words that a tariff file writes for them; docs/TARIFFS.md says what each one means. None has a default.
"""

from __future__ import annotations

from enum import StrEnum


class Boundary(StrEnum):
    """Whether exactly the limit still counts as within it."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"


class Seconds(StrEnum):
    """What becomes of the part of a minute at the end of a stay."""

    TRUNCATE = "truncate"
    CEIL = "ceil"
    EXACT = "exact"


class Durations(StrEnum):
    """Which hours are paid where the clock changes: those that have passed, or those that the wall clock shows."""

    ELAPSED = "elapsed"
    WALL = "wall"


class Straddle(StrEnum):
    """What becomes of a unit that reaches over the edge of a band."""

    RESTART = "restart"
    START_BAND = "start-band"
    PRO_RATA = "pro-rata"


class ChargedFrom(StrEnum):
    """Where charging begins once the free time is exceeded."""

    ENTRY = "entry"
    END = "end"


class FreePer(StrEnum):
    """How often the free time is given."""

    VISIT = "visit"
    FIRST_OF_DAY = "first-of-day"
    DAY = "day"
    BAND = "band"


class VersionBy(StrEnum):
    """Which end of a stay chooses the version of the tariff."""

    ENTRY = "entry"
    EXIT = "exit"


class Falls(StrEnum):
    """Whether a longer stay may cost less."""

    NEVER = "never"
    ALLOWED = "allowed"


class Rounding(StrEnum):
    """What becomes of a part of a minor unit in the amount of a bill."""

    DOWN = "down"
    HALF_UP = "half-up"
    UP = "up"


class Lowering(StrEnum):
    """What lowers an amount, named where a file says in which order."""

    DISCOUNT = "discount"
    CAP = "cap"
    COUPON = "coupon"


class FlatPer(StrEnum):
    """How often a flat charge falls due: once a visit, or each time that the stay enters the band."""

    VISIT = "visit"
    BAND = "band"


class CapPer(StrEnum):
    """What a cap limits."""

    VISIT = "visit"
    BAND = "band"
    CALENDAR_DAY = "calendar-day"
    FROM_ENTRY = "from-entry"


class NextPeriod(StrEnum):
    """How counting goes on when a cap's next period begins."""

    RESTART = "restart"
    CONTINUE = "continue"


class Stays(StrEnum):
    """Whether earlier stays of the plate count towards a cap."""

    ONE = "one"
    PLATE = "plate"
