"""The shared files on the board's interpreter: same vectors, same transcript, compiled within a size budget."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOARD = Path(__file__).resolve().parent / "board"
TOOLS = Path(sys.executable).parent
MPY_BYTES_MAX = 36_000
"""All files of the firmware together; an RP2040 has 264 kB of RAM for everything, and a Pico's flash has 1.4 MB for files."""
HEAP = "256k"
"""Objects are twice as big on a 64-bit host, so this is a harsh test."""


def run(command, *arguments):
    environment = dict(os.environ, PYTHONPATH=str(ROOT), MICROPYPATH=str(ROOT))
    done = subprocess.run(
        [*command, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def micropython():
    tool = TOOLS / "micropython"
    if platform.machine() != "x86_64":
        pytest.skip("the interpreter's wheel is made for x86-64 only")
    return [str(tool), "-X", f"heapsize={HEAP}"]


def test_is_the_other_interpreter(micropython, tmp_path):
    script = tmp_path / "name.py"
    script.write_text("import sys\nprint(sys.implementation[0])\n")
    assert run(micropython, script) == "micropython\n"


@pytest.mark.parametrize(
    ("script", "arguments", "last"),
    [("vectors.py", [ROOT / "seeds" / "wire"], "all read"), ("scenario.py", [], "day over")],
)
def test_both_interpreters_print_the_same(micropython, script, arguments, last):
    ours = run([sys.executable], BOARD / script, *arguments)
    assert ours.splitlines()[-1] == last
    assert run(micropython, BOARD / script, *arguments) == ours


def test_compiles_within_the_budget(tmp_path):
    tool = TOOLS / "mpy-cross"
    total = 0
    for source in sorted((ROOT / "firmware").glob("*.py")):
        target = tmp_path / f"{source.stem}.mpy"
        run([str(tool)], "-march=armv6m", "-o", target, source)
        total += target.stat().st_size
    assert total <= MPY_BYTES_MAX, total
