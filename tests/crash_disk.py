"""A disk as a power cut may leave it: the recorded system calls of a process, and every state that they allow.

Owns the model. A write, a change of length and a change in the folder are on the disk for certain only after the sync of that
file or folder; before it each may be there or not, in any order, and of a write any of its sectors. A call that touches the
folder and is not modelled is an error. Refuses to know what the files mean.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.strace import strace_program

SECTOR_BYTES = 512
BLOCK_BYTES = 4096
CHANGING = "write pwrite64 writev pwritev pwritev2 ftruncate truncate fallocate copy_file_range sendfile"
SYNCING = "fsync fdatasync sync_file_range sync syncfs msync"
NAMING = "open openat creat unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat"
CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)(?:<((?:\\x[0-9a-f]{2})+)>)?")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
HANDLE = re.compile(r"\d+<((?:\\x[0-9a-f]{2})+)>")
NEVER_READ = ("-shm", "reserve")
"""SQLite builds its shared index anew at the first opening, and the reserve holds nothing: what is in them is never read."""


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call: 'write', 'length', 'sync', 'create', 'unlink', 'sync-folder' or 'promise'."""

    kind: str
    name: str = ""
    at_bytes: int = 0
    data: bytes = b""


@dataclass(slots=True)
class File:
    """What is certainly on the disk, and what may be."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Call] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class State:
    """Files after a cut, how many promises had been given by then, after which call, and how the choice was made."""

    files: dict[str, bytes]
    promised: int
    after_call: int
    choice: str


def record(command: Sequence[str], folder: Path, log: Path) -> list[Call]:
    """Run a single-threaded command and return what it did to the files of `folder`, in order. RuntimeError if it fails."""
    traced = ",".join(f"?{name}" for name in f"{CHANGING} {SYNCING} {NAMING}".split())
    options = ["-y", "-xx", "-s", "1000000", "-E", "LD_LIBRARY_PATH", "-e", f"trace={traced}", "-o", str(log)]
    done = subprocess.run([strace_program(), *options, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    resolved = folder.resolve()
    with log.open(encoding="ascii") as file:
        return [call for line in file for call in _calls(line, resolved)]


def _calls(line: str, folder: Path) -> Iterator[Call]:
    found = CALL.match(line)
    if found is None or found[3].startswith("-"):
        return
    kind, words, result = found[1], found[2], int(found[3])
    if kind == "write" and words.startswith("1<"):
        yield Call("promise")
        return
    handle, text = HANDLE.match(words), TEXT.search(words)
    # An opened name stands in full beside the handle that came back; other names must be in full where they are given.
    name = found[4] or (handle[1] if handle else text[1] if text else "")
    path = Path(_bytes(name).decode())
    if not path.is_absolute() and kind in NAMING.split():
        raise RuntimeError(f"a name that is not in full: {line[:200]}")
    if path == folder and kind in ("fsync", "fdatasync"):
        yield Call("sync-folder")
        return
    if path.parent != folder or path.name.endswith(NEVER_READ):
        return
    name = path.name
    match kind:
        case "openat" | "open":
            if "O_CREAT" in words:
                yield Call("create", name)
        case "pwrite64" if text is not None:
            yield Call("write", name, int(words.rsplit(", ", 1)[1]), _bytes(text[1])[:result])
        case "ftruncate":
            yield Call("length", name, int(words.rsplit(", ", 1)[1]))
        case "fsync" | "fdatasync":
            yield Call("sync", name)
        case "unlink" | "unlinkat":
            yield Call("unlink", name)
        case _:
            raise RuntimeError(f"a call that the model does not know: {line[:200]}")


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


class Disk:
    """The disk while the recorded calls go by."""

    def __init__(self) -> None:
        self.promised = 0
        self._files: list[File] = []
        self._seen: dict[str, int] = {}
        """Names as the process sees them -> place in _files."""
        self._durable: dict[str, int] = {}
        self._renamed: list[tuple[str, int | None]] = []
        """Changes in the folder that no sync has covered: a name, and its file or None."""

    def apply(self, call: Call) -> None:
        """Let one call happen."""
        match call.kind:
            case "promise":
                self.promised += 1
            case "sync-folder":
                self._durable = _named(self._durable, self._renamed)
                self._renamed.clear()
            case "create":
                if call.name not in self._seen:
                    self._files.append(File())
                    self._seen[call.name] = len(self._files) - 1
                    self._renamed.append((call.name, len(self._files) - 1))
            case "unlink":
                if self._seen.pop(call.name, None) is not None:
                    self._renamed.append((call.name, None))
            case "sync":
                file = self._files[self._seen[call.name]]
                for write in file.pending:
                    _put(file.durable, write)
                file.pending.clear()
            case _:
                self._files[self._seen[call.name]].pending.append(call)

    def cut(self, dice: random.Random, after_call: int, choice: str) -> State:
        """One state that a cut at this moment allows. `choice` is one of CHOICES."""
        share = {"all": 1.0, "none": 0.0}.get(choice, dice.random())
        renamed = [change for change in self._renamed if dice.random() < share]
        files = {}
        for name, place in _named(self._durable, renamed).items():
            file = self._files[place]
            image = bytearray(file.durable)
            for write in _chosen(file.pending, dice, choice, share):
                _put(image, write)
            files[name] = bytes(image)
        return State(files, self.promised, after_call, choice)

    @property
    def uncertain(self) -> int:
        """Calls that a cut now may undo."""
        return len(self._renamed) + sum(len(file.pending) for file in self._files)


CHOICES = ("all", "none", "prefix", "subset", "torn-512", "torn-4096", "zeros")
"""What is kept of the unsynced: everything; nothing; the first calls of each file; any; any and torn; the length alone."""


def states(calls: Sequence[Call], wanted: int, seed: int) -> Iterator[State]:
    """Up to `wanted` different states, spread evenly over the calls, the same for the same seed."""
    dice = random.Random(seed)
    known: set[int] = set()
    dry = 0
    while len(known) < wanted and dry < len(CHOICES):
        disk, before = Disk(), len(known)
        share = min(1.0, (wanted - len(known)) / len(calls) * 1.5)
        for number, call in enumerate(calls, 1):
            disk.apply(call)
            if len(known) >= wanted:
                return
            if dice.random() >= share:
                continue
            state = disk.cut(dice, number, dice.choice(CHOICES) if disk.uncertain else "all")
            identity = hash((state.promised, *sorted(state.files.items())))
            if identity not in known:
                known.add(identity)
                yield state
        dry = dry + 1 if len(known) == before else 0


def _chosen(pending: Sequence[Call], dice: random.Random, choice: str, share: float) -> Iterator[Call]:
    first = dice.randint(0, len(pending))
    for place, call in enumerate(pending):
        if choice == "prefix":
            if place < first:
                yield call
        elif choice == "zeros":
            end = call.at_bytes + len(call.data)
            yield call if dice.random() < share or call.kind == "length" else Call("longer", call.name, end)
        elif dice.random() < share:
            if choice.startswith("torn") and call.data:
                yield from _sectors(call, dice, SECTOR_BYTES if choice == "torn-512" else BLOCK_BYTES)
            else:
                yield call


def _sectors(write: Call, dice: random.Random, size_bytes: int) -> Iterator[Call]:
    """Some of the sectors of a write; cut where the disk's sectors begin, not where the write does."""
    start, end = write.at_bytes, write.at_bytes + len(write.data)
    while start < end:
        stop = min(end, (start // size_bytes + 1) * size_bytes)
        if dice.random() < 0.5:
            yield Call("write", write.name, start, write.data[start - write.at_bytes : stop - write.at_bytes])
        start = stop


def _put(image: bytearray, call: Call) -> None:
    end = call.at_bytes + len(call.data)
    if len(image) < end:
        image.extend(bytes(end - len(image)))
    if call.kind == "length":
        del image[call.at_bytes :]
    elif call.kind == "write":
        image[call.at_bytes : end] = call.data


def _named(names: dict[str, int], changes: Sequence[tuple[str, int | None]]) -> dict[str, int]:
    found = dict(names)
    for name, place in changes:
        if place is None:
            found.pop(name, None)
        else:
            found[name] = place
    return found
