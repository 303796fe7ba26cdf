"""What lowers a bill: each way, their order, who is meant, and bounds for any pile of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.benefit import WAYS, Stay, is_exempt, lower, lower_once
from gateway.core.book import EntitlementBook
from gateway.core.entitlement import Entitlement, Held, Kind, Shift, Space, Way
from gateway.core.plate import Colour, Energy, Plate, Vehicle
from tests import entitled
from tests.entitled import BLUE
from tests.lots import HOUR_MS, START_MS, plate

MINUTE_MS = 60_000
E, P, B, V = Kind.EXEMPTION, Kind.PERMIT, Kind.BENEFIT, Kind.VALIDATION


def price(from_ms: int, to_ms: int) -> int:
    """100 for each half hour begun."""
    return -(-(to_ms - from_ms) // (30 * MINUTE_MS)) * 100


def stay(minutes: int = 240, read: Plate | None = None, space: Space | None = None) -> Stay:
    return Stay(START_MS, START_MS + minutes * MINUTE_MS, read or plate(), space)


def book_of(*entitlements: Entitlement) -> EntitlementBook:
    return EntitlementBook(Held(one, dn, 0) for dn, one in enumerate(entitlements, 1))


def lowered(one: Stay, *entitlements: Entitlement) -> tuple[int, list[tuple[str, int]]]:
    """What is owed, and (id, amount) of each line."""
    bill = price(one.from_ms, one.to_ms)
    found = lower(bill, one, book_of(*entitlements), price)
    assert bill + sum(line.amount_minor for line in found.lines) == found.amount_minor
    return found.amount_minor, [(line.id, line.amount_minor) for line in found.lines]


HALF_DAY = {"from_ms": START_MS, "to_ms": START_MS + 2 * HOUR_MS}


@pytest.mark.parametrize(
    ("minutes", "grants", "owed", "lines"),
    [
        (240, [entitled.benefit(Way.PERCENT, 20)],                                  640, [("b1", -160)]),
        (30,  [entitled.benefit(Way.PERCENT, 33)],                                   67, [("b1", -33)]),
        (90,  [entitled.benefit(Way.PERCENT, 1), entitled.validation(Way.PERCENT, 50)], 148, [("b1", -3), ("v1", -149)]),
        (240, [entitled.benefit(Way.PERCENT, 100)],                                   0, [("b1", -800)]),
        (240, [entitled.benefit(Way.FREE)],                                           0, [("b1", -800)]),
        (240, [entitled.benefit(Way.CAP, 300)],                                     300, [("b1", -500)]),
        (60,  [entitled.benefit(Way.CAP, 300)],                                     200, []),
        (240, [entitled.validation(Way.MONEY, 250)],                                550, [("v1", -250)]),
        (30,  [entitled.validation(Way.MONEY, 250)],                                  0, [("v1", -100)]),
        (240, [entitled.validation(Way.MINUTES, 60)],                               600, [("v1", -200)]),
        (240, [entitled.validation(Way.MINUTES, 500)],                                0, [("v1", -800)]),
        (240, [entitled.validation(Way.MINUTES, 20)],                               800, []),
        (240, [entitled.validation(Way.MINUTES, 20), entitled.validation(Way.MINUTES, 20, "v2")],
                                                                                    700, [("v1", 0), ("v2", -100)]),
        (240, [entitled.validation(Way.WINDOW, **HALF_DAY)],                        400, [("v1", -400)]),
        (90,  [entitled.validation(Way.WINDOW, **HALF_DAY)],                          0, [("v1", -300)]),
        # in the order of the ways: 240 - 60 min = 600, less 50 % = 300, at most 250, less 40
        (240, [entitled.validation(Way.MONEY, 40, "m"), entitled.benefit(Way.CAP, 250, "c"),
               entitled.benefit(Way.PERCENT, 50, "p"), entitled.validation(Way.MINUTES, 60, "t")],
               210, [("t", -200), ("p", -300), ("c", -50), ("m", -40)]),
        # free comes first, and nothing else is used
        (240, [entitled.validation(Way.MONEY, 40), entitled.benefit(Way.FREE)],       0, [("b1", -800)]),
        # of one way: benefits by order, then validations by their end
        (240, [entitled.validation(Way.MONEY, 1, "v1"), entitled.validation(Way.MONEY, 2, "v2", to_ms=START_MS + 5 * HOUR_MS),
               entitled.benefit(Way.MONEY, 3, "b1", order=2), entitled.benefit(Way.MONEY, 4, "b2", order=1)],
               790, [("b2", -4), ("b1", -3), ("v2", -2), ("v1", -1)]),
        (240, [entitled.exemption("e1", BLUE), entitled.benefit(Way.FREE)],           0, [("e1", -800)]),
        (0,   [entitled.exemption("e1", BLUE), entitled.validation(Way.MONEY, 1)],    0, []),
    ],
)  # fmt: skip
def test_each_way_and_their_order(
    minutes: int, grants: list[Entitlement], owed: int, lines: list[tuple[str, int]]
) -> None:
    assert lowered(stay(minutes), *grants) == (owed, lines)


@pytest.mark.parametrize(
    ("grant", "read", "meant"),
    [
        (entitled.benefit(Way.FREE, 0, "b", BLUE),                 plate(),                         True),
        (entitled.benefit(Way.FREE, 0, "b", "blue 浙A00001"),      plate(),                         False),
        (entitled.benefit(Way.FREE, 0, "b", "green 浙A12345"),     plate(),                         False),
        (entitled.benefit(Way.FREE, energy=Energy.EV),             plate(),                         False),
        (entitled.benefit(Way.FREE, energy=Energy.FUEL),           plate(),                         True),
        (entitled.benefit(Way.FREE, vehicle=Vehicle.LARGE),        plate(),                         False),
        (entitled.benefit(Way.FREE, vehicle=Vehicle.LARGE),        plate(vehicle=Vehicle.LARGE),    True),
        (entitled.benefit(Way.FREE, from_ms=START_MS + 5 * HOUR_MS), plate(),                       False),
        (entitled.benefit(Way.FREE, to_ms=START_MS + 4 * HOUR_MS), plate(),                         True),
        (entitled.benefit(Way.FREE, to_ms=START_MS + 4 * HOUR_MS - 1), plate(),                     False),
        (entitled.validation(Way.FREE, plate="blue 浙A00001"),     plate(),                         False),
        (entitled.exemption("e", BLUE),                            plate(),                         True),
        (entitled.exemption("e", "blue 浙A00001"),                 plate(),                         False),
        (entitled.exemption(mark="警"),                            plate("浙A1234警"),              False),
        (entitled.exemption(mark="警", colour=Colour.BLUE),        plate("浙A1234警"),              True),
        (entitled.exemption(mark="警", colour=Colour.UNKNOWN),     plate("浙A1234警"),              True),
        (entitled.exemption(mark="警", colour=Colour.UNKNOWN),     plate(),                         False),
    ],
)  # fmt: skip
def test_who_is_meant(grant: Entitlement, read: Plate, meant: bool) -> None:
    assert (lowered(stay(read=read), grant)[0] == 0) is meant


def test_an_exemption_without_plates_and_mark_is_for_nobody() -> None:
    assert not is_exempt(plate(), entitled.exemption())


@pytest.mark.parametrize(
    ("change", "space_from_ms", "owed"),
    [
        ({},                                                     0,                       0),
        ({"from_ms": START_MS + 2 * HOUR_MS},                    0,                       400),
        ({"to_ms": START_MS + 3 * HOUR_MS},                      0,                       200),
        ({"from_ms": START_MS + HOUR_MS, "to_ms": START_MS + 2 * HOUR_MS}, 0,             600),
        ({"to_ms": START_MS},                                    0,                       800),
        ({},                                                     START_MS + HOUR_MS,      200),
    ],
)  # fmt: skip
def test_a_permit_covers_its_part_of_the_stay(change: dict[str, Any], space_from_ms: int, owed: int) -> None:
    permit = replace(entitled.permit(), **change)
    assert lowered(stay(space=Space("1.2", "p1", space_from_ms)), permit)[0] == owed


def test_a_permit_without_a_space_lowers_nothing() -> None:
    assert lowered(stay(), entitled.permit()) == (800, [])
    assert lowered(stay(space=Space("1.2", "gone", 0)), entitled.permit()) == (800, [])


def test_what_a_permit_leaves_is_lowered_further() -> None:
    permit = entitled.permit(to_ms=START_MS + HOUR_MS)
    minutes, percent = entitled.validation(Way.MINUTES, 60), entitled.benefit(Way.PERCENT, 50)
    found = lowered(stay(space=Space("1.2", "p1", 0)), permit, minutes, percent)
    assert found == (200, [("p1", -200), ("v1", -200), ("b1", -200)])


def test_what_was_granted_after_the_exit_works_on_what_was_billed() -> None:
    def owed(amount: int, way: Way, value: int) -> int:
        return lower_once(amount, stay(), entitled.benefit(way, value), price).amount_minor

    assert (owed(500, Way.PERCENT, 10), owed(500, Way.FREE, 0), owed(500, Way.MONEY, 600)) == (450, 0, 0)
    assert (owed(800, Way.MINUTES, 60), owed(500, Way.MINUTES, 60)) == (600, 500)


spans = st.tuples(st.integers(-300, 600), st.integers(-300, 600)).map(sorted)
values = {
    Way.FREE: st.just(0),
    Way.WINDOW: st.just(0),
    Way.MINUTES: st.integers(1, 400),
    Way.PERCENT: st.integers(1, 100),
    Way.CAP: st.integers(0, 900),
    Way.MONEY: st.integers(1, 900),
}


@st.composite
def piles(draw: st.DrawFn) -> list[Entitlement]:
    found: list[Entitlement] = []
    for number in range(draw(st.integers(0, 6))):
        way = draw(st.sampled_from(WAYS))
        begin, end = (START_MS + minutes * MINUTE_MS for minutes in draw(spans))
        value = draw(values[way])
        if draw(st.booleans()):
            found.append(
                entitled.benefit(way, value, f"b{number}", from_ms=begin, to_ms=end, order=draw(st.integers(0, 2)))
            )
        else:
            found.append(entitled.validation(way, value, f"v{number}", from_ms=begin, to_ms=end))
    if draw(st.booleans()):
        begin, end = (START_MS + minutes * MINUTE_MS for minutes in draw(spans))
        shifts = draw(st.sampled_from([(), (Shift((1, 2, 3, 4, 5, 6, 7), 600, 660),)]))
        found.append(entitled.permit(from_ms=begin, to_ms=end, shifts=shifts))
    return found


@given(piles(), st.integers(0, 500), st.randoms(use_true_random=False))
def test_any_pile_keeps_the_bill_within_its_bounds_and_has_one_order(
    pile: list[Entitlement], minutes: int, dice: Any
) -> None:
    one = stay(minutes, space=Space("1.2", "p1", 0))
    found = lowered(one, *pile)
    assert 0 <= found[0] <= price(one.from_ms, one.to_ms)
    assert all(amount <= 0 for _, amount in found[1])
    shuffled = list(pile)
    dice.shuffle(shuffled)
    assert lowered(one, *shuffled) == found


def test_lines_name_what_they_rest_on_in_two_languages() -> None:
    one = stay(space=Space("1.2", "p1", 0))
    book = book_of(
        entitled.permit(to_ms=START_MS + HOUR_MS), entitled.benefit(Way.PERCENT, 50), entitled.validation(Way.MONEY, 9)
    )
    found = [(line.kind, line.text_zh, line.text_en) for line in lower(800, one, book, price).lines]
    assert found == [
        (P, "月租车位", "monthly permit"),
        (B, "政策优惠 50%", "benefit, 50 %"),
        (V, "商户减免 抵扣", "validation, voucher"),
    ]
    exempt = lower(800, one, book_of(entitled.exemption("e1", BLUE)), price).lines
    assert [(line.kind, line.text_zh) for line in exempt] == [(E, "救护车")]
