"""The real bus with real nodes: nothing lost, nothing doubled, nothing believed that is not authentic."""

from __future__ import annotations

import random

import pytest

from firmware import wire
from firmware.cipher import Cipher
from gateway.core import layout
from gateway.core.commands import OpenBarrier, ShowText, Voice
from gateway.core.events import (
    BaysReported,
    EventsLost,
    NodeJoined,
    NodeRefused,
    NodeWentSilent,
    PlateRead,
    VehiclePassed,
)
from gateway.link.bus import COMMAND_MS, REPLY_MS, Bus
from gateway.link.counters import REFUSED_EVERY_MS
from gateway.link.session import MISSES_MAX
from gateway.link.turns import NEVER_MS
from sim.aes import Aes
from sim.fram import PowerCut
from sim.noise import Noise, Segment
from tests.link.rig import BAY_UID, ENTRY_UID, EXIT_UID, NODES, SITE_KEY, Faults, Rig

SEEDS = range(1, 13)
STORM = {"flip": 0.05, "drop": 0.05, "cut": 0.03, "repeat": 0.05, "delay": 0.05}


def numbers(rig, uid):
    """(log, seq) of all that was committed, a loss counting for each of its numbers."""
    found = []
    for event in rig.journal[uid]:
        first = event.first if isinstance(event, EventsLost) else event.source.seq
        found += [(event.source.log, n) for n in range(first, event.source.seq + 1)]
    return found


def without_gap(found):
    logs = list(dict.fromkeys(log for log, _ in found))
    return found == [(log, n) for log in logs for n in range(1, 1 + sum(log == other for other, _ in found))]


@pytest.mark.parametrize("seed", SEEDS)
def test_storm_loses_and_doubles_nothing(seed):
    print("seed", seed)
    rig = Rig(seed, Faults(**STORM, gateway_restart=0.01, lane_restart=0.01, slow_commit=0.3))
    told = {EXIT_UID: [], ENTRY_UID: []}
    for car in range(60):
        uid = rig.dice.choice((EXIT_UID, ENTRY_UID))
        told[uid].append(f"浙A{car:05}")
        rig.plate(uid, told[uid][-1])
        rig.bay.bay(rig.dice.randrange(4), rig.dice.random() < 0.5, rig.node_ms, rig.node_ms)
        rig.run(rig.dice.randrange(400))
    rig.settle()
    assert {uid: rig.plates(uid) for uid in told} == told
    assert all(without_gap(numbers(rig, node.uid)) for node in NODES)
    assert not any(rig.lost(node.uid) for node in NODES)
    assert rig.bus.counters.mac == 0
    assert not [event for event in rig.heard if isinstance(event, NodeRefused)]


@pytest.mark.parametrize("seed", SEEDS)
def test_power_cuts_in_any_write_of_a_lane(seed):
    print("seed", seed)
    rig = Rig(seed, Faults(**STORM))
    memory, logged = rig.memories[EXIT_UID], []
    for car in range(40):
        memory.cut_after = rig.dice.randrange(200)
        try:
            rig.plate(EXIT_UID, f"浙A{car:05}")
            logged.append(f"浙A{car:05}")
            rig.run(rig.dice.randrange(200))
        except PowerCut:
            memory.cut_after = None
            rig.restart_node(EXIT_UID)
    memory.cut_after = None
    rig.settle()
    assert rig.plates(EXIT_UID) == logged
    assert len(logged) < 40
    assert without_gap(numbers(rig, EXIT_UID))
    assert sum(event.last - event.first + 1 for event in rig.lost(EXIT_UID)) <= 40 - len(logged)


