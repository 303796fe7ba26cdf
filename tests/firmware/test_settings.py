"""A node's file and its count of starts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from firmware import settings

UID = "6c6f740000000001"
GOOD = {"board": "lane", "address": 3, "uid": UID, "key": "00" * 16, "role": "exit"}


@pytest.fixture(autouse=True)
def flash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_good_file(flash: Path) -> None:
    (flash / "node.json").write_text(json.dumps(GOOD))
    found = settings.load(bytes.fromhex(UID))
    assert (found.board, found.address, found.key, found.role, found.ports) == ("lane", 3, bytes(16), "exit", 8)


# fmt: off
WRONG = [
    ({"uid": "00" * 8},      f"node.json is for the chip 0000000000000000, this is {UID}"),
    ({"key": "00" * 15},     "the key has 15 bytes, not 16"),
    ({"address": "3"},       "address is no number"),
    ({"board": "door"},      "board door"),
    ({"role": "both"},       "role both"),
    ({"sensor": "camera"},   "sensor camera"),
]
# fmt: on


@pytest.mark.parametrize(("change", "told"), WRONG, ids=[told for _, told in WRONG])
def test_a_wrong_file_is_refused(flash: Path, change: dict[str, object], told: str) -> None:
    (flash / "node.json").write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(ValueError, match=told):
        settings.load(bytes.fromhex(UID))


def test_no_file() -> None:
    with pytest.raises(OSError, match=r"node\.json"):
        settings.load(bytes.fromhex(UID))


def test_no_boot_number_comes_twice(flash: Path) -> None:
    def random(count: int) -> bytes:
        return bytes(range(1, count + 1))

    first = 0x030201 << 7
    assert [settings.next_boot(random, os.rename) for _ in range(3)] == [first + 1, first + 2, first + 3]
    (flash / "boot.txt").write_text("torn")
    assert settings.next_boot(random, os.rename) == first + 1
    (flash / "boot.txt").write_text(str(2**32 - 1))
    assert settings.next_boot(random, os.rename) == 1
