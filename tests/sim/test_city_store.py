"""The books: all of a message or nothing of it, and readable from outside while in use."""

from __future__ import annotations

import sqlite3

import pytest

from sim.city_store import CityStore, Head, Lease, Payment, totals


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "city.db")


def test_a_fault_takes_everything_back(path):
    store = CityStore(path)

    def halfway():
        with store.transaction():
            store.put_head(Head("c-1", "root", 1, 5))
            store.add_tally({"receipt": 1})
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        halfway()
    assert store.heads() == []
    assert store.tallies() == {}


def test_everything_comes_back(path):
    store = CityStore(path)
    head = Head("c-1", "root", 1, 5, "ab" * 32, 9, 3, 2, frozen=True)
    lease = Lease("1.2", "l-1", 500, 99, True)
    with store.transaction():
        store.put_head(head)
        store.add_lease("c-1", lease)
        store.add_down("c-1", 1, "{}", b"s")
        store.add_down("c-1", 2, "{ }", b"t")
        store.add_tally({"receipt": 1, "odd": 2})
        store.add_tally({"receipt": 1})
    store.close()
    store = CityStore(path)
    assert store.heads() == [head]
    assert store.lease("c-1", "1.2") == lease
    assert store.lease("c-1", "1.3") is None
    assert store.down("c-1", 1, 100) == [("{ }", b"t")]
    assert store.down("c-1", 0, 1) == [("{}", b"s")]
    assert store.tallies() == {"receipt": 2, "odd": 2}


def test_a_session_owes_and_is_paid_once(path):
    store = CityStore(path)
    with store.transaction():
        assert store.add_stay("c-1", "1.2", 500, "lease")
        assert not store.add_stay("c-1", "1.2", 900, "lease")
        store.add_payment("c-1", Payment("p-1", "1.2", 500, True))
    with pytest.raises(sqlite3.IntegrityError), store.transaction():
        store.add_payment("c-1", Payment("p-2", "1.2", 500, True))
    assert (store.totals()["owed_minor"], store.totals()["paid_minor"]) == (500, 500)


def test_totals_of_a_file_in_use(path):
    store = CityStore(path)
    with store.transaction():
        store.add_stay("c-1", "1.2", 500, "lease")
        store.add_tally({"duplicate": 3, "fault/gap": 2, "fault/form": 1, "fault/fork": 1, "receipt": 9})
        assert totals(path)["owed_minor"] == 0
    figures = totals(path)
    assert figures == store.totals()
    assert (
        figures["owed_minor"],
        figures["duplicates"],
        figures["gaps"],
        figures["rejected"],
        figures["receipts"],
    ) == (
        500,
        3,
        2,
        1,
        9,
    )


def test_no_file_no_totals(tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        totals(str(tmp_path / "missing.db"))
    assert list(tmp_path.iterdir()) == []
