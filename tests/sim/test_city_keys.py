"""The city's keys by place: a rotation that it follows, over a restart too, a dead key, and new epochs by permit only."""

from __future__ import annotations

import base64
import json

import pytest

from gateway.core.record import key_id, record_hash
from sim.city import City
from sim.city_store import Head
from tests.records import CITY_KEY, GATEWAY_KEY, GENESIS, OTHER_KEY, Chain, public
from tests.sim.test_city import forged, give


def rotation(chain, to=OTHER_KEY, proven=None, **changes):
    """A record with which the chain's key hands over to another."""
    prev = record_hash(chain.records[-1].line).hex()
    proof = (proven or to).sign(b"lotgate-rotate-v1\n" + prev.encode())
    texts = {"pub": public(to), "proof": proof}
    body = {"key": key_id(public(to))} | {name: base64.b64encode(raw).decode() for name, raw in texts.items()}
    return chain.add("rotate", body | changes)


def restored(chain, permit, **changes):
    """A record that opens the next epoch under a permit."""
    line, signature = permit
    chain.epoch += 1
    body = {**GENESIS, "permit": line, "permit_sig": base64.b64encode(signature).decode()}
    return chain.add("restored", body | changes)


def city_at(path=":memory:"):
    return City(CITY_KEY, path, {"c-1": public(GATEWAY_KEY)}, {})


def test_the_city_follows_a_rotation_over_its_own_restart(tmp_path):
    path = str(tmp_path / "books.db")
    city, chain = city_at(path), Chain().fill(3)
    rotation(chain)
    chain.key = OTHER_KEY
    chain.fill(6)
    give(city, chain.records[:4])
    give(city, chain.records[4:5])
    city.store.close()
    city = city_at(path)
    give(city, chain.records[5:])
    assert (city.head("c-1").n, city.totals()["rejected"]) == (6, 0)


@pytest.mark.parametrize(
    "change",
    [{"proven": GATEWAY_KEY}, {"key": "0" * 16}, {"pub": "AA=="}, {"proof": 7}, {"proof": "?"}],
)
def test_a_rotation_that_proves_nothing_is_refused(change):
    city, chain = city_at(), Chain().fill(3)
    rotation(chain, **change)
    give(city, chain.records)
    assert (city.head("c-1").n, city.store.tallies()["fault/key"]) == (3, 1)


def test_the_old_key_is_dead_after_its_rotation():
    city, chain = city_at(), Chain().fill(3)
    rotation(chain)
    give(city, chain.records)
    chain.fill(5)
    give(city, chain.records[4:])
    assert (city.head("c-1").n, city.store.tallies()["fault/key"]) == (4, 1)
    # What it signed before stays provable as a fork.
    give(city, [forged(chain.records[1], body={"entries": 9})])
    assert city.store.tallies()["fault/fork"] == 1


def test_a_new_epoch_follows_the_citys_head_and_unfreezes_the_chain():
    city, chain = city_at(), Chain().fill(5)
    give(city, chain.records)
    give(city, [forged(chain.records[2], body={"entries": 9})])
    assert city.head("c-1").frozen
    restored(chain, city.permit("c-1", 7))
    chain.fill(8)
    give(city, chain.records[5:])
    head = city.head("c-1")
    assert (head.n, head.epoch, head.frozen, head.dn_confirmed) == (8, 2, False, 0)


def test_a_new_epochs_days_are_counted_without_what_the_earlier_one_left_open():
    city, chain = city_at(), Chain().fill(2)
    bill = {"currency": "CNY", "lines": [], "outcome": "arrears"}
    chain.add("exit", {"session": "1.3", "amount_minor": 700, **bill})
    give(city, chain.records)
    restored(chain, city.permit("c-1", 7))
    chain.add("exit", {"session": "2.5", "amount_minor": 400, **bill})
    chain.add("day", {"day": "2026-03-02", "first": 4, "last": 5, "figures": {}})
    give(city, chain.records[3:])
    told = json.loads(city.store.down("c-1", 0, 9)[-1][0])["body"]
    figures = told["figures"]
    assert (told["day"], figures["exits"], figures["billed_minor"], figures["open_minor"]) == (
        "2026-03-02",
        1,
        400,
        400,
    )


def test_without_its_permit_no_new_epoch_begins():
    city, chain = city_at(), Chain().fill(5)
    give(city, chain.records)
    permit = city.permit("c-1", 7)
    old = json.loads(permit[0])
    for line, signature in (
        (permit[0], bytes(64)),
        (permit[0].replace('"n":5', '"n":4'), permit[1]),
        ("{", permit[1]),
    ):
        branch = Chain(records=list(chain.records))
        restored(branch, (line, signature))
        give(city, branch.records[5:])
    branch = Chain(records=list(chain.records), epoch=2)
    branch.add("start", {"version": "1"})
    give(city, branch.records[5:])
    assert (city.head("c-1").n, city.store.tallies()["fault/form"]) == (5, 4)
    assert (old["epoch"], old["n"]) == (2, 5)
    later = Chain(records=list(chain.records)).fill(6)
    give(city, later.records[5:])
    restored(later, permit)
    give(city, later.records[6:])
    assert (city.head("c-1"), city.store.tallies()["fault/form"]) == (
        Head("c-1", "park/v1/hz/gw-1", 1, 6, record_hash(later.records[5].line).hex(), later_wall(later)),
        5,
    )


def later_wall(chain):
    return json.loads(chain.records[5].line)["wall"]
