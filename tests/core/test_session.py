"""The table of a stay's states: every move that is in it, and every one that is not."""

from __future__ import annotations

import pytest

from gateway.core.session import IN_THE_LOT, TRANSITIONS, Session, State, Trigger, may, moved
from tests.lots import at, plate

S, T = State, Trigger
MOVES = {
    # from         trigger                 to
    (S.INSIDE,  T.RELEASED_FREE):     S.FREE,
    (S.INSIDE,  T.RELEASED_ON_LEASE): S.DUE,
    (S.INSIDE,  T.RELEASED_UNPAID):   S.ARREARS,
    (S.INSIDE,  T.ASKED_TO_PAY):      S.HELD,
    (S.INSIDE,  T.DOUBTED):           S.REVIEW,
    (S.HELD,    T.RELEASED_ON_LEASE): S.DUE,
    (S.HELD,    T.RELEASED_UNPAID):   S.ARREARS,
    (S.HELD,    T.PAYMENT_ARRIVED):   S.PAID,
    (S.HELD,    T.PAYMENT_FAILED):    S.HELD,
    (S.DUE,     T.PAYMENT_ARRIVED):   S.PAID,
    (S.DUE,     T.PAYMENT_FAILED):    S.ARREARS,
    (S.ARREARS, T.PAYMENT_ARRIVED):   S.PAID,
    (S.ARREARS, T.PAYMENT_FAILED):    S.ARREARS,
    (S.ARREARS, T.LEASED_LATE):       S.DUE,
}  # fmt: skip


def session(state: State) -> Session:
    return Session("1.3", state, "in", plate(), 3, at(0))


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("trigger", list(Trigger))
def test_every_move_and_every_missing_move(state: State, trigger: Trigger) -> None:
    stay = session(state)
    if (state, trigger) in MOVES:
        assert may(stay, trigger)
        assert moved(stay, trigger).state is MOVES[state, trigger]
    else:
        assert not may(stay, trigger)
        with pytest.raises(KeyError):
            moved(stay, trigger)


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(State)


def test_a_paid_stay_can_not_be_charged_again() -> None:
    assert TRANSITIONS[State.PAID] == {}


def test_only_vehicles_in_the_lot_count_as_inside() -> None:
    assert {state for state in State if state in IN_THE_LOT} == {State.INSIDE, State.HELD}
