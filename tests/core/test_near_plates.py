"""Which sessions a plate may mean, found without looking at all of them."""

from __future__ import annotations

import random
from dataclasses import replace

from gateway.core.near_plates import NearPlates, is_near
from gateway.core.session import Session, State
from tests.lots import at, plate

STAY = Session("1.3", State.INSIDE, "in", plate(), 3, at(1000))
CHARACTERS = "浙沪A1B2"


def texts(sessions: list[Session]) -> list[str]:
    return [session.plate.text for session in sessions]


def test_near_and_the_very_plate() -> None:
    plates = NearPlates()
    for number, text in enumerate(("浙A12346", "浙A12366", "", "浙A12345", "沪A12345", "浙A1234")):
        plates.put(replace(STAY, id=text, plate=plate(text), plate_n=number))
    assert texts(plates.near(plate())) == ["浙A12346", "浙A12345", "沪A12345"]
    assert texts(plates.of(plate())) == ["浙A12345"]
    assert plates.near(plate("")) == plates.of(plate("")) == []
    gone = plates.of(plate())[0]
    plates.remove(gone)
    plates.remove(gone)
    assert texts(plates.near(plate())) == ["浙A12346", "沪A12345"]


def test_a_session_is_found_in_its_newest_form_and_leaves_nothing_behind() -> None:
    plates = NearPlates()
    plates.put(STAY)
    plates.put(replace(STAY, state=State.HELD))
    assert [session.state for session in plates.near(plate("浙A1234W"))] == [State.HELD]
    plates.remove(STAY)
    assert vars(plates) == vars(NearPlates())


def test_it_finds_what_comparing_with_each_would_find() -> None:
    dice = random.Random(5)
    plates, kept = NearPlates(), {}
    for number in range(400):
        session = replace(STAY, id=str(number), plate=plate("".join(dice.choices(CHARACTERS, k=4))), plate_n=number)
        kept[session.id] = session
        plates.put(session)
        if number % 3 == 0:
            plates.remove(kept.pop(dice.choice(list(kept))))
        asked = plate("".join(dice.choices(CHARACTERS, k=4)))
        assert plates.near(asked) == [session for session in kept.values() if is_near(session.plate, asked)]
