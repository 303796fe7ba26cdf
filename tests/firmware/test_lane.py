"""The lane node by its outputs: tables of what happens and how the barrier stands, and a random walk that must stay safe."""

from __future__ import annotations

import random

import pytest

from firmware import lane, steps, wire
from firmware.cipher import Cipher
from firmware.lane import ARRIVAL, ENTRY, EXIT, FIRE, HELP, LAPSE_MS, MAINS, SAFETY, UNANSWERED_MS, LaneNode
from sim.aes import Aes
from sim.fram import Fram, PowerCut

NAMES = {
    wire.PLATE: "plate",
    wire.PASSED: "passed",
    wire.BACKED_OUT: "backed-out",
    wire.SELF_OPENED: "self-opened",
    wire.BARRIER: "barrier",
    wire.HELP: "help",
    wire.FIRE: "fire",
    wire.MAINS: "mains",
}


class Lane:
    """One node without a bus; commands go in where the bus would bring them."""

    def __init__(self, role=EXIT, memory=None, boot=1):
        self.now_ms = 0
        self.memory = memory or Fram(4096)
        self.node = LaneNode(
            1, bytes(8), bytes(16), Cipher(Aes), memory=self.memory, role=role, boot=boot, nonce=lambda: bytes(range(8))
        )

    def do(self, *words):
        for word in words:
            self.one(word)
        return self

    def one(self, word):
        node, now = self.node, (self.now_ms, self.now_ms)
        name, _, argument = word.partition(":")
        if name in ("on", "off"):
            node.loop({"arrival": ARRIVAL, "safety": SAFETY}[argument], name == "on", *now)
        elif name == "plate":
            node.plate(argument, 1, 0, 0, 97, *now)
        elif name == "open":
            assert node._execute(wire.OPEN, b"", *now) == wire.DONE
        elif name == "wait":
            self.now_ms += int(argument)
            node.run(self.now_ms, self.now_ms)
        elif name == "barrier":
            node.position(int(argument), *now)
        else:
            node.contact({"help": HELP, "fire": FIRE, "mains": MAINS}[name], argument == "yes", *now)

    @property
    def told(self):
        log = self.node._log
        entries = [log.read(seq) for seq in range(log.oldest(), log.last + 1)]
        return " ".join(NAMES[entry.kind] + (str(entry.value) if entry.value else "") for entry in entries)


# what happens                                                                     | told                            | arm
CASES = """
on:arrival plate:A open on:safety off:arrival                                      | plate                           | up
on:arrival plate:A open on:safety off:arrival off:safety                           | plate passed                    | down
on:arrival plate:A open off:arrival on:safety off:safety                           | plate backed-out passed         | down
on:arrival plate:A open on:safety off:safety off:arrival                           | plate passed                    | down
on:arrival plate:A off:arrival                                                     | plate backed-out                | down
on:arrival plate:A open off:arrival                                                | plate backed-out                | up
on:arrival plate:A open off:arrival wait:29999                                     | plate backed-out                | up
on:arrival plate:A open off:arrival wait:30000                                     | plate backed-out                | down
on:arrival plate:A open off:arrival wait:20000 open wait:20000                     | plate backed-out                | up
on:arrival plate:A open off:arrival wait:20000 on:arrival wait:60000               | plate backed-out                | up
on:arrival plate:A open on:safety off:arrival on:arrival plate:B off:safety        | plate plate1 passed             | down
on:arrival plate:A open on:safety off:arrival on:arrival plate:B open off:safety   | plate plate1 passed             | up
on:arrival plate:A open on:safety off:arrival plate:B off:safety wait:2000         | plate plate1 passed self-opened1 | up
on:arrival plate:A open on:safety plate:B open off:safety                          | plate plate1 passed             | up
on:arrival plate:A open on:safety off:arrival on:arrival off:arrival off:safety    | plate backed-out1 passed        | down
on:safety                                                                          |                                 | up
wait:1 on:safety                                                                   |                                 | down
wait:1 on:safety off:safety                                                        |                                 | down
wait:1 on:safety open off:safety                                                   | passed                          | down
wait:1 on:arrival on:safety off:arrival off:safety                                 |                                 | down
wait:1 on:arrival on:safety off:safety off:arrival                                 | backed-out                      | down
fire:yes                                                                           | fire1 self-opened2              | up
fire:yes on:arrival on:safety off:arrival off:safety                               | fire1 self-opened2 passed       | up
fire:yes fire:no                                                                   | fire1 self-opened2 fire         | down
wait:1 fire:yes on:safety fire:no                                                  | fire1 self-opened2 fire         | up
wait:1 fire:yes on:safety fire:no off:safety                                       | fire1 self-opened2 fire passed  | down
wait:1 on:safety fire:yes fire:no                                                  | fire1 self-opened2 fire         | up
mains:yes                                                                          | mains1                          | down
mains:yes mains:no                                                                 | mains1 mains self-opened3       | up
mains:no fire:yes mains:yes                                                        | mains self-opened3 fire1 mains1 | up
on:arrival open fire:yes fire:no                                                   | fire1 fire                      | up
help:yes help:yes help:no help:yes                                                 | help help                       | down
barrier:0 barrier:2 barrier:2 barrier:1                                            | barrier barrier2 barrier1       | down
barrier:1 wait:1                                                                   | barrier1                        | up
barrier:2 on:arrival wait:1 wait:90000                                             | barrier2                        | up
barrier:1 wait:1 wait:30000                                                        | barrier1                        | down
barrier:0 wait:1                                                                   | barrier                         | down
on:arrival plate:A wait:1999                                                       | plate                           | down
on:arrival plate:A wait:2000                                                       | plate self-opened1              | up
on:arrival plate:A wait:1500 plate:A wait:500                                      | plate plate self-opened1        | up
on:arrival plate:A off:arrival wait:2000                                           | plate backed-out                | down
on:arrival plate:A open wait:9000                                                  | plate                           | up
on:arrival plate:A wait:2000 wait:2000                                             | plate self-opened1              | up
on:arrival plate:A fire:yes wait:2000                                              | plate fire1 self-opened2        | up
plate:A wait:2000 on:safety off:safety                                             | plate self-opened1 passed       | down
"""


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_exit(case):
    happening, told, arm = (part.strip() for part in case.split("|"))
    exit_lane = Lane().do(*happening.split())
    assert (exit_lane.told, exit_lane.node.raised) == (told, arm == "up")


