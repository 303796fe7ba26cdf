"""Which parts of a stay are charged, once its free time is taken out.

Owns the free time of a visit, of a day and of a band. Rules: charged parts that touch are one; what follows a free part counts
from the first step again. Refuses to know prices.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.tariff_plan import EarlierStay, Free
from gateway.core.tariff_settings import ChargedFrom, FreePer
from gateway.core.tariff_time import Local, Run, cut

Span = tuple[int, int]


def free_and_charged(
    free: Free, stay: Span, runs: Sequence[Run], local: Local, earlier: Sequence[EarlierStay]
) -> tuple[list[Span], list[Span]]:
    """The free and the charged parts of a stay between two UTC ms, in order."""
    entry_ms, end_ms = stay
    given: list[Span] = []
    charged: list[Span] = []
    if free.per is FreePer.FIRST_OF_DAY and _came_before(local, entry_ms, earlier):
        return given, [stay]
    for begin_ms, stop_ms in _pieces(free, stay, runs, local):
        if free.covers(stop_ms - begin_ms):
            given.append((begin_ms, stop_ms))
            continue
        if free.charged_from is ChargedFrom.END:
            given.append((begin_ms, begin_ms + free.limit_ms))
            begin_ms += free.limit_ms
        if charged and charged[-1][1] == begin_ms:
            begin_ms = charged.pop()[0]
        charged.append((begin_ms, stop_ms))
    assert all(entry_ms <= begin_ms <= stop_ms <= end_ms for begin_ms, stop_ms in charged)
    return given, charged


def _pieces(free: Free, stay: Span, runs: Sequence[Run], local: Local) -> list[Span]:
    """The parts of a stay that each have their own free time."""
    match free.per:
        case FreePer.VISIT | FreePer.FIRST_OF_DAY:
            return [stay]
        case FreePer.DAY:
            return cut([stay], local.turns(0, *stay))
        case FreePer.BAND:
            return cut([stay], [run.from_ms for run in runs])


def _came_before(local: Local, entry_ms: int, earlier: Sequence[EarlierStay]) -> bool:
    day = local.date(entry_ms)
    return any(local.date(stay.entry_ms) == day for stay in earlier)
