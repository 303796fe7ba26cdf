"""Fetches a Debian package into a folder, without installing it: `fetch("mosquitto", "usr/sbin/mosquitto", folder)`.

Downloads the package and the libraries that this machine lacks, unpacks them, and writes a small start script that finds them.
Needs no root, starts no service, and leaves the package system as it is: when its lists are empty, private ones are fetched
into the folder.
"""

from __future__ import annotations

import subprocess
from pathlib import Path


def fetch(package: str, program: str, folder: Path) -> Path:
    """Path of a start script, named as the package, inside `folder`; fetched once. RuntimeError when it cannot be had.

    `program` is the program's path inside the package.
    """
    start = folder / package
    if start.exists():
        return start
    folder.mkdir(parents=True, exist_ok=True)
    apt = _usable_apt(package, folder.resolve())
    root = folder.resolve() / "root"
    for name in [package, *_missing_libraries(package, apt)]:
        if not _download(apt, name, folder, root) and name == package:
            raise RuntimeError(f"{package} cannot be downloaded with apt-get")
    libraries = ":".join(sorted({str(path.parent) for path in root.rglob("*.so*")}))
    listed = subprocess.run(
        ["ldd", str(root / program)], env={"LD_LIBRARY_PATH": libraries}, capture_output=True, text=True, check=True
    )
    if "not found" in listed.stdout:
        raise RuntimeError(f"libraries of {package} are missing:\n{listed.stdout}")
    start.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}" exec "{root / program}" "$@"\n')
    start.chmod(0o755)
    return start


def _usable_apt(package: str, folder: Path) -> list[str]:
    """Options for apt under which it knows the package: the system's lists, or else private ones, fetched now."""
    sandbox = ["-o", "APT::Sandbox::User=root"]
    if _run(["apt-cache", *sandbox, "show", package]).returncode == 0:
        return sandbox
    lists, cache = folder / "lists", folder / "cache"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (cache / "archives/partial").mkdir(parents=True, exist_ok=True)
    private = [*sandbox, "-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={cache}"]
    updated = _run(["apt-get", *private, "update"])
    if _run(["apt-cache", *private, "show", package]).returncode != 0:
        raise RuntimeError(f"apt knows no package {package}: {updated.stderr.strip()}")
    return private


def _missing_libraries(package: str, apt: list[str]) -> list[str]:
    """Library packages that it depends on, directly or not, and that are not installed."""
    weak = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    options = [f"--no-{kind}" for kind in weak]
    listed = _run(["apt-cache", *apt, "depends", "--recurse", *options, package])
    names = {line for line in listed.stdout.splitlines() if line.startswith("lib")}
    return sorted(name for name in names if not _is_installed(name))


def _is_installed(package: str) -> bool:
    status = _run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package])
    return "installed" in status.stdout.split()


def _download(apt: list[str], package: str, folder: Path, root: Path) -> bool:
    downloads = folder / "packages" / package.replace(":", "_")
    downloads.mkdir(parents=True, exist_ok=True)
    _run(["apt-get", *apt, "download", package], cwd=downloads)
    archives = list(downloads.glob("*.deb"))
    for archive in archives:
        subprocess.run(["dpkg", "-x", str(archive), str(root)], check=True)
    return bool(archives)


def _run(command: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