@pytest.mark.parametrize("seed", SEEDS)
def test_bay_node_restarts_in_a_storm(seed):
    print("seed", seed)
    rig = Rig(seed, Faults(**STORM, gateway_restart=0.01))
    truth = [False] * 4
    for _ in range(60):
        port = rig.dice.randrange(4)
        truth[port] = not truth[port]
        rig.bay.bay(port, truth[port], rig.node_ms, rig.node_ms)
        rig.run(rig.dice.randrange(300))
        if rig.dice.random() < 0.1:
            rig.restart_node(BAY_UID)
            for at, occupied in enumerate(truth):
                rig.bay.bay(at, occupied, rig.node_ms, rig.node_ms)
    rig.settle()
    bays = {}
    for event in rig.journal[BAY_UID]:
        bays.update(dict(event.bays) if isinstance(event, BaysReported) else {event.bay: event.occupied})
    assert bays == {f"b{i + 1}": occupied for i, occupied in enumerate(truth)}
    assert without_gap(numbers(rig, BAY_UID))
    firsts = [event for event in rig.journal[BAY_UID] if event.source.seq == 1]
    assert firsts
    assert all(isinstance(event, BaysReported) for event in firsts)


def test_overflow_of_a_lane_is_told():
    rig = Rig()
    rig.run(500)
    slots = rig.memories[EXIT_UID].size // 64 - 1
    for car in range(slots + 10):
        rig.plate(EXIT_UID, f"{car}")
    rig.settle()
    (lost,) = rig.lost(EXIT_UID)
    assert (lost.first, lost.last) == (1, 10)
    assert rig.plates(EXIT_UID) == [str(car) for car in range(10, slots + 10)]
    assert without_gap(numbers(rig, EXIT_UID))


def test_overflow_of_a_bay_node_is_told_and_followed_by_a_snapshot():
    rig = Rig()
    rig.run(500)
    for change in range(101):
        rig.bay.bay(0, change % 2 == 0, rig.node_ms, rig.node_ms)
    rig.settle()
    assert rig.lost(BAY_UID)
    assert without_gap(numbers(rig, BAY_UID))
    last_loss = rig.journal[BAY_UID].index(rig.lost(BAY_UID)[-1])
    after = rig.journal[BAY_UID][last_loss + 1 :]
    assert any(isinstance(event, BaysReported) for event in after)
    assert after[-1].occupied if not isinstance(after[-1], BaysReported) else dict(after[-1].bays)["b1"]


def test_restored_older_journal_hears_of_the_gap():
    rig = Rig()
    rig.plate(EXIT_UID, "A")
    rig.plate(EXIT_UID, "B")
    rig.settle()
    rig.acked[EXIT_UID] = (rig.acked[EXIT_UID][0], 1)
    rig.journal[EXIT_UID] = rig.journal[EXIT_UID][:1]
    rig.restart_gateway()
    rig.plate(EXIT_UID, "C")
    rig.settle()
    assert [type(event) for event in rig.journal[EXIT_UID]] == [PlateRead, EventsLost, PlateRead]
    assert (rig.lost(EXIT_UID)[0].first, rig.lost(EXIT_UID)[0].last) == (2, 2)


def test_nothing_is_acknowledged_before_its_commit():
    rig = Rig(faults=Faults(slow_commit=1.0))
    rig.plate(ENTRY_UID, "A")
    rig.run(3000)
    assert rig.devices[ENTRY_UID].pending == 1
    assert sum(isinstance(event, PlateRead) for event in rig.waiting) == 1
    rig.commit()
    rig.run(100)
    assert rig.devices[ENTRY_UID].pending == 0
    with pytest.raises(ValueError, match="commit of 9"):
        rig.bus.committed(ENTRY_UID, rig.acked[ENTRY_UID][0], 9)


def test_commit_for_a_log_of_before_a_restart_changes_nothing():
    rig = Rig()
    rig.run(500)
    log = rig.acked[BAY_UID][0]
    rig.restart_node(BAY_UID)
    rig.run(2000)
    rig.bus.committed(BAY_UID, log, 10)
    assert rig.acked[BAY_UID][0] != log


def test_exit_opens_by_itself_without_a_gateway_and_the_entry_waits():
    rig = Rig()
    rig.run(500)
    for uid in (EXIT_UID, ENTRY_UID):
        rig.devices[uid].loop(0, True, rig.node_ms, rig.node_ms)
        rig.plate(uid, "A")
    since_ms = rig.node_ms
    assert rig.lane.wake_ms(since_ms) == since_ms + 2000
    rig.lane.run(since_ms + 1999, since_ms + 1999)
    assert not rig.lane.raised
    rig.lane.run(since_ms + 2000, since_ms + 2000)
    rig.devices[ENTRY_UID].run(since_ms + 9000, since_ms + 9000)
    assert (rig.lane.raised, rig.lane.self_opened) == (True, 1)
    assert not rig.devices[ENTRY_UID].raised


