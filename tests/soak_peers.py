"""The full figures of docs/PEERS.md: python -m tests.soak_peers --silent-s 30 --backlog 50000 --rows 1000000 --rounds 100.

One line for each row of the table that a longer run can say more of than the tests do. Exit 1 if one of them does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gateway.shell import broker_client
from gateway.shell.mqtt import WINDOW
from tests import peers_backlog
from tests.peers import cut_again_and_again, drained, failed_connects, refused_link, signalled, silent_link

PARTS = 12
"""Bursts of events that an outage's scenario makes."""
START_MAX_S = 60
START_BYTES_MAX = 64 << 20


def silent(folder: Path, options: argparse.Namespace) -> tuple[bool, str]:
    """R1."""
    burst = int(options.silent_s * 10)
    found = asyncio.run(silent_link(folder, silent_s=options.silent_s, burst=burst))
    holds = found.records == 2 + PARTS * burst
    return (
        holds,
        f"silent for {options.silent_s:g} s: {found.records} records, the city has all {found.recovered_s:.1f} s later",
    )


def refused(folder: Path, options: argparse.Namespace) -> tuple[bool, str]:
    """R2."""
    burst = int(options.silent_s * 10)
    found = asyncio.run(refused_link(folder, refused_s=options.silent_s, burst=burst))
    holds = found.records == 2 + PARTS * burst
    return (
        holds,
        f"refused for {options.silent_s:g} s: {found.records} records, the city has all {found.recovered_s:.1f} s later",
    )


def storm(folder: Path, options: argparse.Namespace) -> tuple[bool, str]:
    """R3."""
    broker_client.RECONNECT_MIN_S = 0
    found = asyncio.run(cut_again_and_again(folder, backlog=options.backlog // 5, every_s=0.2, cuts=25))
    holds = found.most_under_way <= WINDOW
    told = f"{found.records} records over {found.connections} connections, at most {found.most_under_way} publishes under way"
    return holds, told


def signals(folder: Path, options: argparse.Namespace) -> tuple[bool, str]:
    """R5."""
    found = asyncio.run(signalled(folder, signal.SIGTERM, rounds=options.rounds, seed=options.seed))
    holds = found.events == found.booked and not found.acknowledged_early
    return (
        holds,
        f"{options.rounds} SIGTERMs: {found.events} events, {found.booked} booked, {found.acknowledged_early} early",
    )


def drain(folder: Path, options: argparse.Namespace) -> tuple[bool, str]:
    """R12."""
    found = asyncio.run(drained(folder, backlog=options.backlog))
    return True, f"{found.records} records in {found.recovered_s:.1f} s, {found.per_s:.0f} a second"


def connects(_folder: Path, options: argparse.Namespace) -> tuple[bool, str]:
    """R14."""
    broker_client.RECONNECT_MIN_S = 0
    grown_bytes, done, threads = asyncio.run(failed_connects(options.connects))
    told = f"{done} failed connects and 100 clients thrown away: {grown_bytes / (1 << 20):.1f} MiB more, {threads} threads left"
    return grown_bytes < 5 << 20 and not threads, told


def backlog(folder: Path, options: argparse.Namespace) -> tuple[bool, str]:
    """R15."""
    peers_backlog.make(folder, options.rows)
    command = [sys.executable, "-m", "tests.peers_backlog", str(folder)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    holds = found["start_s"] < START_MAX_S and found["most_bytes"] < START_BYTES_MAX
    told = (
        f"{found['waiting']} records wait: start in {found['start_s']:.1f} s, {found['most_bytes'] / (1 << 20):.0f} MiB"
    )
    return holds, told


ROWS: dict[str, Callable[[Path, argparse.Namespace], tuple[bool, str]]] = {
    "R1": silent,
    "R2": refused,
    "R3": storm,
    "R5": signals,
    "R12": drain,
    "R14": connects,
    "R15": backlog,
}


def main(argv: list[str] | None = None) -> int:
    """Exit 0 if every row holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak_peers", description=__doc__)
    parser.add_argument("--row", choices=ROWS, help="only this row")
    parser.add_argument("--silent-s", type=float, default=30, help="how long a link is away (default 30)")
    parser.add_argument("--backlog", type=int, default=50_000, help="records that wait (default 50000)")
    parser.add_argument("--connects", type=int, default=10_000, help="failed connects (default 10000)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="records of the large ledger (default 1000000)")
    parser.add_argument("--rounds", type=int, default=100, help="signals (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="draws the signals' moments (default 1)")
    options = parser.parse_args(argv)
    failed = 0
    for row, scenario in ROWS.items():
        if options.row in (None, row):
            begun_s = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                holds, told = scenario(Path(folder).resolve(), options)
            failed += not holds
            print(f"{row:<4} {'' if holds else 'FAILED: '}{told} ({time.monotonic() - begun_s:.0f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
