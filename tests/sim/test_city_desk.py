"""Front desks at the city: who is heard, what is taken once, and when it is done."""

from __future__ import annotations

import base64
import json

import pytest

from sim.city_desk import ANSWER_DOMAIN, Desk, FrontDesks
from sim.city_verifier import ChainKey, write
from sim.desk import Guest, ask, read_answer
from tests.records import CITY_KEY, GATEWAY_KEY, OTHER_KEY, Chain, public
from tests.sim.test_city import down, give, make_city

TOPIC = "park/v1/hz/_desk/hotel-1/validate"
GUEST = Guest("blue 浙A12345", 5, 9)
CITY = ChainKey(public(CITY_KEY))


def make_desks(path=":memory:"):
    city = make_city(path)
    return city, FrontDesks(city, {"hotel-1": Desk(public(OTHER_KEY), ("c-1",))})


def message(*, key=OTHER_KEY, **changes):
    """A check-in, with other members, validly signed."""
    first = ask(OTHER_KEY, desk="hotel-1", id_="m-1", chain="c-1", guest=GUEST, expires_ms=100)
    line = write(json.loads(json.loads(first)["line"]) | changes)
    signature = base64.b64encode(key.sign(b"lotgate-desk-v1\n" + line.encode())).decode()
    return write({"v": 1, "line": line, "sig": signature}).encode()


def answers(outgoing):
    """(id, state, reason) of each answer."""
    found = []
    for out in outgoing:
        if "/_desk/" in out.topic:
            assert (out.topic, out.qos, out.retain) == ("park/v1/hz/_desk/hotel-1/rsp", 1, False)
            answer = read_answer(out.payload, CITY)
            found.append((answer["id"], answer["state"], answer["reason"]))
    return found


def test_a_check_in_goes_down_and_is_done_when_the_gateway_says_so():
    city, desks = make_desks()
    chain = Chain().fill(2)
    give(city, chain.records)
    taken = desks.receive(TOPIC, message(), 7)
    assert answers(taken) == [("m-1", "taken", "")]
    (line,) = down(taken)
    span = {"from_ms": 5, "to_ms": 9}
    body = {
        "id": "hotel-1/m-1",
        "plate": GUEST.plate,
        "way": "free",
        "value": 0,
        "single": False,
        "by": "hotel-1",
        **span,
    }
    assert (line["dn"], line["type"], line["body"]) == (1, "validation", body)
    chain.dn = 1
    give(city, [chain.add("heartbeat", {})])
    assert desks.confirmed(8) == []
    give(city, [chain.add("granted", {"kind": "validation", "id": "hotel-1/m-1", "dn": 1})])
    assert answers(desks.confirmed(8)) == [("m-1", "done", "")]
    assert desks.confirmed(9) == []


def test_what_the_gateway_refuses_is_told_with_its_reason():
    city, desks = make_desks()
    chain = Chain().fill(1)
    give(city, chain.records)
    desks.receive(TOPIC, message(), 7)
    refused = {"kind": "validation", "session": "", "id": "hotel-1/m-1", "reason": "id has ended", "dn": 1}
    give(city, [chain.add("refused", refused)])
    assert answers(desks.confirmed(8)) == [("m-1", "refused", "id has ended")]


def test_a_repeat_gets_the_same_answer_and_nothing_goes_down_twice(tmp_path):
    city, desks = make_desks(str(tmp_path / "city.db"))
    chain = Chain().fill(1)
    give(city, chain.records)
    first = desks.receive(TOPIC, message(), 7)
    assert desks.receive(TOPIC, message(), 8) == [first[-1]]
    city.store.close()
    city, desks = make_desks(str(tmp_path / "city.db"))
    assert desks.receive(TOPIC, message(), 5000) == [first[-1]]
    assert answers(desks.receive(TOPIC, message(value=1, way="money"), 9)) == [
        ("m-1", "refused", "id has another content")
    ]
    give(city, [chain.add("granted", {"kind": "validation", "id": "hotel-1/m-1", "dn": 1})])
    done = desks.confirmed(10)
    assert desks.receive(TOPIC, message(), 11) == done
    assert city.head("c-1").dn_last == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expires_ms": 6},                 "expired"),
        ({"chain": "c-2"},                  "not a lot of this desk"),
        ({"plate": "浙A12345"},             "not a plate"),
        ({"plate": "blue 浙A123456789"},    "not a plate"),
        ({"way": "parade"},                 "not a validation"),
        ({"value": 1},                      "not a validation"),
        ({"way": "minutes"},                "not a validation"),
        ({"way": "percent", "value": 101},  "not a validation"),
        ({"from_ms": 10},                   "not a validation"),
    ],
)  # fmt: skip
def test_what_is_refused_by_name(change, reason):
    city, desks = make_desks()
    assert answers(desks.receive(TOPIC, message(**change), 7)) == [("m-1", "refused", reason)]
    assert city.head("c-1").dn_last == 0


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (TOPIC,                               message(key=CITY_KEY)),
        (TOPIC,                               message(desk="hotel-2")),
        (TOPIC,                               message(v=2)),
        (TOPIC,                               message(more=1)),
        (TOPIC,                               message(value="1")),
        (TOPIC,                               message(value=-1)),
        (TOPIC,                               message(single=0)),
        (TOPIC,                               message(id="a/b")),
        (TOPIC,                               message() + b" " * 5000),
        (TOPIC,                               b"\xff"),
        (TOPIC,                               b"[]"),
        (TOPIC,                               b'{"v":1,"line":"{}","sig":"?"}'),
        (TOPIC,                               b'{"v":1,"line":1,"sig":"?"}'),
        (TOPIC.replace("hotel-1", "hotel-2"), message()),
        (TOPIC.replace("hotel-1", "a/b"),     message()),
    ],
)  # fmt: skip
def test_what_gets_no_answer(topic, payload):
    city, desks = make_desks()
    assert desks.receive(topic, payload, 7) == []
    assert city.store.tallies()["fault/desk"] == 1


def test_an_answer_of_somebody_else_is_none():
    _, desks = make_desks()
    (answer,) = desks.receive(TOPIC, message(expires_ms=6), 7)
    assert read_answer(answer.payload, ChainKey(public(GATEWAY_KEY))) is None
    assert read_answer(b"[]", CITY) is None
    line = json.loads(answer.payload)["line"]
    CITY_KEY.public_key().verify(base64.b64decode(json.loads(answer.payload)["sig"]), (ANSWER_DOMAIN + line).encode())