def test_commands_open_first_then_show():
    rig = Rig()
    rig.run(500)
    rig.bus.command(ShowText("exit-1", "5.00 元 " * 20, Voice.PAY_LATER), rig.now_ms)
    rig.bus.command(OpenBarrier("exit-1"), rig.now_ms)
    frame = rig.bus.data_to_send(rig.now_ms)
    rig.take(rig.bus.receive(rig.segment.exchange(frame, rig.node_ms, rig.node_ms), rig.now_ms))
    assert (rig.lane.opened, rig.lane.shown) == (1, 0)
    rig.run(100)
    assert (rig.lane.opened, rig.lane.shown, rig.lane.voice) == (1, 1, 1)
    assert rig.lane.text.startswith("5.00 元 5.00")
    assert len(rig.lane.text.encode()) <= wire.TEXT_BYTES_MAX
    assert rig.bus.counters.commands == 2
    with pytest.raises(KeyError):
        rig.bus.command(OpenBarrier("exit-9"), rig.now_ms)


@pytest.mark.parametrize("seed", SEEDS)
def test_command_is_executed_once_however_often_it_is_sent(seed):
    print("seed", seed)
    rig = Rig(seed, Faults(flip=0.1, drop=0.2, repeat=0.1, delay=0.1))
    for _ in range(20):
        rig.run(300)
        before = rig.lane.opened
        rig.bus.command(OpenBarrier("exit-1"), rig.now_ms)
        rig.run(COMMAND_MS + 100)
        assert rig.lane.opened - before <= 1
    rig.run(COMMAND_MS)
    assert 20 - rig.bus.counters.expired <= rig.lane.opened <= 20
    assert rig.lane.counters.repeats > 0


def test_late_command_dies():
    rig = Rig()
    rig.run(500)
    devices, rig.devices = rig.devices, {}
    rig.bus.command(OpenBarrier("exit-1"), rig.now_ms)
    rig.run(COMMAND_MS + 100)
    rig.devices = devices
    rig.run(3000)
    assert rig.lane.opened == 0
    assert rig.bus.counters.expired == 1


def test_command_held_up_on_the_wire_dies_in_the_node():
    rig = Rig()
    rig.run(2000)
    for held_ms, opened in ((COMMAND_MS - 100, 1), (COMMAND_MS + 100, 0)):
        before = rig.lane.opened
        rig.bus.command(OpenBarrier("exit-1"), rig.now_ms)
        frame = rig.bus.data_to_send(rig.now_ms)
        assert wire.parse(frame[1:-1]).type == wire.CMD
        assert rig.lane.receive(frame, rig.node_ms + held_ms, rig.node_ms + held_ms)
        assert rig.lane.opened - before == opened
        rig.now_ms += 10_000
        rig.run(3000)


def test_newer_command_does_not_die_with_its_predecessor():
    rig = Rig()
    rig.run(500)
    rig.bus.command(ShowText("exit-1", "old", Voice.GO), rig.now_ms)
    frame = rig.bus.data_to_send(rig.now_ms)
    rig.bus.command(ShowText("exit-1", "new", Voice.GO), rig.now_ms)
    rig.take(rig.bus.receive(rig.segment.exchange(frame, rig.node_ms, rig.node_ms), rig.now_ms))
    rig.run(100)
    assert (rig.lane.shown, rig.lane.text) == (2, "new")


def test_answer_to_another_gateways_hello_is_no_answer():
    rig = Rig()
    first, second = (Bus("a", NODES[:1], site_key=SITE_KEY, epoch=9, nonce=rig.nonce, acked={}) for _ in range(2))
    recorded = rig.lane.receive(first.data_to_send(0), 0, 0)
    second.data_to_send(0)
    assert second.receive(recorded, 5) == []
    assert second.counters.stale == 1
    assert [type(event) for event in first.receive(recorded, 5)] == [NodeJoined]


