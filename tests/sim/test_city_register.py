"""Of two plates that were read for one vehicle: the one that is borne, if only one is."""

from __future__ import annotations

import pytest

from sim.city_register import whose

ALIKE, LIKELY = "one lookalike apart", "fits, and may be another"


@pytest.mark.parametrize(
    ("evidence", "entry", "exited", "borne", "found"),
    [
        (ALIKE,                   "A", "B", {"A"},      "entry"),
        (ALIKE,                   "A", "B", {"B"},      "exit"),
        (ALIKE,                   "A", "B", {"A", "B"}, ""),
        (ALIKE,                   "A", "B", set(),      ""),
        (LIKELY,                  "A", "B", {"B"},      "exit"),
        (LIKELY,                  "A", "A", set(),      "entry"),
        (ALIKE,                   "",  "B", {"B"},      ""),
        ("no plate",              "A", "B", {"A"},      ""),
        ("may have left before",  "A", "A", {"A"},      ""),
        ("a lookalike is inside too", "A", "A", {"A"},  ""),
        ("",                      "A", "B", {"A"},      ""),
    ],
)  # fmt: skip
def test_the_register_tells_only_what_it_knows(
    evidence: str, entry: str, exited: str, borne: set[str], found: str
) -> None:
    assert whose(evidence, entry, exited, borne) == found
