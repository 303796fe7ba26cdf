"""Refusals are told once in a while."""

from __future__ import annotations

from gateway.core.events import NodeRefused
from gateway.link.counters import REFUSED_EVERY_MS, STALE_MAX, Counters, Refusals


def test_refusals():
    refusals = Refusals()
    assert refusals.tell(1, "key", 0) == [NodeRefused(1, "key")]
    assert refusals.tell(1, "key", REFUSED_EVERY_MS - 1) == []
    assert refusals.tell(1, "uid", 5) == [NodeRefused(1, "uid")]
    assert refusals.tell(2, "key", 5) == [NodeRefused(2, "key")]
    assert refusals.tell(1, "key", REFUSED_EVERY_MS) == [NodeRefused(1, "key")]


def test_counters_begin_at_zero():
    assert {getattr(Counters(), name) for name in Counters.__slots__} == {0}


def test_a_few_late_replies_are_no_replay():
    refusals = Refusals()
    assert [refusals.stale(1, at_ms) for at_ms in range(STALE_MAX)] == [[]] * STALE_MAX
    assert refusals.stale(2, 50) == []
    assert refusals.stale(1, 50) == [NodeRefused(1, "replay")]
    assert refusals.stale(1, 60) == []
    assert [refusals.stale(1, REFUSED_EVERY_MS + at_ms) for at_ms in range(STALE_MAX)] == [[]] * STALE_MAX
    assert refusals.stale(1, REFUSED_EVERY_MS + 50) == [NodeRefused(1, "replay")]
