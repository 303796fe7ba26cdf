"""The city's list as the gateway takes it."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.core.operator_events import OperatorsListed
from gateway.sync.orders import Orders
from gateway.topics import Topic, parse_topic
from sim.city import City
from sim.city_operators import operator_lists
from tests.operating import ATTENDANT, MANAGER
from tests.records import CITY_KEY, GATEWAY_KEY, public


def test_a_gateway_takes_the_list(tmp_path: Path) -> None:
    entries = [
        {
            "pub": c.operator.pub,
            "name": c.operator.name,
            "roles": list(c.operator.roles),
            "expires_ms": c.operator.expires_ms,
        }
        for c in (ATTENDANT, MANAGER)
    ]
    path = tmp_path / "operators.json"
    path.write_text(json.dumps({"version": 7, "operators": entries}), encoding="utf-8")
    city = City(CITY_KEY, ":memory:", {"gw-1": public(GATEWAY_KEY), "gw-2": public(GATEWAY_KEY)}, {})
    found = operator_lists(city, "hz", ("gw-1", "gw-2"), path, 5)
    assert [(out.topic, out.qos, out.retain) for out in found] == [
        ("park/v1/hz/gw-1/cfg/operators", 1, True),
        ("park/v1/hz/gw-2/cfg/operators", 1, True),
    ]
    for chain, out in zip(("gw-1", "gw-2"), found, strict=True):
        topic = parse_topic(out.topic)
        assert isinstance(topic, Topic)
        event = Orders(chain, public(CITY_KEY)).receive(topic, out.payload, 0)
        assert isinstance(event, OperatorsListed)
        assert (event.listed.version, event.listed.operators) == (7, (ATTENDANT.operator, MANAGER.operator))
    city.store.close()
