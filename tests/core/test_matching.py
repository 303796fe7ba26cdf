"""Which reads are certain enough to end a stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.matching import CONFIDENCE_MIN, find
from tests.lots import SmallLot, plate


@pytest.mark.parametrize(
    ("text", "confidence", "found"),
    [
        ("浙A12345", 99, True),
        ("浙A12345", CONFIDENCE_MIN, True),
        ("浙A12345", CONFIDENCE_MIN - 1, False),
        ("浙A12346", 99, False),
        ("", 99, False),
    ],
)
def test_find(tmp_path: Path, text: str, confidence: int, found: bool) -> None:
    lot = SmallLot(tmp_path)
    session = lot.enter()
    match = find(lot.engine.memory, plate(text, confidence=confidence))
    assert (match is not None and match.id == session) is found
