"""Plants each known fault and runs the check that must catch it: python -m tests.mutants.

A mutant is a patch in this folder whose first line names its catcher: a test's id, or `lint-imports: CONTRACT`. The tree is
copied, so nothing here is touched. Each catcher first runs on the copy as it is and must pass. Exit 1 if a mutant survives.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PATCHES = Path(__file__).resolve().parent
LINT = "lint-imports: "
CHECK_S = 180
"""The slowest catcher takes half a minute on two busy cores; one that hangs has not passed."""
BAR_COLUMNS = 40


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted fault: its name, the check that must catch it, and the patch."""

    name: str
    catcher: str
    patch: Path


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mutant: caught, survived, does not apply, or its check does not pass without it."""

    name: str
    catcher: str
    outcome: str


def mutants() -> list[Mutant]:
    """All patches, in order of name. ValueError for one whose first line names no catcher."""
    found = []
    for path in sorted(PATCHES.glob("*.patch")):
        head, _, catcher = path.read_text(encoding="utf-8").splitlines()[0].partition("# caught by: ")
        if head or not catcher:
            raise ValueError(f"{path.name}: the first line must be '# caught by: ...'")
        found.append(Mutant(path.stem, catcher, path))
    return found


def copy_tree(target: Path) -> None:
    """Every file that git knows or would know."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    subprocess.run(["git", "init", "-q"], cwd=target, check=True)
    for tool in ("mosquitto", "stubs"):
        if (ROOT / ".venv" / tool).exists():
            (target / ".venv").mkdir(exist_ok=True)
            (target / ".venv" / tool).symlink_to(ROOT / ".venv" / tool)


def holds(catcher: str, tree: Path) -> bool:
    """Whether the check passes on the tree; for a contract: whether that very contract is kept."""
    # The editable install points at the original tree: the copy must come before it on the path.
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    contract = catcher.removeprefix(LINT)
    if contract != catcher:
        command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    else:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", catcher]
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=CHECK_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    if contract != catcher:
        words = " ".join(done.stdout.split())
        if f"{contract} KEPT" not in words and f"{contract} BROKEN" not in words:
            raise RuntimeError(f"{catcher} could not be run:\n{done.stdout}{done.stderr}")
        return f"{contract} KEPT" in words
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{catcher} could not be run:\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def judge(chosen: list[Mutant], tree: Path) -> Iterator[Verdict]:
    """Run every mutant on its own, after its check has passed without it."""
    sound: dict[str, bool] = {}
    for mutant in chosen:
        if mutant.catcher not in sound:
            sound[mutant.catcher] = holds(mutant.catcher, tree)
        yield Verdict(mutant.name, mutant.catcher, _outcome(mutant, tree, sound[mutant.catcher]))


def _outcome(mutant: Mutant, tree: Path, sound: bool) -> str:
    if not sound:
        return "check is broken"
    apply = ["git", "apply", "--whitespace=nowarn", str(mutant.patch)]
    if subprocess.run(apply, cwd=tree, capture_output=True, check=False).returncode:
        return "does not apply"
    try:
        return "survived" if holds(mutant.catcher, tree) else "caught"
    finally:
        subprocess.run([*apply, "-R"], cwd=tree, capture_output=True, check=True)


def row(number: str, name: str, catcher: str, outcome: str) -> str:
    """One line of the table; it also wipes what `progress` left on a terminal."""
    wipe = "\r\x1b[2K" if sys.stdout.isatty() else ""
    return f"{wipe}{number:>3}  {name:<40} {catcher:<92.92} {outcome}"


def progress(done: int, total: int) -> None:
    """How far it is; nothing where output goes to a file."""
    if sys.stdout.isatty() and done < total:
        filled = BAR_COLUMNS * done // total
        print(f"[{'#' * filled}{'.' * (BAR_COLUMNS - filled)}] {done}/{total}", end="", flush=True)


def main(argv: list[str] | None = None) -> int:
    """Exit 0 if every mutant is caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", help="mutants whose name contains this")
    parser.add_argument("--json", type=Path, help="write the verdicts there")
    options = parser.parse_args(argv)
    chosen = [mutant for mutant in mutants() if not options.only or options.only in mutant.name]
    verdicts: list[Verdict] = []
    print(row("", "mutant", "caught by", "outcome"))
    with tempfile.TemporaryDirectory(prefix="lotgate-mutants-") as folder:
        copy_tree(Path(folder))
        progress(0, len(chosen))
        for verdict in judge(chosen, Path(folder)):
            verdicts.append(verdict)
            print(row(str(len(verdicts)), verdict.name, verdict.catcher, verdict.outcome), flush=True)
            progress(len(verdicts), len(chosen))
    if options.json:
        options.json.write_text(json.dumps([asdict(verdict) for verdict in verdicts], indent=1), encoding="utf-8")
    caught = sum(verdict.outcome == "caught" for verdict in verdicts)
    print(f"{caught} of {len(verdicts)} planted faults caught")
    return 0 if caught == len(verdicts) > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
