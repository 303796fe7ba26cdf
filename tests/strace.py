"""Where strace is: the machine's own, or Debian's fetched into the environment by `python -m tests.strace FOLDER`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from sim.debian import fetch

PROGRAM = "strace"


def strace_program() -> str:
    """Its path. RuntimeError if there is none: a test that needs it must fail, not pass unseen."""
    fetched = Path(sys.prefix) / PROGRAM / PROGRAM
    found = str(fetched) if fetched.exists() else shutil.which(PROGRAM)
    if found is None:
        raise RuntimeError(f"no strace: run python -m tests.strace {fetched.parent}")
    return found


if __name__ == "__main__":
    print(shutil.which(PROGRAM) or fetch(PROGRAM, "usr/bin/strace", Path(sys.argv[1])))
