"""Writes every wiring diagram into a folder: `python -m hw.draw FOLDER`, as SVG, and as PNG where there is Chromium.

Owns the files. Refuses to draw what is wrong or what would hide something; the picture is made anew from hw/ each time, so it
cannot lag behind the boards.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hw.diagram import diagrams
from hw.picture import Picture, overlaps, place, svg
from hw.pins import boards

BROWSER = "chromium"
LIMIT_S = 60


def draw(folder: Path) -> list[tuple[Path, Picture]]:
    """The SVG files, with what is in them. ValueError for a diagram that is wrong or that hides something."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {board.name: board for board in boards()}
    found = []
    for diagram in diagrams():
        picture = place(diagram, known)
        hidden = overlaps(picture)
        if hidden:
            raise ValueError(f"{diagram.name}: {'; '.join(hidden)}")
        path = folder / f"{diagram.name}.svg"
        path.write_text(svg(picture), encoding="utf-8")
        found.append((path, picture))
    return found


def photograph(path: Path, picture: Picture, browser: str) -> Path:
    """The same picture as PNG beside it. CalledProcessError if the browser fails."""
    out = path.with_suffix(".png")
    size = f"--window-size={picture.width:.0f},{picture.height:.0f}"
    with tempfile.TemporaryDirectory() as profile:
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}", size]
        command = [browser, *words, f"--screenshot={out.resolve()}", path.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S)
    return out


def main(folder: Path) -> None:
    """Draw all, and say what was written."""
    browser = shutil.which(BROWSER)
    for path, picture in draw(folder):
        print(path)
        if browser:
            print(photograph(path, picture, browser))
    if not browser:
        print(f"no {BROWSER}, so no PNG; any browser shows the SVG")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
