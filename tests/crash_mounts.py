"""Power cuts on a real file system: python -m tests.crash_mounts --method ext4-shutdown|blocks --cuts 25 --seed 1.

ext4-shutdown: the history runs on a loop-mounted ext4, which is shut down without flushing its journal after a counted promise.
blocks: below ext4 lies a disk that records every write and flush (tests/block_recorder); images of counted moments are made of
them, some with what no flush covered left out, reordered or torn. In both ext4's own recovery runs at the next mount, and the
real journal opens the rest. Each method also runs under synchronous=NORMAL, which must lose. Needs root and loop devices.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.block_recorder import FILE, FLUSHED, entries
from tests.crash_history import in_the_small, script
from tests.crash_judge import Judge, Verdict
from tests.progress import Progress

IMAGE_BYTES = 24 * 1024 * 1024
EXT4_IOC_SHUTDOWN = 0x8004587D
NOLOGFLUSH = 2
SECTOR_BYTES = 512
Verdicts = Counter[Verdict]


def history(folder: Path, synchronous: str, *words: str) -> subprocess.Popen[bytes]:
    """The history on a folder that lies on the mounted file system."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.crash_history", str(folder), "--synchronous", synchronous, *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def ext4_shutdown(
    judge: Judge, folder: Path, synchronous: str, cuts: int, seed: int, done: Callable[[], None]
) -> Verdicts:
    """Shut the file system down after the k-th promise, k drawn anew for each cut."""
    dice = random.Random(seed)
    found: Verdicts = Counter()
    image, mount = folder / "ext4.img", folder / "ext4"
    mount.mkdir(exist_ok=True)
    for _ in range(cuts):
        make_ext4(image)
        with mounted(image, mount):
            child = history(mount / "ledger", synchronous)
            assert child.stdout is not None
            wanted = dice.randint(1, len(judge.marks))
            handle = os.open(mount, os.O_RDONLY)
            promised = sum(bool(child.stdout.readline()) for _ in range(wanted))
            # A sync that overlaps the shutdown may report success and not be on the disk (seen once in some ten cuts): what is
            # promised from here on comes from a machine that has no power, and nobody can have heard it.
            fcntl.ioctl(handle, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
            os.close(handle)
            child.stdout.read()
            child.wait()
        with mounted(image, mount):
            found[judge.judge_folder(mount / "ledger", promised)] += 1
        done()
    return found


def blocks(judge: Judge, folder: Path, synchronous: str, cuts: int, seed: int, done: Callable[[], None]) -> Verdicts:
    """Record one history below ext4, then judge it at `cuts` counted moments, half of them with reordered or torn writes."""
    dice = random.Random(seed)
    image, mount = folder / "blocks.img", folder / "blocks"
    mount.mkdir(exist_ok=True)
    make_ext4(image)
    born = image.read_bytes()
    log, promises = record_blocks(image, folder, synchronous)
    # Before the ledger's folder is there, no gateway had been installed.
    parts = [part for part in entries(log) if part[0] >= promises[0]]
    found: Verdicts = Counter()
    for number in range(cuts):
        end, _, _ = dice.choice(parts)
        image.write_bytes(born)
        with image.open("r+b") as disk:
            for at, data in kept(log, end, dice if number % 2 else None):
                disk.seek(at)
                disk.write(data)
        with mounted(image, mount):
            ledger = mount / "ledger"
            ledger.mkdir(exist_ok=True)
            found[judge.judge_folder(ledger, sum(place <= end for place in promises[1:]))] += 1
        done()
    return found


def record_blocks(image: Path, folder: Path, synchronous: str) -> tuple[bytes, list[int]]:
    """The log of the disk, and how long it was at the beginning of the history and after each promise."""
    served, mount, log = folder / "served", folder / "recorded", folder / "blocks.log"
    for place in (served, mount):
        place.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.block_recorder", str(served), str(image), str(log)]
    recorder = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert recorder.stdout is not None
    if recorder.stdout.readline() != b"mounted\n":
        raise RuntimeError("the recording disk did not start")
    try:
        with mounted(served / FILE, mount):
            (mount / "ledger").mkdir()
            os.sync()
            promises = [log.stat().st_size]
            child = history(mount / "ledger", synchronous, "--ask")
            assert child.stdout is not None
            assert child.stdin is not None
            while child.stdout.readline():
                promises.append(log.stat().st_size)
                child.stdin.write(b".")
                child.stdin.flush()
            child.wait()
            whole = log.read_bytes()
    finally:
        run("umount", str(served))
        recorder.wait()
    return whole, promises


def kept(log: bytes, end: int, dice: random.Random | None) -> Iterator[tuple[int, bytes]]:
    """The writes that reached the disk by a cut at `end`: all of them, or, with dice, of the unflushed some, torn."""
    before = [(at, data) for stop, at, data in entries(log) if stop <= end]
    flushed = max((place for place, (at, _) in enumerate(before) if at == FLUSHED), default=-1)
    share = dice.random() if dice is not None else 1.0
    for place, (at, data) in enumerate(before):
        if at == FLUSHED:
            continue
        if dice is None or place < flushed:
            yield at, data
            continue
        for start in range(0, len(data), SECTOR_BYTES):
            if dice.random() < share:
                yield at + start, data[start : start + SECTOR_BYTES]


def make_ext4(image: Path) -> None:
    """A fresh file system in a file."""
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    run("mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", str(image))


@contextlib.contextmanager
def mounted(image: Path, mount: Path) -> Iterator[None]:
    """Mount through a loop device."""
    run("mount", "-t", "ext4", "-o", "loop", str(image), str(mount))
    try:
        yield
    finally:
        run("umount", str(mount))


def run(*command: str) -> None:
    """RuntimeError with what the command said if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


METHODS = {"ext4-shutdown": ext4_shutdown, "blocks": blocks}


def main(argv: list[str] | None = None) -> int:
    """Exit 0 if FULL kept everything and NORMAL did not, 2 if this machine can't run the method."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_mounts", description=__doc__)
    parser.add_argument("--method", choices=METHODS, required=True)
    parser.add_argument("--cuts", type=int, default=25, help="cuts under FULL, and as many under NORMAL (default 25)")
    parser.add_argument("--seed", type=int, default=1, help="draws the moments (default 1)")
    options = parser.parse_args(argv)
    if os.geteuid():
        print(f"{options.method}: needs root, to mount file systems")
        return 2
    begun_s = time.monotonic()
    found: dict[str, Verdicts] = {}
    with in_the_small(), tempfile.TemporaryDirectory(prefix="lotgate-cuts-") as temporary:
        folder = Path(temporary)
        judge = Judge(folder, script())
        for synchronous in ("FULL", "NORMAL"):
            with Progress(f"{options.method}, {synchronous}", options.cuts) as progress:
                try:
                    found[synchronous] = METHODS[options.method](
                        judge, folder, synchronous, options.cuts, options.seed, progress.step
                    )
                except (RuntimeError, OSError) as error:
                    print(f"{options.method}: can't run here: {error}")
                    return 2
    for synchronous, verdicts in found.items():
        told = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict if verdicts[verdict])
        print(f"{options.method:<14} {synchronous:<7} {verdicts.total()} cuts: {told}")
    print(f"seed {options.seed}, {time.monotonic() - begun_s:.0f} s")
    lost = {name: verdicts.total() - verdicts[Verdict.KEPT] for name, verdicts in found.items()}
    if lost["FULL"] or not lost["NORMAL"]:
        print("FAILED: FULL must keep everything, and NORMAL must not")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