def test_silent_node_is_told_once_and_joins_again():
    rig = Rig()
    rig.run(300)
    rig.heard.clear()
    lane = rig.devices.pop(EXIT_UID)
    rig.run(10_000)
    assert rig.heard == [NodeWentSilent(EXIT_UID)]
    rig.heard.clear()
    rig.devices[EXIT_UID] = lane
    rig.run(2500)
    assert [type(event) for event in rig.heard] == [NodeJoined]


def test_absent_nodes_do_not_starve_the_others():
    many = NODES + tuple(layout.BayNode(10 + i, f"{i:016x}", ("x",)) for i in range(28))
    rig = Rig(nodes=many)
    for i in range(28):
        del rig.devices[f"{i:016x}"]
    rig.run(1000)
    rig.plate(EXIT_UID, "A")
    begin_ms = rig.now_ms
    while not rig.plates(EXIT_UID):
        rig.turn()
    assert rig.now_ms - begin_ms <= 2 * (REPLY_MS + 3 * 8)


def test_all_bays_are_asked_while_lanes_are_busy():
    lanes = tuple(layout.LaneNode(1 + i, f"{i:016x}", f"lane-{i}", layout.LaneRole.EXIT) for i in range(8))
    bays = tuple(layout.BayNode(20 + i, f"{32 + i:016x}", ("x",)) for i in range(8))
    rig = Rig(nodes=lanes + bays)
    rig.run(1000)
    joined = {event.uid for event in rig.heard if isinstance(event, NodeJoined)}
    assert joined == {node.uid for node in lanes + bays}
    for node in bays:
        rig.devices[node.uid].bay(0, True, rig.node_ms, rig.node_ms)
    rig.run(600)
    assert all(rig.devices[node.uid].pending == 0 for node in bays)


def test_forged_frames_are_refused_counted_and_told_once():
    rig = Rig()
    rig.run(500)
    rig.heard.clear()
    for i in range(50):
        frame = rig.bus.data_to_send(rig.now_ms)
        if frame and (poll := wire.parse(frame[1:-1])).address == 1:
            head = (wire.DATA, 0x81, poll.session, poll.counter)
            forged = wire.seal(Cipher(Aes), bytes(16), bytes(16), head, wire.pack_data(0, 0, 0, b""))
            rig.take(rig.bus.receive(forged, rig.now_ms))
        reply = rig.segment.exchange(frame, rig.node_ms, rig.node_ms)
        rig.take(rig.bus.receive(reply, rig.now_ms + 5))
        rig.now_ms += 10 + i
    assert rig.heard == [NodeRefused(1, "key")]
    assert rig.bus.counters.mac == rig.bus.counters.refused > 10
    assert rig.bus.counters.timeouts == 0
    assert rig.bus.receive(forged, rig.now_ms + REFUSED_EVERY_MS) == [NodeRefused(1, "key")]


def test_replayed_replies_change_nothing():
    rig = Rig()
    rig.plate(EXIT_UID, "A")
    replies = []
    carry = rig.segment.exchange

    def recorded(frame, now_ms, stamp_ms):
        replies.append(carry(frame, now_ms, stamp_ms))
        return replies[-1]

    rig.segment.exchange = recorded
    rig.run(1000)
    rig.heard.clear()
    for reply in replies:
        rig.take(rig.bus.receive(reply, rig.now_ms))
    assert rig.plates(EXIT_UID) == ["A"]
    assert sorted(rig.heard, key=lambda event: event.address) == [NodeRefused(n, "replay") for n in (1, 2)]
    assert rig.bus.counters.stale == len([reply for reply in replies if reply])


def test_an_old_reply_is_no_answer_to_a_new_question():
    rig = Rig(nodes=NODES[:1])
    replies = []
    carry = rig.segment.exchange

    def old_first(frame, now_ms, stamp_ms):
        replies.append(carry(frame, now_ms, stamp_ms))
        before = rig.bus.counters.replies
        for old in replies[-9:-1]:
            rig.take(rig.bus.receive(old, rig.now_ms))
        assert rig.bus.counters.replies == before
        return replies[-1]

    rig.segment.exchange = old_first
    rig.plate(EXIT_UID, "A")
    rig.run(500)
    assert rig.plates(EXIT_UID) == ["A"]
    assert rig.bus.counters.timeouts == 0


