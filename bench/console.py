"""Must-show of the console: 1,000 gateways on one broker; start to complete picture, memory, delay from barrier to screen.

Joins Mosquitto under the production's access list, four processes of 250 gateways each logged in as itself, and the console's
own process as its user starts it. The "screen" is an open page's stream: the time from the publish of a lane's message to its
arrival there, while all gateways go on telling their occupancy. Loopback only.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway.messages import Alarm, LaneHealth, Meta, Occupancy, Presence, State
from gateway.topics import Kind, Topic
from sim.broker import MosquittoBroker
from sim.mosquitto import find_mosquitto

CITY, PASSWORD = "hz", "of-a-bench"
LANES = {"entry-1": "entry", "entry-2": "entry", "exit-1": "exit", "exit-2": "exit"}
PAUSE_S = 0.037
"""No divisor of the flush of 250 ms, so that the moves fall everywhere between two of them."""
FLEETS = 4
"""Processes: one thread of one process selects among no more than 1,024 files, and a client has three."""
OCCUPANCY_S = 10
"""Each lot tells its occupancy this often, so a hundred messages a second come from 1,000."""


def main() -> int:
    """The command; 0 when the limits are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateways", type=int, default=1000)
    parser.add_argument("--moves", type=int, default=500, help="Barriers that move while the delay is measured.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    program = find_mosquitto()
    if program is None:
        parser.error("no mosquitto: run python -m sim.mosquitto .venv/mosquitto")
    names = [f"gw-{n:04d}" for n in range(asked.gateways)]
    with tempfile.TemporaryDirectory() as folder:
        users = dict.fromkeys([*names, "console"], PASSWORD)
        broker = MosquittoBroker(program, Path(folder), city=CITY, users=users)
        (Path(folder) / "password").write_text(PASSWORD, encoding="utf-8")
        broker.start()
        fleets = [_start_fleet(broker, names[at::FLEETS], asked.moves // FLEETS) for at in range(FLEETS)]
        try:
            for fleet in fleets:
                fleet.recv()
            found = _measure(broker, fleets, Path(folder), names, asked.moves // FLEETS * FLEETS)
        finally:
            broker.stop()
    print(json.dumps(found, indent=1))
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    kept = found["complete_s"] < 2 and found["rss_mib"] < 150 and found["delay_ms"]["p99"] < 500
    return 0 if kept and found["lots"] == asked.gateways and found["missed"] == 0 else 1


def _start_fleet(broker: MosquittoBroker, names: list[str], moves: int) -> Connection:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_fleet, args=(theirs, broker.host, broker.port, names, moves), daemon=True)
    process.start()
    return ours


def _fleet(line: Connection, host: str, port: int, names: list[str], moves: int) -> None:
    """Some gateways: all retained messages, then, when told so, barriers that fail, each with its time on `line`."""
    gateways = [(name, _gateway(host, port, name)) for name in names]
    line.send(True)
    line.recv()
    begun_s = time.monotonic()
    told = moved = 0
    while moved < moves:
        due = (time.monotonic() - begun_s) * len(gateways) / OCCUPANCY_S
        while told < due:
            name, client = gateways[told % len(gateways)]
            _say(client, Topic(CITY, name, Kind.OCCUPANCY, f"lot-{name}"), _occupancy(told % 200))
            told += 1
        name, client = gateways[moved]
        line.send((name, time.monotonic()))
        _say(client, Topic(CITY, name, Kind.LANE, "exit-1"), LaneHealth("fault", "joined", _now_ms()).to_json())
        moved += 1
        # The load is a rate, which nothing else sets; a late move is timed from when it was sent, so that no race hides here.
        time.sleep(PAUSE_S * FLEETS)
    line.recv()


def _say(client: Client, topic: Topic, body: bytes) -> None:
    client.publish(str(topic), body, 0, topic.rule.retain)
    client.loop(0)


def _occupancy(taken: int) -> bytes:
    return Occupancy(200 - taken, taken, 0, 200, taken, _now_ms()).to_json()


def _gateway(host: str, port: int, name: str) -> Client:
    """One gateway, logged in as itself, with everything that it keeps retained."""
    client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTv5)
    client.username_pw_set(name, PASSWORD)
    client.connect(host, port, keepalive=600)
    at_ms = _now_ms()
    bodies = {
        Topic(CITY, name, Kind.STATE): State(Presence.ONLINE, 1, 1, "0.1.0", at_ms).to_json(),
        Topic(CITY, name, Kind.META): Meta(
            f"Lot {name}", LANES, 200, name, 1, 90, 89, "ab" * 8, "CNY", "hangzhou", "0" * 64, "0.1.0"
        ).to_json(),
        Topic(CITY, name, Kind.OCCUPANCY, f"lot-{name}"): _occupancy(115),
        **{Topic(CITY, name, Kind.LANE, lane): LaneHealth("closed", "joined", at_ms).to_json() for lane in LANES},
    }
    if name.endswith("7"):
        cause = ("silent/7", "warning", "Node 7 does not answer.", "Check cable and power.")
        bodies[Topic(CITY, name, Kind.ALARM, cause[0])] = Alarm(*cause, at_ms).to_json()
    for topic, body in bodies.items():
        client.publish(str(topic), body, 0, topic.rule.retain)
    # Without a thread for each: a turn of the loop sends what is queued.
    deadline_s = time.monotonic() + 10
    while client.want_write() or not client.is_connected():
        client.loop(0.01)
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"{name} cannot reach the broker")
    return client


def _measure(
    broker: MosquittoBroker, fleets: list[Connection], folder: Path, names: list[str], moves: int
) -> dict[str, Any]:
    begun_s = time.monotonic()
    command = [sys.executable, "-m", "gateway", "console", "--web", "--listen", "127.0.0.1:0", "--city", CITY]
    command += ["--host", broker.host, "--port", str(broker.port), "--username", "console"]
    command += ["--password-file", str(folder / "password")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as console:
        assert console.stdout is not None
        try:
            found = re.search(r"http://(\S+)/#token=(\S+)", console.stdout.readline())
            assert found is not None
            listening_s, listening_cpu_s = time.monotonic() - begun_s, _cpu_s(console.pid)
            news = _news(found[1], found[2])
            lots: set[str] = set()
            while len(lots) < len(names):
                lots |= {row["gw"] for row in next(news)["rows"] if _is_whole(row)}
            complete_s, cpu_s = time.monotonic() - begun_s, _cpu_s(console.pid)
            delays_ms = _delays(news, fleets, moves)
            return {
                "gateways": len(names),
                "lots": len(lots),
                "listening_s": round(listening_s, 2),
                "listening_cpu_s": listening_cpu_s,
                "complete_s": round(complete_s, 2),
                "complete_cpu_s": cpu_s,
                "cpu_s": _cpu_s(console.pid),
                "load": os.getloadavg()[0],
                "rss_mib": _rss_mib(console.pid),
                "moves": moves,
                "missed": moves - len(delays_ms),
                "delay_ms": _spread(delays_ms),
            }
        finally:
            console.terminate()


def _is_whole(row: dict[str, Any]) -> bool:
    """Whether all that this gateway keeps retained has arrived."""
    known = (
        row["state"] == "online" and row["total"] is not None and row["currency"] and row["lanes_known"] == len(LANES)
    )
    return bool(known and row["warning"] == int(row["gw"].endswith("7")))


def _news(host: str, token: str) -> Iterator[dict[str, Any]]:
    """What an open page hears."""
    line = http.client.HTTPConnection(host, timeout=30)
    headers = {"Content-Type": "application/json", "Origin": f"http://{host}"}
    line.request("POST", "/login", json.dumps({"token": token}), headers)
    answer = line.getresponse()
    answer.read()
    line.request("GET", "/events", headers={"Cookie": answer.headers["Set-Cookie"].split(";")[0]})
    stream = line.getresponse()
    while text := stream.readline():
        if text.startswith(b"data: "):
            yield json.loads(text[6:])


def _delays(news: Iterator[dict[str, Any]], fleets: list[Connection], moves: int) -> list[float]:
    """Let barriers fail, each of another lot, and note when the page hears of each."""
    for fleet in fleets:
        fleet.send(True)
    moved_s: dict[str, float] = {}
    heard_s: dict[str, float] = {}
    deadline_s = time.monotonic() + moves * PAUSE_S * 2 + 10
    while len(heard_s) < moves and time.monotonic() < deadline_s:
        rows = next(news)["rows"]
        now_s = time.monotonic()
        for row in rows:
            if row["lanes_bad"]:
                heard_s.setdefault(row["gw"], now_s)
    for fleet in wait(fleets, 0):
        while fleet.poll():  # type: ignore[union-attr]
            name, at_s = fleet.recv()  # type: ignore[union-attr]
            moved_s[name] = at_s
    return sorted((heard_s[name] - moved_s[name]) * 1000 for name in heard_s)


def _spread(values: list[float]) -> dict[str, int]:
    parts = {"p50": 50, "p90": 90, "p99": 99, "max": 100}
    return {name: round(values[min(len(values) - 1, len(values) * part // 100)]) for name, part in parts.items()}


def _rss_mib(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(text.split("VmHWM:")[1].split()[0]) // 1024


def _cpu_s(pid: int) -> float:
    """Processor time that the console took: what its wall time would be on a machine with nothing else to do."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _now_ms() -> int:
    return int(time.time() * 1000)


if __name__ == "__main__":
    sys.exit(main())
