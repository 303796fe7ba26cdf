"""A lane and a bay node through a working day, as a transcript. Runs on both interpreters, which must print the same.

Hello, events, commands, repeats, forgeries, self-opening, power cuts, a full queue: what goes in is written here,
what comes out is printed byte for byte.
"""

import binascii

from firmware import wire
from firmware.bay import BayNode
from firmware.cipher import Cipher
from firmware.lane import ARRIVAL, EXIT, FIRE, HELP, MAINS, SAFETY, LaneNode

try:
    from cryptolib import aes
except ImportError:
    from sim.aes import Aes as aes

cipher = Cipher(aes)
SITE = bytes(range(16))
LANE_UID = b"\x1e\x0f\0\0\0\0\xc0\xa1"
BAY_UID = b"\xba\x7f\0\0\0\0\xc0\xb2"


class Cut(Exception):
    pass


class Memory:
    def __init__(self, size):
        self.size = size
        self.cut_after = -1
        self.bytes = bytearray(size)

    def read(self, offset, count):
        return bytes(self.bytes[offset : offset + count])

    def write(self, offset, data):
        for i in range(len(data)):
            if self.cut_after == 0:
                raise Cut
            self.cut_after -= 1
            self.bytes[offset + i] = data[i]


class Nonces:
    def __init__(self, first):
        self.count = first

    def __call__(self):
        self.count += 1
        return self.count.to_bytes(8, "little")


class Gateway:
    """Just enough of a gateway to speak first."""

    def __init__(self, node, address, uid, epoch):
        self.node = node
        self.address = address
        self.key = wire.node_key(cipher, SITE, uid)
        self.epoch = epoch
        self.hellos = 0
        self.counter = 0

    def ask(self, data, now_ms):
        reply = self.node.receive(data, now_ms, now_ms)
        print(now_ms, binascii.hexlify(data).decode(), "->", binascii.hexlify(reply).decode())
        return wire.parse(reply[1:-1]) if reply else None

    def hello(self, session, now_ms):
        self.hellos += 1
        nonce = bytes([session]) * 8
        head = (wire.HELLO, self.address, session, self.hellos)
        frame = self.ask(wire.seal(cipher, self.key, b"", head, wire.pack_hello(self.epoch, nonce)), now_ms)
        welcome = wire.unpack_welcome(wire.unseal(cipher, self.key, b"", frame))
        self.log = welcome.log
        self.session = session
        self.counter = 0
        self.keys = wire.session_keys(cipher, self.key, welcome.nonces, welcome.boot, self.address, session)

    def sealed(self, kind, payload):
        self.counter += 1
        return wire.seal(cipher, self.keys[0], self.keys[1], (kind, self.address, self.session, self.counter), payload)

    def poll(self, ack, credit, now_ms):
        frame = self.ask(self.sealed(wire.POLL, wire.pack_poll(self.log, ack, credit)), now_ms)
        pending, status, uptime_ms, events = wire.unpack_data(wire.unseal(cipher, self.keys[0], self.keys[1], frame))
        print(" pending", pending, "status", status, "uptime", uptime_ms)
        for e in events:
            print(" event", e.seq, e.age_ms, e.kind, e.port, e.value, binascii.hexlify(e.extra).decode())

    def command(self, number, op, expires_ms, rest, now_ms):
        frame = self.ask(self.sealed(wire.CMD, wire.pack_command(number, op, 0, expires_ms, rest)), now_ms)
        print(" result", wire.unpack_result(wire.unseal(cipher, self.keys[0], self.keys[1], frame)))


def tell(node):
    c = node.counters
    refused = (c.noise, c.crc, c.foreign, c.echo, c.version, c.session, c.mac, c.stale, c.form, c.repeats, c.expired)
    print(" lane", node.state, node.raised, node.pending, node.opened, node.self_opened, node.text, refused)


