"""The demo from outside, in the small: a counted day, a planted loss, an input that cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DAY = "timestamp,free\n2026-03-03T09:00,5\n2026-03-03T09:20,1\n2026-03-03T09:50,4\n"


def demo(folder: Path, *words: str) -> tuple[int, dict[str, object], str]:
    """Exit code, summary and output of a run with few cars at a high pace."""
    summary = folder / "out.json"
    command = [sys.executable, "-m", "sim.demo", "--dir", str(folder / "site"), "--json", str(summary), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    return done.returncode, json.loads(summary.read_text()) if summary.exists() else {}, done.stdout + done.stderr


def test_a_counted_day_with_a_planted_loss_fails(tmp_path: Path) -> None:
    rows = tmp_path / "day.csv"
    rows.write_text(DAY)
    words = ("--occupancy", str(rows), "--scale", "600", "--bays", "8", "--plant", "lose")
    code, summary, output = demo(tmp_path, *words)
    assert code == 1, output
    assert (summary["cars"], summary["lost"], summary["doubled"]) == (7, 1, 0), output
    assert "1 stays are lost" in output


def test_a_day_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    rows = tmp_path / "day.csv"
    rows.write_text("timestamp,free\nnoon,5\n")
    code, _, output = demo(tmp_path, "--occupancy", str(rows))
    assert code == 2
    assert "line 2: 'noon' is no ISO 8601 time" in output
