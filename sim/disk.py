"""A disk under real SQLite files: it keeps only what was synced, and it fails when it is told to.

Owns the writes between SQLite and the file system, caught at SQLite's own VFS, in this process. Rules: what was written and not
synced may be lost, kept or torn by a power cut, each write for itself; a failed sync has lost what it should have kept,
although it can still be read until the power fails; a killed process loses nothing that it wrote. Knows no ledger: it serves
one database with its log.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

SECTOR_BYTES = 512
OK, FULL, WRITE_FAILED, SYNC_FAILED, TRUNCATE_FAILED, DELETE_FAILED = 0, 13, 778, 1034, 1546, 2570
SHORT_READ = 522
KEPT_SHARE = 0.5
TORN_SHARE = 0.2
VFS_X_OPEN, VFS_X_DELETE = 6, 7
"""Places of the two in struct sqlite3_vfs, counted in its fields."""


class Dice(Protocol):
    """What is used of random.Random."""

    def random(self) -> float:
        """From 0 to below 1."""

    def randrange(self, start: int, stop: int) -> int:
        """From start to below stop."""


class Fate(Enum):
    """What becomes of a write when power fails: decided by dice, lost by a failed sync, or on the platter."""

    OPEN = "open"
    LOST = "lost"
    KEPT = "kept"


@dataclass(slots=True)
class Change:
    """One write or truncation since the last sync: what stood there, what stands there now, and the file's size before."""

    offset: int
    before: bytes
    after: bytes
    size_before: int
    cuts: bool = False
    fate: Fate = Fate.OPEN


@dataclass(slots=True)
class Platter:
    """One file: `born`: its name is not yet sure to outlive a power cut."""

    path: Path
    size: int = 0
    inode: int = 0
    born: bool = False
    changes: list[Change] = field(default_factory=list)


