"""Whose turn it is."""

from __future__ import annotations

from firmware import wire
from gateway.core.layout import BayNode, LaneNode, LaneRole
from gateway.link.bus import Bus
from gateway.link.session import Keys, Order, Station
from gateway.link.turns import NEVER_MS, Turns


def stations(lanes, bays):
    nodes = [LaneNode(i + 1, f"{i:016x}", f"l{i}", LaneRole.EXIT) for i in range(lanes)]
    nodes += [BayNode(i + 50, f"{i + 50:016x}", ("b",)) for i in range(bays)]
    return tuple(Station(node, bytes(16), (0, 0)) for node in nodes)


def order_of(all_stations, turns, now_ms, count):
    """Who is asked in `count` turns if each is due again at once, a turn lasting 1 ms."""
    found = []
    for at in range(count):
        station = turns.next_station(now_ms + at)
        station.due_ms = now_ms + at
        found.append(all_stations.index(station))
    return found


def test_lanes_and_bays_take_turns_and_nobody_starves():
    few = stations(2, 3)
    assert order_of(few, Turns(few), 10, 10) == [0, 2, 1, 3, 0, 4, 1, 2, 0, 3]


def test_longest_overdue_goes_first_and_only_the_due():
    two = stations(2, 0)
    two[0].due_ms, two[1].due_ms = 200, 100
    turns = Turns(two)
    assert turns.next_station(99) is None
    assert turns.wake_ms() == 100
    assert turns.next_station(100) is two[1]
    assert turns.next_station(300) is two[1]
    assert Turns(()).wake_ms() == NEVER_MS


def test_command_goes_before_everybody_if_its_node_hears():
    some = stations(2, 2)
    turns = Turns(some)
    lane = some[1]
    lane.due_ms = 10_000
    lane.order(Order(1, wire.OPEN, b"", 5000))
    assert turns.next_station(0) is some[0]
    lane.keys = Keys(1, bytes(16), bytes(16), 1)
    lane.uptime_offset_ms = 0
    assert turns.next_station(0) is lane


def test_after_an_outage_an_entrys_backlog_is_heard_before_an_exits():
    exit_lane = LaneNode(1, "00000000000000e1", "out", LaneRole.EXIT)
    entry_lane = LaneNode(2, "00000000000000e2", "in", LaneRole.ENTRY)
    bus = Bus("bus", [exit_lane, entry_lane], site_key=bytes(16), epoch=1, nonce=lambda: bytes(8), acked={})
    frame = wire.parse(next(iter(wire.Splitter().feed(bus.data_to_send(0)))))
    assert frame.address == entry_lane.address