def make_lane(memory, boot):
    key = wire.node_key(cipher, SITE, LANE_UID)
    return LaneNode(1, LANE_UID, key, cipher, memory=memory, role=EXIT, boot=boot, nonce=Nonces(boot * 1000))


def lane_day(memory):
    lane = make_lane(memory, 1)
    gateway = Gateway(lane, 1, LANE_UID, 3)
    gateway.hello(9, 10)
    gateway.poll(0, 18, 20)
    lane.contact(MAINS, True, 30, 30)
    lane.position(0, 40, 40)
    lane.loop(ARRIVAL, True, 100, 100)
    lane.plate("浙A12345", 1, 0, 0, 97, 700, 700)
    gateway.poll(0, 18, 720)
    gateway.poll(3, 18, 740)
    gateway.command(1, wire.OPEN, 5000, b"", 760)
    gateway.command(1, wire.OPEN, 5000, b"", 780)
    gateway.command(2, wire.SHOW, 5000, b"\1" + "一路平安".encode(), 800)
    gateway.command(3, wire.SHOW, 5000, b"\1\xff\xfe", 820)
    gateway.command(4, wire.OPEN, 800, b"", 840)
    gateway.command(5, 77, 5000, b"", 860)
    tell(lane)
    for value, now_ms in ((2, 900), (1, 1900)):
        lane.position(value, now_ms, now_ms)
    lane.loop(SAFETY, True, 3000, 3000)
    lane.loop(ARRIVAL, False, 3100, 3100)
    tell(lane)
    lane.loop(SAFETY, False, 4000, 4000)
    tell(lane)
    poll = gateway.sealed(wire.POLL, wire.pack_poll(gateway.log, 3, 1))
    for bad in (poll[:-3] + b"\0", poll.replace(poll[9:10], b"\x77"), poll, poll, poll[1:-1], b"\0" + poll[5:]):
        gateway.ask(bad, 4100)
    tell(lane)
    lane.plate("浙A99999", 1, 0, 0, 60, 5000, 5000)
    print(" wake", lane.wake_ms(5000))
    lane.run(6999, 6999)
    tell(lane)
    lane.run(7000, 7000)
    tell(lane)


def lane_after_cuts(memory):
    for cut in (3, 9, 40, 63):
        memory.cut_after = cut
        lane = make_lane(memory, 2)
        try:
            lane.contact(HELP, True, 10, 10)
        except Cut:
            print(" cut after", cut)
        memory.cut_after = -1
    lane = make_lane(memory, 3)
    lane.position(1, 0, 0)
    print(" wake", lane.wake_ms(50))
    lane.run(50, 50)
    tell(lane)
    gateway = Gateway(lane, 1, LANE_UID, 4)
    gateway.hello(10, 100)
    gateway.poll(0, 18, 150)
    lane.contact(FIRE, True, 200, 200)
    tell(lane)
    lane.contact(FIRE, False, 300, 300)
    gateway.poll(lane.sent_seq, 18, 400)
    tell(lane)
    print(" memory", binascii.crc32(bytes(memory.bytes)))


def bay_day():
    key = wire.node_key(cipher, SITE, BAY_UID)
    bay = BayNode(2, BAY_UID, key, cipher, ports=16, boot=77, nonce=Nonces(5))
    bay.bay(15, True, 0, 0)
    gateway = Gateway(bay, 2, BAY_UID, 3)
    gateway.hello(1, 10)
    gateway.poll(0, 18, 20)
    for i in range(70):
        bay.bay(i % 16, i // 16 % 2 == 0, 30 + i, 30 + i)
    print(" pending", bay.pending)
    gateway.poll(1, 18, 200)
    gateway.poll(bay.sent_seq, 18, 300)
    gateway.command(1, wire.OPEN, 5000, b"", 400)


memory = Memory(64 + 16 * 64)
lane_day(memory)
lane_after_cuts(memory)
bay_day()
print("day over")