class Disk:
    """The disk under the database at `path`. After `gone` is true every write fails until `again`.

    `fuse`: calls that write or sync until the machine or the process stops, None for never; `full`: nothing grows any more;
    `bad_sync`: the next sync fails. `calls` counts them.
    """

    def __init__(self, path: Path, dice: Dice) -> None:
        _install()
        self.calls = 0
        self.fuse: int | None = None
        self.gone = False
        self.full = False
        self.bad_sync = False
        self.settling = False
        """It is at work on the files itself."""
        self._dice = dice
        self._name = str(path.absolute())
        self._platters: dict[str, Platter] = {}
        _DISKS[self._name] = self

    def unmount(self) -> None:
        """Serve it no more; every connection to it must be closed."""
        del _DISKS[self._name]

    def again(self) -> None:
        """A new process on the same machine."""
        self.gone, self.fuse = False, None

    def cut_power(self) -> None:
        """Take away what no sync has kept, by dice; every connection must be closed."""
        for platter in self._platters.values():
            if platter.born and not platter.changes:
                continue
            if platter.born and self._dice.random() >= KEPT_SHARE:
                platter.path.unlink(missing_ok=True)
                platter.size = 0
            elif platter.changes and platter.path.exists():
                self._settle(platter)
            platter.changes.clear()
            platter.born = False

    def _settle(self, platter: Platter) -> None:
        self.settling = True
        with platter.path.open("r+b") as file:
            for change in reversed(platter.changes):
                file.truncate(change.size_before)
                file.seek(change.offset)
                file.write(change.before)
            for change in platter.changes:
                self._apply(file, change)
            platter.size = file.seek(0, 2)
        self.settling = False

    def _apply(self, file: Any, change: Change) -> None:
        if change.fate is Fate.LOST or (change.fate is Fate.OPEN and self._dice.random() >= KEPT_SHARE):
            return
        if change.cuts:
            file.truncate(change.offset)
            return
        data = change.after
        if change.fate is Fate.OPEN and self._dice.random() < TORN_SHARE:
            data = data[: self._dice.randrange(0, len(data) // SECTOR_BYTES + 1) * SECTOR_BYTES]
        file.seek(change.offset)
        file.write(data)

    def platter(self, name: str) -> Platter:
        """The file of this path, as it stands when it is opened."""
        path = Path(name)
        inode = path.stat().st_ino if path.exists() else 0
        platter = self._platters.get(name)
        if platter is None or platter.inode != inode:
            # Unknown, or put in this place by a rename: then whoever did it has synced it.
            platter = self._platters[name] = Platter(path, path.stat().st_size if inode else 0, inode, born=not inode)
        return platter

    def opened(self, name: str) -> None:
        """SQLite has made or opened the file."""
        self._platters[name].inode = Path(name).stat().st_ino

    def rewritten(self, name: str) -> None:
        """Somebody writes the file anew past SQLite, and syncs it."""
        if name in self._platters:
            self._platters[name].changes.clear()
            self._platters[name].born = False

    def delete(self, name: str, do: Callable[[], int]) -> int:
        """Remove a file for good: its name's sync follows at once."""
        if self._stops():
            return DELETE_FAILED
        self._platters.pop(name, None)
        return do()

    def write(self, platter: Platter, offset: int, data: bytes, read: Callable[[int, int], bytes]) -> bool | int:
        """True to let SQLite write, or the error that it gets."""
        late = self._burns()
        if late is None:
            return WRITE_FAILED
        end = offset + len(data)
        if self.full and end > platter.size:
            return FULL
        before = read(offset, min(end, platter.size) - offset) if offset < platter.size else b""
        platter.changes.append(Change(offset, before, data, platter.size))
        platter.size = max(platter.size, end)
        return True

    def truncate(self, platter: Platter, size: int, read: Callable[[int, int], bytes]) -> bool | int:
        """The same for a truncation."""
        if self._burns() is None:
            return TRUNCATE_FAILED
        if size < platter.size:
            tail = read(size, platter.size - size)
            platter.changes.append(Change(size, tail, b"", platter.size, cuts=True))
            platter.size = size
        return True

    def sync(self, platter: Platter) -> int:
        """Make what was written outlive a power cut, or fail to. Nothing of it reaches the machine's own disk."""
        if self._burns() is None:
            return SYNC_FAILED
        if self.bad_sync:
            self.bad_sync = False
            for change in platter.changes:
                change.fate = Fate.LOST if change.fate is Fate.OPEN else change.fate
            return SYNC_FAILED
        platter.born = False
        if any(change.fate is Fate.LOST for change in platter.changes):
            for change in platter.changes:
                change.fate = Fate.KEPT if change.fate is Fate.OPEN else change.fate
        else:
            platter.changes.clear()
        return SYNC_FAILED if self.gone else OK

    def _burns(self) -> bool | None:
        """None if everything has stopped before this call; True if it stops right after it."""
        return None if self._stops() else self.gone

    def _stops(self) -> bool:
        if self.gone:
            return True
        self.calls += 1
        if self.fuse is None:
            return False
        self.fuse -= 1
        if self.fuse > 0:
            return False
        self.gone = True
        # Half of the cuts come after the call has done its work and before its caller hears of it.
        return self._dice.random() < KEPT_SHARE


# SQLite's own structures, as sqlite3.h has them; only what is replaced has a type of its own.

_POINTER = ctypes.c_void_p
# Names stay addresses: SQLite's file keeps the one that it was opened by.
_OPEN = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, _POINTER, ctypes.c_int, _POINTER)
_DELETE = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, ctypes.c_int)
_CLOSE = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER)
_MOVE = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, ctypes.c_int, ctypes.c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_int64)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_int)


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("close", _CLOSE),
        ("read", _MOVE),
        ("write", _MOVE),
        ("truncate", _TRUNCATE),
        ("sync", _SYNC),
        ("others", _POINTER * 13),
    )


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("file_bytes", ctypes.c_int),
        ("path_max", ctypes.c_int),
        ("next", _POINTER),
        ("name", ctypes.c_char_p),
        ("data", _POINTER),
        ("open", _OPEN),
        ("delete", _DELETE),
    )


@dataclass(frozen=True, slots=True)
class _Open:
    """An open file of SQLite's: its disk, its platter, and the methods that it had."""

    disk: Disk
    platter: Platter
    methods: _Methods


