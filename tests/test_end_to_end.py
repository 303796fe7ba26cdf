"""Everything real: gateway process, pseudo-terminals, node code, SQLite, broker, city process; killed once, cut off once."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.verifier import main as verify

CARS = 16
SCALE = 600
LIMIT_S = 120
BOARDS = ("--nodes", "board", "--bays", "16", "--scale", "240")
"""Each node a process of its own on the board's interpreter, felt and moved through its pins; slower, since contacts bounce."""


def demo(folder: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run the demo; exit code, its JSON, its output."""
    out = folder / "out.json"
    command = [sys.executable, "-m", "sim.demo", "--cars", str(CARS), "--scale", str(SCALE), "--json", str(out)]
    done = subprocess.run(
        [*command, "--dir", str(folder / "site"), *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return (
        done.returncode,
        json.loads(out.read_text(encoding="utf-8")) if out.exists() else {},
        done.stdout + done.stderr,
    )


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize(("broker", "nodes"), [("embedded", "host"), ("mosquitto-tls", "board")])
def test_truth_ledger_and_city_agree(tmp_path: Path, broker: str, nodes: str) -> None:
    if nodes == "board" and platform.machine() != "x86_64":
        pytest.skip("the board's interpreter is made for x86-64 only")
    words = BOARDS if nodes == "board" else ()
    code, found, text = demo(tmp_path, "--broker", broker, "--seed", "11", *words)
    assert code == 0, text
    assert (found["cars"], found["settled"], found["lost"], found["doubled"]) == (CARS, CARS, 0, 0)
    assert found["owed_truth_minor"] == found["owed_ledger_minor"] == found["owed_city_minor"] > 0
    assert found["records"] == found["receipted"] > 3 * CARS
    assert (found["broker_outages"], found["kills"], found["chain_ok"]) == (1, 1, True)
    assert 0 < found["exit_latency_ms"]["p50"] <= found["exit_latency_ms"]["p99"]
    site = tmp_path / "site"
    assert verify([str(site / "ledger.export"), "--anchor", str(site / "city.pub")]) == 0
    assert verify([str(site / "ledger.export")]) == 3


@pytest.mark.timeout(LIMIT_S)
def test_a_citys_own_protocol_beside_ours(tmp_path: Path) -> None:
    code, found, text = demo(tmp_path, "--city", "hangzhou", "--seed", "11")
    assert code == 0, text
    assert (found["lost"], found["doubled"], found["kills"]) == (0, 0, 1)
    books = json.loads((tmp_path / "site/hangzhou/books.json").read_text(encoding="utf-8"))
    assert (books["totals"]["visits"], books["totals"]["unconfirmed"], books["totals"]["away"]) == (CARS, 0, 1)
    # Pushes came doubled, some under another request, and each result was pushed before its call was answered.
    assert books["counts"]["doubled"] > 0
    assert books["counts"]["result first"] == books["totals"]["bills"] > 0


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize(
    ("plant", "told"),
    [
        ("lose", "settled"),
        ("double", "the truth owes"),
        ("overcharge", "the truth owes"),
    ],
)
def test_a_planted_fault_is_noticed(tmp_path: Path, plant: str, told: str) -> None:
    code, _, text = demo(tmp_path, "--plant", plant, "--seed", "11")
    assert code == 1, text
    assert told in text
