"""The bill as the exit record holds it: its lines, their folding, their sum, and what is used up by it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.benefit import Lowering
from gateway.core.charge import LINES_MAX, LOWERINGS_MAX, _lowering_lines, _tariff_lines
from gateway.core.entitlement import Kind
from gateway.core.record import LINE_BYTES_MAX, canonical
from gateway.core.tariff import BillLine

LONG_MS = 2**41


def tariff_lines(count: int) -> tuple[BillLine, ...]:
    return tuple(
        BillLine("首停时段每半小时", "day, each half hour", LONG_MS, LONG_MS, 1, 100 + i, 100 + i) for i in range(count)
    )


def lowerings(count: int) -> tuple[Lowering, ...]:
    text = "商户减免 分钟", "validation, 1000 min"
    return tuple(Lowering(Kind.VALIDATION, f"{i:064}", *text, LONG_MS, LONG_MS, -1 - i) for i in range(count))


def total(lines: list[dict[str, Any]]) -> int:
    assert all(line["units"] * line["unit_minor"] == line["amount_minor"] for line in lines)
    return sum(line["amount_minor"] for line in lines)


@pytest.mark.parametrize("count", [1, LINES_MAX, LINES_MAX + 1, 40])
def test_a_long_bill_folds_its_tail_and_keeps_its_sum(count: int) -> None:
    folded = _tariff_lines(tariff_lines(count), LINES_MAX)
    assert len(folded) == min(count, LINES_MAX)
    assert total(folded) == sum(line.amount_minor for line in tariff_lines(count))


@pytest.mark.parametrize("count", [1, LOWERINGS_MAX, LOWERINGS_MAX + 1, 40])
def test_many_lowerings_fold_their_tail_and_keep_their_sum(count: int) -> None:
    folded = _lowering_lines(lowerings(count))
    assert len(folded) == min(count, LOWERINGS_MAX)
    assert total(folded) == sum(line.amount_minor for line in lowerings(count))


def test_the_longest_bill_leaves_room_for_the_rest_of_its_record() -> None:
    lines = [*_tariff_lines(tariff_lines(40), LINES_MAX - LOWERINGS_MAX), *_lowering_lines(lowerings(40))]
    assert len(lines) == LINES_MAX
    assert len(canonical(lines).encode()) < LINE_BYTES_MAX - 1100
