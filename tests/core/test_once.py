"""Ids of the city's that were used: one meaning each, also over the change of the schema."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.city_events import Origin, PaymentReported
from gateway.core.once import content_of, key_of
from gateway.store.journal import Journal
from tests.lots import CHAIN

SEEDS = Path(__file__).resolve().parents[2] / "seeds" / "schema"
EVENT = PaymentReported(Origin(1, "line", bytes(64)), "p-1", "1.3", 700, True)


def test_the_line_that_brings_a_payment_is_no_part_of_its_content() -> None:
    other = replace(EVENT, origin=Origin(2, "another", bytes(64)))
    assert (
        (key_of(other), content_of(other))
        == (key_of(EVENT), content_of(EVENT))
        == (("payment", "p-1"), "1.3 700 True ")
    )


@pytest.mark.parametrize("change", [{"session": "1.4"}, {"amount_minor": 701}, {"paid": False}, {"place": "lot-2"}])
def test_every_part_of_the_content_counts(change: dict[str, object]) -> None:
    assert content_of(replace(EVENT, **change)) != content_of(EVENT)  # type: ignore[arg-type]


def test_payments_from_before_the_ids_were_kept_are_known(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    shutil.copy(SEEDS / "schema_1.db", path)
    journal = Journal(path, chain=CHAIN, instance="i")
    assert journal.used("payment", "payment-2") == "1.3 700 True "
    assert journal.used("payment", "payment-9") is None