def test_replayed_requests_and_hellos_do_not_disturb_a_node():
    rig = Rig()
    frames = []
    carry = rig.segment.exchange

    def recorded(frame, now_ms, stamp_ms):
        frames.append(frame)
        return carry(frame, now_ms, stamp_ms)

    rig.segment.exchange = recorded
    rig.run(300)
    rig.bus.command(OpenBarrier("exit-1"), rig.now_ms)
    rig.run(300)
    for frame in list(frames):
        assert carry(frame, rig.node_ms, rig.node_ms) == b""
    rig.heard.clear()
    rig.run(300)
    assert (rig.heard, rig.bus.counters.timeouts, rig.lane.opened) == ([], 0, 1)


def test_own_echo_and_foreign_addresses_are_harmless():
    rig = Rig()
    rig.run(300)
    frame = rig.bus.data_to_send(rig.now_ms) or rig.bus.data_to_send(rig.now_ms + 300)
    assert rig.bus.receive(frame, rig.now_ms) == []
    assert rig.bus.counters.echo == 1
    stranger = wire.seal(Cipher(Aes), bytes(16), b"", (wire.HELLO_R, 0xC0, 1, 1), bytes(37))
    assert rig.bus.receive(stranger, rig.now_ms) == [NodeRefused(0x40, "address")]


@pytest.mark.parametrize(
    ("configured", "site_key", "reason"),
    [
        (layout.LaneNode(1, "1e0f00000000ffff", "exit-1", layout.LaneRole.EXIT), SITE_KEY, "uid"),
        (layout.LaneNode(1, EXIT_UID, "exit-1", layout.LaneRole.EXIT), bytes(16), ""),
        (layout.BayNode(1, EXIT_UID, ("b1",)), SITE_KEY, "kind"),
    ],
)
def test_wrong_node_at_an_address(configured, site_key, reason):
    rig = Rig()
    bus = Bus("a", [configured], site_key=SITE_KEY, epoch=9, nonce=rig.nonce, acked={})
    impostor = rig.device(layout.LaneNode(1, EXIT_UID, "exit-1", layout.LaneRole.EXIT), site_key)
    key = wire.node_key(Cipher(Aes), SITE_KEY, bytes.fromhex(EXIT_UID))
    frame = wire.parse(bus.data_to_send(0)[1:-1])
    # The gateway's hello is keyed for the configured node: re-key it for the one that stands there, as its owner could.
    hello = wire.seal(Cipher(Aes), key, b"", (wire.HELLO, 1, frame.session, 1), frame.covered[wire.HEAD_BYTES :])
    reply = impostor.receive(hello, 0, 0)
    expected = [NodeRefused(1, reason)] if reason else []
    assert bus.receive(reply, 5) == expected


def test_answer_of_a_node_without_the_key():
    rig = Rig()
    bus = Bus("a", NODES[:1], site_key=SITE_KEY, epoch=9, nonce=rig.nonce, acked={})
    frame = wire.parse(bus.data_to_send(0)[1:-1])
    welcome = wire.Welcome(
        nonces=frame.covered[-8:] + bytes(8),
        uid=bytes.fromhex(EXIT_UID),
        boot=1,
        log=1,
        kind=wire.KIND_LANE,
        ports=2,
        version=1,
        build=1,
    )
    head = (wire.HELLO_R, 0x81, frame.session, frame.counter)
    forged = wire.seal(Cipher(Aes), bytes(16), b"", head, wire.pack_welcome(welcome))
    assert bus.receive(forged, 5) == [NodeRefused(1, "key")]
    newer = bytearray(wire.uncobs(forged[1:-1]))
    newer[0] = 2 << 4 | wire.HELLO_R
    crc = wire.binascii.crc32(bytes(newer[:-4])).to_bytes(4, "little")
    assert bus.receive(b"\0" + wire.cobs(bytes(newer[:-4]) + crc) + b"\0", 6) == [NodeRefused(1, "version")]


def test_age_passes_through_and_early_events_are_marked():
    rig = Rig()
    rig.plate(EXIT_UID, "A")
    devices, rig.devices = rig.devices, {}
    rig.run(1500)
    rig.devices = devices
    rig.restart_node(EXIT_UID)
    rig.lane.run(rig.node_ms, rig.node_ms)
    rig.plate(EXIT_UID, "B")
    rig.settle()
    first, second = [event.source for event in rig.journal[EXIT_UID]]
    assert (first.early, second.early) == (True, False)
    assert second.age_ms <= first.age_ms < 3000


