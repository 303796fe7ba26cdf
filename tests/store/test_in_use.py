"""Another process with the ledger open, and none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gateway.store.in_use import in_use
from gateway.store.journal import Journal

HOLDER = """
import sys
from pathlib import Path
from gateway.store.journal import Journal
journal = Journal(Path(sys.argv[1]), chain="c", instance="i")
print("open", flush=True)
sys.stdin.read()
"""


def test_a_gateway_that_idles_is_seen_and_one_that_ended_is_not(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Journal(path, chain="c", instance="i").close()
    assert not in_use(path)
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        assert in_use(path)
        holder.communicate()
    assert not in_use(path)
