"""A node's end of the bus, asked by a gateway made here of wire calls alone: what it answers and what it meets with silence."""

from __future__ import annotations

import pytest

from firmware import wire
from firmware.cipher import Cipher
from firmware.log import RamLog
from firmware.node import RESULTS_MAX, BusEnd
from sim.aes import Aes

KEY = bytes(range(16))
UID = b"\x1e\x0f\0\0\0\0\xc0\xa1"
CIPHER = Cipher(Aes)


class Asker:
    """A gateway's questions to one node at address 5."""

    def __init__(self):
        self.done = []
        self.log = RamLog(77)
        welcome = wire.Welcome(nonces=b"", uid=UID, boot=77, log=77, kind=1, ports=2, version=1, build=1)
        self.count = 0
        self.node = BusEnd(welcome, 5, KEY, CIPHER, log=self.log, nonce=self.nonce, execute=self.execute)
        self.sessions = {}

    def nonce(self):
        self.count += 1
        return self.count.to_bytes(8, "big")

    def execute(self, op, rest, now_ms, stamp_ms):
        self.done.append((op, rest, now_ms, stamp_ms))
        return wire.DONE if op == wire.OPEN else wire.UNKNOWN

    def hello(self, session, *, epoch=1, counter=1, key=KEY):
        frame = wire.seal(CIPHER, key, b"", (wire.HELLO, 5, session, counter), wire.pack_hello(epoch, bytes(8)))
        reply = self.node.receive(frame, 0, 0)
        if not reply:
            return frame, None
        answer = wire.parse(reply[1:-1])
        welcome = wire.unpack_welcome(wire.unseal(CIPHER, KEY, b"", answer))
        assert (answer.type, answer.address, answer.session, answer.counter) == (wire.HELLO_R, 0x85, session, counter)
        assert welcome.nonces[:8] == bytes(8)
        self.sessions[session] = wire.session_keys(CIPHER, KEY, welcome.nonces, 77, 5, session)
        return frame, welcome

    def frame(self, session, counter, *, kind=wire.POLL, payload=None, address=5):
        payload = wire.pack_poll(77, 0, 18) if payload is None else payload
        return wire.seal(CIPHER, *self.sessions[session], (kind, address, session, counter), payload)

    def ask(self, session, counter, *, now_ms=0, **parts):
        """The payload of the answer, or None for silence."""
        reply = self.node.receive(self.frame(session, counter, **parts), now_ms, now_ms)
        if not reply:
            return None
        answer = wire.parse(reply[1:-1])
        assert (answer.address, answer.session, answer.counter) == (0x85, session, counter)
        return wire.unseal(CIPHER, *self.sessions[session], answer)

    def command(self, counter, number, *, op=wire.OPEN, expires_ms=1000, now_ms=0):
        payload = wire.pack_command(number, op, 0, expires_ms, b"")
        answer = self.ask(1, counter, kind=wire.CMD, payload=payload, now_ms=now_ms)
        return answer and wire.unpack_result(answer)


@pytest.fixture
def asker():
    asker = Asker()
    asker.hello(1)
    assert asker.ask(1, 1) is not None
    return asker


# epoch, counter of a second hello after (2, 5)                      | answered
@pytest.mark.parametrize(
    ("epoch", "counter", "answered"),
    [(2, 6, True), (3, 1, True), (2, 5, False), (2, 4, False), (1, 9, False), (0, 0, False)],
)
def test_hello_must_be_newer_than_every_hello_before(epoch, counter, answered):
    asker = Asker()
    asker.hello(1, epoch=2, counter=5)
    assert (asker.hello(2, epoch=epoch, counter=counter)[1] is not None) == answered
    assert asker.node.counters.stale == (not answered)


def test_running_session_lives_until_the_first_poll_of_the_new_one(asker):
    asker.hello(2, counter=2)
    assert asker.ask(1, 2) is not None
    assert asker.ask(2, 1) is not None
    assert asker.ask(1, 3) is None
    assert asker.node.counters.session == 1


def test_offered_session_of_the_same_number_does_not_hide_the_running_one(asker):
    running = asker.sessions[1]
    asker.hello(1, epoch=2)
    offered, asker.sessions[1] = asker.sessions[1], running
    assert asker.ask(1, 2) is not None
    asker.sessions[1] = offered
    assert asker.ask(1, 1) is not None


def test_command_cannot_open_a_session(asker):
    asker.hello(2, counter=2)
    payload = wire.pack_command(1, wire.OPEN, 0, 1000, b"")
    assert asker.ask(2, 1, kind=wire.CMD, payload=payload) is None
    assert asker.done == []


