"""Fetches Debian's mosquitto into a folder, without installing it: `python -m sim.mosquitto FOLDER` prints the program's path.

Downloads the package and the libraries that this machine lacks, unpacks them, and writes a small start script that finds them.
Needs no root, starts no service, and leaves the package system as it is: when its lists are empty, private ones are fetched
into the folder.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = "mosquitto"
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
    start = folder / START
    if start.exists():
        return start
    folder.mkdir(parents=True, exist_ok=True)
    apt = _usable_apt(folder.resolve())
    root = folder.resolve() / "root"
    for package in [PACKAGE, *_missing_libraries(apt)]:
        _download(apt, package, folder, root)
    program = root / "usr/sbin/mosquitto"
    libraries = ":".join(sorted({str(path.parent) for path in root.rglob("*.so*")}))
    listed = subprocess.run(
        ["ldd", str(program)], env={"LD_LIBRARY_PATH": libraries}, capture_output=True, text=True, check=True
    )
    if "not found" in listed.stdout:
        raise RuntimeError(f"libraries of mosquitto are missing:\n{listed.stdout}")
    start.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}" exec "{program}" "$@"\n')
    start.chmod(0o755)
    return start


def _usable_apt(folder: Path) -> list[str]:
    """Options for apt under which it knows the package: the system's lists, or else private ones, fetched now."""
    sandbox = ["-o", "APT::Sandbox::User=root"]
    if _run(["apt-cache", *sandbox, "show", PACKAGE]).returncode == 0:
        return sandbox
    lists, cache = folder / "lists", folder / "cache"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (cache / "archives/partial").mkdir(parents=True, exist_ok=True)
    private = [*sandbox, "-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={cache}"]
    updated = _run(["apt-get", *private, "update"])
    if _run(["apt-cache", *private, "show", PACKAGE]).returncode != 0:
        raise RuntimeError(f"apt knows no package {PACKAGE}: {updated.stderr.strip()}")
    return private


def _missing_libraries(apt: list[str]) -> list[str]:
    """Library packages that mosquitto depends on, directly or not, and that are not installed."""
    weak = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    options = [f"--no-{kind}" for kind in weak]
    listed = _run(["apt-cache", *apt, "depends", "--recurse", *options, PACKAGE])
    names = {line for line in listed.stdout.splitlines() if line.startswith("lib")}
    return sorted(name for name in names if not _is_installed(name))


def _is_installed(package: str) -> bool:
    status = _run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package])
    return "installed" in status.stdout.split()


def _download(apt: list[str], package: str, folder: Path, root: Path) -> None:
    downloads = folder / "packages" / package.replace(":", "_")
    downloads.mkdir(parents=True, exist_ok=True)
    got = _run(["apt-get", *apt, "download", package], cwd=downloads)
    archives = list(downloads.glob("*.deb"))
    if not archives and package == PACKAGE:
        raise RuntimeError(f"{package} cannot be downloaded: {got.stderr.strip()}")
    for archive in archives:
        subprocess.run(["dpkg", "-x", str(archive), str(root)], check=True)


def _run(command: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    print(fetch_mosquitto(Path(sys.argv[1])))