_DISKS: dict[str, Disk] = {}
_OPENED: dict[int, _Open] = {}
_TABLES: dict[int, tuple[_Methods, _Methods]] = {}
_INSTALLED: list[object] = []
"""What SQLite calls must outlive every connection."""


def _install() -> None:
    """Put our open and delete into SQLite's default VFS, once; any other path goes straight on."""
    if _INSTALLED:
        return
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    vfs = library.sqlite3_vfs_find(None).contents
    open_before, delete_before = _OPEN.from_buffer_copy(vfs.open), _DELETE.from_buffer_copy(vfs.delete)

    def open_file(self: int, name: int | None, file: int, flags: int, out: int) -> int:
        disk, text = _disk_of(name)
        if disk is None:
            return int(open_before(self, name, file, flags, out))
        platter = disk.platter(text)
        code = int(open_before(self, name, file, flags, out))
        if code == OK:
            disk.opened(text)
            _take_over(disk, platter, file)
        return code

    def delete_file(self: int, name: int | None, sync: int) -> int:
        disk, text = _disk_of(name)
        if disk is None:
            return int(delete_before(self, name, sync))
        return disk.delete(text, lambda: int(delete_before(self, name, sync)))

    vfs.open, vfs.delete = _OPEN(open_file), _DELETE(delete_file)
    sys.addaudithook(_watch)
    _INSTALLED.extend((vfs, vfs.open, vfs.delete, open_before, delete_before))


def _watch(event: str, details: tuple[Any, ...]) -> None:
    """Whoever opens a served file past SQLite, to write, is trusted to sync it."""
    if event == "open" and _DISKS and isinstance(details[0], str | os.PathLike) and details[2] & os.O_RDWR:
        disk = _DISKS.get(os.fspath(details[0]).removesuffix("-wal"))
        if disk is not None and not disk.settling:
            disk.rewritten(os.fspath(details[0]))


def _disk_of(name: int | None) -> tuple[Disk | None, str]:
    """The disk that serves the path at this address, if one does, and the path."""
    if not name:
        return None, ""
    text = ctypes.string_at(name).decode()
    return _DISKS.get(text.removesuffix("-wal").removesuffix("-journal")), text


def _take_over(disk: Disk, platter: Platter, file: int) -> None:
    slot = ctypes.cast(file, ctypes.POINTER(_POINTER))
    address = slot.contents.value
    assert address is not None
    if address not in _TABLES:
        before = _Methods.from_address(address)
        ours = _Methods.from_buffer_copy(before)
        ours.close, ours.write = _CLOSE(_close), _MOVE(_write)
        ours.truncate, ours.sync = _TRUNCATE(_truncate), _SYNC(_sync)
        _TABLES[address] = (before, ours)
    before, ours = _TABLES[address]
    _OPENED[file] = _Open(disk, platter, before)
    slot.contents.value = ctypes.addressof(ours)


def _close(file: int) -> int:
    return int(_OPENED.pop(file).methods.close(file))


def _write(file: int, buffer: int, count: int, offset: int) -> int:
    found = _OPENED[file]
    data = ctypes.string_at(buffer, count)
    code = found.disk.write(found.platter, offset, data, lambda at, size: _read(found, file, at, size))
    if code is not True:
        return int(code)
    return WRITE_FAILED if int(found.methods.write(file, buffer, count, offset)) or found.disk.gone else OK


def _truncate(file: int, size: int) -> int:
    found = _OPENED[file]
    code = found.disk.truncate(found.platter, size, lambda at, count: _read(found, file, at, count))
    if code is not True:
        return int(code)
    return TRUNCATE_FAILED if int(found.methods.truncate(file, size)) or found.disk.gone else OK


def _sync(file: int, _flags: int) -> int:
    found = _OPENED[file]
    return found.disk.sync(found.platter)


def _read(found: _Open, file: int, offset: int, count: int) -> bytes:
    buffer = ctypes.create_string_buffer(count)
    code = int(found.methods.read(file, ctypes.addressof(buffer), count, offset))
    assert code in (OK, SHORT_READ), code
    return buffer.raw
