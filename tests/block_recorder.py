"""A disk that writes down all that is done to it: one file of a FUSE file system, served in plain Python on /dev/fuse.

As a command it serves `disk` in FOLDER from an image and logs every write and flush, in order, before it answers; a loop device
on that file is then a disk whose every moment can be made again. Owns the few messages of the kernel's FUSE protocol (7.31)
that one file needs, and the log's form. Needs root.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

FILE = "disk"
ROOT_NODE, FILE_NODE = 1, 2
LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE = 1, 2, 3, 4, 14, 15, 16
RELEASE, FSYNC, FLUSH, INIT, OPENDIR, RELEASEDIR, INTERRUPT, DESTROY = 18, 20, 25, 26, 27, 29, 36, 38
WRITE_BYTES_MAX = 1 << 17
REQUEST_BYTES_MAX = WRITE_BYTES_MAX + 4096
BIG_WRITES = 1 << 5
FOREVER_S = 3600
ENTRY = struct.Struct("<QI")
"""Head of a log entry: place on the disk and length; a flush is at FLUSHED with length 0."""
FLUSHED = 2**64 - 1


def serve(folder: Path, image: Path, log: Path) -> None:
    """Mount and answer until the file system is unmounted."""
    disk = bytearray(image.read_bytes())
    device = os.open("/dev/fuse", os.O_RDWR)
    log_file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"lotgate-recorder", str(folder).encode(), b"fuse", 0, options.encode()):
        raise OSError(ctypes.get_errno(), f"no FUSE on {folder}")
    print("mounted", flush=True)
    while True:
        try:
            request = os.read(device, REQUEST_BYTES_MAX)
        except OSError as error:
            if error.errno == errno.ENODEV:
                return
            raise
        _, operation, unique, node = struct.unpack_from("<IIQQ", request)
        if operation in (FORGET, INTERRUPT):
            continue
        try:
            reply, code = _answer(operation, node, request[40:], disk, log_file), 0
        except OSError as error:
            reply, code = b"", -(error.errno or errno.EIO)
        os.write(device, struct.pack("<IiQ", 16 + len(reply), code, unique) + reply)
        if operation == DESTROY:
            return


def _answer(operation: int, node: int, words: bytes, disk: bytearray, log: int) -> bytes:
    match operation:
        case n if n == INIT:
            return struct.pack("<IIIIHHIIHHI28x", 7, 31, 1 << 17, BIG_WRITES, 16, 12, WRITE_BYTES_MAX, 1, 0, 0, 0)
        case n if n == LOOKUP:
            if words.rstrip(b"\0").decode() != FILE:
                raise OSError(errno.ENOENT, "no such file")
            return struct.pack("<QQQQII", FILE_NODE, 0, FOREVER_S, FOREVER_S, 0, 0) + _attributes(FILE_NODE, len(disk))
        case n if n in (GETATTR, SETATTR):
            return struct.pack("<QII", FOREVER_S, 0, 0) + _attributes(node, len(disk))
        case n if n in (OPEN, OPENDIR):
            return struct.pack("<QII", 0, 0, 0)
        case n if n == READ:
            at, size = struct.unpack_from("<QI", words, 8)
            return bytes(disk[at : at + size])
        case n if n == WRITE:
            at, size = struct.unpack_from("<QI", words, 8)
            data = words[40 : 40 + size]
            disk[at : at + size] = data
            os.write(log, ENTRY.pack(at, size) + data)
            return struct.pack("<II", size, 0)
        case n if n == FSYNC:
            os.write(log, ENTRY.pack(FLUSHED, 0))
            return b""
        case n if n in (FLUSH, RELEASE, RELEASEDIR, DESTROY):
            return b""
    raise OSError(errno.ENOSYS, "not needed for one file")


def _attributes(node: int, size: int) -> bytes:
    mode = stat.S_IFDIR | 0o755 if node == ROOT_NODE else stat.S_IFREG | 0o600
    whole = size if node == FILE_NODE else 0
    return struct.pack("<QQQQQQIIIIIIIIII", node, whole, whole // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def entries(log: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(position of the entry's end in the log, place on the disk or FLUSHED, data)."""
    at = 0
    while at < len(log):
        place, size = ENTRY.unpack_from(log, at)
        at += ENTRY.size + size
        yield at, place, log[at - size : at]


if __name__ == "__main__":
    serve(*(Path(word) for word in sys.argv[1:4]))
