"""Which of two plates that were read for one vehicle is the vehicle's, by the register of plates.

Rule: only if one of them is borne by a vehicle and the other is not; else a person has to look at the pictures.
"""

from __future__ import annotations

from collections.abc import Collection

UNDECIDED = ("one lookalike apart", "fits, and may be another")
"""Evidence of a pair that leaves open which of the two plates is the vehicle's."""


def whose(evidence: str, entry: str, exited: str, borne: Collection[str]) -> str:
    """'entry' or 'exit', the read whose plate is the vehicle's; '' if the register does not tell."""
    if evidence not in UNDECIDED or not entry or not exited:
        return ""
    if entry == exited:
        return "entry"
    known = [name for name, plate in (("entry", entry), ("exit", exited)) if plate in borne]
    return known[0] if len(known) == 1 else ""