def test_entry_does_not_open_by_itself():
    entry = Lane(ENTRY).do("on:arrival", "plate:A", "wait:600000")
    assert (entry.told, entry.node.raised) == ("plate", False)
    assert entry.do("fire:yes").node.raised


def test_wakes_when_something_is_due_and_not_before():
    exit_lane = Lane().do("wait:1")
    assert exit_lane.node.wake_ms(10) == 10 + lane.IDLE_MS
    exit_lane.do("on:arrival", "plate:A")
    assert exit_lane.node.wake_ms(10) == 1 + UNANSWERED_MS
    exit_lane.do("off:arrival", "open")
    assert exit_lane.node.wake_ms(10) == 1 + LAPSE_MS
    assert exit_lane.node.wake_ms(99_000) == 99_000


def test_report_that_outlived_a_restart_still_opens():
    before = Lane().do("on:arrival", "plate:A", "wait:1000")
    after = Lane(memory=before.memory, boot=2).do("on:arrival")
    assert after.node.wake_ms(0) == 0
    after.do("wait:1", "wait:1999")
    assert not after.node.raised
    after.do("wait:1")
    assert (after.told, after.node.raised) == ("plate self-opened1", True)


@pytest.mark.parametrize("last", ["off:arrival", "open on:safety off:arrival off:safety"])
def test_report_that_was_settled_does_not_open_after_a_restart(last):
    before = Lane().do("on:arrival", "plate:A", *last.split())
    after = Lane(memory=before.memory, boot=2).do("wait:1", "wait:9000")
    assert not after.node.raised


def test_positions_leave_half_of_the_log_to_what_is_billed():
    exit_lane = Lane(memory=Fram(64 + 64 * 20)).do("wait:1")
    for _ in range(20):
        exit_lane.do("barrier:2", "barrier:1", "barrier:0")
    assert exit_lane.node.pending == 11
    exit_lane.do(*(f"plate:{i}" for i in range(9)))
    assert exit_lane.node.pending == 20
    assert exit_lane.told.count("plate") == 9
    assert exit_lane.told.startswith("barrier2 ")


def test_long_plate_is_cut_at_a_character():
    exit_lane = Lane().do("plate:" + "浙" * 9)
    assert exit_lane.node._log.read(1).extra[4:].decode() == "浙" * 8


@pytest.mark.parametrize(
    ("rest", "result", "text"),
    [
        (b"\x01" + "再见".encode(), wire.DONE, "再见"),
        (b"\x01", wire.DONE, ""),
        (b"\x01" + b"9" * 60, wire.DONE, "9" * 60),
        (b"\x01" + b"9" * 61, wire.REFUSED, ""),
        (b"", wire.REFUSED, ""),
        (b"\x01\xff", wire.REFUSED, ""),
    ],
)
def test_show(rest, result, text):
    node = Lane().node
    assert (node._execute(wire.SHOW, rest, 0, 0), node.text) == (result, text)
    assert node._execute(9, rest, 0, 0) == wire.UNKNOWN


WORDS = (
    "on:arrival off:arrival on:safety off:safety plate:A open wait:40 wait:2500 wait:31000 fire:yes fire:no mains:no mains:yes "
    "help:yes help:no barrier:0 barrier:1 barrier:2 barrier:3"
)


@pytest.mark.parametrize("seed", range(40))
def test_random_walk_is_safe(seed):
    print("seed", seed)
    dice, words = random.Random(seed), WORDS.split()
    walker = Lane(dice.choice((ENTRY, EXIT)), memory=Fram(64 + 64 * 8)).do("wait:1")
    under_arm = raised = False
    for _ in range(600):
        word = dice.choice(words)
        walker.do(word)
        node = walker.node
        under_arm = {"on:safety": True, "off:safety": False}.get(word, under_arm)
        assert not (raised and under_arm and word != "off:safety") or node.raised, word
        assert node.raised == (node.state in steps.UP or node._contacts[FIRE] is True or node._contacts[MAINS] is False)
        assert (node.state in (steps.BLOCKED, steps.BLOCKED_WAITING)) <= (not node.raised)
        raised = node.raised


@pytest.mark.parametrize("seed", range(20))
def test_power_cut_at_any_write(seed):
    print("seed", seed)
    dice = random.Random(seed)
    memory = Fram(64 + 64 * 60)
    logged = []
    for boot in range(1, 12):
        memory.cut_after = None
        walker = Lane(memory=memory, boot=boot)
        memory.cut_after = dice.randrange(300)
        for number in range(10):
            name = f"{boot}-{number}"
            try:
                walker.do(f"plate:{name}")
            except PowerCut:
                break
            logged.append(name)
    memory.cut_after = None
    log = Lane(memory=memory, boot=99).node._log
    entries = [log.read(seq) for seq in range(1, log.last + 1)]
    assert [entry.extra[4:].decode() for entry in entries if entry] == logged
