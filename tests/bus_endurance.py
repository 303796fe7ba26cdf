"""How much the bus endures: python -m tests.bus_endurance --events 20000 --buses 4.

Every node is a board of its own on the real MicroPython; the gateway's half is the real port, bus and line in a process of its
own that commits each event to SQLite before it is acknowledged. All the while one byte in a hundred is flipped, nodes lose
their power, the gateway is killed, and each wire is cut once. At the end the committed events are held against what was done
to the pins. Exit 0 if no lane event was lost or doubled and no bay event went in silence, 1 with the seed and the command that
repeats it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from firmware import wire
from firmware.cipher import Cipher
from gateway.bus_line import BusLine
from gateway.config import BusPart
from gateway.core.events import BayChanged, BaysReported, BusEvent, EventsLost, NodeEvent, PlateRead
from gateway.core.layout import BayNode, LaneNode, LaneRole, Node
from gateway.core.moment import Moment
from gateway.shell.clock import SystemClock
from sim.aes import Aes
from sim.board import BayBoard, LaneBoard
from sim.hub import Hub

FLIP = 0.01
"""Share of the bytes that one bit is flipped in, each way."""
SITE_KEY = bytes(range(16))
PORTS = 8
SAMPLE_MS = 2
PLATE_EVERY_S = (0.25, 1.0)
"""Ten times what a lane can really have: a car every four seconds."""
BAY_EVERY_S = (0.02, 0.2)
NODE_LIVES_S = (6.0, 30.0)
NODE_OFF_S = (0.1, 1.0)
GATEWAY_LIVES_S = (3.0, 15.0)
QUIET_TURNS = 200
"""Bays stand still for so many rounds of each board before the end: their sensors look five times before they believe."""
SETTLE_S = 60.0
STEP_S = 0.005
FOREVER_S = 1e9


# --- the gateway's process ---------------------------------------------------------------------------------------------------


def nodes_of(bus: int) -> tuple[Node, ...]:
    """Two lanes and eight bays."""

    def uid(address: int) -> str:
        return f"{bus + 1:08x}{address:08x}"

    return (
        LaneNode(1, uid(1), f"entry-{bus}", LaneRole.ENTRY),
        LaneNode(2, uid(2), f"exit-{bus}", LaneRole.EXIT),
        BayNode(3, uid(3), tuple(f"bay-{bus}-{port}" for port in range(PORTS))),
    )


def serve(folder: Path, ports: list[str]) -> None:
    """The gateway's half of every bus, until it is killed."""
    base = sqlite3.connect(folder / "events.db", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE IF NOT EXISTS event (uid TEXT, log INT, seq INT, kind TEXT, body TEXT)")
    base.execute("CREATE TABLE IF NOT EXISTS start (hello INTEGER PRIMARY KEY AUTOINCREMENT)")
    hello = base.execute("INSERT INTO start DEFAULT VALUES").lastrowid or 0
    newest = (
        "SELECT uid, log, max(seq) FROM event WHERE rowid IN (SELECT max(rowid) FROM event GROUP BY uid) GROUP BY uid"
    )
    acked = {uid: (log, seq) for uid, log, seq in base.execute(newest)}
    lines: list[BusLine] = []

    def take(place: int, events: list[NodeEvent | BusEvent]) -> None:
        found = [event for event in events if hasattr(event, "source")]
        if not found:
            return
        base.execute("BEGIN")
        for event in found:
            source, body = event.source, asdict(event)
            del body["source"]
            row = (source.uid, source.log, source.seq, type(event).__name__, json.dumps(body, ensure_ascii=False))
            base.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", row)
        base.execute("COMMIT")
        for event in found:
            lines[place].bus.committed(event.source.uid, event.source.log, event.source.seq)

    async def run() -> None:
        for place, port in enumerate(ports):
            part = BusPart(f"bus-{place}", port, 115_200, folder / "site.key", nodes_of(place))

            def on_events(events: list[NodeEvent | BusEvent], _now: Moment, place: int = place) -> None:
                take(place, events)

            lines.append(
                BusLine(
                    part,
                    hello=hello,
                    nonce=lambda: os.urandom(8),
                    acked=acked,
                    clock=SystemClock(),
                    on_events=on_events,
                    hold=lambda: False,
                    capture=None,
                )
            )
        for line in lines:
            line.start()
        await asyncio.Event().wait()

    asyncio.run(run())


# --- the field ---------------------------------------------------------------------------------------------------------------


@dataclass
class Damage:
    """What goes over one wire: flipped bytes, or nothing while it is cut."""

    dice: random.Random
    flip: float = FLIP
    is_cut: bool = False
    flipped: int = 0
    carried: int = 0

    def carry(self, data: bytes) -> tuple[bytes, ...]:
        if self.is_cut:
            return ()
        self.carried += len(data)
        found = bytearray(data)
        for at in range(len(found)):
            if self.dice.random() < self.flip:
                found[at] ^= 1 << self.dice.randrange(8)
                self.flipped += 1
        return (bytes(found),)


@dataclass
class Done:
    """What was done to the boards of one bus: the truth. `maybe`: plates shown while the power went, that no board may know."""

    plates: dict[str, list[str]] = field(default_factory=dict)
    maybe: set[str] = field(default_factory=set)
    bays: list[bool] = field(default_factory=lambda: [False] * PORTS)
    restarts: int = 0


class Bus:
    """One bus: its boards, its wire, and what happens there by chance. `bad`: faults may befall it."""

    def __init__(self, folder: Path, place: int, dice: random.Random, lives: float) -> None:
        self.dice = dice
        self._lives = lives
        self.done = Done()
        self.damage = Damage(dice)
        entry, exit_, bays = nodes_of(place)
        cipher = Cipher(Aes)

        def settings(node: Node, **more: object) -> dict[str, object]:
            key = wire.node_key(cipher, SITE_KEY, bytes.fromhex(node.uid)).hex()
            return {"uid": node.uid, "address": node.address, "key": key, **more}

        self.lanes = {
            node.uid: LaneBoard(folder / node.uid, settings(node, board="lane", role=role))
            for node, role in ((entry, "entry"), (exit_, "exit"))
        }
        self.bays = BayBoard(folder / bays.uid, settings(bays, board="bays", ports=PORTS, floor_mm=2500))
        self.bay_uid = bays.uid
        self.boards = (*self.lanes.values(), self.bays)
        self.hub = Hub(self.boards, down=self.damage.carry, up=self.damage.carry)
        self._plate_s = dict.fromkeys(self.lanes, 0.0)
        self._bay_s = 0.0
        self._power_s = {board: lives * dice.uniform(*NODE_LIVES_S) for board in self.boards}
        self._count = 0
        for uid in self.lanes:
            self.done.plates[uid] = []

    def act(self, now_s: float, *, busy: bool, bad: bool) -> None:
        """Everything that is due now: plates and bays if `busy`, power cuts if `bad`."""
        for board in self.boards:
            if now_s >= self._power_s[board] and (bad or not board.alive):
                self._switch(board, now_s)
        if not busy:
            return
        for uid, lane in self.lanes.items():
            if now_s >= self._plate_s[uid] and lane.alive and lane.turns > 2:
                self._count += 1
                text = f"浙{self._count:07}"
                lane.plate(text, 1, 0, 0, 97, 0, 0)
                self.done.plates[uid].append(text)
                self._plate_s[uid] = now_s + self.dice.uniform(*PLATE_EVERY_S)
        if now_s >= self._bay_s:
            port = self.dice.randrange(PORTS)
            self.done.bays[port] = not self.done.bays[port]
            self.bays.bay(port, self.done.bays[port], 0, 0)
            self._bay_s = now_s + self.dice.uniform(*BAY_EVERY_S)

    def _switch(self, board: LaneBoard | BayBoard, now_s: float) -> None:
        if board.alive:
            for uid, lane in self.lanes.items():
                if lane is board:
                    self.done.maybe.update(self.done.plates[uid][-2:])
            board.power_off()
            self.done.restarts += 1
            self._power_s[board] = now_s + self.dice.uniform(*NODE_OFF_S)
        else:
            board.power_on((0, 1, SAMPLE_MS))
            self._power_s[board] = now_s + self._lives * self.dice.uniform(*NODE_LIVES_S)


@dataclass
class Campaign:
    """One run. `cut_s`: how long each wire is cut once; `lives`: how long nodes and gateway live, against the usual."""

    folder: Path
    seed: int
    events: int
    buses: int
    cut_s: float
    lives: float = 1.0
    kills: int = 0
    spent_s: float = 0.0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        dice = [random.Random(f"{self.seed} {place}") for place in range(self.buses)]
        self.field = [Bus(self.folder, place, dice[place], self.lives) for place in range(self.buses)]
        (self.folder / "site.key").write_text(SITE_KEY.hex(), encoding="ascii")
        self._gateway: subprocess.Popen[bytes] | None = None

    async def run(self) -> list[str]:
        """The whole of it; what does not hold, one line each."""
        begun_s = time.monotonic()
        for bus in self.field:
            bus.hub.open()
            for board in bus.boards:
                board.power_on((0, 1, SAMPLE_MS))
        self._start_gateway()
        await self._storm(begun_s)
        await self._calm()
        self.spent_s = time.monotonic() - begun_s
        self._stop_gateway()
        found = [line for place, bus in enumerate(self.field) for line in self._judge(place, bus)]
        for bus in self.field:
            bus.hub.close()
            for board in bus.boards:
                board.close()
        return found

    async def _storm(self, begun_s: float) -> None:
        kill_s = begun_s + self.lives * self.dice.uniform(*GATEWAY_LIVES_S)
        cuts = [begun_s + 2 + place * self.cut_s / 2 for place in range(self.buses)]
        while self.committed() < self.events or time.monotonic() < cuts[-1] + self.cut_s:
            now_s = time.monotonic()
            until_s = now_s + 1
            while now_s < until_s:
                for bus, cut_s in zip(self.field, cuts, strict=True):
                    bus.damage.is_cut = cut_s <= now_s < cut_s + self.cut_s
                    bus.act(now_s - begun_s, busy=True, bad=True)
                if now_s >= kill_s:
                    self._stop_gateway()
                    self._start_gateway()
                    self.kills += 1
                    kill_s = now_s + self.lives * self.dice.uniform(*GATEWAY_LIVES_S)
                await beat()
                now_s = time.monotonic()
            if sys.stderr.isatty():
                print(f"\r{now_s - begun_s:5.0f} s, {self.committed()} events", end="", file=sys.stderr)

    async def _calm(self) -> None:
        """Nothing more happens, on whole wires, until every board has told everything."""
        for bus in self.field:
            bus.damage.is_cut, bus.damage.flip = False, 0.0
        for bus in self.field:
            bus.act(FOREVER_S, busy=False, bad=False)
        boards = [board for bus in self.field for board in bus.boards]
        quiet = [board.turns + QUIET_TURNS for board in boards]
        end_s = time.monotonic() + SETTLE_S
        while time.monotonic() < end_s:
            if all(board.turns > turns and not board.pending for board, turns in zip(boards, quiet, strict=True)):
                return
            await beat()

    def committed(self) -> int:
        """Events in the gateway's books."""
        return int(self._rows("SELECT count(*) FROM event")[0][0])

    def _rows(self, query: str, *values: str) -> list[tuple]:
        try:
            base = sqlite3.connect(f"file:{self.folder / 'events.db'}?mode=ro", uri=True)
            try:
                return base.execute(query, values).fetchall()
            finally:
                base.close()
        except sqlite3.OperationalError:
            return [(0,)]

    def _judge(self, place: int, bus: Bus) -> list[str]:
        wrong = [f"bus {place}: {board.pending} events never acknowledged" for board in bus.boards if board.pending]
        for uid, plates in bus.done.plates.items():
            rows = self._rows("SELECT log, seq, kind, body FROM event WHERE uid = ? ORDER BY rowid", uid)
            wrong += [f"{uid}: {line}" for line in unnumbered(rows)]
            wrong += [f"{uid}: {row[3]} lost" for row in rows if row[2] == EventsLost.__name__]
            read = [json.loads(row[3])["plate"]["text"] for row in rows if row[2] == PlateRead.__name__]
            wrong += [f"{uid}: plate {text} {fault}" for text, fault in compared(plates, read, bus.done.maybe)]
        rows = self._rows("SELECT log, seq, kind, body FROM event WHERE uid = ? ORDER BY rowid", bus.bay_uid)
        wrong += [f"{bus.bay_uid}: {line}" for line in (*unnumbered(rows), *unrestored(rows))]
        state = bays_of(rows)
        wrong += [
            f"bus {place}: bay {port} is wrong" for port in range(PORTS) if state.get(port) != bus.done.bays[port]
        ]
        return wrong

    def summary(self) -> str:
        """What was endured."""
        lost = self._rows("SELECT count(*) FROM event WHERE kind = 'EventsLost'")[0][0]
        plates = sum(len(texts) for bus in self.field for texts in bus.done.plates.values())
        carried = sum(bus.damage.carried for bus in self.field)
        flipped = sum(bus.damage.flipped for bus in self.field)
        restarts = sum(bus.done.restarts for bus in self.field)
        return (
            f"seed {self.seed}: {self.committed()} events of {len(self.field) * 3} boards on {len(self.field)} buses in"
            f" {self.spent_s:.0f} s; {plates} plates; {flipped} of {carried} bytes flipped, {restarts} nodes restarted, gateway"
            f" killed {self.kills} times, each wire cut for {self.cut_s:.0f} s; {lost} losses of bay nodes told as such"
        )

    def _start_gateway(self) -> None:
        command = [sys.executable, "-m", "tests.bus_endurance", "--serve", str(self.folder)]
        with (self.folder / "gateway.log").open("ab") as log:
            self._gateway = subprocess.Popen([*command, *(bus.hub.slave for bus in self.field)], stdout=log, stderr=log)

    def _stop_gateway(self) -> None:
        if self._gateway is not None:
            self._gateway.kill()
            self._gateway.wait()


async def beat() -> None:
    """Real boards need real time: until the next look at them."""
    later = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(STEP_S, later.set_result, None)
    await later


# --- the judgement -----------------------------------------------------------------------------------------------------------


def unnumbered(rows: list[tuple]) -> list[str]:
    """Numbers of a node that are missing or came twice: within a log they must be 1, 2, 3, ..., a loss standing for its own."""
    wrong = []
    last: dict[int, int] = {}
    for log, seq, kind, body in rows:
        first = json.loads(body)["first"] if kind == EventsLost.__name__ else seq
        expected = last.get(log, 0) + 1
        if first != expected:
            wrong.append(f"log {log}: {kind} {first} came, {expected} was due")
        last[log] = seq
    return wrong


def unrestored(rows: list[tuple]) -> list[str]:
    """Losses and new logs of a bay node that no snapshot followed."""
    open_ = ""
    before = None
    for log, seq, kind, _ in rows:
        if kind == EventsLost.__name__ or log != before:
            open_ = f"log {log}, number {seq}"
        if kind == BaysReported.__name__:
            open_ = ""
        before = log
    return [f"no snapshot after {open_}"] if open_ else []


def bays_of(rows: list[tuple]) -> dict[int, bool]:
    """What the committed events say of each port."""
    state: dict[int, bool] = {}
    for _, _, kind, text in rows:
        body = json.loads(text)
        if kind == BaysReported.__name__:
            state.update({int(bay.rsplit("-", 1)[1]): level for bay, level in body["bays"]})
        elif kind == BayChanged.__name__:
            state[int(body["bay"].rsplit("-", 1)[1])] = body["occupied"]
    return state


def compared(shown: list[str], read: list[str], maybe: set[str]) -> list[tuple[str, str]]:
    """Plates lost, doubled or out of order; one of `maybe` may be missing."""
    wrong = [(text, "lost") for text in shown if text not in set(read) and text not in maybe]
    wrong += [(text, "doubled") for text in set(read) if read.count(text) > 1]
    order = [text for text in shown if text in set(read)]
    return wrong or ([] if order == read else [("order", "wrong")])


def main(argv: list[str] | None = None) -> int:
    """Exit 0 if all held."""
    parser = argparse.ArgumentParser(prog="python -m tests.bus_endurance", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="events at least (default 20000)")
    parser.add_argument("--buses", type=int, default=4, help="buses of two lanes and eight bays each (default 4)")
    parser.add_argument("--cut-s", type=float, default=60.0, help="seconds that each wire is cut (default 60)")
    parser.add_argument("--lives", type=float, default=1.0, help="how long nodes and gateway live, against the usual")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    if asked.serve:
        serve(Path(asked.serve[0]), asked.serve[1:])
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(Path(folder), asked.seed, asked.events, asked.buses, asked.cut_s, asked.lives)
        wrong = asyncio.run(campaign.run())
        print(campaign.summary())
    for line in wrong[:20]:
        print(line)
    if wrong:
        print(f"{len(wrong)} faults; again: python -m tests.bus_endurance --seed {asked.seed} --events {asked.events}")
        return 1
    print("0 lane events lost, 0 doubled, no bay event lost in silence")
    return 0


if __name__ == "__main__":
    sys.exit(main())
