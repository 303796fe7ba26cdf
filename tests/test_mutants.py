"""The planted faults stay plantable: every patch applies, every catcher exists, and a harmless patch is seen to survive."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.mutants.__main__ import LINT, PATCHES, ROOT, Mutant, _outcome, copy_tree, mutants

NAMES = [mutant.name for mutant in mutants()]


@pytest.mark.parametrize("mutant", mutants(), ids=NAMES)
def test_the_patch_applies_and_names_a_check_that_exists(mutant: Mutant) -> None:
    done = subprocess.run(
        ["git", "apply", "--check", str(mutant.patch)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    if mutant.catcher.startswith(LINT):
        assert f'name = "{mutant.catcher.removeprefix(LINT)}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    else:
        path, _, test = mutant.catcher.partition("::")
        assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")


def test_a_patch_that_changes_nothing_that_matters_survives(tmp_path: Path) -> None:
    copy_tree(tmp_path)
    patch = tmp_path / "harmless.patch"
    name = "gateway/core/posting.py"
    first, *after = (f" {line}\n" for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()[:4])
    hunk = "".join(["@@ -1,4 +1,5 @@\n", first, "+\n", *after])
    patch.write_text(f"--- a/{name}\n+++ b/{name}\n{hunk}", encoding="utf-8")
    harmless = Mutant("harmless", "tests/core/test_wording.py::test_masked", patch)
    assert _outcome(harmless, tmp_path, sound=True) == "survived"


def test_every_contract_has_its_mutant() -> None:
    contracts = [
        line.split('"')[1]
        for line in (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[[tool.importlinter.contracts]]")[1:]
    ]
    assert {f"{LINT}{name}" for name in contracts} <= {mutant.catcher for mutant in mutants()}
    assert PATCHES.name == "mutants"
