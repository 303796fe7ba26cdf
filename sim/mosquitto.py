"""Debian's mosquitto, fetched into a folder without installing it: `python -m sim.mosquitto FOLDER` prints its path."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from sim.debian import fetch

START = "mosquitto"


def find_mosquitto() -> Path | None:
    """The program fetched into this interpreter's environment, or the machine's own, or None."""
    fetched = Path(sys.prefix) / "mosquitto" / START
    if fetched.exists():
        return fetched
    installed = shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/opt/homebrew/sbin")
    return Path(installed) if installed else None


def fetch_mosquitto(folder: Path) -> Path:
    """Path of a start script for mosquitto inside `folder`; fetched once. RuntimeError when the packages cannot be had."""
    return fetch(START, "usr/sbin/mosquitto", folder)


if __name__ == "__main__":
    print(fetch_mosquitto(Path(sys.argv[1])))
