"""One node as the gateway knows it: what is delivered, what is said to be lost, which command goes first."""

from __future__ import annotations

import pytest

from firmware import wire
from gateway.core.events import EventsLost, HelpCalled
from gateway.core.layout import LaneNode, LaneRole
from gateway.link.session import CREDIT_MAX, Keys, Order, Station

NODE = LaneNode(1, "1e0f00000000c0a1", "exit-1", LaneRole.EXIT)
KEYS = Keys(1, bytes(16), bytes(16), 5)


def station(log=7, seq=0):
    made = Station(NODE, bytes(16), (log, seq))
    made.join(KEYS, 7)
    return made


def help_call(seq):
    return wire.Event(seq, 0, wire.HELP, 0, 0)


def lost(first, last):
    return wire.Event(last, 0, wire.LOST, 0, 0, wire.pack_lost(first, last))


def unknown(seq):
    return wire.Event(seq, 0, 99, 0, 0)


def told(events):
    return [(e.first, e.last) if isinstance(e, EventsLost) else e.source.seq for e in events]


# stored | events                                            | told                  | repeats, missing, unintelligible
@pytest.mark.parametrize(
    ("stored", "events", "expected", "counts"),
    [
        (0, [help_call(1), help_call(2)],                      [1, 2],                 (0, 0, 0)),
        (2, [help_call(1), help_call(2)],                      [],                     (2, 0, 0)),
        (1, [help_call(1), help_call(2)],                      [2],                    (1, 0, 0)),
        (0, [help_call(3)],                                    [(1, 2), 3],            (0, 2, 0)),
        (0, [lost(1, 4), help_call(5)],                        [(1, 4), 5],            (0, 4, 0)),
        (2, [lost(1, 4), help_call(5)],                        [(3, 4), 5],            (0, 2, 0)),
        (4, [lost(1, 4), help_call(5)],                        [5],                    (1, 0, 0)),
        (0, [lost(3, 4)],                                      [(1, 4)],               (0, 4, 0)),
        (0, [unknown(1), help_call(2)],                        [(1, 1), 2],            (0, 0, 1)),
        (0, [unknown(3)],                                      [(1, 2), (3, 3)],       (0, 2, 1)),
        (0, [help_call(1), help_call(1), help_call(2)],        [1, 2],                 (1, 0, 0)),
    ],
)  # fmt: skip
def test_delivery(stored, events, expected, counts):
    one = station(seq=stored)
    result = one.deliver(events)
    assert told(result.events) == expected
    assert (result.repeats, result.missing, result.unintelligible) == counts
    assert one.delivered == max(stored, events[-1].seq)
    assert told(one.deliver(events).events) == []


def test_join_with_another_log_begins_at_one():
    one = station(log=6, seq=50)
    assert (one.log, one.committed, one.delivered) == (7, 0, 0)
    one.deliver([help_call(1)])
    one.acked_sent = one.misses = one.silences = one.hellos = one.uptime_offset_ms = 1
    one.join(KEYS, 7)
    assert (one.acked_sent, one.misses, one.hellos, one.uptime_offset_ms) == (0, 0, 0, None)
    assert isinstance(one.deliver([help_call(1), help_call(2)]).events[0], HelpCalled)
    assert (one.committed, one.delivered) == (0, 2)


def test_commit():
    one = station()
    one.deliver([help_call(1), help_call(2)])
    one.commit(7, 2)
    one.commit(7, 1)
    one.commit(6, 99)
    assert one.committed == 2
    with pytest.raises(ValueError, match="only 2 were delivered"):
        one.commit(7, 3)


# pending | delivered, committed, acked | ask again at once
@pytest.mark.parametrize(
    ("pending", "delivered", "committed", "acked_sent", "expected"),
    [
        (0, 5, 5, 0, False),
        (3, 5, 5, 5, True),
        (3, 5, 0, 0, False),
        (3, 5, 3, 0, True),
        (3, 5, 3, 3, False),
    ],
)
def test_asking_at_once_only_if_it_brings_something(pending, delivered, committed, acked_sent, expected):
    one = station()
    one.pending, one.delivered, one.committed, one.acked_sent = pending, delivered, committed, acked_sent
    assert one.ack_waits == expected


# happenings: . a reply, - a miss in silence, # a miss with noise | credit, gone
@pytest.mark.parametrize(
    ("happenings", "credit", "gone"),
    [
        ("",                  CREDIT_MAX, False),
        ("-",                 9,  False),
        ("--",                4,  False),
        ("----",              1,  False),
        ("-----",             1,  True),
        ("#####",             1,  False),
        ("#" * 24,            1,  False),
        ("#" * 25,            1,  True),
        ("----.----",         1,  False),
        ("-..",               11, False),
        ("#" * 24 + ".####",  1,  False),
        ("." * 99,            CREDIT_MAX, False),
    ],
)  # fmt: skip
def test_noise_shortens_replies_and_silence_ends_a_session(happenings, credit, gone):
    one = station()
    for happening in happenings:
        if happening == ".":
            one.answered()
        else:
            one.missed(noise_heard=happening == "#")
    assert (one.credit, one.gone) == (credit, gone)


def test_orders():
    one = station()
    one.order(Order(1, wire.SHOW, b"\x00old", 5000))
    one.order(Order(2, wire.SHOW, b"\x00new", 6000))
    one.order(Order(3, wire.OPEN, b"", 5500))
    assert not one.ready_for_order
    one.uptime_offset_ms = 0
    assert one.ready_for_order
    one.misses = 1
    assert not one.ready_for_order
    assert one.next_order().number == 3
    assert one.drop_stale_orders(5500) == 1
    assert one.next_order().number == 2
    assert one.drop_stale_orders(6000) == 1
    assert one.next_order() is None
