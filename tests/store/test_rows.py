"""Rows: what goes into a table comes out of it the same, and an erased plate is erased everywhere."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.answer import Answer, LaneState
from gateway.core.lease import Lease
from gateway.core.moment import ClockQuality, Moment
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from gateway.core.record import INTEGER_MAX, Disclosure, Record, canonical
from gateway.core.session import Session, State
from gateway.store import rows
from gateway.store.journal import Step
from tests.lots import SmallLot

COUNTS = st.integers(0, INTEGER_MAX)
TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
PLATES = st.builds(
    Plate,
    TEXTS,
    st.sampled_from(Colour),
    st.sampled_from(Vehicle),
    st.sampled_from(Energy),
    st.integers(0, 100),
)
MOMENTS = st.builds(Moment, TEXTS, st.integers(-INTEGER_MAX, INTEGER_MAX), COUNTS, st.sampled_from(ClockQuality))
LEASES = st.none() | st.builds(Lease, TEXTS.filter(bool), COUNTS, COUNTS, COUNTS)


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    amount_minor = draw(COUNTS)
    return Session(
        id="1.9",
        state=draw(st.sampled_from(State)),
        lane_in=draw(TEXTS),
        plate=draw(PLATES),
        plate_n=9,
        entered=draw(MOMENTS),
        lease=draw(LEASES),
        lane_out=draw(TEXTS),
        exited_ms=draw(COUNTS),
        amount_minor=amount_minor,
        paid_minor=draw(st.integers(0, amount_minor)),
        commitment="c" * 64,
        pair=draw(TEXTS),
    )


@given(waiting=st.lists(PLATES, max_size=2).map(tuple), leaving=st.lists(TEXTS, max_size=2).map(tuple))
@settings(derandomize=True, max_examples=100)
def test_a_lane_comes_back_as_it_was(waiting: tuple[Plate, ...], leaving: tuple[str, ...]) -> None:
    lane, stood, left = rows.lane_row("in", LaneState(waiting, leaving))
    assert (lane, rows.lane(stood, left)) == ("in", LaneState(waiting, leaving))


@given(found=st.lists(sessions(), min_size=1, max_size=3))
@settings(derandomize=True, max_examples=20, deadline=None)
def test_a_session_comes_back_as_it_was_and_without_its_plate_once_that_is_erased(found: list[Session]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lot = SmallLot(Path(folder))
        for n, drawn in enumerate(found, 9):
            session = replace(drawn, id=f"1.{n}", plate_n=n)
            line = canonical({"body": {"plate": session.commitment}})
            record = Record(1, n, line, bytes(64), "k" * 16, Disclosure(n, session.plate.identity, "salt"))
            answer = Answer(1, n)
            lot.engine.memory.put(session, answer)
            lot.journal.commit(Step((record,), answer, {}, 0, None), lot.engine.memory)
            assert lot.journal.session(session.id) == session
            assert lot.journal.records(n, 1) == [record]
            lot.rows(f"DELETE FROM disclosure WHERE n = {n}")
            erased = lot.journal.session(session.id)
            assert erased is not None
            assert (erased.plate.text, erased.amount_minor) == ("", session.amount_minor)
            assert lot.journal.records(n, 1)[0].disclosure is None
        lot.journal.close()
