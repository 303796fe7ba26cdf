"""The file that a start reads when the ledger tells nothing: kept whole, and no fault of a disk raises."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.store.starts import NAME, Starts, keep, load


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    assert load(tmp_path) == Starts()
    keep(tmp_path, Starts(41, 2))
    keep(tmp_path, Starts(42, 3))
    assert load(tmp_path) == Starts(42, 3)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("text", ["", "7", "7 x", "7 8 9", "\xff"])
def test_a_damaged_file_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text, encoding="latin-1")
    assert load(tmp_path) == Starts()


def test_a_folder_that_is_none_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way", encoding="utf-8")
    keep(tmp_path / "data", Starts(1, 1))
    assert load(tmp_path / "data") == Starts()