def test_silence_and_its_reasons(asker):
    good = asker.frame(1, 2)
    other = wire.seal(CIPHER, *asker.sessions[1], (wire.POLL, 6, 1, 3), wire.pack_poll(77, 0, 1))
    echo = wire.seal(CIPHER, *asker.sessions[1], (wire.DATA, 0x85, 1, 3), wire.pack_data(0, 0, 0, b""))
    forged = wire.seal(CIPHER, bytes(16), bytes(16), (wire.POLL, 5, 1, 3), wire.pack_poll(77, 0, 1))
    for frame, reason in (
        (b"\0" + good[1:-2] + b"\0", "noise"),
        (good[:12] + bytes([good[12] ^ 1 or 2]) + good[13:], "crc"),
        (other, "foreign"),
        (echo, "echo"),
        (forged, "mac"),
        (asker.hello(9, counter=9, key=bytes(16))[0], "mac"),
        (asker.frame(1, 1), "stale"),
        (asker.frame(1, 9, payload=b"12345678"), "form"),
        (asker.frame(1, 10, kind=wire.CMD, payload=b"1234567"), "form"),
        (asker.frame(1, 11, kind=wire.DATA), "form"),
        (wire.seal(CIPHER, KEY, b"", (wire.HELLO, 5, 0, 99), wire.pack_hello(9, bytes(8))), "form"),
    ):
        before = getattr(asker.node.counters, reason)
        assert asker.node.receive(frame, 0, 0) == b""
        assert getattr(asker.node.counters, reason) == before + 1, reason


def test_repeated_command_is_answered_and_not_executed(asker):
    assert [asker.command(counter, 1) for counter in (2, 3, 4)] == [(1, wire.DONE)] * 3
    assert len(asker.done) == 1
    for number in range(2, 2 + RESULTS_MAX):
        asker.command(3 + number, number)
    assert asker.command(20, 2) == (2, wire.DONE)
    assert len(asker.done) == 1 + RESULTS_MAX


def test_commands_of_an_older_gateway_are_no_repeats(asker):
    asker.command(2, 1)
    asker.hello(1, epoch=2)
    asker.ask(1, 1)
    asker.command(2, 1)
    assert len(asker.done) == 2


# now      | expires   | result
@pytest.mark.parametrize(
    ("now_ms", "expires_ms", "result"),
    [
        (1000,        1000,  wire.DONE),
        (1001,        1000,  wire.EXPIRED),
        (2**32 - 5,   10,    wire.DONE),
        (2**32 + 11,  10,    wire.EXPIRED),
        (2**32 + 10,  10,    wire.DONE),
    ],
)  # fmt: skip
def test_expiry_over_the_wrap_of_the_uptime(asker, now_ms, expires_ms, result):
    assert asker.command(2, 1, expires_ms=expires_ms, now_ms=now_ms) == (1, result)
    assert len(asker.done) == (result == wire.DONE)


@pytest.mark.parametrize(
    ("credit", "seqs", "pending"),
    [(0, [], 30), (1, [1], 29), (18, list(range(1, 19)), 12), (255, list(range(1, 19)), 12)],
)
def test_credit_and_frame_bound_a_reply(asker, credit, seqs, pending):
    for _ in range(30):
        asker.log.append(77, 0, wire.BAY, 0, 1)
    left, _, _, events = wire.unpack_data(asker.ask(1, 2, payload=wire.pack_poll(77, 0, credit)))
    assert ([event.seq for event in events], left) == (seqs, pending)
    assert asker.node.sent_seq == (seqs or [0])[-1]


def test_acknowledgement_counts_for_its_own_log_only(asker):
    for _ in range(3):
        asker.log.append(77, 0, wire.BAY, 0, 1)
    for counter, log, ack, acked in ((2, 76, 2, 0), (3, 77, 2, 2), (4, 77, 1, 2), (5, 77, 9, 2)):
        asker.ask(1, counter, payload=wire.pack_poll(log, ack, 18))
        assert asker.log.acked == acked


def test_everything_lost_is_one_event():
    asker = Asker()
    asker.hello(1)
    for _ in range(5):
        asker.log.append(77, 0, wire.BAY, 0, 1)
    asker.log.drop_oldest()
    pending, _, _, (event,) = wire.unpack_data(asker.ask(1, 1))
    assert (pending, event.kind, event.seq, event.extra) == (0, wire.LOST, 5, wire.pack_lost(1, 5))


def test_a_long_absence_is_told_without_a_long_search(asker):
    asker.log.last = 4 * 10**9
    asker.log.append(77, 0, wire.BAY, 0, 1)
    lost, event = wire.unpack_data(asker.ask(1, 2))[3]
    assert (lost.extra, event.seq) == (wire.pack_lost(1, 4 * 10**9), 4 * 10**9 + 1)


def test_ages_are_of_this_boots_clock(asker):
    asker.log.append(77, 100, wire.BAY, 0, 1)
    asker.log.append(77, 900, wire.BAY, 0, 0)
    asker.log.append(76, 999_999, wire.BAY, 2, 1)
    events = wire.unpack_data(asker.ask(1, 2, now_ms=500))[3]
    assert [(event.age_ms, event.port) for event in events] == [(400, 0), (0, 0), (500, 2 | wire.EARLY)]


def test_two_frames_at_once_get_the_last_ones_answer(asker):
    reply = asker.node.receive(asker.frame(1, 2) + asker.frame(1, 3), 0, 0)
    assert wire.parse(reply[1:-1]).counter == 3


@pytest.mark.parametrize("address", [0, 128])
def test_address_out_of_range(address):
    with pytest.raises(ValueError, match="address"):
        BusEnd(wire.Welcome(nonces=b"", uid=UID, boot=1, log=1, kind=1, ports=1, version=1, build=1), address, KEY, CIPHER,
               log=RamLog(1), nonce=bytes, execute=lambda *_: 0)  # fmt: skip
