"""Each attack of the threat table: carried out, noticed where and with the evidence that the published page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks import ATTACKS, PAGE, Attack, page

ATTACKERS = 9
"""Rows of the threat table."""


ROWS = [(attack, where, evidence) for _, _, attack, _, where, evidence in ATTACKS]


@pytest.mark.parametrize(("attack", "where", "evidence"), ROWS, ids=[row[1] for row in ATTACKS])
def test_an_attack_is_noticed_where_and_as_the_table_says(
    tmp_path: Path, attack: Attack, where: str, evidence: str
) -> None:
    assert attack(tmp_path) == (where, evidence)


def test_every_attacker_has_attacks_and_each_attack_one_row() -> None:
    assert len({row[0] for row in ATTACKS}) == ATTACKERS
    assert len({row[2] for row in ATTACKS}) == len({row[1] for row in ATTACKS}) == len(ATTACKS)


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "print it anew: python -m tests.attacks"
