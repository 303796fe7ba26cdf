"""Power cuts by recorded system calls, in the small: FULL keeps every promise, NORMAL loses, and the model can fail.

The whole campaign is `python -m tests.crash_states --states 9000 --seed 1`; its result stands in docs/DURABILITY.md.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash_disk import CHOICES, Call, Disk, record, states
from tests.crash_history import in_the_small, script
from tests.crash_judge import Judge, Verdict
from tests.crash_states import explore

SEED = 1
A, B, C = (letter * 512 for letter in (b"a", b"b", b"c"))


def test_full_keeps_every_promise_in_every_state() -> None:
    found = explore("FULL", 90, SEED)
    assert (found.states, found.bad) == (90, 0), f"seed {SEED}: {found.first_bad}"
    assert found.promises > 60
    assert found.calls > 1000


def test_normal_loses_and_forks() -> None:
    found = explore("NORMAL", 30, SEED)
    assert found.verdicts[Verdict.LOST] > 0
    assert found.verdicts[Verdict.FORKED] > 0


def cuts(*calls: Call, tries: int = 200) -> set[tuple[tuple[str, bytes], ...]]:
    """Every state that many cuts after these calls leave."""
    disk, dice = Disk(), random.Random(SEED)
    for call in calls:
        disk.apply(call)
    return {
        tuple(sorted(disk.cut(dice, 0, choice).files.items()))
        for choice in CHOICES
        for _ in range(tries // len(CHOICES))
    }


def test_what_no_sync_covers_may_be_there_or_not_and_in_any_order() -> None:
    born = (Call("create", "f"), Call("sync-folder"))
    two = (Call("write", "f", 0, A), Call("write", "f", 512, B))
    hole = bytes(512)
    contents = {data for state in cuts(*born, *two) for _, data in state}
    assert {b"", A, A + B, hole + B} <= contents
    assert {data for state in cuts(*born, *two, Call("sync", "f")) for _, data in state} == {A + B}


def test_a_name_may_vanish_or_come_back_until_its_folder_is_synced() -> None:
    born = (Call("create", "f"), Call("write", "f", 0, A), Call("sync", "f"))
    assert cuts(*born) == {(), (("f", A),)}
    assert cuts(*born, Call("sync-folder"), Call("unlink", "f")) == {(), (("f", A),)}
    assert cuts(*born, Call("sync-folder"), Call("unlink", "f"), Call("sync-folder")) == {()}


def test_a_write_is_torn_where_the_disks_sectors_end() -> None:
    born = (Call("create", "f"), Call("sync-folder"), Call("write", "f", 0, A + B + C), Call("sync", "f"))
    torn = {data for state in cuts(*born, Call("write", "f", 500, b"x" * 600)) for _, data in state}
    new = (A + B + C)[:500] + b"x" * 600 + C[76:]
    assert {len(data) for data in torn} == {3 * 512}
    for data in torn:
        for start in (0, 512, 1024):
            assert data[start : start + 512] in ((A + B + C)[start : start + 512], new[start : start + 512])
    assert len(torn) == 8


def test_a_shorter_length_is_as_uncertain_as_a_write() -> None:
    born = (Call("create", "f"), Call("sync-folder"), Call("write", "f", 0, A + B), Call("sync", "f"))
    assert {data for state in cuts(*born, Call("length", "f", 512)) for _, data in state} == {A, A + B}


def test_the_same_seed_gives_the_same_states() -> None:
    calls = [Call("create", "f"), Call("sync-folder"), *(Call("write", "f", 512 * i, A) for i in range(40))]
    first, again, other = ([state.files for state in states(calls, 30, seed)] for seed in (SEED, SEED, SEED + 1))
    assert first == again != other
    assert len({tuple(files.items()) for files in first}) == 30


@pytest.mark.parametrize(
    ("work", "kinds"),
    [
        ("os.pwrite(f, b'ab', 3); os.fsync(f); os.write(1, b'.')", ["create", "write", "sync", "promise"]),
        ("os.ftruncate(f, 9); os.unlink(n); os.fsync(d)",          ["create", "length", "unlink", "sync-folder"]),
        ("os.pread(f, 1, 0)",                                      ["create"]),
    ],
)  # fmt: skip
def test_calls_are_recorded(tmp_path: Path, work: str, kinds: list[str]) -> None:
    (tmp_path / "on").mkdir()
    assert [call.kind for call in recorded(tmp_path, work)] == kinds


@pytest.mark.parametrize(
    "work",
    [
        "os.rename(n, n + '2')",
        "os.write(f, b'a')",
        "os.posix_fallocate(f, 0, 9)",
        "os.chdir(os.path.dirname(n)); os.unlink('f')",
    ],
)
def test_a_call_that_the_model_does_not_know_is_no_silence(tmp_path: Path, work: str) -> None:
    (tmp_path / "on").mkdir()
    with pytest.raises(RuntimeError, match=r"does not know|not in full"):
        recorded(tmp_path, work)


def recorded(folder: Path, work: str) -> list[Call]:
    here = folder / "on"
    begin = (
        f"import os; d = os.open({str(here)!r}, 0); n = {str(here / 'f')!r}; f = os.open(n, os.O_RDWR | os.O_CREAT); "
    )
    return record([sys.executable, "-c", begin + work], here, folder / "log")


def folded(whole: bytes, log: bytes, folder: Path) -> bytes:
    """The ledger's file with its log taken over."""
    path = folder / "folded.db"
    path.write_bytes(whole)
    path.with_name("folded.db-wal").write_bytes(log)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Judge, Path]]:
    folder = tmp_path_factory.mktemp("judge")
    with in_the_small():
        yield Judge(folder, script()), folder


@pytest.mark.parametrize(
    ("done_to_it", "promised", "verdict"),
    [
        ("nothing",       66, Verdict.KEPT),
        ("older",         66, Verdict.FORKED),
        ("a flipped bit", 66, Verdict.DAMAGED),
        ("cut in half",   66, Verdict.DAMAGED),
        ("no file",       66, Verdict.LOST),
        ("no file",        0, Verdict.KEPT),
    ],
)  # fmt: skip
def test_the_judge_can_tell(undisturbed: tuple[Judge, Path], done_to_it: str, promised: int, verdict: Verdict) -> None:
    judge, folder = undisturbed
    whole = (folder / "undisturbed" / "ledger.db").read_bytes()
    log = (folder / "undisturbed" / "ledger.db-wal").read_bytes()
    assert len(judge.marks) == 66
    files = {"ledger.db": whole, "ledger.db-wal": log}
    match done_to_it:
        case "older":
            del files["ledger.db-wal"]
        case "a flipped bit":
            # In every copy of the records, the log's apart, which would only end there.
            files = {"ledger.db": folded(whole, log, folder.parent).replace(b'"type":"exit"', b'"type":"ezit"')}
        case "cut in half":
            files = {"ledger.db": whole[: len(whole) // 2 // 4096 * 4096]}
        case "no file":
            files = {}
    assert judge.judge(files, promised) is verdict
    assert os.listdir(folder) == ["undisturbed"]
