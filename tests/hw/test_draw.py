"""The folder of pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw import draw as drawing
from hw.diagram import diagrams


def test_every_diagram_becomes_a_file_and_the_same_one_again(tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path, _ in drawing.draw(tmp_path / "wiring")}
    assert sorted(first) == [f"{diagram.name}.svg" for diagram in diagrams()]
    assert {path.name: path.read_bytes() for path, _ in drawing.draw(tmp_path / "wiring")} == first


def test_without_a_browser_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    drawing.main(tmp_path)
    assert "no chromium, so no PNG" in capsys.readouterr().out
    assert not list(tmp_path.glob("*.png"))
