"""A second call fetches nothing."""

from __future__ import annotations

from sim.debian import fetch


def test_a_fetched_program_is_kept(tmp_path):
    (tmp_path / "strace").write_text("")
    assert fetch("strace", "usr/bin/strace", tmp_path) == tmp_path / "strace"
    assert [path.name for path in tmp_path.iterdir()] == ["strace"]