def test_wake_is_the_deadline_of_what_is_awaited():
    rig = Rig()
    assert rig.bus.data_to_send(1000)
    assert rig.bus.wake_ms() == 1000 + REPLY_MS
    assert rig.bus.data_to_send(1000 + REPLY_MS - 1) == b""
    assert rig.bus.data_to_send(1000 + REPLY_MS) != b""
    empty = Bus("b", [], site_key=SITE_KEY, epoch=1, nonce=rig.nonce, acked={})
    assert (empty.data_to_send(0), empty.wake_ms()) == (b"", NEVER_MS)
    with pytest.raises(ValueError, match="share an address"):
        Bus("c", [NODES[0], NODES[0]], site_key=SITE_KEY, epoch=1, nonce=rig.nonce, acked={})


# ms: what is heard | ms at which the question is asked again
@pytest.mark.parametrize(
    ("heard", "again_ms"),
    [
        ({},                                       60),
        ({5: b"\0junk"},                           60),
        ({5: b"\0junk\0"},                         25),
        ({5: b"\0junk\0", 20: b"rest"},            40),
        ({5: b"\0junk\0", 20: b"rest", 38: b"\0"}, 58),
        ({5: b"\0junk\0", 50: b"rest"},            25),
        ({55: b"\0junk\0"},                        60),
    ],
)  # fmt: skip
def test_a_spoilt_reply_is_not_waited_for_to_the_end(heard, again_ms):
    rig = Rig()
    assert rig.bus.data_to_send(1000)
    now_ms = 0
    while not rig.bus.data_to_send(1000 + now_ms):
        assert rig.bus.wake_ms() <= 1000 + REPLY_MS
        now_ms += 1
        if now_ms in heard:
            rig.bus.receive(heard[now_ms], 1000 + now_ms)
    assert now_ms == again_ms


def test_an_absent_node_on_a_noisy_line_is_not_greeted_without_a_pause_for_ever():
    rig = Rig(nodes=NODES[:1])
    hellos_ms = []
    for now_ms in range(3000):
        if rig.bus.data_to_send(now_ms):
            hellos_ms.append(now_ms)
            rig.bus.receive(b"\0junk\0", now_ms + 1)
    assert hellos_ms[:6] == [0, 21, 42, 63, 84, 84 + 21 + 2000]


def test_dead_bus_tells_silence_within_the_exits_patience():
    rig = Rig()
    rig.run(300)
    begin_ms = rig.now_ms
    rig.devices = {}
    rig.heard.clear()
    while len(rig.heard) < 3:
        rig.turn()
    assert rig.now_ms - begin_ms < 3 * MISSES_MAX * REPLY_MS + 500


def test_junk_is_counted_and_forgotten():
    rig = Rig()
    rig.run(300)
    dice = random.Random(7)
    for _ in range(300):
        rig.take(rig.bus.receive(dice.randbytes(dice.randrange(600)), rig.now_ms))
    assert rig.bus.counters.noise > 300
    rig.plate(EXIT_UID, "A")
    rig.run(500)
    assert rig.plates(EXIT_UID) == ["A"]


def test_passing_is_told_once_over_a_restart_of_all():
    rig = Rig()
    rig.run(300)
    rig.lane.loop(0, True, rig.node_ms, rig.node_ms)
    rig.bus.command(OpenBarrier("exit-1"), rig.now_ms)
    rig.run(200)
    rig.lane.loop(1, True, rig.node_ms, rig.node_ms)
    rig.lane.loop(0, False, rig.node_ms, rig.node_ms)
    rig.lane.loop(1, False, rig.node_ms, rig.node_ms)
    rig.restart_node(EXIT_UID)
    rig.restart_gateway()
    rig.segment = Segment(lambda: tuple(rig.devices.values()), down=Noise(rig.dice), up=Noise(rig.dice))
    rig.settle()
    assert [type(event) for event in rig.journal[EXIT_UID]] == [VehiclePassed]
