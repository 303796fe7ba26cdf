"""The book: found by plate, one meaning for an id, forgotten when nobody asks any more."""

from __future__ import annotations

from gateway.core.answer import Answer
from gateway.core.book import KEPT_MS, EntitlementBook
from gateway.core.entitlement import Kind, Policy, Way
from tests import entitled
from tests.entitled import BLUE


def answer() -> Answer:
    return Answer(1, 1)


def book_of(*entitlements: object) -> EntitlementBook:
    book = EntitlementBook()
    for dn, one in enumerate(entitlements, 1):
        book.grant(one, dn, answer())  # type: ignore[arg-type]
    return book


def test_each_kind_is_found_by_its_plate_and_for_its_class() -> None:
    book = book_of(
        entitled.standing(),
        entitled.suspension(),
        entitled.permit("p1", BLUE, "blue 浙A00002"),
        entitled.exemption(mark="警"),
        entitled.benefit(Way.FREE),
        entitled.benefit(Way.FREE, 0, "b2", BLUE),
        entitled.validation(Way.FREE),
        entitled.block(Policy.BLOCK),
    )
    assert [
        one.id for one in (*book.standing(BLUE), *book.permits(BLUE), *book.validations(BLUE), *book.blocks(BLUE))
    ] == [
        "s1",
        "p1",
        "v1",
        "k1",
    ]
    assert book.is_suspended(BLUE)
    assert [one.id for one in (*book.exemptions(BLUE), *book.benefits(BLUE))] == ["e1", "b1", "b2"]
    other = "blue 浙A00002"
    assert [one.id for one in (*book.permits(other), *book.exemptions(other), *book.benefits(other))] == [
        "p1",
        "e1",
        "b1",
    ]
    assert (book.standing(other), book.is_suspended(other), book.validations(other), book.blocks(other)) == (
        (),
        False,
        (),
        (),
    )


def test_of_several_house_rules_the_highest_id_counts() -> None:
    book = book_of(entitled.house(5, id_="r2"), entitled.house(9, id_="r1"), entitled.lot_exposure(1, "x1"))
    assert (book.rules and book.rules.capacity, book.exposure and book.exposure.cap_minor) == (5, 1)
    book.end(Kind.RULES, "r2", 7, answer())
    assert book.rules is not None
    assert book.rules.capacity == 9
    assert EntitlementBook().rules is EntitlementBook().exposure is None


def test_an_id_means_one_thing_for_ever() -> None:
    book = book_of(entitled.standing())
    assert book.known(entitled.standing()).same
    assert book.known(entitled.standing(cap=1)).objection == "id has another content"
    book.end(Kind.STANDING, "s1", 7, answer())
    assert book.standing(BLUE) == ()
    assert not book.known(entitled.standing()).same
    assert book.known(entitled.standing()).objection == "id has ended"
    assert book.known(entitled.validation(Way.FREE, id_="s1")).objection == ""


def test_a_permit_that_was_withdrawn_ran_out_then() -> None:
    book = book_of(entitled.permit())
    book.end(Kind.PERMIT, "p1", 77, answer())
    found = book.permit("p1")
    assert found is not None
    assert found.to_ms == 77
    assert book.permits(BLUE) == ()
    assert book.permit("p2") is None


def test_what_ended_long_ago_is_forgotten() -> None:
    book = book_of(entitled.validation(Way.FREE, to_ms=1000), entitled.suspension(), entitled.block(Policy.BLOCK))
    book.end(Kind.SUSPENSION, "u1", 2000, answer())
    done = answer()
    book.forget(KEPT_MS + 1000, done)
    assert done.forgotten == []
    book.forget(KEPT_MS + 1001, done)
    assert done.forgotten == [(Kind.VALIDATION, "v1")]
    assert book.validations(BLUE) == ()
    book.forget(10 * KEPT_MS, done)
    assert done.forgotten == [(Kind.VALIDATION, "v1"), (Kind.SUSPENSION, "u1")]
    assert [one.id for one in book.blocks(BLUE)] == ["k1"]
