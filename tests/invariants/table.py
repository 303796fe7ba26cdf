"""The sixteen invariants as a table, each with its checkers, and the auditor that runs them.

Owns the order and the moments: cheap ones after each step over what is new, whole ones at the end of each lot-hour and at the
end. Rules: a failure names the invariant by number and words. The rest of an invariant, where one run can't show it, is named
with the test that does.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from tests.invariants import chain, money, outside
from tests.invariants.facts import Broken, Facts

Check = Callable[..., None]


class When(Enum):
    """Moments of checking."""

    STEP = "each step"
    KEPT = "after each step"
    HOUR = "each lot-hour"
    EVENT = "as it happens"


INVARIANTS: dict[int, str] = {
    0: "beside the sixteen: no plate in the chain",
    1: "n contiguous, previous hash and signature valid, payload canonical",
    2: "no self-fork: what was seen outside is byte-identical after any crash",
    3: "acknowledged records survive; others are wholly present or absent",
    4: "the city's head is a prefix of the chain",
    5: "receipts and cursors only move forward, within what is committed",
    6: "postings sum to zero; receivable is priced and corrected less settled and written off",
    7: "0 <= refunded <= paid <= due; nothing is charged twice",
    8: "listed transitions only; repeats change nothing; another body is refused",
    9: "one price a stay, which recomputes from the record",
    10: "one open stay a plate; no negative duration",
    11: "projections equal a replay; the city's copy is the same bytes",
    12: "wall time never below the record before without a step record",
    13: "integers only, one currency, bounds in the schema",
    14: "command counters rise; each runs once; expired and foreign never",
    15: "whatever fails, the barrier opens and it recovers by itself",
    16: "a record that somebody dislikes never stops later ones",
}

CHECKS: tuple[tuple[int, Check, When], ...] = (
    (0, chain.no_plate_in_the_chain, When.STEP),
    (1, chain.i01_chain_is_whole, When.STEP),
    (2, chain.i02_no_self_fork, When.EVENT),
    (3, chain.i03_acknowledged_survives, When.EVENT),
    (3, chain.i03_nothing_is_acknowledged_before_its_commit, When.EVENT),
    (4, chain.i04_city_head_is_a_prefix, When.KEPT),
    (5, chain.i05_receipts_move_forward, When.KEPT),
    (6, money.i06_postings_sum_to_zero, When.STEP),
    (6, money.i06_total_is_zero, When.HOUR),
    (7, money.i07_money_is_within_bounds, When.STEP),
    (8, money.i08_listed_transitions_only, When.STEP),
    (8, money.i08_repeats_change_nothing, When.STEP),
    (8, outside.i08_another_body_is_refused, When.EVENT),
    (9, money.i09_one_price_that_recomputes, When.STEP),
    (10, money.i10_times_are_in_order, When.STEP),
    (10, money.i10_one_open_stay_a_plate, When.HOUR),
    (11, money.i11_projections_equal_a_replay, When.STEP),
    (11, money.i11_whole_replay, When.HOUR),
    (12, chain.i12_time_is_marked, When.STEP),
    (13, chain.i13_integers_and_one_currency, When.STEP),
    (13, chain.i13_schema_refuses, When.HOUR),
    (14, outside.i14_commands_run_once, When.EVENT),
    (15, outside.i15_barrier_opens, When.EVENT),
    (16, outside.i16_nothing_stops_later_records, When.EVENT),
)

ELSEWHERE: dict[int, tuple[str, ...]] = {
    3: ("tests/sim/test_disk.py", "tests/store/test_journal.py"),
    5: ("tests/store/test_journal.py",),
    14: ("tests/core/test_operators.py", "tests/test_commanding.py"),
    15: ("tests/test_run.py", "tests/shell/test_worker.py"),
}
"""What no run of a world can show whole: pruning is not built, a stalled disk and a missing key need the real process."""

_NUMBER: dict[Check, int] = {check: number for number, check, _ in CHECKS}


class Auditor:
    """Runs the checks of each moment over one ledger's facts."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.runs = 0
        self._steps = [check for _, check, when in CHECKS if when is When.STEP]
        self._kept = [check for _, check, when in CHECKS if when is When.KEPT]
        self._hours = [check for _, check, when in CHECKS if when is When.HOUR]

    def step(self) -> None:
        """After each step that came back."""
        self.facts.read()
        for check in self._steps:
            self.that(check, self.facts)
        self.facts.remember()
        for check in self._kept:
            self.that(check, self.facts)

    def hour(self) -> None:
        """At the end of a lot-hour, and at the end."""
        for check in self._hours:
            self.that(check, self.facts)

    def that(self, check: Check, *known: object) -> None:
        """Run one check; Broken names its invariant."""
        self.runs += 1
        try:
            check(*known)
        except Broken as error:
            number = _NUMBER[check]
            raise Broken(f"invariant ({number}) {INVARIANTS[number]}: {error}") from None
