"""The table of a stay's states: every move that is in it, and every one that is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.session import DAY_MS, IN_THE_LOT, TRANSITIONS, Session, State, Trigger, dunned, may, moved
from tests.lots import at, plate

S, T = State, Trigger
MOVES = {
    # from          trigger               to
    (S.INSIDE,      T.RELEASED_FREE):     S.FREE,
    (S.INSIDE,      T.RELEASED_ON_LEASE): S.DUE,
    (S.INSIDE,      T.RELEASED_UNPAID):   S.ARREARS,
    (S.INSIDE,      T.ASKED_TO_PAY):      S.HELD,
    (S.INSIDE,      T.DOUBTED):           S.REVIEW,
    (S.INSIDE,      T.UNFINISHED):        S.REVIEW,
    (S.INSIDE,      T.PAIRED):            S.REVIEW,
    (S.HELD,        T.RELEASED_ON_LEASE): S.DUE,
    (S.HELD,        T.RELEASED_UNPAID):   S.ARREARS,
    (S.HELD,        T.PAYMENT_ARRIVED):   S.PAID,
    (S.HELD,        T.PART_PAID):         S.HELD,
    (S.HELD,        T.PAYMENT_FAILED):    S.HELD,
    (S.HELD,        T.REPRICED):          S.HELD,
    (S.HELD,        T.CLEARED):           S.PAID,
    (S.HELD,        T.WAIVED):            S.FREE,
    (S.HELD,        T.VOIDED):            S.VOIDED,
    (S.DUE,         T.PAYMENT_ARRIVED):   S.PAID,
    (S.DUE,         T.PART_PAID):         S.DUE,
    (S.DUE,         T.PAYMENT_FAILED):    S.ARREARS,
    (S.DUE,         T.OVERDUE):           S.ARREARS,
    (S.DUE,         T.REPRICED):          S.DUE,
    (S.DUE,         T.CLEARED):           S.PAID,
    (S.DUE,         T.WAIVED):            S.FREE,
    (S.DUE,         T.VOIDED):            S.VOIDED,
    (S.DUE,         T.DISPUTE_OPENED):    S.DISPUTED,
    (S.ARREARS,     T.PAYMENT_ARRIVED):   S.PAID,
    (S.ARREARS,     T.PART_PAID):         S.ARREARS,
    (S.ARREARS,     T.PAYMENT_FAILED):    S.ARREARS,
    (S.ARREARS,     T.LEASED_LATE):       S.DUE,
    (S.ARREARS,     T.DUNNED):            S.ARREARS,
    (S.ARREARS,     T.REPRICED):          S.ARREARS,
    (S.ARREARS,     T.CLEARED):           S.PAID,
    (S.ARREARS,     T.WAIVED):            S.FREE,
    (S.ARREARS,     T.VOIDED):            S.VOIDED,
    (S.ARREARS,     T.WRITTEN_OFF):       S.WRITTEN_OFF,
    (S.ARREARS,     T.DISPUTE_OPENED):    S.DISPUTED,
    (S.FREE,        T.OVERPAID):          S.PAID,
    (S.FREE,        T.BILLED_MORE):       S.DUE,
    (S.PAID,        T.OVERPAID):          S.PAID,
    (S.PAID,        T.REPRICED):          S.PAID,
    (S.PAID,        T.REFUNDED_IN_PART):  S.PAID,
    (S.PAID,        T.REFUNDED_WHOLE):    S.REFUNDED,
    (S.PAID,        T.BILLED_MORE):       S.DUE,
    (S.PAID,        T.VOIDED):            S.VOIDED,
    (S.PAID,        T.DISPUTE_OPENED):    S.DISPUTED,
    (S.REFUNDED,    T.OVERPAID):          S.PAID,
    (S.DISPUTED,    T.PAYMENT_ARRIVED):   S.DISPUTED,
    (S.DISPUTED,    T.PART_PAID):         S.DISPUTED,
    (S.DISPUTED,    T.OVERPAID):          S.DISPUTED,
    (S.DISPUTED,    T.PAYMENT_FAILED):    S.DISPUTED,
    (S.DISPUTED,    T.REPRICED):          S.DISPUTED,
    (S.DISPUTED,    T.REFUNDED_IN_PART):  S.DISPUTED,
    (S.DISPUTED,    T.REFUNDED_WHOLE):    S.DISPUTED,
    (S.DISPUTED,    T.UPHELD):            S.VOIDED,
    (S.DISPUTED,    T.REJECTED_PAID):     S.PAID,
    (S.DISPUTED,    T.REJECTED_OWING):    S.ARREARS,
    (S.DISPUTED,    T.REJECTED_REFUNDED): S.REFUNDED,
    (S.DISPUTED,    T.REJECTED_FREE):     S.FREE,
    (S.VOIDED,      T.OVERPAID):          S.VOIDED,
    (S.VOIDED,      T.REFUNDED_IN_PART):  S.VOIDED,
    (S.VOIDED,      T.REFUNDED_WHOLE):    S.VOIDED,
    (S.WRITTEN_OFF, T.PAYMENT_ARRIVED):   S.PAID,
    (S.WRITTEN_OFF, T.PART_PAID):         S.WRITTEN_OFF,
    (S.WRITTEN_OFF, T.PAYMENT_FAILED):    S.WRITTEN_OFF,
    (S.REVIEW,      T.RELEASED_FREE):     S.FREE,
    (S.REVIEW,      T.RELEASED_ON_LEASE): S.DUE,
    (S.REVIEW,      T.RELEASED_UNPAID):   S.ARREARS,
    (S.REVIEW,      T.VOIDED):            S.VOIDED,
    (S.REVIEW,      T.TURNED_BACK):       S.INSIDE,
    (S.REVIEW,      T.TAKEN_BACK):        S.VOIDED,
    (S.REVIEW,      T.PAIRED):            S.FREE,
    (S.REVIEW,      T.ATTACHED):          S.VOIDED,
    (S.FREE,        T.ATTACHED):          S.VOIDED,
    (S.FREE,        T.TAKEN_BACK):        S.VOIDED,
    (S.FREE,        T.TURNED_BACK):       S.INSIDE,
    (S.DUE,         T.TURNED_BACK):       S.INSIDE,
    (S.ARREARS,     T.TURNED_BACK):       S.INSIDE,
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
    assert set(TRANSITIONS[State.PAID].values()) <= {
        State.PAID,
        State.REFUNDED,
        State.DUE,  # only for what a correction adds
        State.VOIDED,
        State.DISPUTED,
    }


def test_only_vehicles_in_the_lot_count_as_inside() -> None:
    assert {state for state in State if state in IN_THE_LOT} == {State.INSIDE, State.HELD}


def money(**amounts: int) -> tuple[int, int, int]:
    stay = replace(session(State.DUE), **amounts)  # type: ignore[arg-type]
    return stay.net_minor, stay.owed_minor, stay.credit_minor


@pytest.mark.parametrize(
    ("amounts", "found"),
    [
        # bill, then what changed it                                                          net, owed, due back
        ({"amount_minor": 700},                                                               (700, 700, 0)),
        ({"amount_minor": 700, "paid_minor": 300},                                            (700, 400, 0)),
        ({"amount_minor": 700, "paid_minor": 900},                                            (700, 0, 200)),
        ({"amount_minor": 700, "paid_minor": 900, "refunded_minor": 200},                     (700, 0, 0)),
        ({"amount_minor": 700, "lowered_minor": 700, "paid_minor": 700},                      (0, 0, 700)),
        ({"amount_minor": 700, "written_off_minor": 400, "paid_minor": 300},                  (300, 0, 0)),
        ({"amount_minor": 700, "lowered_minor": 100, "paid_minor": 300},                      (600, 300, 0)),
    ],
)  # fmt: skip
def test_what_is_owed_and_what_is_due_back(amounts: dict[str, int], found: tuple[int, int, int]) -> None:
    assert money(**amounts) == found


def test_a_term_runs_from_the_exit_unless_told_otherwise() -> None:
    inside = replace(session(State.INSIDE), exited_ms=1000)
    due = moved(inside, Trigger.RELEASED_ON_LEASE)
    arrears = moved(inside, Trigger.RELEASED_UNPAID)
    assert (due.next_ms, arrears.next_ms) == (1000 + 2 * DAY_MS, 1000 + 7 * DAY_MS)
    assert moved(arrears, Trigger.LEASED_LATE, from_ms=5000).next_ms == 5000 + 2 * DAY_MS
    assert moved(due, Trigger.PAYMENT_ARRIVED).next_ms == 0
    assert moved(due, Trigger.PART_PAID).next_ms == due.next_ms


def test_the_stages_of_arrears_end() -> None:
    stay = moved(replace(session(State.INSIDE), exited_ms=1000), Trigger.RELEASED_UNPAID)
    told = []
    while stay.next_ms:
        stay = dunned(stay, stay.next_ms)
        told.append((str(stay.stage), (stay.next_ms - 1000) // DAY_MS))
    assert told == [("reminder-1", 14), ("reminder-2", 30), ("handed-over", -1)]
