"""What drivers read: short enough for the display, the amount with its unit, plates masked for others."""

from __future__ import annotations

import pytest

from gateway.core import wording
from gateway.core.commands import Voice
from gateway.core.exit import Outcome


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_sentence_that_fits_and_a_voice(outcome: Outcome) -> None:
    shown = wording.exit_text("out", outcome, 123_456_789, "CNY")
    assert 0 < len(shown.text.encode()) <= wording.TEXT_BYTES_MAX
    assert isinstance(shown.voice, Voice)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (0, "CNY", "0.00元"),
        (5, "CNY", "0.05元"),
        (1250, "CNY", "12.50元"),
        (1250, "SGD", "12.50 SGD"),
    ],
)
def test_money(amount: int, currency: str, text: str) -> None:
    assert wording.money(amount, currency) == text


@pytest.mark.parametrize(
    ("plate", "text"),
    [
        ("浙A12345", "浙A***45"),
        ("浙AD12345", "浙A****45"),
        ("12345", "*****"),
        ("", ""),
    ],
)
def test_masked(plate: str, text: str) -> None:
    assert wording.masked(plate) == text


def test_the_other_sentences_fit() -> None:
    for shown in (wording.welcome("in"), wording.paid_text("out")):
        assert len(shown.text.encode()) <= wording.TEXT_BYTES_MAX
